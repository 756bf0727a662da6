//! Systems whose writes a test watches and lets go wrong, without a socket of its own in between.
//!
//! A [`Double`] stands before a real client (of the fake, mostly) and hands every call on. It keeps
//! what was written, in order, and gives the writes that the test names another [`Outcome`]: refused
//! before they were sent, lost after they took effect, or lost on the way.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use crate::unified::{
    Appointment, Campaign, ContactDraft, ContactEdit, Delivery, FieldDefinition, FieldDraft,
    HighLevelContact, HighLevelId, ImportTask, List, Location, Note, NoteDraft, NoteEdit,
    Subscriber, SubscriberEdit, System, Task, TaskDraft, TaskEdit,
};

use super::{
    Call, Crm, Directory, Error, Kind, Mailing, SearchPage, SearchRequest, SearchTerm,
    SubscriberPage, UpstreamStatus,
};

/// What becomes of a write instead of what it asks for.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Refused: it has no effect, and the error says so.
    Refuse(Kind),
    /// It takes effect and its answer is lost: a timeout, in doubt.
    LoseAnswer,
    /// It has no effect, but nobody can know: a timeout, in doubt.
    LoseRequest,
}

/// A write as it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The port's method.
    pub operation: &'static str,
    /// The id, list or address that it names, joined by a space.
    pub target: String,
    /// What was to be written, as JSON; null where the target says it all.
    pub what: Value,
}

/// See the module.
pub struct Double<T: ?Sized> {
    real: Arc<T>,
    script: Mutex<VecDeque<(&'static str, Outcome)>>,
    made: Mutex<Vec<Made>>,
}

impl<T: Directory + ?Sized> Double<T> {
    /// Before `real`, with nothing going wrong yet.
    pub fn new(real: Arc<T>) -> Self {
        Self { real, script: Mutex::default(), made: Mutex::default() }
    }

    /// The next write by `operation` (the port's method) that has no outcome yet ends so.
    pub fn next(&self, operation: &'static str, outcome: Outcome) {
        self.script.lock().unwrap().push_back((operation, outcome));
    }

    /// What was written since this was last asked, those that went wrong included.
    pub fn made(&self) -> Vec<Made> {
        std::mem::take(&mut *self.made.lock().unwrap())
    }

