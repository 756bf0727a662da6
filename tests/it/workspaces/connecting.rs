//! Which workspace is connected to what: accounts, consents, installations.

use serde_json::{Value, json};
use tandem::sandbox::credentials::ACCOUNTS;

use super::{Client, DISCONNECT, DOPPLER, HIGHLEVEL, STATES, calls_of, second, with_accounts};
use crate::auth::code;
use crate::connecting::Browser;
use crate::world::World;

const LINK: &str = "mutation($l: String) { connectHighLevel(input: {locationId: $l}) { \
    authorizationUrl userErrors { code field } } }";
const HELD: &str = "{ heldInstalls { id account scopes } }";
pub const CONFIRM: &str = "mutation($i: ID!, $w: ID, $n: String, $l: String) { \
    confirmInstall(input: {install: $i, location: $l, workspace: $w, newWorkspace: $n}) { upstream { state account credential { kind } } \
    workspace { id key name } userErrors { code field message } } }";

async fn link(client: &Client<'_>, location: Value) -> String {
    let made = client.data(LINK, json!({"l": location})).await["connectHighLevel"].clone();
    assert_eq!(made["userErrors"], json!([]), "{made:#}");
    made["authorizationUrl"].as_str().unwrap().to_owned()
}

/// Grants access from the first link to the last.
pub async fn grant(
    client: &Client<'_>,
    location: Value,
    choices: &[(&str, &str)],
) -> (u16, String) {
    let browser = Browser::new();
    let page = browser.open(&link(client, location).await).await;
    let back = browser.approve(&page, choices).await;
    browser.come_back(&back).await
}

