//! People's sides as they were last known: what is at hand, else the copies in the store, all of a
//! page by one look. Nothing is asked of a system.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::unified::{Freshness, FreshnessSource, HighLevelId, System};

use super::core::{Core, Seen, no_read};
use super::doppler_side::DopplerSide;
use super::entity::Kept;
use super::highlevel_side::HighLevelSide;
use super::person::Person;
use super::{Error, Session};

impl Core {
    /// HighLevel's side of each person, in the order given.
    pub(super) async fn recalled_contacts(
        &self,
        session: &Session,
        people: &[Arc<Person>],
    ) -> Vec<HighLevelSide> {
        let ids = people.iter().map(|person| person.highlevel.as_ref().map(HighLevelId::as_str));
        self.recalled(session, System::HighLevel, ids.collect()).await
    }

    /// Doppler's side of each person, in the order given.
    pub(super) async fn recalled_subscribers(
        &self,
        session: &Session,
        people: &[Arc<Person>],
    ) -> Vec<DopplerSide> {
        let ids = people.iter().map(|person| person.doppler.as_deref());
        self.recalled(session, System::Doppler, ids.collect()).await
    }

    /// Whom no link leads to is not there, as far as is known.
    async fn recalled<T>(
        &self,
        session: &Session,
        system: System,
        ids: Vec<Option<&str>>,
    ) -> Vec<Result<Seen<Option<Arc<T>>>, Error>>
    where
        Option<Arc<T>>: Kept,
    {
        // It is as old as it happens to be.
        session.keep_private();
        let here = |id: &&str| self.peek::<Option<Arc<T>>>(session, system, id);
        let held: Vec<_> = ids.iter().map(|id| id.as_ref().and_then(here)).collect();
        let missing = ids.iter().zip(&held).filter(|(_, held)| held.is_none());
        let keys: Vec<_> = missing
            .filter_map(|(id, _)| Some(self.copy_key::<Option<Arc<T>>>(system, (*id)?)))
            .collect();
        let copies = match self.store.copies(&session.requester.workspace, &keys).await {
            Ok(copies) => copies,
            Err(error) => {
                let error = Error::from(error);
                return ids.iter().map(|_| Err(error.clone())).collect();
            }
        };
        let mut copies: HashMap<String, _> =
            copies.into_iter().map(|copy| (copy.key.key, (copy.body, copy.fetched_at))).collect();
        let sides = ids.into_iter().zip(held).map(|(id, held)| {
            let Some(id) = id else { return Ok(Seen { value: None, freshness: no_read() }) };
            if let Some(held) = held {
                return Ok(held);
            }
            let key = self.copy_key::<Option<Arc<T>>>(system, id).key;
            let (body, fetched_at) = copies.remove(&key).ok_or(Error::NotCached)?;
            let value = serde_json::from_str(body.as_deref().unwrap_or("null"));
            Ok(Seen {
                value: value.map_err(|_| Error::NotCached)?,
                freshness: remembered(fetched_at),
            })
        });
        sides.collect()
    }
}

fn remembered(fetched_at: DateTime<Utc>) -> Freshness {
    Freshness { fetched_at: Some(fetched_at), stale: true, source: FreshnessSource::LastKnown }
}
