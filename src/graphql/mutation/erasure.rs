//! Erasing people.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::payload::UserError;
use crate::graphql::context::ContextExt;
use crate::graphql::ids::GlobalId;
use crate::graphql::types::ContactBy;

/// The mutation of erasure.
#[derive(Default)]
pub struct ErasureWrites;

/// A person of whom nothing is to be kept.
///
/// There is no idempotency key: whoever was erased is erased, however often it is asked for.
#[derive(InputObject)]
pub struct EraseContactInput {
    /// Who, by what Tandem keeps of them: no system is asked.
    contact: ContactBy,
}

/// What became of it.
#[derive(SimpleObject)]
pub struct EraseContactPayload {
    /// The id of the contact, of whom nothing is kept any more. It is never anybody else's.
    erased_contact_id: Option<ID>,
    /// Why the input was not taken; empty when it was.
    user_errors: Vec<UserError>,
}

#[Object]
impl ErasureWrites {
    /// Takes away everything that Tandem keeps of a person, for good, and sees to it that nothing brings
    /// them back: whatever either system tells of the same address or record is passed over from then on.
    ///
    /// Nothing is changed in Doppler and HighLevel. To have the person gone there too, use `unsubscribe`
    /// and `deleteContact` before, and Doppler's own erasure. Needs `workspace.manage`.
    async fn erase_contact(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom.")] input: EraseContactInput,
    ) -> Result<EraseContactPayload> {
        let eraser = context.eraser()?;
        Ok(match eraser.erase(input.contact.try_into()?).await? {
            Ok(contact) => EraseContactPayload {
                erased_contact_id: Some(GlobalId::Contact(contact).encode()),
                user_errors: Vec::new(),
            },
            Err(refusals) => EraseContactPayload {
                erased_contact_id: None,
                user_errors: refusals.into_iter().map(Into::into).collect(),
            },
        })
    }
}
