//! Whatever a client writes into an id or an address stays one segment of one route.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::world::World;

fn hostile() -> Vec<String> {
    let mut all: Vec<String> = [
        "zzz/../../contacts/OTHER",
        "77?x=1#",
        "..",
        ".",
        "../..",
        "%2e%2e",
        "%2E%2E%2Flocations",
        "%2f",
        "a%00b",
        "\0",
        "a\nb",
        "a\r\nHost: evil",
        "\t",
        " ",
        "",
        "//evil.example",
        "http://evil.example/",
        "\\..\\x",
        ";x=1",
        "a&b=c",
        "a b",
        "ключ",
        "\u{202e}abc",
        "search",
        "search/duplicate",
        "bulk/business",
        "{contactId}",
        "'; DROP TABLE link; --",
        "%",
        "%%%",
        "%zz",
        "\u{feff}",
        "@",
        ":",
        "..;/",
    ]
    .map(str::to_owned)
    .to_vec();
    all.push("x".repeat(10_000));
    all.push("/".repeat(500));
    all.push("../".repeat(200));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn no_highlevel_id_reaches_another_route() {
    let world = World::start().await;
    let query = "query($id: String!) { contact(by: {highlevelId: $id}) { id } }";
    for id in hostile() {
        world.forget_calls().await;
        let answer = world.ask(query, json!({"id": id})).await;
        assert!(answer["data"]["contact"].is_null(), "{id:?}: {answer}");
        for call in world.calls().await {
            assert_eq!(call.system, "HIGHLEVEL", "{id:?}: {call:?}");
            assert_eq!(call.method, "GET", "{id:?}: {call:?}");
            // A route's own word, sent as an id, is still an id to HighLevel's router.
            let taken = ["/contacts/{contactId}"];
            assert!(taken.contains(&call.route.as_deref().unwrap_or("none")), "{id:?}: {call:?}");
        }
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_note_or_task_id_reaches_another_route() {
    let world = World::start().await;
    let read = "query($id: ID!) { node(id: $id) { id } }";
    let write = "mutation($id: ID!) { deleteNote(input: {note: $id}) { deletedNoteId } }";
    for text in hostile() {
        for kind in ["note", "task"] {
            let inner = URL_SAFE_NO_PAD.encode(format!("{text}\n{text}"));
            let id = format!("{kind}_{inner}");
            world.forget_calls().await;
            let answer = world.ask(read, json!({"id": id})).await;
            assert!(answer["data"]["node"].is_null(), "{text:?}: {answer}");
            if kind == "note" {
                let answer = world.ask(write, json!({"id": id})).await;
                assert!(answer["data"]["deleteNote"]["deletedNoteId"].is_null(), "{answer}");
            }
            let allowed = [
                "/contacts/{contactId}",
                "/contacts/{contactId}/notes",
                "/contacts/{contactId}/tasks",
            ];
            for call in world.calls().await {
                let route = call.route.clone().unwrap_or_default();
                assert!(allowed.contains(&route.as_str()), "{text:?}: {call:?}");
            }
        }
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_address_reaches_another_route() {
    let world = World::start().await;
    let query = "query($email: EmailAddress!) { contact(by: {email: $email}) { id } }";
    let odd = [
        "a/../../b@example.com",
        "a?b=c#d@example.com",
        "a%2f..%2fb@example.com",
        "..@example.com",
    ];
    for email in odd {
        world.forget_calls().await;
        let answer = world.ask(query, json!({"email": email})).await;
        assert!(answer["data"]["contact"].is_null(), "{email}: {answer}");
        for call in world.calls().await {
            let route = call.route.clone().unwrap_or_default();
            let allowed = [
                "/accounts/{accountName}/subscribers/{email}",
                "/contacts/search",
                "/contacts/search/duplicate",
            ];
            assert!(allowed.contains(&route.as_str()), "{email}: {call:?}");
        }
    }
    world.end().await;
}
