//! Keys and tokens that a person makes and gives.

use serde_json::{Value, json};
use tandem::sandbox::credentials::{
    DOPPLER_ACCOUNT, DOPPLER_API_KEY, HIGHLEVEL_READ_ONLY_TOKEN, HIGHLEVEL_TOKEN,
};

use super::{ANA, KEY, upstream};
use crate::world::World;

const DOPPLER: &str = "mutation($a: String!, $k: String!) { connectDoppler(input: {account: $a, \
    apiKey: $k}) { upstream { state account credential { kind rotatedAt } } \
    userErrors { code field } } }";
const HIGHLEVEL: &str = "mutation($t: String!, $s: [String!]) { connectHighLevel(input: \
    {privateIntegrationToken: $t, scopes: $s}) { upstream { state scopes credential { kind } } \
    userErrors { code field message } } }";
const DISCONNECT: &str = "mutation($s: System!) { disconnect(input: {system: $s}) { \
    upstream { state credential { kind } } userErrors { code } } }";
const READ: &str = "query($e: EmailAddress!) { contact(by: {email: $e}) { \
    doppler { status } highlevel { contactId } } }";

async fn read(world: &World) -> Value {
    world.ask_with(READ, json!({"e": ANA}), &[("cache-control", "no-cache")]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_tried_before_it_is_kept() {
    let world = World::builder().set("vault.keys", KEY).start().await;
    let connect = async |account: &str, key: &str| {
        let answer = world.data(DOPPLER, json!({"a": account, "k": key})).await;
        answer["connectDoppler"].clone()
    };
    for (account, key, field) in [
        (DOPPLER_ACCOUNT, "WRONG", "apiKey"),
        (DOPPLER_ACCOUNT, " ", "apiKey"),
        (DOPPLER_ACCOUNT, "two\nlines", "apiKey"),
        ("other@example.com", DOPPLER_API_KEY, "account"),
    ] {
        let refused = connect(account, key).await;
        let expected = json!([{"code": "INVALID", "field": [field]}]);
        assert_eq!(refused["userErrors"], expected, "{refused:#}");
        assert_eq!(refused["upstream"], Value::Null);
        assert!(read(&world).await.get("errors").is_none(), "the one there is goes on");
    }
    let right = connect(DOPPLER_ACCOUNT, DOPPLER_API_KEY).await;
    assert_eq!(right["userErrors"], json!([]));
    assert_eq!(right["upstream"]["state"], "CONNECTED");
    assert!(right["upstream"]["credential"]["rotatedAt"].is_string(), "{right:#}");
    assert!(read(&world).await.get("errors").is_none());
    // A system that cannot be asked says nothing of the key.
    world.fault(json!({"system": "DOPPLER", "kind": "status", "status": 503})).await;
    let answer = world.ask(DOPPLER, json!({"a": DOPPLER_ACCOUNT, "k": DOPPLER_API_KEY})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UPSTREAM_UNAVAILABLE");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_disconnected_stays_so() {
    let mut world = World::builder().set("vault.keys", KEY).start().await;
    for system in ["DOPPLER", "HIGHLEVEL"] {
        let gone = world.data(DISCONNECT, json!({"s": system})).await["disconnect"].clone();
        assert_eq!(gone["upstream"], json!({"state": "NOT_CONNECTED", "credential": null}));
    }
    world.restart().await;
    world.forget_calls().await;
    for system in ["DOPPLER", "HIGHLEVEL"] {
        let now = upstream(&world, system).await;
        assert_eq!(now["state"], "NOT_CONNECTED", "the settings do not count any more");
    }
    assert_eq!(world.calls().await.len(), 0);
    let answer = world.data(HIGHLEVEL, json!({"t": HIGHLEVEL_TOKEN, "s": null})).await;
    assert_eq!(answer["connectHighLevel"]["userErrors"], json!([]), "{answer:#}");
    let connected = || async { upstream(&world, "HIGHLEVEL").await["state"] == "CONNECTED" };
    world.until("connected again", connected).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_be_one_that_only_reads() {
    let world = World::builder().set("vault.keys", KEY).start().await;
    let input = json!({"t": HIGHLEVEL_READ_ONLY_TOKEN, "s": ["contacts.readonly"]});
    let answer = world.data(HIGHLEVEL, input).await["connectHighLevel"].clone();
    assert_eq!(answer["userErrors"], json!([]), "{answer:#}");
    assert_eq!(answer["upstream"]["state"], "READ_ONLY");
    assert_eq!(answer["upstream"]["scopes"], json!(["contacts.readonly"]));
    let wrong = world.data(HIGHLEVEL, json!({"t": "pit-x", "s": null})).await;
    let wrong = &wrong["connectHighLevel"]["userErrors"][0];
    assert_eq!(wrong["code"], "INVALID");
    assert_eq!(wrong["field"], json!(["privateIntegrationToken"]));
    let odd = world.data(HIGHLEVEL, json!({"t": HIGHLEVEL_TOKEN, "s": ["a b"]})).await;
    assert_eq!(odd["connectHighLevel"]["userErrors"][0]["field"], json!(["scopes"]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_nothing_is_kept() {
    let world = World::start().await;
    let answer = world.data(HIGHLEVEL, json!({"t": HIGHLEVEL_TOKEN, "s": null})).await;
    let error = &answer["connectHighLevel"]["userErrors"][0];
    assert_eq!(error["code"], "NOT_SUPPORTED");
    assert!(error["message"].as_str().unwrap().contains("vault.keys"), "{error}");
    let link = "mutation { connectHighLevel(input: {}) { authorizationUrl userErrors { code } } }";
    let answer = world.data(link, json!({})).await["connectHighLevel"].clone();
    let expected = json!({"authorizationUrl": null, "userErrors": [{"code": "NOT_SUPPORTED"}]});
    assert_eq!(answer, expected);
    assert_eq!(
        world.http().get(world.url("/oauth/highlevel/start")).send().await.unwrap().status(),
        403
    );
    world.end().await;
}
