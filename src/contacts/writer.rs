//! Writing: the handle that a client with `contacts.write` holds. Notes and tasks, which are
//! HighLevel's own.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::auth::Scope;
use crate::bus::{Change, Changed};
use crate::unified::{
    ContactId, HighLevelId, Note, NoteDraft, NoteEdit, System, Task, TaskDraft, TaskEdit,
};
use crate::upstream::{self, Directory, Kind, UpstreamState};

use super::core::Core;
use super::idempotency::Start;
use super::person::Person;
use super::{By, Error, Reader, Session};

/// How far HighLevel's clock may be behind ours when we look for a note that we may have written.
const SKEW: TimeDelta = TimeDelta::seconds(5);

/// What hangs on a contact and can be written.
#[derive(Clone, Copy)]
struct Thing {
    word: &'static str,
    changed: fn(HighLevelId) -> Changed,
}

const NOTE: Thing = Thing { word: "note", changed: Changed::Notes };
const TASK: Thing = Thing { word: "task", changed: Changed::Tasks };

/// The right to write contacts, for one request.
pub struct Writer {
    pub(super) core: Arc<Core>,
    pub(super) session: Arc<Session>,
}

/// A note or task to be changed: its contact's HighLevel id and its own.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Target {
    pub contact: HighLevelId,
    pub id: String,
}

/// What became of a mutation: the person, and either the thing written or why it was refused.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Written {
    /// The contact, when it could be told.
    pub contact: Option<ContactId>,
    /// The note or task.
    pub target: Option<Target>,
    pub refusal: Option<Refusal>,
}

/// An expected refusal, as data.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Refusal {
    pub kind: RefusalKind,
    pub message: String,
    /// The input's members that are at fault.
    pub fields: Vec<String>,
    /// Whether a system refused it, rather than we before asking.
    pub upstream: bool,
}

/// Why a mutation was refused.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum RefusalKind {
    NotFound,
    Ambiguous,
    Invalid,
    /// The person is not in HighLevel, which alone has notes and tasks.
    NotSupported,
}

impl Writer {
    pub(super) fn new(core: Arc<Core>, session: Arc<Session>) -> Result<Self, Error> {
        if !session.requester.scopes.has(Scope::ContactsWrite) {
            return Err(Error::Denied(Scope::ContactsWrite));
        }
        if Directory::status(&*core.crm).state == UpstreamState::ReadOnly {
            return Err(Error::ReadOnly);
        }
        Ok(Self { core, session })
    }

    /// Writes a note on a contact.
    pub async fn create_note(
        &self,
        key: Option<&str>,
        by: By,
        note: NoteDraft,
    ) -> Result<Written, Error> {
        let note = &note;
        let input = (by_text(&by), note);
        self.once("createNote", key, &input, |start| async move {
            let (person, contact) = match self.addressee(by).await? {
                Ok(found) => found,
                Err(refused) => return Ok(refused),
            };
            let earlier = self.earlier_note(&contact, note, start).await?;
            let written = match earlier {
                Some(note) => Ok(note),
                None => self.core.crm.create_note(&self.session.call, &contact, note).await,
            };
            self.wrote(&person, &contact, written.map(|note| note.id), NOTE.changed).await
        })
        .await
    }

    /// Changes a note.
    pub async fn update_note(
        &self,
        key: Option<&str>,
        target: Target,
        edit: NoteEdit,
    ) -> Result<Written, Error> {
        self.once("updateNote", key, &(&target, &edit), |_| {
            let (call, crm) = (&self.session.call, &self.core.crm);
            let write = crm.update_note(call, &target.contact, &target.id, &edit);
            self.change(&target, NOTE, async { Ok(write.await?.id) })
        })
        .await
    }

    /// Deletes a note.
    pub async fn delete_note(&self, key: Option<&str>, target: Target) -> Result<Written, Error> {
        self.once("deleteNote", key, &target, |_| {
            let (call, crm) = (&self.session.call, &self.core.crm);
            let write = crm.delete_note(call, &target.contact, &target.id);
            self.change(&target, NOTE, async { write.await.map(|()| target.id.clone()) })
        })
        .await
    }

