//! A task.

use async_graphql::{Context, ID, Object, Result};

use super::Contact;
use crate::contacts::Target;
use crate::graphql::context::ContextExt;
use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::DateTime;
use crate::unified::{self, HighLevelId};

/// A task on a contact, which HighLevel keeps.
pub struct Task {
    pub task: unified::Task,
    pub on: HighLevelId,
    /// Whom it is about, where that is at hand.
    pub about: Option<Contact>,
}

impl Task {
    /// One task by its id. One call when the contact's tasks are not at hand.
    pub async fn find(context: &Context<'_>, target: &Target) -> Result<Option<Self>> {
        let reader = context.reader()?;
        if reader.is_erased(&target.contact).await? {
            return Ok(None);
        }
        let tasks = reader.tasks(&target.contact).await?.value;
        let task = tasks.iter().flat_map(|all| all.iter()).find(|task| task.id == target.id);
        let on = target.contact.clone();
        Ok(task.map(|task| Self { task: task.clone(), on, about: None }))
    }
}

/// A task about a contact, kept in HighLevel.
#[Object]
impl Task {
    /// The task's global id.
    pub async fn id(&self) -> ID {
        let target = Target { contact: self.on.clone(), id: self.task.id.clone() };
        GlobalId::Task(target).encode()
    }

    /// Whom the task is about.
    async fn contact(&self, context: &Context<'_>) -> Result<Option<Contact>> {
        if let Some(contact) = &self.about {
            return Ok(Some(contact.clone()));
        }
        // Rare, and large: every field would make room for it.
        let reader = context.reader()?;
        let person = Box::pin(reader.find_by_highlevel_id(&self.on)).await?;
        Ok(person.map(Contact::new))
    }

    /// For example `Send the price list`.
    async fn title(&self) -> Option<&str> {
        self.task.title.as_deref()
    }

    /// What is to be done, at length.
    async fn body(&self) -> Option<&str> {
        self.task.body.as_deref()
    }

    /// Until when.
    async fn due_at(&self) -> Option<DateTime> {
        self.task.due_at.map(DateTime)
    }

    /// Whether it is done.
    async fn completed(&self) -> bool {
        self.task.completed
    }

    /// The HighLevel user who is to do it.
    async fn assigned_to(&self) -> Option<&str> {
        self.task.assigned_to.as_deref()
    }
}
