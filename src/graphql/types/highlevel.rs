//! HighLevel's side of a contact.

use std::sync::Arc;

use async_graphql::{Context, Object, Result};
use serde_json::Value;

use super::custom_field::CustomField;
use crate::graphql::context::ContextExt;
use crate::graphql::scalars::{DateTime, EmailAddress, PhoneNumber};
use crate::unified::{self, JsonText, System};

/// What HighLevel says of a contact.
pub struct HighLevelContact(pub Arc<unified::HighLevelContact>);

/// What HighLevel says of a contact, as it is there.
#[Object]
impl HighLevelContact {
    /// HighLevel's own id, for example `seD4PfOuKoVMLkEZqohJ`.
    async fn contact_id(&self) -> &str {
        self.0.id.as_str()
    }

    /// The location (sub-account) that the contact is in.
    async fn location_id(&self) -> &str {
        &self.0.location_id
    }

    /// The address as HighLevel has it.
    async fn email(&self) -> Option<EmailAddress> {
        self.0.email.clone().map(EmailAddress)
    }

    /// The number as HighLevel has it.
    async fn phone(&self) -> Option<PhoneNumber> {
        self.0.phone.clone().map(PhoneNumber)
    }

    /// For example `Ana`.
    async fn first_name(&self) -> Option<&str> {
        self.0.first_name.as_deref()
    }

    /// For example `Paz`.
    async fn last_name(&self) -> Option<&str> {
        self.0.last_name.as_deref()
    }

    /// HighLevel's kind of contact, for example `lead`.
    #[graphql(name = "type")]
    async fn kind(&self) -> Option<&str> {
        self.0.kind.as_deref()
    }

    /// Where the contact came from.
    async fn source(&self) -> Option<&str> {
        self.0.source.as_deref()
    }

    /// The HighLevel user in charge.
    async fn assigned_to(&self) -> Option<&str> {
        self.0.assigned_to.as_deref()
    }

    /// Do not disturb, on all channels.
    async fn dnd(&self) -> Option<bool> {
        self.0.dnd
    }

    /// Do not disturb by channel, as HighLevel has it; `active` means that it is on.
    async fn dnd_settings(&self) -> Option<Value> {
        self.0.dnd_settings.as_ref().map(JsonText::value)
    }

    /// HighLevel's tags.
    async fn tags(&self) -> Option<&[String]> {
        Some(&self.0.tags)
    }

    /// The custom fields that have a value.
    async fn custom_fields(&self, context: &Context<'_>) -> Result<Option<Vec<CustomField>>> {
        highlevel_fields(context, &self.0).await.map(Some)
    }

    /// When the contact was made.
    async fn date_added(&self) -> Option<DateTime> {
        self.0.date_added.map(DateTime)
    }

    /// When it was last changed.
    async fn date_updated(&self) -> Option<DateTime> {
        self.0.date_updated.map(DateTime)
    }
}

/// A contact's HighLevel fields by name; by id where the definitions cannot be read.
pub async fn highlevel_fields(
    context: &Context<'_>,
    contact: &unified::HighLevelContact,
) -> Result<Vec<CustomField>> {
    if contact.custom_fields.is_empty() {
        return Ok(Vec::new());
    }
    // A credential without the scope for definitions still shows the values.
    let definitions = context.reader()?.fields(System::HighLevel).await.unwrap_or_default();
    let fields = contact.custom_fields.iter();
    Ok(fields.map(|field| CustomField::highlevel(field, &definitions)).collect())
}