    /// Writes a task on a contact.
    pub async fn create_task(
        &self,
        key: Option<&str>,
        by: By,
        task: TaskDraft,
    ) -> Result<Written, Error> {
        let task = &task;
        let input = (by_text(&by), task);
        self.once("createTask", key, &input, |start| async move {
            let (person, contact) = match self.addressee(by).await? {
                Ok(found) => found,
                Err(refused) => return Ok(refused),
            };
            let earlier = self.earlier_task(&contact, task, start).await?;
            let written = match earlier {
                Some(task) => Ok(task),
                None => self.core.crm.create_task(&self.session.call, &contact, task).await,
            };
            self.wrote(&person, &contact, written.map(|task| task.id), TASK.changed).await
        })
        .await
    }

    /// Changes a task.
    pub async fn update_task(
        &self,
        key: Option<&str>,
        target: Target,
        edit: TaskEdit,
    ) -> Result<Written, Error> {
        self.once("updateTask", key, &(&target, &edit), |_| {
            let (call, crm) = (&self.session.call, &self.core.crm);
            let write = crm.update_task(call, &target.contact, &target.id, &edit);
            self.change(&target, TASK, async { Ok(write.await?.id) })
        })
        .await
    }

    /// Marks a task as done, or as open again.
    pub async fn complete_task(
        &self,
        key: Option<&str>,
        target: Target,
        completed: bool,
    ) -> Result<Written, Error> {
        self.once("completeTask", key, &(&target, completed), |_| {
            let (call, crm) = (&self.session.call, &self.core.crm);
            let write = crm.complete_task(call, &target.contact, &target.id, completed);
            self.change(&target, TASK, async { Ok(write.await?.id) })
        })
        .await
    }

    /// Deletes a task.
    pub async fn delete_task(&self, key: Option<&str>, target: Target) -> Result<Written, Error> {
        self.once("deleteTask", key, &target, |_| {
            let (call, crm) = (&self.session.call, &self.core.crm);
            let write = crm.delete_task(call, &target.contact, &target.id);
            self.change(&target, TASK, async { write.await.map(|()| target.id.clone()) })
        })
        .await
    }

    /// Does `write`, which answers the id of what it wrote, to something that exists already.
    async fn change(
        &self,
        target: &Target,
        thing: Thing,
        write: impl Future<Output = Result<String, upstream::Error>>,
    ) -> Result<Written, Error> {
        let Some(person) = self.reader()?.find_by_highlevel_id(&target.contact).await? else {
            let message = format!("no such {}", thing.word);
            return Ok(Written::refused(RefusalKind::NotFound, &message, thing.word));
        };
        self.wrote(&person, &target.contact, write.await, thing.changed).await
    }

    fn reader(&self) -> Result<Reader, Error> {
        Reader::new(Arc::clone(&self.core), Arc::clone(&self.session))
    }

    /// The HighLevel contact to be written on, or the refusal to answer.
    async fn addressee(
        &self,
        by: By,
    ) -> Result<Result<(Arc<Person>, HighLevelId), Written>, Error> {
        let reader = self.reader()?;
        let person = match reader.find(by).await {
            Ok(Some(person)) => person,
            Ok(None) => {
                let refused = Written::refused(RefusalKind::NotFound, "no such contact", "contact");
                return Ok(Err(refused));
            }
            Err(Error::Ambiguous(_)) => {
                let message = "several contacts match; name one by its id";
                return Ok(Err(Written::refused(RefusalKind::Ambiguous, message, "contact")));
            }
            Err(error) => return Err(error),
        };
        let sides = reader.highlevel_sides(std::slice::from_ref(&person)).await;
        for side in sides {
            if let Some(contact) = side?.value {
                return Ok(Ok((person, contact.id.clone())));
            }
        }
        let message = "the contact is not in HighLevel, which alone keeps notes and tasks";
        let mut refused = Written::refused(RefusalKind::NotSupported, message, "contact");
        refused.contact = Some(person.id);
        Ok(Err(refused))
    }

