//! The calls.

use async_trait::async_trait;
use reqwest::header::{HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::unified::{
    Appointment, ContactDraft, ContactEdit, CustomFieldEdit, FieldDefinition, HighLevelContact,
    HighLevelId, Location, Note, NoteDraft, NoteEdit, System, Task, TaskDraft, TaskEdit,
};
use crate::upstream::{
    Call, Crm, Directory, Error, Kind, Query, Request, Route, SearchPage, SearchRequest,
    SearchTerm, Segment, Transport, UpstreamStatus,
};

use super::body::{self, Completed};
use super::contact_body;
use super::search::{Search, Unsearchable};
use super::task_search::{ByTitle, Gathering, Odd, Step};
use super::{convert, routes, wire};

/// The API's version: the last dated one. Its successor drops calls and renames members.
pub(super) const VERSION: HeaderValue = HeaderValue::from_static("2021-07-28");
pub(super) const VERSION_HEADER: HeaderName = HeaderName::from_static("version");

/// A HighLevel location.
pub struct Client {
    pub(super) transport: Transport,
}

impl Client {
    /// Reads what hangs on a contact; `None` if there is no such contact.
    async fn of_contact<T: DeserializeOwned + Send>(
        &self,
        call: &Call,
        route: &'static Route,
        contact: &HighLevelId,
    ) -> Result<Option<T>, Error> {
        let values = [routes::id(contact.as_str())];
        match self.transport.call(call, Request::new(route, &values)).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Error { kind: Kind::NotFound, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads what hangs on the location.
    async fn of_location<T: DeserializeOwned + Send>(
        &self,
        call: &Call,
        route: &'static Route,
        query: Query,
    ) -> Result<T, Error> {
        let here = self.here();
        let values = [Segment::new(&here)];
        self.transport.call(call, Request::new(route, &values).query(query)).await
    }

    /// Searches for the tasks of contacts, page after page.
    async fn gather_tasks(
        &self,
        call: &Call,
        contacts: &[HighLevelId],
    ) -> Result<Result<Vec<Vec<Task>>, Odd>, Error> {
        let here = self.here();
        let location = [Segment::new(&here)];
        let mut gathering = Gathering::new(contacts);
        loop {
            let request = Request::new(&routes::TASK_SEARCH, &location).json(&gathering.body())?;
            let answer: wire::TaskSearchAnswer = self.transport.call(call, request).await?;
            match gathering.take(answer) {
                Ok(Step::Next) => {}
                Ok(Step::Done) => return Ok(Ok(gathering.finish())),
                Err(odd) => return Ok(Err(odd)),
            }
        }
    }

    /// Writes one thing of a contact.
    async fn write<T: DeserializeOwned + Send>(
        &self,
        call: &Call,
        route: &'static Route,
        ids: &[&str],
        body: &(impl Serialize + Sync),
    ) -> Result<T, Error> {
        let values: Vec<_> = ids.iter().map(|id| routes::id(id)).collect();
        self.transport.call(call, Request::new(route, &values).json(body)?).await
    }

    async fn delete(
        &self,
        call: &Call,
        route: &'static Route,
        contact: &HighLevelId,
        id: &str,
    ) -> Result<(), Error> {
        let values = [routes::id(contact.as_str()), routes::id(id)];
        self.transport.perform(call, Request::new(route, &values)).await
    }

    async fn change_tags(
        &self,
        call: &Call,
        route: &'static Route,
        id: &HighLevelId,
        tags: &[String],
    ) -> Result<Vec<String>, Error> {
        let ids = [id.as_str()];
        let answer: wire::ContactTags =
            self.write(call, route, &ids, &body::Tags::from(tags)).await?;
        Ok(answer.tags)
    }

    /// Searches; `None` when it is clear without a call that nothing would be found.
    async fn post_search<T: DeserializeOwned + Send>(
        &self,
        call: &Call,
        request: &SearchRequest,
    ) -> Result<Option<T>, Error> {
        let here = self.here();
        let body = match Search::new(&here, request) {
            Ok(body) => body,
            Err(Unsearchable::Nothing) => return Ok(None),
            Err(Unsearchable::Part(part)) => {
                return Err(rejected(&routes::SEARCH, part.to_owned()));
            }
        };
        self.transport.call(call, Request::new(&routes::SEARCH, &[]).json(&body)?).await.map(Some)
    }
}

/// What would be refused, before any call.
fn rejected(route: &'static Route, field: String) -> Error {
    let kind = Kind::Rejected { fields: vec![field] };
    Error::new(System::HighLevel, route.template, kind)
}

/// Puts custom fields' ids where HighLevel counts them: `customFields.2.field_value`.
fn named(mut error: Error, edits: &[CustomFieldEdit]) -> Error {
    let id = |key: &str| {
        let index = key.strip_prefix("customFields.")?.split('.').next()?;
        Some(edits.get(index.parse::<usize>().ok()?)?.id.clone())
    };
    if let Kind::Rejected { fields } = &mut error.kind {
        for field in fields {
            if let Some(id) = id(field) {
                *field = id;
            }
        }
    }
    error
}

/// A write was answered as done, and the answer does not show what was written.
fn untold(route: &'static Route) -> Error {
    Error::new(System::HighLevel, route.template, Kind::Malformed).doubtful()
}

#[async_trait]
impl Directory for Client {
    fn system(&self) -> System {
        System::HighLevel
    }

    fn status(&self) -> UpstreamStatus {
        self.transport.status()
    }

    fn view(&self) -> u64 {
        self.transport.view()
    }

    async fn check(&self, call: &Call) -> Result<(), Error> {
        let one = SearchRequest { limit: 1, ..SearchRequest::default() };
        let _: Option<IgnoredAny> = self.post_search(call, &one).await?;
        Ok(())
    }
}

#[async_trait]
impl Crm for Client {
    async fn contact(
        &self,
        call: &Call,
        id: &HighLevelId,
    ) -> Result<Option<HighLevelContact>, Error> {
        let answer: Option<wire::ContactAnswer> =
            self.of_contact(call, &routes::CONTACT, id).await?;
        let found = answer.and_then(|answer| answer.contact);
        let here = self.here();
        Ok(found.and_then(|contact| convert::contact(contact, &here)))
    }

    async fn search(&self, call: &Call, request: &SearchRequest) -> Result<SearchPage, Error> {
        let answer: Option<_> = self.post_search(call, request).await?;
        let nothing = SearchPage { rows: Vec::new(), total: Some(0) };
        let here = self.here();
        Ok(answer.map_or(nothing, |answer| convert::page(answer, &here)))
    }

    async fn duplicate(
        &self,
        call: &Call,
        term: &SearchTerm,
    ) -> Result<Option<HighLevelContact>, Error> {
        let here = self.here();
        let query = Query::default().with("locationId", &here);
        let query = match term {
            SearchTerm::Id(id) => return self.contact(call, id).await,
            SearchTerm::Email(email) => query.with("email", email),
            SearchTerm::Phone(phone) => query.with("number", phone),
        };
        let request = Request::new(&routes::DUPLICATE, &[]).query(query);
        let answer: wire::ContactAnswer = self.transport.call(call, request).await?;
        let here = self.here();
        Ok(answer.contact.and_then(|contact| convert::row(contact, &here)))
    }

    async fn notes(&self, call: &Call, contact: &HighLevelId) -> Result<Option<Vec<Note>>, Error> {
        let answer: Option<wire::NotesAnswer> =
            self.of_contact(call, &routes::NOTES, contact).await?;
        Ok(answer.map(|answer| convert::all(answer.notes, convert::note)))
    }

    async fn tasks(&self, call: &Call, contact: &HighLevelId) -> Result<Option<Vec<Task>>, Error> {
        let answer: Option<wire::TasksAnswer> =
            self.of_contact(call, &routes::TASKS, contact).await?;
        Ok(answer.map(|answer| {
            let mut tasks = convert::all(answer.tasks, convert::task);
            convert::sort_tasks(&mut tasks);
            tasks
        }))
    }

    async fn tasks_of(
        &self,
        call: &Call,
        contacts: &[HighLevelId],
    ) -> Result<Vec<Vec<Task>>, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.gather_tasks(call, contacts).await? {
                Ok(tasks) => return Ok(tasks),
                Err(Odd::Shifted) if tries == 1 => {}
                Err(Odd::Shifted | Odd::Unknown | Odd::Endless) => {
                    let template = routes::TASK_SEARCH.template;
                    return Err(Error::new(System::HighLevel, template, Kind::Malformed));
                }
            }
        }
    }

    async fn task_owner(
        &self,
        call: &Call,
        task: &str,
        title: &str,
    ) -> Result<Option<HighLevelId>, Error> {
        let here = self.here();
        let location = [Segment::id(&here)];
        let body = ByTitle::new(title);
        let request = Request::new(&routes::TASK_SEARCH, &location).json(&body)?;
        let answer: wire::TaskSearchAnswer = self.transport.call(call, request).await?;
        let mut found = answer.tasks.into_iter().filter_map(convert::found_task);
        Ok(found.find(|(_, row)| row.id == task).map(|(contact, _)| contact.into()))
    }

    fn searches_tasks(&self) -> bool {
        self.transport.has_scope(routes::TASK_SEARCH.scope)
    }

    async fn appointments(
        &self,
        call: &Call,
        contact: &HighLevelId,
        zone: chrono_tz::Tz,
    ) -> Result<Option<Vec<Appointment>>, Error> {
        let answer: Option<wire::EventsAnswer> =
            self.of_contact(call, &routes::APPOINTMENTS, contact).await?;
        let convert = |event| convert::appointment(event, zone);
        Ok(answer.map(|answer| answer.events.into_iter().map(convert).collect()))
    }

    async fn fields(&self, call: &Call) -> Result<Vec<FieldDefinition>, Error> {
        let query = Query::default().with("model", "contact");
        let answer: wire::FieldsAnswer = self.of_location(call, &routes::FIELDS, query).await?;
        Ok(answer.custom_fields.into_iter().map(convert::field).collect())
    }

    async fn tags(&self, call: &Call) -> Result<Vec<String>, Error> {
        let answer: wire::TagsAnswer =
            self.of_location(call, &routes::TAGS, Query::default()).await?;
        Ok(answer.tags.into_iter().filter_map(|tag| tag.name).collect())
    }

    async fn location(&self, call: &Call) -> Result<Location, Error> {
        let answer: wire::LocationAnswer =
            self.of_location(call, &routes::LOCATION, Query::default()).await?;
        Ok(convert::location(answer.location))
    }

    async fn create_contact(
        &self,
        call: &Call,
        contact: &ContactDraft,
    ) -> Result<HighLevelContact, Error> {
        let route = &routes::CREATE_CONTACT;
        let here = self.here();
        let body = contact_body::Contact::create(&here, contact)
            .map_err(|field| rejected(route, field))?;
        let answer: Result<wire::ContactAnswer, Error> = self.write(call, route, &[], &body).await;
        let answer = answer.map_err(|error| {
            let refused = matches!(error.kind, Kind::Rejected { .. });
            // Seen to be answered although the contact had been created (highlevel-api-docs#64).
            let error = if refused { error.doubtful() } else { error };
            named(error, &contact.custom_fields)
        })?;
        let here = self.here();
        let made = answer.contact.and_then(|made| convert::created(made, &here));
        made.ok_or_else(|| untold(route))
    }

    async fn update_contact(
        &self,
        call: &Call,
        id: &HighLevelId,
        edit: &ContactEdit,
    ) -> Result<HighLevelContact, Error> {
        let route = &routes::UPDATE_CONTACT;
        let body = contact_body::Contact::update(edit).map_err(|field| rejected(route, field))?;
        let answer: Result<wire::ContactAnswer, Error> =
            self.write(call, route, &[id.as_str()], &body).await;
        let answer = answer.map_err(|error| named(error, &edit.custom_fields))?;
        let here = self.here();
        let changed = answer.contact.and_then(|changed| convert::contact(changed, &here));
        changed.ok_or_else(|| untold(route))
    }

    async fn delete_contact(&self, call: &Call, id: &HighLevelId) -> Result<(), Error> {
        let values = [routes::id(id.as_str())];
        let request = Request::new(&routes::DELETE_CONTACT, &values);
        match self.transport.perform(call, request).await {
            // The answer to an earlier try was lost; that one deleted it.
            Err(error) if error.kind == Kind::NotFound && error.in_doubt() => Ok(()),
            done => done,
        }
    }

    async fn add_tags(
        &self,
        call: &Call,
        id: &HighLevelId,
        tags: &[String],
    ) -> Result<Vec<String>, Error> {
        self.change_tags(call, &routes::ADD_TAGS, id, tags).await
    }

    async fn remove_tags(
        &self,
        call: &Call,
        id: &HighLevelId,
        tags: &[String],
    ) -> Result<Vec<String>, Error> {
        self.change_tags(call, &routes::REMOVE_TAGS, id, tags).await
    }

    async fn create_note(
        &self,
        call: &Call,
        contact: &HighLevelId,
        note: &NoteDraft,
    ) -> Result<Note, Error> {
        let ids = [contact.as_str()];
        let answer: wire::NoteAnswer =
            self.write(call, &routes::CREATE_NOTE, &ids, &body::Note::from(note)).await?;
        Ok(convert::note(answer.note))
    }

    async fn update_note(
        &self,
        call: &Call,
        contact: &HighLevelId,
        note: &str,
        edit: &NoteEdit,
    ) -> Result<Note, Error> {
        let ids = [contact.as_str(), note];
        let answer: wire::NoteAnswer =
            self.write(call, &routes::UPDATE_NOTE, &ids, &body::Note::from(edit)).await?;
        Ok(convert::note(answer.note))
    }

    async fn delete_note(
        &self,
        call: &Call,
        contact: &HighLevelId,
        note: &str,
    ) -> Result<(), Error> {
        self.delete(call, &routes::DELETE_NOTE, contact, note).await
    }

    async fn create_task(
        &self,
        call: &Call,
        contact: &HighLevelId,
        task: &TaskDraft,
    ) -> Result<Task, Error> {
        let ids = [contact.as_str()];
        let answer: wire::TaskAnswer =
            self.write(call, &routes::CREATE_TASK, &ids, &body::Task::from(task)).await?;
        Ok(convert::task(answer.task))
    }

    async fn update_task(
        &self,
        call: &Call,
        contact: &HighLevelId,
        task: &str,
        edit: &TaskEdit,
    ) -> Result<Task, Error> {
        let ids = [contact.as_str(), task];
        let answer: wire::TaskAnswer =
            self.write(call, &routes::UPDATE_TASK, &ids, &body::Task::from(edit)).await?;
        Ok(convert::task(answer.task))
    }

    async fn complete_task(
        &self,
        call: &Call,
        contact: &HighLevelId,
        task: &str,
        completed: bool,
    ) -> Result<Task, Error> {
        let ids = [contact.as_str(), task];
        let answer: wire::TaskAnswer =
            self.write(call, &routes::COMPLETE_TASK, &ids, &Completed { completed }).await?;
        Ok(convert::task(answer.task))
    }

    async fn delete_task(
        &self,
        call: &Call,
        contact: &HighLevelId,
        task: &str,
    ) -> Result<(), Error> {
        self.delete(call, &routes::DELETE_TASK, contact, task).await
    }
}
