//! The whole way of a consent, and those who try a shorter one.

use serde_json::{Value, json};

use super::{ANA, Browser, grant, link, upstream, with_app};
use crate::world::World;

const WRITE: &str = "mutation($e: EmailAddress!) { addTags(input: {contact: {email: $e}, \
    tags: [\"granted\"]}) { writes { system outcome } userErrors { code } } }";
const READ: &str = "query($e: EmailAddress!) { contact(by: {email: $e}) { \
    email tags lists { name } highlevel { contactId customFields { name } } notes { nodes { body } } } }";
const PLAN: &str = "query($e: EmailAddress!) { syncPlan(by: {email: $e}) { reasons } }";

async fn asked(world: &World, query: &str) -> Value {
    world.ask_with(query, json!({"e": ANA}), &[("cache-control", "no-cache")]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_is_granted_first_and_writing_by_a_second_consent() {
    let world = with_app().start().await;
    let (status, said) = grant(&world, Value::Null, &[]).await;
    assert_eq!(status, 200, "{said}");
    assert!(said.contains("HighLevel is connected"), "{said}");
    let read_only = || async { upstream(&world, "HIGHLEVEL").await["state"] == "READ_ONLY" };
    world.shows("read-only", read_only).await;
    let now = upstream(&world, "HIGHLEVEL").await;
    assert_eq!(now["credential"]["kind"], "OAUTH");
    assert!(
        now["credential"]["expiresAt"].is_string() && now["credential"]["rotatedAt"].is_string()
    );
    assert_eq!(now["scopes"].as_array().unwrap().len(), 6, "{now:#}");
    let read = asked(&world, READ).await;
    assert!(read.get("errors").is_none(), "{read:#}");
    assert_eq!(read["data"]["contact"]["email"], ANA);
    let plan = asked(&world, PLAN).await;
    assert!(plan.get("errors").is_none() && plan["data"]["syncPlan"].is_object(), "{plan:#}");
    let refused = asked(&world, WRITE).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "READ_ONLY");
    assert_eq!(world.writes().await, 2, "a person approved, and the token was asked for");

    let more = json!(["contacts.readonly", "contacts.write"]);
    assert_eq!(grant(&world, more, &[]).await.0, 200);
    let writes = || async { upstream(&world, "HIGHLEVEL").await["state"] == "CONNECTED" };
    world.shows("writing", writes).await;
    let written = asked(&world, WRITE).await;
    let writes = written["data"]["addTags"]["writes"].as_array().unwrap();
    let applied = json!({"system": "HIGHLEVEL", "outcome": "APPLIED"});
    assert!(writes.contains(&applied), "{written:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_fewer_scopes_fields_say_what_is_missing() {
    let world = with_app().start().await;
    assert_eq!(grant(&world, json!(["contacts.readonly"]), &[]).await.0, 200);
    let read_only = || async { upstream(&world, "HIGHLEVEL").await["state"] == "READ_ONLY" };
    world.shows("read-only", read_only).await;
    let answer = asked(&world, "{ tags { name } customFields(system: HIGHLEVEL) { name } }").await;
    for error in answer["errors"].as_array().unwrap() {
        assert_eq!(error["extensions"]["code"], "SCOPE_MISSING", "{answer:#}");
    }
    let read = asked(&world, READ).await;
    assert_eq!(read["data"]["contact"]["email"], ANA, "{read:#}");
    assert!(read["data"]["contact"]["tags"].is_array(), "tags come with the contact");
    assert!(read["data"]["contact"]["highlevel"]["customFields"].is_array(), "{read:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agencys_consent_is_exchanged_for_the_location() {
    let world = with_app().start().await;
    let (status, said) = grant(&world, Value::Null, &[("user_type", "Company")]).await;
    assert_eq!(status, 200, "{said}");
    let oauth = || async { upstream(&world, "HIGHLEVEL").await["credential"]["kind"] == "OAUTH" };
    world.shows("the connection", oauth).await;
    let read = asked(&world, READ).await;
    assert_eq!(read["data"]["contact"]["email"], ANA, "{read:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_counts_in_its_browser_only() {
    let world = with_app().start().await;
    let victim = Browser::new();
    let page = victim.open(&link(&world, Value::Null).await).await;
    let back = victim.approve(&page, &[]).await;
    world.forget_calls().await;

    let (status, said) = Browser::new().come_back(&back).await;
    assert_eq!(status, 400, "{said}");
    assert!(said.contains("another browser"), "{said}");
    let other = Browser::new();
    other.open(&link(&world, Value::Null).await).await;
    assert_eq!(other.come_back(&back).await.0, 400, "another's cookie");
    let bent = back.replace("state=", "state=x");
    assert_eq!(victim.come_back(&bent).await.0, 400);
    assert_eq!(victim.come_back(&back).await.0, 400, "a failed return ends it");
    let calls = world.calls().await;
    assert!(calls.iter().all(|call| !call.route_ends_with("/oauth/token")), "no code was used");
    let now = upstream(&world, "HIGHLEVEL").await;
    assert_eq!(now["credential"]["kind"], "PRIVATE_INTEGRATION_TOKEN");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_end_and_codes_are_good_once() {
    let world = with_app().start().await;
    let old = link(&world, Value::Null).await;
    let browser = Browser::new();
    let page = browser.open(&old).await;
    let back = browser.approve(&page, &[]).await;
    for _ in 0..21 {
        world.clock.advance(std::time::Duration::from_secs(30));
    }
    let answer = world.http().get(&old).send().await.unwrap();
    assert_eq!(answer.status(), 403);
    let (status, said) = browser.come_back(&back).await;
    assert_eq!((status, said.contains("too long ago")), (400, true), "{said}");
    let forged = world.url("/oauth/highlevel/start?link=v1:one:AAAA");
    assert_eq!(world.http().get(forged).send().await.unwrap().status(), 403);

    let browser = Browser::new();
    let page = browser.open(&link(&world, Value::Null).await).await;
    let refused = page.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let callback = world.url(&format!("/oauth/highlevel/callback?error=denied&state={refused}"));
    let (status, said) = browser.come_back(&callback).await;
    assert_eq!((status, said.contains("nothing was granted")), (400, true), "{said}");
    let nobodys = world.url("/oauth/highlevel/callback?code=nobodys");
    let (status, said) = Browser::new().come_back(&nobodys).await;
    assert_eq!((status, said.contains("does not know the code")), (400, true), "{said}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_without_a_state_waits_for_somebody() {
    const HELD: &str = "{ heldInstalls { id account scopes expiresAt } }";
    const CONFIRM: &str = "mutation($id: ID!) { confirmInstall(input: {install: $id}) { \
        upstream { state credential { kind } } userErrors { code field } } }";
    let world = with_app().start().await;
    let (status, said) = grant(&world, Value::Null, &[("from_marketplace", "yes")]).await;
    assert_eq!(status, 202, "{said}");
    let now = upstream(&world, "HIGHLEVEL").await;
    assert_eq!(now["credential"]["kind"], "PRIVATE_INTEGRATION_TOKEN", "nothing is used yet");
    let held = world.data(HELD, json!({})).await["heldInstalls"].clone();
    assert_eq!(held[0]["account"], "sandboxLocation00001", "{held:#}");
    assert_eq!(held[0]["scopes"].as_array().unwrap().len(), 6);

    let wrong = world.data(CONFIRM, json!({"id": "nobodys"})).await["confirmInstall"].clone();
    assert_eq!(wrong["userErrors"], json!([{"code": "NOT_FOUND", "field": ["install"]}]));
    let right = world.data(CONFIRM, json!({"id": held[0]["id"]})).await["confirmInstall"].clone();
    assert_eq!(right["userErrors"], json!([]), "{right:#}");
    assert_eq!(right["upstream"]["credential"]["kind"], "OAUTH");
    assert_eq!(world.data(HELD, json!({})).await["heldInstalls"], json!([]));
    let again = world.data(CONFIRM, json!({"id": held[0]["id"]})).await["confirmInstall"].clone();
    assert_eq!(again["userErrors"][0]["code"], "NOT_FOUND");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_that_does_not_work_is_not_held() {
    const HELD: &str = "{ heldInstalls { id } }";
    let world = with_app().start().await;
    let search = "/contacts/search";
    let fault = |status: u16| json!({"system": "HIGHLEVEL", "route": search, "kind": "status", "status": status});
    world.fault(fault(401)).await;
    let (status, said) = grant(&world, Value::Null, &[("from_marketplace", "yes")]).await;
    assert_eq!((status, said.contains("does not take what it granted")), (400, true), "{said}");
    assert_eq!(world.data(HELD, json!({})).await["heldInstalls"], json!([]));
    // That HighLevel cannot be asked now says nothing of it.
    world.clear_faults().await;
    world.fault(fault(503)).await;
    let (status, said) = grant(&world, Value::Null, &[("from_marketplace", "yes")]).await;
    assert_eq!(status, 202, "{said}");
    assert_eq!(world.data(HELD, json!({})).await["heldInstalls"].as_array().unwrap().len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_behind_a_trusted_proxy_are_told_apart() {
    let world = with_app().set("server.trusted_proxies", json!(["127.0.0.1"])).alone().still();
    let world = world.start().await;
    let come = async |address| {
        let nobodys = world.url("/oauth/highlevel/callback?code=nobodys");
        Browser::at(address).come_back(&nobodys).await.0
    };
    for _ in 0..5 {
        assert_eq!(come("192.0.2.1").await, 400);
    }
    assert_eq!(come("192.0.2.1").await, 429);
    assert_eq!(come("203.0.113.9, 192.0.2.1").await, 429, "what a stranger says of himself");
    assert_eq!(come("192.0.2.2").await, 400);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_may_bring_a_few_installations_only() {
    let world = with_app().alone().still().start().await;
    let come = async || {
        let nobodys = world.url("/oauth/highlevel/callback?code=nobodys");
        Browser::new().come_back(&nobodys).await.0
    };
    // What brings nothing takes nothing from those who come from the same address.
    for _ in 0..10 {
        let nothing = world.url("/oauth/highlevel/callback");
        let (status, said) = Browser::new().come_back(&nothing).await;
        assert_eq!((status, said.contains("sent no code")), (400, true), "{said}");
    }
    for _ in 0..5 {
        assert_eq!(come().await, 400);
    }
    world.forget_calls().await;
    assert_eq!(come().await, 429);
    assert!(world.calls().await.is_empty(), "nobody was asked about it");
    // Who was sent out from here is no stranger.
    assert_eq!(grant(&world, Value::Null, &[]).await.0, 200);
    world.clock.advance(std::time::Duration::from_secs(12));
    assert_eq!(come().await, 400);
    world.end().await;
}