    /// The note that an earlier, doubtful attempt may have written.
    async fn earlier_note(
        &self,
        contact: &HighLevelId,
        note: &NoteDraft,
        start: Start,
    ) -> Result<Option<Note>, Error> {
        let Start::Doubtful(since) = start else { return Ok(None) };
        let notes = self.core.crm.notes(&self.session.call, contact).await?;
        let since = since - SKEW;
        let ours = |found: &Note| {
            found.body.as_deref() == Some(&note.body) && is_since(found.created_at, since)
        };
        Ok(notes.into_iter().flatten().find(ours))
    }

    /// The task that an earlier, doubtful attempt may have written. Tasks carry no time of
    /// creation, so one that looks alike is taken for ours.
    async fn earlier_task(
        &self,
        contact: &HighLevelId,
        task: &TaskDraft,
        start: Start,
    ) -> Result<Option<Task>, Error> {
        let Start::Doubtful(_) = start else { return Ok(None) };
        let tasks = self.core.crm.tasks(&self.session.call, contact).await?;
        let ours = |found: &Task| {
            found.title.as_deref() == Some(&task.title)
                && found.body == task.body
                && found.due_at == Some(task.due_at)
        };
        Ok(tasks.into_iter().flatten().find(ours))
    }

    /// Makes a write known, or turns an expected refusal into data.
    async fn wrote(
        &self,
        person: &Person,
        contact: &HighLevelId,
        written: Result<String, upstream::Error>,
        entity: fn(HighLevelId) -> Changed,
    ) -> Result<Written, Error> {
        let id = match written {
            Ok(id) => id,
            Err(error) => {
                // An answer that got lost may hide a write.
                self.forget(contact, &entity(contact.clone()));
                return match error.kind {
                    Kind::NotFound => Ok(Written {
                        contact: Some(person.id),
                        ..Written::refused(RefusalKind::NotFound, "it does not exist", "id")
                    }),
                    Kind::Rejected { ref fields } => Ok(Written {
                        contact: Some(person.id),
                        target: None,
                        refusal: Some(Refusal {
                            kind: RefusalKind::Invalid,
                            message: "HighLevel refused the input".to_owned(),
                            fields: fields.clone(),
                            upstream: true,
                        }),
                    }),
                    Kind::ScopeMissing(_) => Err(Error::ReadOnly),
                    Kind::Unauthorized
                    | Kind::RateLimited { .. }
                    | Kind::Duplicate { .. }
                    | Kind::Unavailable
                    | Kind::Timeout
                    | Kind::Malformed
                    | Kind::NotConnected => Err(error.into()),
                };
            }
        };
        let entity = entity(contact.clone());
        self.forget(contact, &entity);
        let workspace = self.session.requester.workspace.clone();
        self.core.bus.publish(Change { workspace, contact: person.id, entity }).await;
        let target = Some(Target { contact: contact.clone(), id });
        Ok(Written { contact: Some(person.id), target, refusal: None })
    }

    fn forget(&self, contact: &HighLevelId, entity: &Changed) {
        let (core, session, id) = (&self.core, &*self.session, contact.as_str());
        match entity {
            Changed::Notes(_) => {
                core.invalidate::<Option<Arc<Vec<Note>>>>(session, System::HighLevel, id);
            }
            Changed::Tasks(_) => {
                core.invalidate::<Option<Arc<Vec<Task>>>>(session, System::HighLevel, id);
            }
        }
    }
}

impl Written {
    fn refused(kind: RefusalKind, message: &str, field: &str) -> Self {
        let fields = vec![field.to_owned()];
        let message = message.to_owned();
        let refusal = Some(Refusal { kind, message, fields, upstream: false });
        Self { contact: None, target: None, refusal }
    }
}

fn is_since(at: Option<DateTime<Utc>>, since: DateTime<Utc>) -> bool {
    at.is_some_and(|at| at >= since)
}

/// What tells one addressee from another in the hash of an input.
fn by_text(by: &By) -> String {
    match by {
        By::Id(id) => format!("id:{id}"),
        By::Email(email) => format!("email:{email}"),
        By::Phone(phone) => format!("phone:{phone}"),
        By::HighLevelId(id) => format!("highlevelId:{id}"),
    }
}
