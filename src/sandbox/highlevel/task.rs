//! Tasks of a contact, and the search over all tasks of the location.

use serde::Serialize;
use serde_json::{Value, json};

use super::HighLevel;
use super::call::Call;
use super::contact::known;
use super::dto::{Body, Kind, Rule};
use super::event;
use super::model::{Id, Task};
use super::reply::{Answer, Refusal, Reply};
use super::when::{self, Millis};
use super::write::texts;
use crate::sandbox::fault;
use crate::sandbox::here;

const CREATE: &[Rule] = &[
    Rule::required("title", Kind::Text),
    Rule::required("dueDate", Kind::Instant),
    Rule::required("completed", Kind::Flag),
    Rule::optional("body", Kind::Text),
    Rule::optional("assignedTo", Kind::Text),
];
const UPDATE: &[Rule] = &[
    Rule::optional("title", Kind::Text),
    Rule::optional("dueDate", Kind::Instant),
    Rule::optional("completed", Kind::Flag),
    Rule::optional("body", Kind::Text),
    Rule::optional("assignedTo", Kind::Text),
];
const COMPLETE: &[Rule] = &[Rule::required("completed", Kind::Flag)];
const SEARCH: &[Rule] = &[
    Rule::optional("contactId", Kind::Texts),
    Rule::optional("completed", Kind::Flag),
    Rule::optional("assignedTo", Kind::Texts),
    Rule::optional("query", Kind::Text),
    Rule::optional("limit", Kind::Number),
    Rule::optional("skip", Kind::Number),
    Rule::optional("businessId", Kind::Text),
];

#[derive(Serialize)]
struct One<'a> {
    task: &'a Task,
}

#[derive(Serialize)]
struct Many<'a> {
    tasks: Vec<&'a Task>,
}

/// A task as the location's search shows it, with the location.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found<'a> {
    #[serde(rename = "_id")]
    underscore_id: &'a str,
    #[serde(flatten)]
    task: &'a Task,
    location_id: &'static str,
    date_added: Millis,
}

/// `GET /contacts/{contactId}/tasks`, newest first.
pub fn list(fake: &HighLevel, call: &Call) -> Answer {
    let directory = fake.read();
    let id = call.param("contactId");
    let entry = directory.get(id).ok_or_else(|| Refusal::no_contact(id))?;
    let empty = call.has_fault(fault::Kind::EmptyList);
    let tasks = if empty { Vec::new() } else { entry.tasks.iter().rev().collect() };
    Reply::ok(&Many { tasks })
}

/// `GET /contacts/{contactId}/tasks/{taskId}`
pub fn read(fake: &HighLevel, call: &Call) -> Answer {
    let directory = fake.read();
    let (id, task_id) = (call.param("contactId"), call.param("taskId"));
    let entry = directory.get(id).ok_or_else(|| Refusal::no_contact(id))?;
    let task = entry.tasks.iter().find(|task| *task.id == *task_id);
    Reply::ok(&One { task: task.ok_or_else(|| fake.no_task(task_id))? })
}

/// `POST /contacts/{contactId}/tasks`
pub fn create(fake: &HighLevel, call: &Call) -> Answer {
    let body = call.json(CREATE)?;
    let mut directory = fake.write();
    let id = call.param("contactId");
    let contact_id = known(&directory, id)?.id.clone();
    let mut task = Task::blank(fake.shared.ids.alphanumeric().into(), contact_id, call.now);
    task.apply(&body);
    let entry = directory.get_mut(id).ok_or_else(|| Refusal::no_contact(id))?;
    entry.tasks.push(task.clone());
    fake.webhooks.fire(&fake.shared, event::task("TaskCreate", &task));
    Reply::created(&One { task: &task })
}

/// `PUT /contacts/{contactId}/tasks/{taskId}`
pub fn update(fake: &HighLevel, call: &Call) -> Answer {
    change(fake, call, UPDATE)
}

/// `PUT /contacts/{contactId}/tasks/{taskId}/completed`
pub fn complete(fake: &HighLevel, call: &Call) -> Answer {
    change(fake, call, COMPLETE)
}

