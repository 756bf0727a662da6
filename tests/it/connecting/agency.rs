//! What an agency grants at the marketplace: it waits as it is, and is used for the location that
//! somebody names.

use std::time::Duration;

use serde_json::{Value, json};
use tandem::sandbox::credentials::{ACCOUNTS, HIGHLEVEL_LOCATION};

use super::{ANA, grant, upstream, with_app};
use crate::webhooks::{pem, send, taken_off};
use crate::world::World;

pub const COMPANY: &str = "sandboxCompany000001";
/// What an agency chooses that begins at the marketplace.
pub const AGENCYS: [(&str, &str); 2] = [("from_marketplace", "yes"), ("user_type", "Company")];
const HELD: &str = "{ heldInstalls { id account agency locations scopes expiresAt } }";
const CONFIRM: &str = "mutation($i: ID!, $l: String) { confirmInstall(input: {install: $i, \
    location: $l}) { upstream { state account credential { kind } } \
    userErrors { code field message } } }";
const READ: &str =
    "query($e: EmailAddress!) { contact(by: {email: $e}) { highlevel { contactId } } }";
const EXCHANGE: &str = "/oauth/locationToken";

async fn held(world: &World) -> Vec<Value> {
    world.data(HELD, json!({})).await["heldInstalls"].as_array().unwrap().clone()
}

/// An agency's installation that waits; its id.
async fn install(world: &World, choices: &[(&str, &str)]) -> Value {
    let choices = [&AGENCYS, choices].concat();
    let (status, said) = grant(world, Value::Null, &choices).await;
    assert_eq!(status, 202, "{said}");
    held(world).await.last().unwrap()["id"].clone()
}

async fn ask(world: &World, install: &Value, location: Option<&str>) -> Value {
    world.ask(CONFIRM, json!({"i": install, "l": location})).await
}

async fn confirm(world: &World, install: &Value, location: Option<&str>) -> Value {
    ask(world, install, location).await["data"]["confirmInstall"].clone()
}

async fn exchanges(world: &World) -> usize {
    let calls = world.calls().await;
    calls.iter().filter(|call| call.route_ends_with(EXCHANGE)).count()
}

async fn reads(world: &World) -> bool {
    let answer = world.ask_with(READ, json!({"e": ANA}), &[("cache-control", "no-cache")]).await;
    answer["data"]["contact"]["highlevel"]["contactId"].is_string()
}

