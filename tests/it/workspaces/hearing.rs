//! Webhooks and what is told of a change: to the workspace that is connected now, and to no other.

use serde_json::{Value, json};
use tandem::sandbox::credentials::ACCOUNTS;

use super::{Client, DISCONNECT, HIGHLEVEL, second, with_accounts};
use crate::webhooks::{event, pem, send, taken_off};

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_for_the_workspace_that_is_connected_now() {
    let world = with_accounts(2).set("highlevel.webhook_public_key", pem()).start().await;
    let of = |id: &str, place: usize| -> Value {
        let mut event = event(&world, id, "somebody");
        event["locationId"] = json!(ACCOUNTS[place].location);
        event
    };
    assert_eq!(send(&world, &of("w1", 1)).await, (200, "ignored".to_owned()));
    let one = second(&world, "One").await;
    // The same id in two workspaces is two events.
    assert_eq!(send(&world, &of("w2", 1)).await.1, "stored");
    assert_eq!(send(&world, &of("w2", 0)).await.1, "stored");
    assert_eq!(send(&world, &of("w2", 1)).await.1, "seen");
    // What is told of the app is told in its workspace.
    let uninstalled = |id: &str| {
        let mut event = taken_off(&world, id);
        event["locationId"] = json!(ACCOUNTS[1].location);
        event
    };
    assert_eq!(send(&world, &uninstalled("w3")).await.1, "stored");
    let history =
        "{ syncEvents(first: 100, filter: {kinds: [UPSTREAM_CHANGED]}) { nodes { message } } }";
    let told = async |client: &Client<'_>| {
        let data = client.data(history, json!({})).await;
        data["syncEvents"]["nodes"].to_string().contains("taken off HighLevel")
    };
    // The inbox is looked at once sync runs.
    world.switch_sync_on().await;
    world.until("it is told", || async { told(&one).await }).await;
    assert!(!told(&Client::operator(&world)).await);

    one.data(DISCONNECT, json!({"s": "HIGHLEVEL"})).await;
    let two = Client::operator(&world).create("Two").await;
    let input = json!({"l": ACCOUNTS[1].location, "t": ACCOUNTS[1].token});
    let taken = two.data(HIGHLEVEL, input).await["connectHighLevel"].clone();
    assert_eq!(taken["userErrors"], json!([]), "{taken:#}");
    assert_eq!(send(&world, &of("w2", 1)).await.1, "stored", "it is new in the other workspace");
    world.end().await;
}

/// What is told without a workspace counts all of them, and what is counted says whose it is.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_hears_of_any_workspaces_credential() {
    let world = with_accounts(2).alone().start().await;
    let one = second(&world, "One").await;
    let operator = Client::operator(&world);
    let get = async |path: &str| {
        let request = world.http().get(world.url(path)).bearer_auth(operator.token());
        request.send().await.unwrap().text().await.unwrap()
    };
    let ready = get("/health/ready").await;
    assert!(ready.contains("\"highlevel credential\":\"ok\""), "{ready}");
    assert!(!one.people().await.is_empty());
    let location = ACCOUNTS[1].location;
    world
        .fault(json!({"system": "HIGHLEVEL", "kind": "status", "status": 401, "account": location}))
        .await;
    let refused = || async {
        one.ask("{ contacts(first: 1, source: HIGHLEVEL) { nodes { id } } }", json!({})).await;
        get("/health/ready").await.contains("\"highlevel credential\":\"failing\"")
    };
    world.until("it is told", refused).await;
    let metrics = get("/metrics").await;
    let counted = |outcome: &str, workspace: &str| {
        let end = format!("outcome=\"{outcome}\",workspace=\"{workspace}\"}}");
        let calls = "tandem_upstream_calls_total{system=\"HIGHLEVEL\"";
        metrics.lines().any(|line| line.starts_with(calls) && line.contains(&end))
    };
    assert!(counted("unauthorized", &one.key), "{metrics}");
    assert!(counted("ok", &one.key), "{metrics}");
    world.end().await;
}