/// There is no `TaskUpdate` event: only becoming complete fires one.
fn change(fake: &HighLevel, call: &Call, rules: &[Rule]) -> Answer {
    let body = call.json(rules)?;
    let mut directory = fake.write();
    let (id, task_id) = (call.param("contactId"), call.param("taskId"));
    let entry = directory.get_mut(id).ok_or_else(|| Refusal::no_contact(id))?;
    let task = entry.tasks.iter_mut().find(|task| *task.id == *task_id);
    let task = task.ok_or_else(|| fake.no_task(task_id))?;
    let was_completed = task.completed;
    task.apply(&body);
    if task.completed && !was_completed {
        fake.webhooks.fire(&fake.shared, event::task("TaskComplete", task));
    }
    Reply::ok(&One { task })
}

/// `DELETE /contacts/{contactId}/tasks/{taskId}`
pub fn delete(fake: &HighLevel, call: &Call) -> Answer {
    let mut directory = fake.write();
    let (id, task_id) = (call.param("contactId"), call.param("taskId"));
    let entry = directory.get_mut(id).ok_or_else(|| Refusal::no_contact(id))?;
    let index = entry.tasks.iter().position(|task| *task.id == *task_id);
    let task = entry.tasks.remove(index.ok_or_else(|| fake.no_task(task_id))?);
    fake.webhooks.fire(&fake.shared, event::task("TaskDelete", &task));
    Reply::ok(&json!({"succeded": true}))
}

/// `POST /locations/{locationId}/tasks/search`, in the order of due dates.
pub fn search(fake: &HighLevel, call: &Call) -> Answer {
    let body = call.json(SEARCH)?;
    call.own_location()?;
    let names = |name: &str| body.get(name).and_then(texts);
    let (contacts, assigned) = (names("contactId"), names("assignedTo"));
    let completed = body.get("completed").and_then(Value::as_bool);
    let needle = body.get("query").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let business = body.get("businessId").and_then(Value::as_str);
    let number = |name: &str, default: u64| match body.get(name) {
        Some(value) => {
            let refusal = || Refusal::invalid(&[format!("{name} must be a non-negative integer")]);
            value.as_u64().ok_or_else(refusal)
        }
        None => Ok(default),
    };
    let (limit, skip) = (number("limit", 25)?, number("skip", 0)?);
    let directory = fake.read();
    let fits = |task: &&Task| {
        let mine = |held: &Option<Vec<&str>>, value: Option<&str>| {
            held.as_ref().is_none_or(|held| value.is_some_and(|value| held.contains(&value)))
        };
        mine(&assigned, task.assigned_to.as_deref())
            && completed.is_none_or(|completed| completed == task.completed)
            && (needle.is_empty() || task.title.to_lowercase().contains(&needle))
    };
    let entries: Vec<_> = match &contacts {
        Some(ids) => ids.iter().filter_map(|id| directory.get(id)).collect(),
        None => directory.entries().collect(),
    };
    let of_business = entries.into_iter().filter(|entry| {
        business.is_none_or(|business| entry.contact.business_id.as_deref() == Some(business))
    });
    let mut found: Vec<&Task> = of_business.flat_map(|entry| &entry.tasks).filter(fits).collect();
    found.sort_by(|a, b| (a.due_date, &a.id).cmp(&(b.due_date, &b.id)));
    let limit = if call.has_fault(fault::Kind::EmptyList) { 0 } else { limit };
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let tasks: Vec<Found<'_>> = found
        .into_iter()
        .skip(size(skip))
        .take(size(limit))
        .map(|task| Found {
            underscore_id: &task.id,
            task,
            location_id: here::account().location,
            date_added: task.date_added,
        })
        .collect();
    Reply::ok(&json!({"tasks": tasks}))
}

impl Task {
    /// An empty task, due now.
    pub fn blank(id: Id, contact_id: Id, now: Millis) -> Self {
        Self {
            id,
            contact_id,
            title: String::new(),
            body: None,
            assigned_to: None,
            due_date: now,
            completed: false,
            date_added: now,
        }
    }

    fn apply(&mut self, body: &Body) {
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        if let Some(title) = text("title") {
            title.clone_into(&mut self.title);
        }
        if let Some(body) = text("body") {
            self.body = Some(body.to_owned());
        }
        if let Some(user) = text("assignedTo") {
            self.assigned_to = Some(user.to_owned());
        }
        if let Some(due) = text("dueDate").and_then(when::instant) {
            self.due_date = due;
        }
        if let Some(completed) = body.get("completed").and_then(Value::as_bool) {
            self.completed = completed;
        }
    }
}

impl HighLevel {
    fn no_task(&self, id: &str) -> Refusal {
        Refusal::missing_thing(self.shared.settings().missing_status, "Task", id)
    }
}
