//! The control routes.

use reqwest::Method;
use serde_json::{Value, json};

use super::api::Api;

async fn state(api: &Api) -> String {
    api.control(Method::GET, "/state", json!(null)).await.text
}

#[tokio::test]
async fn the_same_seed_gives_the_same_contents_and_another_others() {
    let (one, same) = (Api::start().await, Api::start().await);
    let other = Api::with(|options| tandem::sandbox::Options { seed: 9, ..options }).await;
    let contents = state(&one).await;
    assert!(contents.contains("ana.paz@example.com"));
    assert_eq!(contents, state(&same).await);
    assert_ne!(contents, state(&other).await);
}

#[tokio::test]
async fn the_journal_tells_every_call_and_no_key() {
    let api = Api::start().await;
    let list = api.list("Journal").await;
    api.get(&format!("/lists/{list}/?page=1")).await;
    api.get("/nowhere").await;
    let url = format!("{}/accounts/sandbox@tandem.test", api.sandbox.doppler_url());
    let key = tandem::sandbox::credentials::DOPPLER_API_KEY;
    api.send(Api::request(Method::GET, &format!("{url}?access_token={key}&x=1"))).await;
    let page = api.control(Method::GET, "/journal?bodies=true", json!(null)).await;
    assert!(!page.text.contains(key));
    let page = page.json();
    let rows: Vec<_> = page["calls"].as_array().unwrap().iter().collect();
    assert_eq!((rows.len(), &page["next"]), (4, &json!(5)));
    assert_eq!(rows[0]["requestBody"], r#"{"name":"Journal"}"#);
    assert_eq!((&rows[0]["status"], &rows[0]["system"]), (&json!(201), &json!("DOPPLER")));
    assert_eq!(rows[1]["route"], "/accounts/{accountName}/lists/{listId}");
    assert_eq!(rows[1]["path"], format!("/accounts/sandbox@tandem.test/lists/{list}/"));
    assert_eq!((&rows[2]["route"], &rows[2]["status"]), (&Value::Null, &json!(404)));
    assert_eq!(rows[3]["query"], "x=1");
    let later = api.control(Method::GET, "/journal?since=4", json!(null)).await.json();
    assert_eq!(later["calls"].as_array().unwrap().len(), 1);
    assert!(later["calls"][0].get("requestBody").is_none());
    api.control(Method::DELETE, "/journal", json!(null)).await;
    let none = api.control(Method::GET, "/journal", json!(null)).await.json();
    assert_eq!((&none["calls"], &none["next"]), (&json!([]), &json!(5)));
    assert_eq!(api.control(Method::GET, "/journal?since=x", json!(null)).await.status, 400);
}

#[tokio::test]
async fn a_journal_of_no_size_is_off() {
    let api = Api::with(|options| tandem::sandbox::Options { journal: 0, ..options }).await;
    assert_eq!(api.get("/lists").await.status, 200);
    let page = api.control(Method::GET, "/journal", json!(null)).await.json();
    assert_eq!(page["calls"], json!([]));
}

#[tokio::test]
async fn each_edit_of_doppler_shows_in_its_state() {
    let api = Api::start().await;
    let edit = async |op: &str, more: Value| {
        let mut body = json!({"system": "DOPPLER", "op": op, "email": "edit@example.com"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = api.control(Method::POST, "/edit", body).await;
        assert_eq!(answer.status, 200, "{op}: {}", answer.text);
        answer.json()
    };
    let fields =
        json!({"fields": {"FIRSTNAME": "Ed", "presupuesto": 7}, "tags": ["a"], "list": "Events"});
    let made = edit("upsert", fields).await;
    assert_eq!(made["fields"], json!({"FIRSTNAME": "Ed", "TAGS": "a", "presupuesto": "7"}));
    assert_eq!(edit("tag", json!({"tags": ["a", "b"]})).await["fields"]["TAGS"], "a, b");
    assert_eq!(edit("untag", json!({"tags": ["a"]})).await["fields"]["TAGS"], "b");
    assert_eq!(
        edit("subscribe", json!({"list": "Customers"})).await["lists"],
        json!(["Customers", "Events"])
    );
    assert_eq!(
        edit("unsubscribe", json!({"type": "feedbackLoop"})).await["unsubscriptionType"],
        "feedbackLoop"
    );
    let back = edit("resubscribe", json!({})).await;
    assert_eq!((&back["status"], &back["lists"]), (&json!("active"), &json!([])));
    let campaigns = api.get("/campaigns?state=shipped").await.json();
    let id = campaigns["items"][0]["campaignId"].clone();
    edit("open", json!({"campaignId": id})).await;
    edit("click", json!({})).await;
    let deliveries = api.get("/subscribers/edit@example.com/deliveries").await.json();
    assert_eq!(deliveries["items"][0]["clicksCount"], 1);
    assert_eq!(edit("bounce", json!({})).await["unsubscriptionType"], "hardBounce");
    assert_eq!(
        edit("changeEmail", json!({"to": "edited@example.com"})).await["email"],
        "edited@example.com"
    );
    edit("upsert", json!({"fields": {}})).await;
    edit("delete", json!({})).await;
    assert_eq!(api.get("/subscribers/edit@example.com").await.status, 404);
    assert_eq!(api.get("/subscribers/edited@example.com").await.status, 200);
    edit("deleteField", json!({"name": "TAGS"})).await;
    edit("deleteList", json!({"list": "Events"})).await;
    let state = state(&api).await;
    assert!(!state.contains("\"TAGS\"") && !state.contains("\"Events\""));
}

#[tokio::test]
async fn a_bad_edit_changes_nothing() {
    let api = Api::start().await;
    let before: Value = serde_json::from_str(&state(&api).await).unwrap();
    for more in [
        json!({"op": "upsert", "email": "x@example.com", "fields": {"NOPE": "1"}}),
        json!({"op": "upsert", "email": "x@example.com", "fields": {}, "list": "Nope"}),
        json!({"op": "upsert", "email": "nonsense", "fields": {}}),
        json!({"op": "subscribe", "email": "x@example.com", "list": "Nope"}),
        json!({"op": "changeEmail", "email": "ana.paz@example.com", "to": "nonsense"}),
        json!({"op": "delete", "email": "nobody@example.com"}),
        json!({"op": "delete"}),
        json!({"op": "note", "email": "ana.paz@example.com", "body": "x"}),
        json!({"op": "deleteField", "name": "EMAIL"}),
        json!({"op": "unsubscribe", "email": "ana.paz@example.com", "type": "bored"}),
    ] {
        let mut body = json!({"system": "DOPPLER"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = api.control(Method::POST, "/edit", body).await;
        assert_eq!(answer.status, 400, "{more}: {}", answer.text);
        assert!(answer.json()["error"].is_string());
    }
    let after: Value = serde_json::from_str(&state(&api).await).unwrap();
    assert_eq!(before, after);
}

#[tokio::test]
async fn both_halves_are_served_and_edited() {
    let api = Api::start().await;
    let edit = json!({"system": "HIGHLEVEL", "op": "tag", "email": "ana.paz@example.com",
        "tags": ["from control"]});
    let answer = api.control(Method::POST, "/edit", edit).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let state: Value = serde_json::from_str(&state(&api).await).unwrap();
    let contacts = state["highlevel"]["contacts"].as_array().unwrap();
    let ana = contacts.iter().find(|contact| contact["email"] == "ana.paz@example.com").unwrap();
    assert!(ana["tags"].as_array().unwrap().contains(&json!("from control")), "{ana}");
    assert_eq!(
        (contacts.len(), state["doppler"]["subscribers"].as_array().unwrap().len()),
        (51, 51)
    );

    let url = format!("{}/contacts/{}", api.sandbox.highlevel_url(), ana["id"].as_str().unwrap());
    let mut request = Api::request(Method::GET, &url);
    let token = tandem::sandbox::credentials::HIGHLEVEL_READ_ONLY_TOKEN;
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request.headers_mut().insert("version", "2021-07-28".parse().unwrap());
    let read = api.send(request).await;
    assert_eq!(read.json()["contact"]["firstName"], "Ana", "{}", read.text);
    let page = api.control(Method::GET, "/journal", json!(null)).await;
    assert!(!page.text.contains(token));
    let call = &page.json()["calls"][0];
    assert_eq!(
        (&call["system"], &call["route"]),
        (&json!("HIGHLEVEL"), &json!("/contacts/{contactId}"))
    );

    let key = api.control(Method::GET, "/webhook-key", json!(null)).await;
    assert!(key.text.starts_with("-----BEGIN PUBLIC KEY-----"), "{}", key.text);
    assert_eq!(
        api.control(Method::POST, "/tokens", json!({"strictReuse": true})).await.status,
        204
    );
    assert_eq!(api.control(Method::POST, "/tokens", json!({"explode": true})).await.status, 400);
    assert_eq!(api.control(Method::POST, "/webhooks", json!({"lose": 2})).await.status, 400);
    let hooks = api.control(Method::POST, "/webhooks", json!({"lose": 0.5})).await.json();
    assert_eq!(hooks["settings"]["lose"], 0.5);
}

#[tokio::test]
async fn the_clock_moves_forward_only() {
    let api = Api::start().await;
    let moved = api.control(Method::POST, "/clock", json!({"advanceSeconds": 90})).await.json();
    assert!(moved["now"].as_str().unwrap().starts_with("2026-03-01T12:01:30"), "{moved}");
    for wrong in [json!({"advanceSeconds": -1}), json!({"advanceSeconds": 1e12}), json!({})] {
        assert_eq!(api.control(Method::POST, "/clock", wrong).await.status, 400);
    }
}

#[tokio::test]
async fn latency_is_added_to_each_call() {
    let latency = std::time::Duration::from_millis(60);
    let api = Api::with(|options| tandem::sandbox::Options { latency, ..options }).await;
    let start = std::time::Instant::now();
    api.get("/lists").await;
    assert!(start.elapsed() >= latency);
}

#[tokio::test]
async fn stopping_ends_everything() {
    let api = Api::start().await;
    api.get("/lists").await;
    api.tasks.stop();
    api.tasks.drained().await;
    assert_eq!(api.tasks.running(), 0);
}
