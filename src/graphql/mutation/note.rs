//! Notes.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::payload::{Outcome, SystemWrite, UserError, check_text, note_target, payload};
use crate::graphql::context::ContextExt;
use crate::graphql::types::{Contact, ContactBy, Note};
use crate::unified::{NoteDraft, NoteEdit};

/// The mutations of notes.
#[derive(Default)]
pub struct NoteWrites;

/// A note to be written on a contact.
#[derive(InputObject)]
pub struct CreateNoteInput {
    /// Any text of up to 255 bytes that is the same for every retry: the note is written once, and
    /// retries within 24 hours answer alike.
    idempotency_key: Option<String>,
    /// On whom.
    contact: ContactBy,
    /// The text, for example `Called, asked for the price list.`
    body: String,
    /// A headline.
    title: Option<String>,
}

/// A change of a note. What is not given stays as it is.
#[derive(InputObject)]
pub struct UpdateNoteInput {
    /// As in `CreateNoteInput`.
    idempotency_key: Option<String>,
    /// The note's id.
    note: ID,
    /// The new text.
    body: Option<String>,
    /// The new headline.
    title: Option<String>,
}

/// A note to be deleted.
#[derive(InputObject)]
pub struct DeleteNoteInput {
    /// As in `CreateNoteInput`.
    idempotency_key: Option<String>,
    /// The note's id.
    note: ID,
}

payload!(CreateNotePayload, note: Note, "The note.");
payload!(UpdateNotePayload, note: Note, "The note.");

/// What became of it.
#[derive(SimpleObject)]
pub struct DeleteNotePayload {
    /// The person.
    contact: Option<Contact>,
    /// What each system made of it.
    writes: Vec<SystemWrite>,
    /// Why the input was not taken; empty when it was.
    user_errors: Vec<UserError>,
    /// The id of the note that is gone.
    deleted_note_id: Option<ID>,
}

#[Object]
impl NoteWrites {
    /// Writes a note on a contact, in HighLevel. Needs `contacts.write`.
    async fn create_note(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The note and on whom.")] input: CreateNoteInput,
    ) -> Result<CreateNotePayload> {
        let writer = context.writer()?;
        if let Some(refused) = check_text(&input.body, "body") {
            return Ok(refused.into());
        }
        let note = NoteDraft { body: input.body, title: input.title };
        let (key, by) = (input.idempotency_key, input.contact.try_into()?);
        let written = writer.create_note(key.as_deref(), by, note).await?;
        Ok(Outcome::of(context, written).await?.into())
    }

    /// Changes a note, in HighLevel. Needs `contacts.write`.
    async fn update_note(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateNoteInput,
    ) -> Result<UpdateNotePayload> {
        let writer = context.writer()?;
        if let Some(refused) = input.body.as_ref().and_then(|body| check_text(body, "body")) {
            return Ok(refused.into());
        }
        let edit = NoteEdit { body: input.body, title: input.title };
        let (key, target) = (input.idempotency_key, note_target(&input.note)?);
        let written = writer.update_note(key.as_deref(), target, edit).await?;
        Ok(Outcome::of(context, written).await?.into())
    }

    /// Deletes a note, in HighLevel. Needs `contacts.write`.
    async fn delete_note(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which note.")] input: DeleteNoteInput,
    ) -> Result<DeleteNotePayload> {
        let writer = context.writer()?;
        let (key, target) = (input.idempotency_key, note_target(&input.note)?);
        let written = writer.delete_note(key.as_deref(), target).await?;
        let Outcome { contact, writes, user_errors, target } =
            Outcome::of(context, written).await?;
        let deleted_note_id = target.is_some().then_some(input.note);
        Ok(DeleteNotePayload { contact, writes, user_errors, deleted_note_id })
    }
}
