//! What a workspace has, and all that can be done with it by whoever has its id.

use serde_json::{Value, json};

/// What one workspace has that another might ask for.
pub struct Things {
    pub key: String,
    /// Global ids of everything that has one.
    pub contacts: Vec<String>,
    pub notes: Vec<String>,
    pub tasks: Vec<String>,
    pub others: Vec<String>,
    pub lists: Vec<String>,
    pub run: String,
    pub hold: String,
    pub failure: String,
    pub highlevel: Vec<String>,
    pub emails: Vec<String>,
    /// Of a listing and of the history.
    pub cursors: [Value; 2],
    /// One that waits to be confirmed.
    pub install: String,
}

/// What can be done with something of another workspace: a document, and which of its things it takes.
pub type Way = (&'static str, fn(&Things, usize) -> Value);

fn pick(from: &[String], which: usize) -> Value {
    from.get(which % from.len().max(1)).map_or(json!("contact_none"), |one| json!(one))
}

fn anything(things: &Things, which: usize) -> Value {
    let singles = [&things.run, &things.hold, &things.failure, &things.install].map(Clone::clone);
    let lists: [&[String]; 6] =
        [&things.contacts, &things.notes, &things.tasks, &things.others, &things.lists, &singles];
    pick(lists[which % lists.len()], which / lists.len())
}

macro_rules! on_contact {
    ($field:literal) => {
        concat!(
            "mutation($x: ID!) { r: ",
            $field,
            " { userErrors { code } contact { id email } } }"
        )
    };
}

pub const WAYS: [Way; 28] = [
    ("query($x: ID!) { node(id: $x) { __typename id } }", anything),
    ("query($x: ID!) { nodes(ids: [$x, $x]) { __typename id } }", anything),
    ("query($x: ID!) { contact(by: {id: $x}) { id email } }", |it, n| pick(&it.contacts, n)),
    ("query($x: String!) { contact(by: {highlevelId: $x}) { id email } }", |it, n| {
        pick(&it.highlevel, n)
    }),
    ("query($x: ID!) { syncPlan(by: {id: $x}) { reasons } }", |it, n| pick(&it.contacts, n)),
    (
        "query($x: String) { contacts(first: 50, source: HIGHLEVEL, after: $x) { nodes { id email } } }",
        |it, _| it.cursors[0].clone(),
    ),
    (
        "query($x: String) { syncEvents(first: 50, after: $x) { nodes { contact { id email } } } }",
        |it, _| it.cursors[1].clone(),
    ),
    (
        "query($x: ID!) { syncEvents(first: 9, filter: {contact: $x}) { nodes { message } } }",
        |it, n| pick(&it.contacts, n),
    ),
    (on_contact!("addTags(input: {contact: {id: $x}, tags: [\"foreign\"]})"), |it, n| {
        pick(&it.contacts, n)
    }),
    (on_contact!("upsertContact(input: {contact: {id: $x}, firstName: \"Foreign\"})"), |it, n| {
        pick(&it.contacts, n)
    }),
    (on_contact!("unsubscribe(input: {contact: {id: $x}})"), |it, n| pick(&it.contacts, n)),
    (on_contact!("createNote(input: {contact: {id: $x}, body: \"foreign\"})"), |it, n| {
        pick(&it.contacts, n)
    }),
    (
        on_contact!(
            "createTask(input: {contact: {id: $x}, title: \"foreign\", dueAt: \"2030-01-01T00:00:00Z\"})"
        ),
        |it, n| pick(&it.contacts, n),
    ),
    (
        "mutation($x: ID!) { r: eraseContact(input: {contact: {id: $x}}) { erasedContactId \
        userErrors { code } } }",
        |it, n| pick(&it.contacts, n),
    ),
    (on_contact!("syncContact(input: {contact: {id: $x}})"), |it, n| pick(&it.contacts, n)),
    (
        "mutation($x: ID!) { r: deleteContact(input: {contact: {id: $x}}) { deletedContactId \
        userErrors { code } } }",
        |it, n| pick(&it.contacts, n),
    ),
    (
        "mutation($x: ID!) { r: updateNote(input: {note: $x, body: \"foreign\"}) { note { body } \
        userErrors { code } } }",
        |it, n| pick(&it.notes, n),
    ),
    (
        "mutation($x: ID!) { r: deleteNote(input: {note: $x}) { deletedNoteId userErrors { code } } }",
        |it, n| pick(&it.notes, n),
    ),
    (
        "mutation($x: ID!) { r: completeTask(input: {task: $x}) { task { title } \
        userErrors { code } } }",
        |it, n| pick(&it.tasks, n),
    ),
    (
        "mutation($x: ID!) { r: deleteTask(input: {task: $x}) { deletedTaskId userErrors { code } } }",
        |it, n| pick(&it.tasks, n),
    ),
    (
        "mutation($x: ID!) { r: approveSync(input: {run: $x}) { run { id } userErrors { code } } }",
        |it, _| json!(it.run),
    ),
    (
        "mutation($x: ID!) { r: cancelSync(input: {run: $x}) { run { id } userErrors { code } } }",
        |it, _| json!(it.run),
    ),
    (
        "mutation($x: ID!) { r: resolveHold(input: {hold: $x, choice: \"LEAVE\"}) { hold { id } \
        userErrors { code } } }",
        |it, _| json!(it.hold),
    ),
    (
        "mutation($x: ID!) { r: discardFailure(input: {failure: $x}) { failure { id } \
        userErrors { code } } }",
        |it, _| json!(it.failure),
    ),
    (
        "mutation($x: ID!) { r: retryFailures(input: {failures: [$x]}) { retried \
        userErrors { code } } }",
        |it, _| json!(it.failure),
    ),
    (
        "mutation($x: ID!) { r: confirmInstall(input: {install: $x}) { upstream { state } \
        userErrors { code } } }",
        |it, _| json!(it.install),
    ),
    ("subscription($x: ID!) { contactChanged(by: {id: $x}) { id email } }", |it, n| {
        pick(&it.contacts, n)
    }),
    ("subscription($x: ID!) { syncRun(id: $x) { id state } }", |it, _| json!(it.run)),
];
