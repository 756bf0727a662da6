//! Notes and tasks: written once, seen at once.

use serde_json::{Value, json};

use super::{ana, codes};
use crate::world::World;

const CREATE: &str = "mutation($contact: ContactBy!, $body: String!, $key: String) { \
    createNote(input: {contact: $contact, body: $body, idempotencyKey: $key}) { \
    contact { id } note { id body contact { id } } writes { system outcome reason } \
    userErrors { code message field } } }";
const NOTES: &str = "query($id: ID!) { contact(by: {id: $id}) { notes { nodes { id body } } } }";

/// Fails unless the notes are, or come to be, as `expected` says.
async fn has_notes(world: &World, id: &str, expected: impl Fn(&[String]) -> bool) {
    let expected = &expected;
    world.shows("the notes", || async move { expected(&bodies(world, id).await) }).await;
}

async fn bodies(world: &World, id: &str) -> Vec<String> {
    let data = world.data(NOTES, json!({"id": id})).await;
    let notes = data["contact"]["notes"]["nodes"].as_array().unwrap().clone();
    notes.iter().map(|note| note["body"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_written_changed_and_deleted() {
    let world = World::start().await;
    let id = ana(&world).await;
    let before = bodies(&world, &id).await;
    let input = json!({"contact": {"id": id}, "body": "Asked for prices"});
    let created = world.data(CREATE, input).await["createNote"].clone();
    assert_eq!(
        created["writes"],
        json!([{"system": "HIGHLEVEL", "outcome": "APPLIED", "reason": null}])
    );
    assert_eq!(created["userErrors"], json!([]));
    assert_eq!(created["note"]["contact"]["id"], json!(id));
    has_notes(&world, &id, |bodies| bodies.len() == before.len() + 1).await;
    let note = created["note"]["id"].clone();
    let update = "mutation($note: ID!) { updateNote(input: {note: $note, body: \"Sent prices\"}) { note { body } } }";
    let updated = world.data(update, json!({"note": note})).await;
    assert_eq!(updated["updateNote"]["note"]["body"], "Sent prices");
    has_notes(&world, &id, |bodies| bodies.contains(&"Sent prices".to_owned())).await;
    let delete = "mutation($note: ID!) { deleteNote(input: {note: $note}) { deletedNoteId userErrors { code } } }";
    let deleted = world.data(delete, json!({"note": note})).await;
    assert_eq!(deleted["deleteNote"]["deletedNoteId"], note);
    has_notes(&world, &id, |bodies| bodies == before).await;
    let again = world.data(delete, json!({"note": note})).await;
    assert_eq!(again["deleteNote"]["userErrors"][0]["code"], "NOT_FOUND");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_written_changed_done_and_deleted() {
    let world = World::start().await;
    let id = ana(&world).await;
    let create = "mutation($id: ID!) { createTask(input: {contact: {id: $id}, title: \"Call\", dueAt: \"2027-01-02T10:00:00Z\"}) { task { id title completed dueAt } userErrors { code } } }";
    let created = world.data(create, json!({"id": id})).await["createTask"].clone();
    assert_eq!(created["task"]["completed"], false);
    assert_eq!(created["task"]["dueAt"], "2027-01-02T10:00:00Z");
    let task = created["task"]["id"].clone();
    let update = "mutation($task: ID!) { updateTask(input: {task: $task, title: \"Call back\"}) { task { title dueAt } } }";
    let updated = world.data(update, json!({"task": task})).await;
    assert_eq!(
        updated["updateTask"]["task"],
        json!({"title": "Call back", "dueAt": "2027-01-02T10:00:00Z"})
    );
    let done = "mutation($task: ID!, $completed: Boolean) { completeTask(input: {task: $task, completed: $completed}) { task { completed } } }";
    for (completed, now) in [(Value::Null, true), (json!(false), false), (json!(true), true)] {
        let data = world.data(done, json!({"task": task, "completed": completed})).await;
        assert_eq!(data["completeTask"]["task"]["completed"], now);
    }
    let only_done = "query($id: ID!) { contact(by: {id: $id}) { tasks(completed: true) { nodes { id completed } } } }";
    let data = world.data(only_done, json!({"id": id})).await;
    let tasks = data["contact"]["tasks"]["nodes"].as_array().unwrap().clone();
    assert!(tasks.iter().any(|t| t["id"] == task) && tasks.iter().all(|t| t["completed"] == true));
    let delete = "mutation($task: ID!) { deleteTask(input: {task: $task}) { deletedTaskId } }";
    let deleted = world.data(delete, json!({"task": task})).await;
    assert_eq!(deleted["deleteTask"]["deletedTaskId"], task);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_writes_once() {
    let world = World::start().await;
    let id = ana(&world).await;
    let before = bodies(&world, &id).await.len();
    let input = json!({"contact": {"id": id}, "body": "Once", "key": "k-1"});
    let all = (0..10).map(|_| world.data(CREATE, input.clone()));
    let answers = futures_util::future::join_all(all).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer["createNote"]["note"]["id"]
                == answers[0]["createNote"]["note"]["id"])
    );
    has_notes(&world, &id, |bodies| bodies.len() == before + 1).await;
    let other = json!({"contact": {"id": id}, "body": "Other", "key": "k-1"});
    let answer = world.ask(CREATE, other).await;
    assert_eq!(codes(&answer), [("IDEMPOTENCY_KEY_REUSED".to_owned(), "createNote".to_owned())]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_outlives_a_restart() {
    let mut world = World::start().await;
    let id = ana(&world).await;
    let input = json!({"contact": {"id": id}, "body": "Once", "key": "k-2"});
    let first = world.data(CREATE, input.clone()).await;
    world.restart().await;
    let second = world.data(CREATE, input).await;
    assert_eq!(first["createNote"]["note"]["id"], second["createNote"]["note"]["id"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_got_lost_is_looked_for_and_not_repeated() {
    let world = World::start().await;
    let id = ana(&world).await;
    let before = bodies(&world, &id).await.len();
    // The note is written, but its answer breaks off, and so does that of whoever looks for it.
    let route = "/contacts/{contactId}/notes";
    world.fault(json!({"system": "HIGHLEVEL", "route": route, "kind": "bad-json"})).await;
    let input = json!({"contact": {"id": id}, "body": "Lost and found", "key": "k-3"});
    let lost = world.data(CREATE, input.clone()).await["createNote"].clone();
    assert_eq!(lost["writes"][0]["outcome"], "QUEUED", "{lost:#}");
    assert_eq!(lost["note"], Value::Null);
    world.clear_faults().await;
    let found = || async {
        let again = world.data(CREATE, input.clone()).await;
        again["createNote"]["note"]["body"] == "Lost and found"
    };
    world.until("the note is found", found).await;
    has_notes(&world, &id, |bodies| bodies.len() == before + 1).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_data_and_changes_nothing() {
    let world = World::start().await;
    let id = ana(&world).await;
    let before = bodies(&world, &id).await;
    let empty = world.data(CREATE, json!({"contact": {"id": id}, "body": "  "})).await;
    assert_eq!(empty["createNote"]["userErrors"][0]["code"], "INVALID");
    assert_eq!(empty["createNote"]["userErrors"][0]["field"], json!(["body"]));
    let nobody = json!({"contact": {"email": "nobody@example.com"}, "body": "Hello"});
    let nobody = world.data(CREATE, nobody).await;
    assert_eq!(nobody["createNote"]["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!(bodies(&world, &id).await, before);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_in_doppler_only_can_have_no_note() {
    let world = World::start().await;
    let edit = json!({"system": "DOPPLER", "op": "upsert", "email": "only.doppler@example.com", "fields": {"FIRSTNAME": "Only"}, "list": "Newsletter"});
    world.control("/edit", edit).await;
    let input = json!({"contact": {"email": "only.doppler@example.com"}, "body": "Hello"});
    let data = world.data(CREATE, input).await["createNote"].clone();
    assert_eq!(data["userErrors"][0]["code"], "NOT_SUPPORTED");
    assert_eq!(data["writes"][0]["outcome"], "SKIPPED");
    assert!(data["contact"]["id"].is_string());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_only_read_writes_nothing() {
    let token = tandem::sandbox::credentials::HIGHLEVEL_READ_ONLY_TOKEN;
    // What its token may do a gateway learns by its own calls.
    let world = World::builder().set("highlevel.token", token).alone().start().await;
    let id = ana(&world).await;
    for _ in 0..2 {
        let answer = world.ask(CREATE, json!({"contact": {"id": id}, "body": "Hello"})).await;
        assert_eq!(codes(&answer), [("READ_ONLY".to_owned(), "createNote".to_owned())]);
    }
    let data = world.data("{ upstreams { system state } }", json!({})).await;
    assert_eq!(data["upstreams"][1], json!({"system": "HIGHLEVEL", "state": "READ_ONLY"}));
    world.end().await;
}
