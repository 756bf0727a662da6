//! Tasks.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::payload::{Outcome, SystemWrite, UserError, check_text, payload, task_target};
use crate::graphql::context::ContextExt;
use crate::graphql::scalars::DateTime;
use crate::graphql::types::{Contact, ContactBy, Task};
use crate::unified::{TaskDraft, TaskEdit};

/// The mutations of tasks.
#[derive(Default)]
pub struct TaskWrites;

/// A task to be written on a contact.
#[derive(InputObject)]
pub struct CreateTaskInput {
    /// As in `CreateNoteInput`.
    idempotency_key: Option<String>,
    /// About whom.
    contact: ContactBy,
    /// For example `Send the price list`.
    title: String,
    /// What is to be done, at length.
    body: Option<String>,
    /// Until when, for example `2026-03-01T12:00:00Z`.
    due_at: DateTime,
    /// The HighLevel user who is to do it.
    assigned_to: Option<String>,
}

/// A change of a task. What is not given stays as it is.
#[derive(InputObject)]
pub struct UpdateTaskInput {
    /// As in `CreateNoteInput`.
    idempotency_key: Option<String>,
    /// The task's id.
    task: ID,
    /// The new title.
    title: Option<String>,
    /// The new text.
    body: Option<String>,
    /// The new date.
    due_at: Option<DateTime>,
    /// Who is to do it from now on.
    assigned_to: Option<String>,
}

/// A task to be marked as done.
#[derive(InputObject)]
pub struct CompleteTaskInput {
    /// As in `CreateNoteInput`.
    idempotency_key: Option<String>,
    /// The task's id.
    task: ID,
    /// False opens it again; true if not given.
    completed: Option<bool>,
}

/// A task to be deleted.
#[derive(InputObject)]
pub struct DeleteTaskInput {
    /// As in `CreateNoteInput`.
    idempotency_key: Option<String>,
    /// The task's id.
    task: ID,
}

payload!(CreateTaskPayload, task: Task, "The task.");
payload!(UpdateTaskPayload, task: Task, "The task.");
payload!(CompleteTaskPayload, task: Task, "The task.");

/// What became of it.
#[derive(SimpleObject)]
pub struct DeleteTaskPayload {
    /// The person.
    contact: Option<Contact>,
    /// What each system made of it.
    writes: Vec<SystemWrite>,
    /// Why the input was not taken; empty when it was.
    user_errors: Vec<UserError>,
    /// The id of the task that is gone.
    deleted_task_id: Option<ID>,
}

#[Object]
impl TaskWrites {
    /// Writes a task on a contact, in HighLevel. Needs `contacts.write`.
    async fn create_task(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The task and about whom.")] input: CreateTaskInput,
    ) -> Result<CreateTaskPayload> {
        let writer = context.writer()?;
        if let Some(refused) = check_text(&input.title, "title") {
            return Ok(refused.into());
        }
        let (key, by) = (input.idempotency_key, input.contact.try_into()?);
        let task = TaskDraft {
            title: input.title,
            body: input.body,
            due_at: input.due_at.0,
            assigned_to: input.assigned_to,
        };
        let written = writer.create_task(key.as_deref(), by, task).await?;
        Ok(Outcome::of(context, written).await?.into())
    }

    /// Changes a task, in HighLevel. Needs `contacts.write`.
    async fn update_task(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateTaskInput,
    ) -> Result<UpdateTaskPayload> {
        let writer = context.writer()?;
        if let Some(refused) = input.title.as_ref().and_then(|title| check_text(title, "title")) {
            return Ok(refused.into());
        }
        let (key, target) = (input.idempotency_key, task_target(&input.task)?);
        let edit = TaskEdit {
            title: input.title,
            body: input.body,
            due_at: input.due_at.map(|at| at.0),
            assigned_to: input.assigned_to,
        };
        let written = writer.update_task(key.as_deref(), target, edit).await?;
        Ok(Outcome::of(context, written).await?.into())
    }

    /// Marks a task as done, or opens it again, in HighLevel. Needs `contacts.write`.
    async fn complete_task(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which task.")] input: CompleteTaskInput,
    ) -> Result<CompleteTaskPayload> {
        let writer = context.writer()?;
        let (key, target) = (input.idempotency_key, task_target(&input.task)?);
        let completed = input.completed.unwrap_or(true);
        let written = writer.complete_task(key.as_deref(), target, completed).await?;
        Ok(Outcome::of(context, written).await?.into())
    }

    /// Deletes a task, in HighLevel. Needs `contacts.write`.
    async fn delete_task(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which task.")] input: DeleteTaskInput,
    ) -> Result<DeleteTaskPayload> {
        let writer = context.writer()?;
        let (key, target) = (input.idempotency_key, task_target(&input.task)?);
        let written = writer.delete_task(key.as_deref(), target).await?;
        let Outcome { contact, writes, user_errors, target } =
            Outcome::of(context, written).await?;
        let deleted_task_id = target.is_some().then_some(input.task);
        Ok(DeleteTaskPayload { contact, writes, user_errors, deleted_task_id })
    }
}
