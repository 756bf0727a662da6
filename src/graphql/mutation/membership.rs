//! Tags and lists.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::payload::{Outcome, list_of, payload};
use crate::graphql::context::ContextExt;
use crate::graphql::types::ContactBy;

/// The mutations of tags and lists.
#[derive(Default)]
pub struct MembershipWrites;

/// Tags to be added to a person.
#[derive(InputObject)]
pub struct AddTagsInput {
    /// As in `UpsertContactInput`.
    idempotency_key: Option<String>,
    /// To whom.
    contact: ContactBy,
    /// For example `["vip", "expo 2026"]`; upper and lower case are the same.
    tags: Vec<String>,
}

/// Tags to be taken from a person.
#[derive(InputObject)]
pub struct RemoveTagsInput {
    /// As in `UpsertContactInput`.
    idempotency_key: Option<String>,
    /// From whom.
    contact: ContactBy,
    /// Those that the person does not have are passed over.
    tags: Vec<String>,
}

/// A Doppler list to be joined.
#[derive(InputObject)]
pub struct AddToListInput {
    /// As in `UpsertContactInput`.
    idempotency_key: Option<String>,
    /// Who joins.
    contact: ContactBy,
    /// The list's id, as `lists` gives it.
    list: ID,
}

/// A Doppler list to be left.
#[derive(InputObject)]
pub struct RemoveFromListInput {
    /// As in `UpsertContactInput`.
    idempotency_key: Option<String>,
    /// Who leaves.
    contact: ContactBy,
    /// The list's id, as `lists` gives it.
    list: ID,
}

payload!(AddTagsPayload);
payload!(RemoveTagsPayload);
payload!(AddToListPayload);
payload!(RemoveFromListPayload);

#[Object]
impl MembershipWrites {
    /// Adds tags to a person. Needs `contacts.write`.
    async fn add_tags(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The tags and to whom.")] input: AddTagsInput,
    ) -> Result<AddTagsPayload> {
        let writer = context.writer()?;
        let (key, by) = (input.idempotency_key, input.contact.try_into()?);
        let written = writer.add_tags(key.as_deref(), by, input.tags).await?;
        Ok(Outcome::of(context, written).await?.into())
    }

    /// Takes tags from a person. Needs `contacts.write`.
    async fn remove_tags(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The tags and from whom.")] input: RemoveTagsInput,
    ) -> Result<RemoveTagsPayload> {
        let writer = context.writer()?;
        let (key, by) = (input.idempotency_key, input.contact.try_into()?);
        let written = writer.remove_tags(key.as_deref(), by, input.tags).await?;
        Ok(Outcome::of(context, written).await?.into())
    }

    /// Puts a person on a Doppler list. Somebody who opted out is not: Doppler has no way back for
    /// them but their own. Needs `contacts.write`.
    async fn add_to_list(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who joins which list.")] input: AddToListInput,
    ) -> Result<AddToListPayload> {
        let writer = context.writer()?;
        let (key, by) = (input.idempotency_key, input.contact.try_into()?);
        let list = list_of(&input.list, "list")?;
        let written = writer.add_to_list(key.as_deref(), by, list).await?;
        Ok(Outcome::of(context, written).await?.into())
    }

    /// Takes a person off a Doppler list; they stay a subscriber. Needs `contacts.write`.
    async fn remove_from_list(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who leaves which list.")] input: RemoveFromListInput,
    ) -> Result<RemoveFromListPayload> {
        let writer = context.writer()?;
        let (key, by) = (input.idempotency_key, input.contact.try_into()?);
        let list = list_of(&input.list, "list")?;
        let written = writer.remove_from_list(key.as_deref(), by, list).await?;
        Ok(Outcome::of(context, written).await?.into())
    }
}
