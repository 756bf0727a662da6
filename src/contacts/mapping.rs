//! Changing the mapping: checked against both systems' real fields, tried on a real person, stored
//! over the revision that it was made from.

use std::sync::Arc;

use crate::bus::What;
use crate::store::{Put, StoredMapping};
use crate::sync::Preview;
use crate::unified::{
    Definitions, Ground, List, Mapping, MappingInput, System, UserError, UserErrorCode, validate,
};

use super::admin::{Admin, Managed, settings_changed};
use super::{By, Error, Observer, Person, Reader};

/// What a mapping is checked against.
struct Fields {
    definitions: Definitions,
    lists: Option<Arc<Vec<List>>>,
}

impl Fields {
    async fn read(reader: &Reader) -> Self {
        let (doppler, highlevel, lists) = tokio::join!(
            reader.fields(System::Doppler),
            reader.fields(System::HighLevel),
            reader.lists()
        );
        let definitions = Definitions {
            doppler: doppler.ok().map(|fields| fields.to_vec()),
            highlevel: highlevel.ok().map(|fields| fields.to_vec()),
        };
        Self { definitions, lists: lists.ok() }
    }

    fn check(&self, input: &MappingInput, present: &Mapping) -> Managed<Mapping> {
        let lists = self.lists.as_ref().map(|lists| lists.as_slice());
        validate(input, present, Ground { definitions: &self.definitions, lists })
    }
}

impl Admin {
    /// Changes the mapping if it is still the revision that the change was made from.
    pub async fn update_mapping(
        &self,
        input: &MappingInput,
        if_revision: i64,
    ) -> Result<Managed<Mapping>, Error> {
        let workspace = &self.session.requester.workspace;
        let core = &self.core;
        core.mappings.refresh(workspace).await?;
        let present = core.mapping(workspace);
        if present.revision != if_revision {
            return Ok(Err(vec![stale(present.revision)]));
        }
        let reader = Reader::new(Arc::clone(core), Arc::clone(&self.session))?;
        let mapping = match Fields::read(&reader).await.check(input, &present) {
            Ok(mapping) => mapping,
            Err(problems) => return Ok(Err(problems)),
        };
        let body = serde_json::to_string(&mapping).map_err(|_| Error::Internal("mapping"))?;
        let stored = StoredMapping { revision: if_revision, body };
        let event = settings_changed("The mapping was changed".to_owned());
        match core.store.put_mapping(workspace, &stored, &event, core.clock.now()).await? {
            Put::Stored(_) => {
                core.mappings.refresh(workspace).await?;
                core.publish(workspace, What::Mapping);
                Ok(Ok(Mapping::clone(&core.mapping(workspace))))
            }
            Put::Stale(revision) => Ok(Err(vec![stale(revision)])),
        }
    }
}

impl Observer {
    /// One person under the present mapping, or under a proposed one; `None` if neither system
    /// knows them.
    pub async fn mapping_preview(
        &self,
        proposed: Option<MappingInput>,
        by: By,
    ) -> Result<Option<(Arc<Person>, Preview)>, Error> {
        let reader = self.reader()?;
        let present = self.mapping();
        let mapping = match &proposed {
            None => present,
            Some(input) => match Fields::read(&reader).await.check(input, &present) {
                Ok(mapping) => Arc::new(mapping),
                Err(problems) => {
                    let Some(person) = reader.find(by).await? else { return Ok(None) };
                    return Ok(Some((person, Preview { fields: Vec::new(), problems })));
                }
            },
        };
        let Some(person) = reader.find(by).await? else { return Ok(None) };
        let preview = self.try_mapping(&person, mapping).await?;
        Ok(preview.map(|preview| (person, preview)))
    }
}

fn stale(revision: i64) -> UserError {
    let message = format!("it was changed meanwhile; read revision {revision} and begin from it");
    UserError::new(UserErrorCode::Stale, message, ["ifRevision"])
}
