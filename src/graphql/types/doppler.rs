//! Doppler's side of a contact.

use std::sync::Arc;

use async_graphql::{Context, Object, Result, SimpleObject};

use super::DopplerList;
use crate::graphql::context::ContextExt;
use crate::graphql::scalars::{DateTime, EmailAddress};
use crate::unified::{Subscriber, SubscriberField, lists_of};

/// What Doppler says of a contact.
pub struct DopplerSubscriber(pub Arc<Subscriber>);

/// What Doppler says of a contact, as it is there.
#[Object]
impl DopplerSubscriber {
    /// The address, which is the subscriber's only key in Doppler.
    async fn email(&self) -> EmailAddress {
        EmailAddress(self.0.email.clone())
    }

    /// Doppler's own status: `active`, `pending`, `standBy` or `unsubscribed`.
    async fn status(&self) -> &str {
        self.0.status.as_str()
    }

    /// The lists that the subscriber is in.
    async fn lists(&self, context: &Context<'_>) -> Result<Option<Vec<DopplerList>>> {
        if self.0.lists.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let lists = context.reader()?.lists().await?;
        let mine = lists_of(&self.0, &lists);
        Ok(Some(mine.into_iter().map(|list| DopplerList(list.clone())).collect()))
    }

    /// All fields with their values.
    async fn fields(&self) -> Vec<DopplerField> {
        self.0.fields.iter().map(Into::into).collect()
    }

    /// When the person opted out or was taken out.
    async fn unsubscribed_at(&self) -> Option<DateTime> {
        self.0.unsubscribed_at.map(DateTime)
    }

    /// Why: `hardBounce`, `softBounce`, `neverOpen`, `manual`, `abuseLink`, `feedbackLoop` or
    /// `internalPolicies`.
    async fn unsubscription_type(&self) -> Option<&str> {
        self.0.unsubscription_type.as_deref()
    }

    /// Doppler's engagement score.
    async fn score(&self) -> Option<i64> {
        self.0.score
    }
}

/// One field of a Doppler subscriber.
#[derive(Clone, Debug, SimpleObject)]
pub struct DopplerField {
    /// For example `FIRSTNAME`.
    name: String,
    /// The value; Doppler keeps all values as text.
    value: Option<String>,
    /// Doppler's type, for example `string`, `date` or `country`.
    #[graphql(name = "type")]
    kind: String,
    /// Whether every account has it.
    predefined: bool,
    /// Whether Doppler refuses to change it.
    read_only: bool,
}

impl From<&SubscriberField> for DopplerField {
    fn from(field: &SubscriberField) -> Self {
        Self {
            name: field.name.clone(),
            value: field.value.clone(),
            kind: field.kind.clone(),
            predefined: field.predefined,
            read_only: field.read_only,
        }
    }
}