    async fn write<R>(
        &self,
        operation: &'static str,
        target: &str,
        what: impl Serialize,
        real: impl Future<Output = Result<R, Error>>,
    ) -> Result<R, Error> {
        let what = serde_json::to_value(what).unwrap();
        self.made.lock().unwrap().push(Made { operation, target: target.to_owned(), what });
        let outcome = {
            let mut script = self.script.lock().unwrap();
            let place = script.iter().position(|(named, _)| *named == operation);
            place.and_then(|place| script.remove(place)).map(|(_, outcome)| outcome)
        };
        let error = |kind| Error::new(self.real.system(), operation, kind);
        match outcome {
            None => real.await,
            Some(Outcome::Refuse(kind)) => Err(error(kind)),
            Some(Outcome::LoseRequest) => Err(error(Kind::Timeout).doubtful()),
            Some(Outcome::LoseAnswer) => {
                real.await?;
                Err(error(Kind::Timeout).doubtful())
            }
        }
    }
}

#[async_trait]
impl<T: Directory + ?Sized> Directory for Double<T> {
    fn system(&self) -> System {
        self.real.system()
    }
    fn status(&self) -> UpstreamStatus {
        self.real.status()
    }
    fn view(&self) -> u64 {
        self.real.view()
    }
    async fn check(&self, call: &Call) -> Result<(), Error> {
        self.real.check(call).await
    }
}

#[async_trait]
impl<T: Mailing + ?Sized> Mailing for Double<T> {
    async fn subscriber(&self, call: &Call, email: &str) -> Result<Option<Subscriber>, Error> {
        self.real.subscriber(call, email).await
    }
    async fn subscribers(
        &self,
        call: &Call,
        number: NonZeroU32,
        keyword: Option<&str>,
    ) -> Result<SubscriberPage, Error> {
        self.real.subscribers(call, number, keyword).await
    }
    async fn lists(&self, call: &Call) -> Result<Vec<List>, Error> {
        self.real.lists(call).await
    }
    async fn fields(&self, call: &Call) -> Result<Vec<FieldDefinition>, Error> {
        self.real.fields(call).await
    }
    async fn deliveries(&self, call: &Call, email: &str) -> Result<Vec<Delivery>, Error> {
        self.real.deliveries(call, email).await
    }
    async fn campaigns(
        &self,
        call: &Call,
        number: NonZeroU32,
    ) -> Result<(Vec<Campaign>, bool), Error> {
        self.real.campaigns(call, number).await
    }
    async fn results(&self, call: &Call, campaign: &str) -> Result<String, Error> {
        self.real.results(call, campaign).await
    }
    async fn recipients(&self, call: &Call, campaign: &str) -> Result<Vec<String>, Error> {
        self.real.recipients(call, campaign).await
    }
    async fn list_subscribers(
        &self,
        call: &Call,
        list: &str,
        number: NonZeroU32,
    ) -> Result<SubscriberPage, Error> {
        self.real.list_subscribers(call, list, number).await
    }
    async fn unsubscribed(
        &self,
        call: &Call,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        number: NonZeroU32,
    ) -> Result<SubscriberPage, Error> {
        self.real.unsubscribed(call, from, to, number).await
    }
    async fn put_subscriber(
        &self,
        call: &Call,
        list: &str,
        edit: &SubscriberEdit,
    ) -> Result<(), Error> {
        let real = self.real.put_subscriber(call, list, edit);
        self.write("put_subscriber", list, edit, real).await
    }
    async fn remove_from_list(&self, call: &Call, list: &str, email: &str) -> Result<(), Error> {
        let real = self.real.remove_from_list(call, list, email);
        self.write("remove_from_list", &format!("{list} {email}"), (), real).await
    }
    async fn unsubscribe(&self, call: &Call, email: &str) -> Result<(), Error> {
        self.write("unsubscribe", email, (), self.real.unsubscribe(call, email)).await
    }
    async fn import(
        &self,
        call: &Call,
        list: Option<&str>,
        edits: &[SubscriberEdit],
        callback: Option<&str>,
    ) -> Result<ImportTask, Error> {
        let real = self.real.import(call, list, edits, callback);
        self.write("import", list.unwrap_or_default(), edits, real).await
    }
    async fn import_task(&self, call: &Call, id: &str) -> Result<ImportTask, Error> {
        self.real.import_task(call, id).await
    }
    async fn create_list(&self, call: &Call, name: &str) -> Result<List, Error> {
        self.write("create_list", name, (), self.real.create_list(call, name)).await
    }
    async fn create_field(&self, call: &Call, field: &FieldDraft) -> Result<(), Error> {
        self.write("create_field", &field.name, field, self.real.create_field(call, field)).await
    }
}

#[async_trait]
impl<T: Crm + ?Sized> Crm for Double<T> {
    async fn contact(
        &self,
        call: &Call,
        id: &HighLevelId,
    ) -> Result<Option<HighLevelContact>, Error> {
        self.real.contact(call, id).await
    }
    async fn search(&self, call: &Call, request: &SearchRequest) -> Result<SearchPage, Error> {
        self.real.search(call, request).await
    }
    async fn duplicate(
        &self,
        call: &Call,
        term: &SearchTerm,
    ) -> Result<Option<HighLevelContact>, Error> {
        self.real.duplicate(call, term).await
    }
    async fn notes(&self, call: &Call, contact: &HighLevelId) -> Result<Option<Vec<Note>>, Error> {
        self.real.notes(call, contact).await
    }
    async fn tasks(&self, call: &Call, contact: &HighLevelId) -> Result<Option<Vec<Task>>, Error> {
        self.real.tasks(call, contact).await
    }
    async fn tasks_of(
        &self,
        call: &Call,
        contacts: &[HighLevelId],
    ) -> Result<Vec<Vec<Task>>, Error> {
        self.real.tasks_of(call, contacts).await
    }
    async fn task_owner(
        &self,
        call: &Call,
        task: &str,
        title: &str,
    ) -> Result<Option<HighLevelId>, Error> {
        self.real.task_owner(call, task, title).await
    }
    fn searches_tasks(&self) -> bool {
        self.real.searches_tasks()
    }
    async fn appointments(
        &self,
        call: &Call,
        contact: &HighLevelId,
        zone: chrono_tz::Tz,
    ) -> Result<Option<Vec<Appointment>>, Error> {
        self.real.appointments(call, contact, zone).await
    }
    async fn fields(&self, call: &Call) -> Result<Vec<FieldDefinition>, Error> {
        self.real.fields(call).await
    }
    async fn tags(&self, call: &Call) -> Result<Vec<String>, Error> {
        self.real.tags(call).await
    }
    async fn location(&self, call: &Call) -> Result<Location, Error> {
        self.real.location(call).await
    }
    async fn create_contact(
        &self,
        call: &Call,
        contact: &ContactDraft,
    ) -> Result<HighLevelContact, Error> {
        let real = self.real.create_contact(call, contact);
        self.write("create_contact", "", contact, real).await
    }
    async fn update_contact(
        &self,
        call: &Call,
        id: &HighLevelId,
        edit: &ContactEdit,
    ) -> Result<HighLevelContact, Error> {
        let real = self.real.update_contact(call, id, edit);
        self.write("update_contact", id.as_str(), edit, real).await
    }
    async fn delete_contact(&self, call: &Call, id: &HighLevelId) -> Result<(), Error> {
        self.write("delete_contact", id.as_str(), (), self.real.delete_contact(call, id)).await
    }
    async fn add_tags(
        &self,
        call: &Call,
        id: &HighLevelId,
        tags: &[String],
    ) -> Result<Vec<String>, Error> {
        self.write("add_tags", id.as_str(), tags, self.real.add_tags(call, id, tags)).await
    }
    async fn remove_tags(
        &self,
        call: &Call,
        id: &HighLevelId,
        tags: &[String],
    ) -> Result<Vec<String>, Error> {
        self.write("remove_tags", id.as_str(), tags, self.real.remove_tags(call, id, tags)).await
    }
    async fn create_note(
        &self,
        call: &Call,
        contact: &HighLevelId,
        note: &NoteDraft,
    ) -> Result<Note, Error> {
        let real = self.real.create_note(call, contact, note);
        self.write("create_note", contact.as_str(), note, real).await
    }
    async fn update_note(
        &self,
        call: &Call,
        contact: &HighLevelId,
        note: &str,
        edit: &NoteEdit,
    ) -> Result<Note, Error> {
        let real = self.real.update_note(call, contact, note, edit);
        self.write("update_note", &format!("{contact} {note}"), edit, real).await
    }
    async fn delete_note(
        &self,
        call: &Call,
        contact: &HighLevelId,
        note: &str,
    ) -> Result<(), Error> {
        let real = self.real.delete_note(call, contact, note);
        self.write("delete_note", &format!("{contact} {note}"), (), real).await
    }
    async fn create_task(
        &self,
        call: &Call,
        contact: &HighLevelId,
        task: &TaskDraft,
    ) -> Result<Task, Error> {
        let real = self.real.create_task(call, contact, task);
        self.write("create_task", contact.as_str(), task, real).await
    }
    async fn update_task(
        &self,
        call: &Call,
        contact: &HighLevelId,
        task: &str,
        edit: &TaskEdit,
    ) -> Result<Task, Error> {
        let real = self.real.update_task(call, contact, task, edit);
        self.write("update_task", &format!("{contact} {task}"), edit, real).await
    }
    async fn complete_task(
        &self,
        call: &Call,
        contact: &HighLevelId,
        task: &str,
        completed: bool,
    ) -> Result<Task, Error> {
        let real = self.real.complete_task(call, contact, task, completed);
        self.write("complete_task", &format!("{contact} {task}"), json!(completed), real).await
    }
    async fn delete_task(
        &self,
        call: &Call,
        contact: &HighLevelId,
        task: &str,
    ) -> Result<(), Error> {
        let real = self.real.delete_task(call, contact, task);
        self.write("delete_task", &format!("{contact} {task}"), (), real).await
    }
}