pub async fn highlevel(client: &Client<'_>) -> Value {
    client.data(STATES, json!({})).await["upstreams"][1].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_connected_in_one_workspace() {
    let world = with_accounts(3).start().await;
    let one = second(&world, "One").await;
    let two = Client::operator(&world).create("Two").await;
    let states = two.data(STATES, json!({})).await["upstreams"].to_string();
    assert_eq!(states.matches("NOT_CONNECTED").count(), 2, "{states}");
    let unread = two.ask("{ lists { name } }", json!({})).await;
    assert_eq!(code(&unread), "NOT_CONNECTED");
    // Of the operator's own and of another's: whoever has a good credential learns that it is in use,
    // and nobody learns where.
    for account in &ACCOUNTS[..2] {
        let doppler = json!({"a": account.doppler, "k": account.api_key});
        let refused = two.data(DOPPLER, doppler).await["connectDoppler"].clone();
        let message = "this account is connected in another workspace";
        let expected =
            |field: &str| json!([{"code": "DUPLICATE", "field": [field], "message": message}]);
        assert_eq!(refused["userErrors"], expected("account"));
        let location = json!({"l": account.location, "t": account.token});
        let refused = two.data(HIGHLEVEL, location).await["connectHighLevel"].clone();
        assert_eq!(refused["userErrors"], expected("locationId"));
        let strange = json!({"l": account.location, "t": "pit-x"});
        let refused = two.data(HIGHLEVEL, strange).await["connectHighLevel"].clone();
        assert_eq!(refused["userErrors"][0]["code"], "INVALID", "{refused:#}");
    }
    two.connect(&ACCOUNTS[2]).await;
    // A workspace keeps its account.
    let other = json!({"l": ACCOUNTS[1].location, "t": ACCOUNTS[1].token});
    let refused = two.data(HIGHLEVEL, other).await["connectHighLevel"].clone();
    assert_eq!(refused["userErrors"][0]["code"], "INVALID", "{refused:#}");
    // Who is disconnected gives it free.
    one.data(DISCONNECT, json!({"s": "HIGHLEVEL"})).await;
    let three = Client::operator(&world).create("Three").await;
    let freed = json!({"l": ACCOUNTS[1].location, "t": ACCOUNTS[1].token});
    let taken = three.data(HIGHLEVEL, freed.clone()).await["connectHighLevel"].clone();
    assert_eq!(taken["userErrors"], json!([]), "{taken:#}");
    let again = one.data(HIGHLEVEL, freed).await["connectHighLevel"].clone();
    assert_eq!(again["userErrors"][0]["code"], "DUPLICATE", "{again:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_ends_where_it_was_begun() {
    let world = with_accounts(3).start().await;
    let operator = Client::operator(&world);
    let [one, two] = [operator.create("One").await, operator.create("Two").await];
    let chosen = [("location_id", ACCOUNTS[1].location)];
    let (status, said) = grant(&one, Value::Null, &chosen).await;
    assert_eq!(status, 200, "{said}");
    let connected = || async { highlevel(&one).await["account"] == ACCOUNTS[1].location };
    world.shows("the location that was chosen", connected).await;
    assert_eq!(highlevel(&two).await["state"], "NOT_CONNECTED");
    assert_eq!(highlevel(&operator).await["account"], ACCOUNTS[0].location);
    // The location is taken, and another one was asked for.
    let (status, said) = grant(&two, Value::Null, &chosen).await;
    assert_eq!((status, said.contains("another workspace")), (400, true), "{said}");
    let wanted = json!(ACCOUNTS[2].location);
    let (status, said) = grant(&two, wanted.clone(), &chosen).await;
    assert_eq!((status, said.contains("another location")), (400, true), "{said}");
    // An agency's is exchanged for the one that was asked for.
    let agencys = [("user_type", "Company"), ("location_id", ACCOUNTS[2].location)];
    let (status, said) = grant(&two, wanted, &agencys).await;
    assert_eq!(status, 200, "{said}");
    let connected = || async { highlevel(&two).await["account"] == ACCOUNTS[2].location };
    world.shows("the location that was named", connected).await;

    // A state of one workspace with another's cookie.
    let (first, second) = (Browser::new(), Browser::new());
    let page = first.open(&link(&one, Value::Null).await).await;
    second.open(&link(&two, Value::Null).await).await;
    let back = first.approve(&page, &chosen).await;
    assert_eq!(second.come_back(&back).await.0, 400);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_can_make_a_workspace() {
    let world = with_accounts(3).start().await;
    let operator = Client::operator(&world);
    let one = operator.create("One").await;
    let held = async |client: &Client<'_>| -> Vec<Value> {
        client.data(HELD, json!({})).await["heldInstalls"].as_array().unwrap().clone()
    };
    for account in &ACCOUNTS[1..3] {
        let choices = [("from_marketplace", "yes"), ("location_id", account.location)];
        let (status, said) = grant(&operator, Value::Null, &choices).await;
        assert_eq!(status, 202, "{said}");
    }
    let mut waiting = held(&operator).await;
    assert_eq!(waiting.len(), 2, "{waiting:#?}");
    waiting.sort_by_key(|one| one["account"] != ACCOUNTS[1].location);
    assert_eq!(held(&one).await.len(), 0, "they wait at the operator's");
    let install = |place: usize| waiting[place]["id"].clone();
    let confirm = async |client: &Client<'_>, variables: Value| {
        client.data(CONFIRM, variables).await["confirmInstall"].clone()
    };
    let foreign = confirm(&one, json!({"i": install(0)})).await;
    assert_eq!(foreign["userErrors"][0]["code"], "NOT_FOUND");
    let own = confirm(&operator, json!({"i": install(0)})).await;
    assert_eq!(own["userErrors"][0]["code"], "INVALID", "the operator's has another: {own:#}");
    let taken = confirm(&operator, json!({"i": install(0), "n": "One"})).await;
    assert_eq!(taken["userErrors"][0]["field"], json!(["newWorkspace"]), "{taken:#}");
    assert_eq!(held(&operator).await.len(), 2, "nothing was used yet");

    let made = confirm(&operator, json!({"i": install(0), "n": "Two"})).await;
    assert_eq!(made["userErrors"], json!([]), "{made:#}");
    assert_eq!(made["workspace"]["name"], "Two");
    assert_eq!(made["upstream"]["account"], ACCOUNTS[1].location);
    let two = Client::of(&world, made["workspace"]["key"].as_str().unwrap());
    let connected = || async { highlevel(&two).await["account"] == ACCOUNTS[1].location };
    world.shows("the new one is connected", connected).await;
    assert!(two.people().await.len() > 10);
    let id = operator.data("{ workspaces { nodes { id name } } }", json!({})).await;
    let nodes = id["workspaces"]["nodes"].as_array().unwrap().clone();
    let of_one = nodes.iter().find(|node| node["name"] == "One").unwrap()["id"].clone();
    let refused = one.ask(CONFIRM, json!({"i": install(1), "w": of_one})).await;
    assert_eq!(refused["data"]["confirmInstall"]["userErrors"][0]["code"], "NOT_FOUND");
    let used = confirm(&operator, json!({"i": install(1), "w": of_one})).await;
    assert_eq!(used["workspace"]["key"], one.key, "{used:#}");
    assert_eq!(held(&operator).await.len(), 0);

    // One of a location that has a workspace waits there.
    let choices = [("from_marketplace", "yes"), ("location_id", ACCOUNTS[1].location)];
    assert_eq!(grant(&operator, Value::Null, &choices).await.0, 202);
    assert_eq!((held(&operator).await.len(), held(&two).await.len()), (0, 1));
    let again = held(&two).await[0]["id"].clone();
    assert_eq!(confirm(&two, json!({"i": again})).await["userErrors"], json!([]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_that_is_not_used_waits_on() {
    let world = with_accounts(2).start().await;
    let operator = Client::operator(&world);
    let choices = [("from_marketplace", "yes"), ("location_id", ACCOUNTS[1].location)];
    assert_eq!(grant(&operator, Value::Null, &choices).await.0, 202);
    let held = async || operator.data(HELD, json!({})).await["heldInstalls"].clone();
    let waits = held().await;
    // Somebody connects the location meanwhile.
    let one = second(&world, "One").await;
    let confirm = async |name: &str| {
        let variables = json!({"i": waits[0]["id"], "n": name});
        operator.data(CONFIRM, variables).await["confirmInstall"].clone()
    };
    let refused = confirm("Two").await;
    assert_eq!(refused["userErrors"][0]["code"], "DUPLICATE", "{refused:#}");
    assert_eq!(held().await, waits);
    one.data(DISCONNECT, json!({"s": "HIGHLEVEL"})).await;
    let used = confirm("Three").await;
    assert_eq!(used["userErrors"], json!([]), "{used:#}");
    assert_eq!(used["upstream"]["account"], ACCOUNTS[1].location);
    assert_eq!(held().await, json!([]));
    world.end().await;
}

/// What is stored of one workspace cannot be read: the others go on, and it says so.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_opened_costs_the_others_nothing() {
    let mut world = with_accounts(3).start().await;
    let [broken, whole] = {
        let one = second(&world, "One").await;
        let two = Client::operator(&world).create("Two").await;
        two.connect(&ACCOUNTS[2]).await;
        [one.key, two.key]
    };
    let swap = format!(
        "UPDATE credential SET sealed = (SELECT sealed FROM credential AS other \
         WHERE other.workspace = '{whole}' AND other.system = credential.system) \
         WHERE workspace = '{broken}'"
    );
    world.run(&swap).await;
    world.restart().await;
    world.forget_calls().await;
    let ask = async |world: &World, key: &str| {
        Client::of(world, key).ask("{ lists { name } }", json!({})).await
    };
    assert_eq!(code(&ask(&world, &broken).await), "WORKSPACE_UNAVAILABLE");
    let batch = json!([{"query": "{ lists { name } }"}]);
    let token = Client::of(&world, &broken).token();
    let request = world.http().post(world.url("/graphql")).bearer_auth(token).json(&batch);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(code(&answer[0]), "WORKSPACE_UNAVAILABLE", "{answer:#}");
    for key in ["default", &whole] {
        assert!(ask(&world, key).await["data"]["lists"].is_array());
    }
    assert_eq!(calls_of(&world, &ACCOUNTS[1]).await, [""; 0]);
    world.end().await;
}
