//! Making workspaces, and who sees which.

use std::time::Duration;

use serde_json::{Value, json};
use tandem::app;
use tandem::config::Loader;
use tandem::sandbox::credentials::ACCOUNTS;

use super::{CREATE, Client, STATES, second, with_accounts};
use crate::auth::code;

const LIST: &str = "query($f: Int, $a: String) { workspaces(first: $f, after: $a) { \
    edges { cursor node { id key name upstreams { system account state } } } \
    pageInfo { hasNextPage endCursor } } }";
const NODE: &str = "query($id: ID!) { node(id: $id) { id ... on Workspace { key name } } }";

async fn names(client: &Client<'_>) -> Vec<String> {
    let listed = client.data(LIST, json!({})).await["workspaces"]["edges"].clone();
    let edges = listed.as_array().unwrap().iter();
    edges.map(|edge| edge["node"]["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_can_be_used_as_soon_as_it_is_made() {
    let mut world = with_accounts(2).start().await;
    let key = {
        let other = second(&world, "Sunny Bakery").await;
        let (own, theirs) = (Client::operator(&world).people().await, other.people().await);
        assert!(own.len() > 10 && theirs.len() > 10);
        let emails = |people: &[Value]| -> Vec<String> {
            people.iter().filter_map(|one| one["email"].as_str().map(str::to_owned)).collect()
        };
        let (own, theirs) = (emails(&own), emails(&theirs));
        assert!(own.iter().any(|email| !theirs.contains(email)), "they are others");
        let viewer = other.data("{ viewer { workspace { key name } } }", json!({})).await;
        let expected = json!({"key": other.key, "name": "Sunny Bakery"});
        assert_eq!(viewer["viewer"]["workspace"], expected);
        other.key
    };
    // What is stored is opened again.
    world.restart().await;
    let other = Client::of(&world, &key);
    assert!(other.people().await.len() > 10);
    let states = other.data(STATES, json!({})).await["upstreams"].clone();
    assert_eq!(states[0]["account"], ACCOUNTS[1].doppler);
    assert_eq!(states[1]["account"], ACCOUNTS[1].location);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_see_all_and_others_their_own() {
    let world = with_accounts(1).start().await;
    let operator = Client::operator(&world);
    let [one, two] = [operator.create("One").await, operator.create("Two").await];
    assert_eq!(names(&operator).await, ["default", "One", "Two"]);
    assert_eq!(names(&one).await, ["One"]);
    let small =
        Client { scopes: "contacts.readonly contacts.write sync.manage", ..operator.clone() };
    assert_eq!(names(&small).await, ["default"], "who does not manage sees their own");

    let first = operator.data(LIST, json!({"f": 2})).await["workspaces"].clone();
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let after = json!({"f": 2, "a": first["pageInfo"]["endCursor"]});
    let rest = operator.data(LIST, after.clone()).await["workspaces"].clone();
    assert_eq!(rest["edges"][0]["node"]["key"], two.key);
    assert_eq!(rest["pageInfo"]["hasNextPage"], false);
    let foreign = one.ask(LIST, json!({"a": two.key})).await;
    let unknown = one.ask(LIST, json!({"a": "nobodys"})).await;
    assert_eq!((code(&foreign), code(&unknown)), ("BAD_USER_INPUT", "BAD_USER_INPUT"));
    assert_eq!(foreign["errors"][0]["message"], unknown["errors"][0]["message"]);

    let ids: Vec<Value> = {
        let all = operator.data(LIST, json!({})).await["workspaces"]["edges"].clone();
        all.as_array().unwrap().iter().map(|edge| edge["node"]["id"].clone()).collect()
    };
    for (place, id) in ids.iter().enumerate() {
        let node = json!({"id": id});
        assert_eq!(operator.data(NODE, node.clone()).await["node"]["id"], *id);
        let seen = one.data(NODE, node.clone()).await["node"].clone();
        assert_eq!(seen.is_null(), place != 1, "{seen}");
        assert_eq!(small.data(NODE, node).await["node"].is_null(), place != 0);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_operators_make_them_and_a_name_is_taken_once() {
    let world = with_accounts(1).start().await;
    let operator = Client::operator(&world);
    let one = operator.create("One").await;
    for client in [&one, &Client { scopes: "sync.manage", ..operator.clone() }] {
        let refused = client.ask(CREATE, json!({"n": "Mine"})).await;
        assert_eq!(code(&refused), "FORBIDDEN", "{refused:#}");
    }
    for (name, wanted) in [(" One ", "DUPLICATE"), ("default", "DUPLICATE"), (" ", "INVALID")] {
        let refused = operator.data(CREATE, json!({"n": name})).await["createWorkspace"].clone();
        assert_eq!(refused["workspace"], Value::Null);
        assert_eq!(refused["userErrors"], json!([{"code": wanted, "field": ["name"]}]));
    }
    assert_eq!(names(&operator).await, ["default", "One"]);
    let nobody = Client::of(&world, "nobodys").ask("{ viewer { subject } }", json!({})).await;
    assert_eq!(code(&nobody), "FORBIDDEN");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_made_beside_a_gateway_is_served_by_it() {
    let world = with_accounts(2).start().await;
    let settings = Loader::new().set("store.url", world.store_url(), "test");
    let config = settings.load_section("store").unwrap();
    world.clock.advance(Duration::from_millis(1));
    let made = app::create_workspace(&config, "Beside", &world.clock).await.unwrap();
    let again = app::create_workspace(&config, "Beside", &world.clock).await;
    assert!(again.unwrap_err().to_string().contains("another workspace has this name"));
    let client = Client::of(&world, made.id.as_str());
    client.connect(&ACCOUNTS[1]).await;
    assert!(client.people().await.len() > 10);
    let all = app::list_workspaces(&config).await.unwrap();
    let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["default", "Beside"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_that_cannot_be_opened_nothing_goes_on() {
    // The tasks that are counted are all of one gateway.
    let world = with_accounts(1).alone().start().await;
    // What is opened of it before its mapping is read works in the background.
    let broken = "INSERT INTO workspace (id, name, created_at) VALUES ('broken', 'Broken', 0);
        INSERT INTO mapping (workspace, revision, body) VALUES ('broken', 1, '{');";
    let own = Client::operator(&world);
    own.data(STATES, json!({})).await;
    let before = world.running_tasks();
    world.run(broken).await;
    let answer = Client::of(&world, "broken").ask(STATES, json!({})).await;
    assert!(answer["errors"][0].is_object(), "{answer:#}");
    world.until("what was begun ends", || async { world.running_tasks() <= before }).await;
    own.data(STATES, json!({})).await;
    world.end().await;
}