fn is_refused(answer: &Value, field: &str, why: &str) -> bool {
    let error = &answer["userErrors"][0];
    error["code"] == "INVALID"
        && error["field"] == json!([field])
        && error["message"].as_str().unwrap().contains(why)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agencys_installation_waits_as_it_is() {
    let world = with_app().accounts(2).start().await;
    let id = install(&world, &[("also", ACCOUNTS[1].location)]).await;
    assert_eq!(exchanges(&world).await, 0, "nobody said for which location");
    let shown = held(&world).await;
    assert_eq!(shown.len(), 1, "{shown:#?}");
    assert_eq!((&shown[0]["account"], &shown[0]["agency"]), (&json!(COMPANY), &json!(true)));
    assert_eq!(shown[0]["locations"], json!([HIGHLEVEL_LOCATION, ACCOUNTS[1].location]));
    assert!(shown[0]["scopes"].as_array().unwrap().contains(&json!("oauth.write")), "{shown:#?}");
    let now = upstream(&world, "HIGHLEVEL").await;
    assert_eq!(now["credential"]["kind"], "PRIVATE_INTEGRATION_TOKEN", "nothing is used yet");
    // A later one of the same agency takes its place, as one of the same location does.
    let later = install(&world, &[]).await;
    assert_ne!(later, id);
    assert_eq!(held(&world).await.len(), 1);
    assert_eq!(confirm(&world, &id, None).await["userErrors"][0]["code"], "NOT_FOUND");

    // Without a name it is the location that the workspace has.
    let used = confirm(&world, &later, None).await;
    assert_eq!(used["userErrors"], json!([]), "{used:#}");
    assert_eq!(used["upstream"]["account"], HIGHLEVEL_LOCATION);
    assert_eq!(used["upstream"]["credential"]["kind"], "OAUTH");
    assert_eq!((held(&world).await.len(), exchanges(&world).await), (0, 1));
    world.shows("it reads", async || reads(&world).await).await;
    let again = confirm(&world, &later, Some(HIGHLEVEL_LOCATION)).await;
    assert_eq!(again["userErrors"][0]["code"], "NOT_FOUND", "it is used up");

    // And it goes on as any other credential that is there by an agency's consent.
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(30));
    }
    world.control("/tokens", json!({"expireAccess": true})).await;
    world.shows("it reads", async || reads(&world).await).await;
    assert_eq!(exchanges(&world).await, 2);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_highlevel_refuses_waits_on() {
    let world = with_app().accounts(2).start().await;
    // The agency approved the second location, and this workspace has the first.
    let id = install(&world, &[("location_id", ACCOUNTS[1].location)]).await;
    let other = confirm(&world, &id, Some(ACCOUNTS[1].location)).await;
    assert!(is_refused(&other, "location", "another account"), "{other:#}");
    assert_eq!(exchanges(&world).await, 0);
    let own = confirm(&world, &id, None).await;
    assert!(is_refused(&own, "install", "oauth.write"), "{own:#}");
    let named = confirm(&world, &id, Some(HIGHLEVEL_LOCATION)).await;
    assert!(is_refused(&named, "location", "the agency does not have it"), "{named:#}");
    assert_eq!(held(&world).await[0]["id"], id);

    let id = install(&world, &[("untold", "yes")]).await;
    assert_eq!(held(&world).await[0]["locations"], json!([]), "the answer need not tell them");
    let fault = |route: &str, status: u16| json!({"system": "HIGHLEVEL", "route": route, "kind": "status", "status": status});
    for (route, status, why) in [
        (EXCHANGE, 401, "oauth.write"),
        (EXCHANGE, 400, "may not be active"),
        (EXCHANGE, 422, "may not be active"),
        // What it was exchanged for is tried before it is kept.
        ("/contacts/search", 401, "does not take it for this account"),
    ] {
        world.fault(fault(route, status)).await;
        let refused = confirm(&world, &id, None).await;
        assert!(is_refused(&refused, "install", why), "{status}: {refused:#}");
        world.clear_faults().await;
    }
    for (route, status) in [(EXCHANGE, 503), (EXCHANGE, 429), ("/contacts/search", 503)] {
        world.fault(fault(route, status)).await;
        let later = ask(&world, &id, None).await;
        let code = &later["errors"][0]["extensions"]["code"];
        assert_eq!(code, "UPSTREAM_UNAVAILABLE", "{status}: {later:#}");
        world.clear_faults().await;
    }
    world.control("/tokens", json!({"expireAccess": true})).await;
    let ended = confirm(&world, &id, None).await;
    assert!(is_refused(&ended, "install", "installed again"), "{ended:#}");
    let now = upstream(&world, "HIGHLEVEL").await;
    assert_eq!(now["credential"]["kind"], "PRIVATE_INTEGRATION_TOKEN", "nothing was used");

    let id = install(&world, &[]).await;
    let used = confirm(&world, &id, Some(&HIGHLEVEL_LOCATION.to_lowercase())).await;
    assert_eq!(used["userErrors"], json!([]), "{used:#}");
    assert_eq!(used["upstream"]["account"], HIGHLEVEL_LOCATION, "as the workspace has it");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_confirm_it_one_does() {
    let world = with_app().start().await;
    let id = install(&world, &[]).await;
    let both = tokio::join!(confirm(&world, &id, None), confirm(&world, &id, None));
    let codes = [both.0, both.1].map(|answer| answer["userErrors"][0]["code"].clone());
    assert!(codes.contains(&Value::Null) && codes.contains(&json!("NOT_FOUND")), "{codes:?}");
    world.shows("it reads", async || reads(&world).await).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_other_installation_is_for_its_own_location() {
    let world = with_app().start().await;
    assert_eq!(grant(&world, Value::Null, &AGENCYS[..1]).await.0, 202);
    let shown = held(&world).await[0].clone();
    assert_eq!((&shown["agency"], &shown["account"]), (&json!(false), &json!(HIGHLEVEL_LOCATION)));
    assert_eq!(shown["locations"], json!([HIGHLEVEL_LOCATION]));
    let other = confirm(&world, &shown["id"], Some(ACCOUNTS[1].location)).await;
    assert!(is_refused(&other, "location", "another location"), "{other:#}");
    assert_eq!(held(&world).await.len(), 1);
    let own = confirm(&world, &shown["id"], Some(HIGHLEVEL_LOCATION)).await;
    assert_eq!(own["userErrors"], json!([]), "{own:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agencys_installation_waits_no_longer_than_its_token_lives() {
    let world = with_app().alone().still().start().await;
    let before = world.clock.now();
    let id = install(&world, &[]).await;
    let until = held(&world).await[0]["expiresAt"].as_str().unwrap().to_owned();
    let until = chrono::DateTime::parse_from_rfc3339(&until).unwrap().to_utc();
    assert!(until < before + Duration::from_hours(24), "{until}");
    world.clock.advance((until - world.clock.now()).to_std().unwrap());
    assert_eq!(held(&world).await.len(), 0);
    let over = confirm(&world, &id, None).await;
    let error = &over["userErrors"][0];
    assert_eq!(error["code"], "NOT_FOUND", "{over:#}");
    assert!(error["message"].as_str().unwrap().contains("installed again"), "{over:#}");
    world.end().await;
}

/// By its own event, and by that of the one location that it is for.
#[tokio::test(flavor = "multi_thread")]
async fn an_installation_that_waits_goes_with_its_agency() {
    let world = with_app().accounts(2).set("highlevel.webhook_public_key", pem()).start().await;
    let taken_back = |id: &str, company: &str| {
        let mut event = taken_off(&world, id);
        event.as_object_mut().unwrap().remove("locationId");
        event["companyId"] = json!(company);
        event
    };
    let taken_off = |id: &str, place: usize| {
        let mut event = taken_off(&world, id);
        event["locationId"] = json!(ACCOUNTS[place].location);
        event
    };
    let old = taken_back("w1", COMPANY);
    world.clock.advance(Duration::from_secs(60));
    install(&world, &[]).await;
    // Nobody here was ever connected, so what waits is all that tells whose the news are.
    world.run("DELETE FROM credential WHERE system = 'HIGHLEVEL'").await;
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(send(&world, &old).await.1, "stored");
    assert_eq!(send(&world, &taken_back("w2", "anotherCompany000001")).await.1, "stored");
    assert_eq!(send(&world, &taken_off("w3", 1)).await.1, "stored");
    for _ in 0..3 {
        world.pass(Duration::from_secs(10)).await;
    }
    assert_eq!(held(&world).await.len(), 1, "none of it is about this one");
    assert_eq!(send(&world, &taken_back("w4", COMPANY)).await.1, "stored");
    world.until("the agency took it back", async || held(&world).await.is_empty()).await;

    install(&world, &[("also", ACCOUNTS[1].location)]).await;
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(send(&world, &taken_off("w5", 1)).await.1, "stored");
    for _ in 0..3 {
        world.pass(Duration::from_secs(10)).await;
    }
    assert_eq!(held(&world).await.len(), 1, "it may be used for the other location");
    install(&world, &[("location_id", ACCOUNTS[1].location)]).await;
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(send(&world, &taken_off("w6", 1)).await.1, "stored");
    world.until("its location took it off", async || held(&world).await.is_empty()).await;
    let now = upstream(&world, "HIGHLEVEL").await;
    assert_ne!(now["state"], "NOT_CONNECTED", "another location's news end nothing else");
    let events = "{ syncEvents(first: 50) { nodes { message } } }";
    let told = world.data(events, json!({})).await.to_string();
    assert!(!told.contains("taken off HighLevel"), "{told}");
    world.end().await;
}
