//! A note.

use async_graphql::{Context, ID, Object, Result};

use super::Contact;
use crate::contacts::Target;
use crate::graphql::context::ContextExt;
use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::DateTime;
use crate::unified::{self, HighLevelId};

/// A note on a contact, which HighLevel keeps.
pub struct Note {
    pub note: unified::Note,
    pub on: HighLevelId,
    /// Whom it is about, where that is at hand.
    pub about: Option<Contact>,
}

impl Note {
    /// One note by its id. One call when the contact's notes are not at hand.
    pub async fn find(context: &Context<'_>, target: &Target) -> Result<Option<Self>> {
        let reader = context.reader()?;
        if reader.is_erased(&target.contact).await? {
            return Ok(None);
        }
        let notes = reader.notes(&target.contact).await?.value;
        let note = notes.iter().flat_map(|all| all.iter()).find(|note| note.id == target.id);
        let on = target.contact.clone();
        Ok(note.map(|note| Self { note: note.clone(), on, about: None }))
    }
}

/// A note on a contact, kept in HighLevel.
#[Object]
impl Note {
    /// The note's global id.
    pub async fn id(&self) -> ID {
        let target = Target { contact: self.on.clone(), id: self.note.id.clone() };
        GlobalId::Note(target).encode()
    }

    /// Whom the note is about.
    async fn contact(&self, context: &Context<'_>) -> Result<Option<Contact>> {
        if let Some(contact) = &self.about {
            return Ok(Some(contact.clone()));
        }
        // Rare, and large: every field would make room for it.
        let reader = context.reader()?;
        let person = Box::pin(reader.find_by_highlevel_id(&self.on)).await?;
        Ok(person.map(Contact::new))
    }

    /// The text, for example `Called, asked for the price list.`
    async fn body(&self) -> Option<&str> {
        self.note.body.as_deref()
    }

    /// A headline, where there is one.
    async fn title(&self) -> Option<&str> {
        self.note.title.as_deref()
    }

    /// When it was written.
    async fn created_at(&self) -> Option<DateTime> {
        self.note.created_at.map(DateTime)
    }

    /// The HighLevel user who wrote it.
    async fn author_id(&self) -> Option<&str> {
        self.note.author_id.as_deref()
    }
}
