//! What waits for a decision.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::SyncRun;
use super::enums::HoldKind;
use crate::contacts::{self, Error};
use crate::graphql::context::ContextExt;
use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::DateTime;
use crate::graphql::types::{Contact, SystemName};
use crate::unified;

/// Something set aside for a person to decide.
pub struct Hold(pub Arc<unified::Hold>);

/// Something set aside for a person to decide.
#[Object]
impl Hold {
    /// The hold's global id, for `resolveHold`.
    pub async fn id(&self) -> ID {
        GlobalId::Hold(self.0.id).encode()
    }

    /// Why it was set aside, as a code.
    async fn kind(&self) -> HoldKind {
        self.0.kind.into()
    }

    /// The person it is about, where it is about one. From the last known copies.
    async fn contact(&self, context: &Context<'_>) -> Result<Option<Contact>> {
        let Some(id) = self.0.contact else { return Ok(None) };
        Ok(context.reader()?.person(id).await?.map(Contact::remembered))
    }

    /// Everybody it is about. From the last known copies.
    async fn contacts(&self, context: &Context<'_>) -> Result<Vec<Contact>> {
        let reader = context.reader()?;
        let people = self.0.contacts.iter().map(|id| reader.person(*id));
        let people = futures_util::future::try_join_all(people).await?;
        Ok(people.into_iter().flatten().map(Contact::remembered).collect())
    }

    /// The run that it stopped, where it did.
    async fn run(&self, context: &Context<'_>) -> Result<Option<SyncRun>> {
        let Some(id) = self.0.run else { return Ok(None) };
        Ok(context.observer()?.run(id).await?.map(Into::into))
    }

    /// The system it is about, where it is about one.
    async fn system(&self) -> Option<SystemName> {
        self.0.system.map(Into::into)
    }

    /// The field it is about, by the mapping's name.
    async fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// What there is to choose from, where it is a choice between values or people.
    async fn candidates(&self) -> Vec<HoldCandidate> {
        self.0.candidates.iter().cloned().map(Into::into).collect()
    }

    /// The ways out.
    async fn resolutions(&self) -> Vec<HoldResolution> {
        self.0.resolutions.iter().cloned().map(Into::into).collect()
    }

    /// Why it was set aside, in words.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Since when.
    async fn since(&self) -> DateTime {
        DateTime(self.0.since)
    }
}

/// One of the things to choose from.
#[derive(SimpleObject)]
pub struct HoldCandidate {
    /// For `candidate` of `resolveHold`.
    id: ID,
    /// Whose it is, where it is one system's.
    system: Option<SystemName>,
    /// What it is, in words.
    label: String,
    /// The value, where it is one.
    value: Option<String>,
}

/// One way out.
#[derive(SimpleObject)]
pub struct HoldResolution {
    /// For `choice` of `resolveHold`.
    choice: String,
    /// What it does, in words.
    effect: String,
}

impl From<unified::HoldCandidate> for HoldCandidate {
    fn from(candidate: unified::HoldCandidate) -> Self {
        let unified::HoldCandidate { id, system, label, value } = candidate;
        Self { id: id.into(), system: system.map(Into::into), label, value }
    }
}

impl From<unified::HoldResolution> for HoldResolution {
    fn from(resolution: unified::HoldResolution) -> Self {
        let unified::HoldResolution { choice, effect } = resolution;
        Self { choice, effect }
    }
}

/// Which holds. All conditions must be met.
#[derive(InputObject)]
pub struct HoldFilter {
    /// Of one of these kinds.
    kinds: Option<Vec<HoldKind>>,
    /// About this person.
    contact: Option<ID>,
}

impl TryFrom<HoldFilter> for contacts::HoldFilter {
    type Error = Error;

    fn try_from(filter: HoldFilter) -> Result<Self, Error> {
        Ok(Self {
            kinds: filter.kinds.map(|kinds| kinds.into_iter().map(Into::into).collect()),
            contact: filter.contact.map(|id| GlobalId::contact(&id, "contact")).transpose()?,
        })
    }
}
