//! Two HighLevel contacts that somebody merges there.

use serde_json::{Value, json};

use super::keeping::{hearing, journal, keeping, settled, stays, tick};
use super::{contact, subscriber};
use crate::world::World;

const EMAIL: &str = "mona.merged@example.com";
const PHONE: &str = "+5491150000042";

async fn id(world: &World, by: Value) -> Option<String> {
    let query = "query($by: ContactBy!) { contact(by: $by) { id } }";
    let data = world.data(query, json!({"by": by})).await;
    data["contact"]["id"].as_str().map(str::to_owned)
}

/// Waits until a contact is known.
async fn known(world: &World, by: Value) -> String {
    let there = async || {
        tick(world).await;
        id(world, by.clone()).await.is_some()
    };
    world.until("known", there).await;
    id(world, by).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_leaves_one_contact_that_answers_to_both_ids() {
    let world = hearing(keeping().contacts(20)).await;
    let made = json!({"system": "HIGHLEVEL", "op": "upsert", "tags": ["by-phone"],
        "fields": {"firstName": "Mona", "phone": PHONE}});
    let first = world.control("/edit", made).await["contactId"].as_str().unwrap().to_owned();
    let older = known(&world, json!({"phone": PHONE})).await;
    let made = json!({"system": "HIGHLEVEL", "op": "upsert", "email": EMAIL,
        "tags": ["by-mail"], "fields": {"firstName": "Mona"}});
    world.control("/edit", made).await;
    let younger = known(&world, json!({"email": EMAIL})).await;
    assert_ne!(older, younger);
    settled(&world).await;
    let people = world.state().await["highlevel"]["contacts"].as_array().unwrap().len();
    let merge = json!({"system": "HIGHLEVEL", "op": "merge", "contactId": first, "into": EMAIL});
    world.control("/edit", merge).await;
    let one = async || {
        tick(&world).await;
        id(&world, json!({"id": younger})).await == Some(older.clone())
    };
    world.until("one contact", one).await;
    settled(&world).await;
    assert_eq!(id(&world, json!({"id": older})).await.as_ref(), Some(&older));
    assert_eq!(id(&world, json!({"email": EMAIL})).await.as_ref(), Some(&older));
    let after = world.state().await["highlevel"]["contacts"].as_array().unwrap().len();
    assert_eq!(after, people - 1, "nobody is made");
    let mona = contact(&world, EMAIL).await.unwrap();
    assert_eq!((&mona["phone"], &mona["tags"]), (&json!(PHONE), &json!(["by-mail", "by-phone"])));
    let shown = subscriber(&world, EMAIL).await.unwrap();
    let tags = shown["fields"]["TAGS"].as_str().unwrap();
    assert!(tags.contains("by-mail") && tags.contains("by-phone"), "{tags}");
    world.end().await;
}

const FIRST: &str = "milo.first@example.com";
const SECOND: &str = "milo.second@example.com";

/// Two people with a subscriber each: HighLevel's id of the first, and the ids of both.
async fn two_subscribers(world: &World) -> (Value, String, String) {
    let fields = json!({"firstName": "Milo", "phone": PHONE});
    let made = json!({"system": "HIGHLEVEL", "op": "upsert", "email": FIRST, "fields": fields});
    let first = world.control("/edit", made).await["contactId"].clone();
    let fields = json!({"firstName": "Milo"});
    let made = json!({"system": "HIGHLEVEL", "op": "upsert", "email": SECOND, "fields": fields});
    world.control("/edit", made).await;
    let there = async || {
        tick(world).await;
        subscriber(world, FIRST).await.is_some() && subscriber(world, SECOND).await.is_some()
    };
    world.until("both are subscribers", there).await;
    settled(world).await;
    let one = id(world, json!({"email": FIRST})).await.unwrap();
    let other = id(world, json!({"email": SECOND})).await.unwrap();
    (first, one, other)
}

/// Waits for the question about a contact.
async fn asked(world: &World, contact: &str) -> Value {
    let query = "{ holds(first: 50) { nodes { id kind system contacts { id } reason \
        resolutions { choice effect } } } }";
    let asked = async || -> Option<Value> {
        tick(world).await;
        let holds = world.data(query, json!({})).await["holds"]["nodes"].clone();
        let mut holds = holds.as_array().unwrap().iter();
        holds.find(|hold| hold["contacts"].to_string().contains(contact)).cloned()
    };
    world.until("it is asked", async || asked().await.is_some()).await;
    asked().await.unwrap()
}

/// Two people with a subscriber each, whose records in HighLevel somebody made one; the question that is
/// asked about it, and the ids of the one whose record is gone and of the other.
async fn merged_with_two_subscribers() -> (World, Value, String, String) {
    let world = hearing(keeping().contacts(12)).await;
    let (first, one, other) = two_subscribers(&world).await;
    let merge = json!({"system": "HIGHLEVEL", "op": "merge", "contactId": first, "into": SECOND});
    world.control("/edit", merge).await;
    let hold = asked(&world, &one).await;
    assert_eq!((&hold["kind"], &hold["system"]), (&json!("AMBIGUOUS_MATCH"), &json!("HIGHLEVEL")));
    assert!(hold["contacts"].to_string().contains(&other), "{hold:#}");
    settled(&world).await;
    for email in [FIRST, SECOND] {
        assert_eq!(subscriber(&world, email).await.unwrap()["lists"], json!(["Newsletter"]));
    }
    (world, hold, one, other)
}

async fn resolve(world: &World, hold: &Value, choice: &str) {
    let query = "mutation($i: ResolveHoldInput!) { resolveHold(input: $i) { \
        userErrors { code message } } }";
    let input = json!({"hold": hold["id"], "choice": choice});
    let done = world.data(query, json!({"i": input})).await;
    assert_eq!(done["resolveHold"]["userErrors"], json!([]), "{done:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_subscribers_become_one_person_with_both_ids_when_somebody_says_so() {
    let (world, hold, one, other) = merged_with_two_subscribers().await;
    resolve(&world, &hold, "JOIN").await;
    let joined = async || {
        tick(&world).await;
        let ids = [id(&world, json!({"id": one})).await, id(&world, json!({"id": other})).await];
        ids[0] == ids[1] && ids[0].is_some()
    };
    world.until("one contact", joined).await;
    settled(&world).await;
    // One address is mailed, and the other one still leads to the person.
    assert_eq!(subscriber(&world, FIRST).await.unwrap()["lists"], json!([]));
    assert_eq!(subscriber(&world, SECOND).await.unwrap()["lists"], json!(["Newsletter"]));
    let survivor = id(&world, json!({"id": one})).await;
    for email in [FIRST, SECOND] {
        assert_eq!(id(&world, json!({"email": email})).await, survivor);
    }
    stays(&world, &world.state().await).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_subscribers_stay_two_people_when_somebody_says_so() {
    let (world, hold, one, other) = merged_with_two_subscribers().await;
    resolve(&world, &hold, "LEAVE").await;
    let systems = async || -> Value {
        tick(&world).await;
        let query = "query($id: ID!) { contact(by: {id: $id}) { id systems } }";
        world.data(query, json!({"id": one})).await["contact"]["systems"].clone()
    };
    world.until("the link is gone", async || systems().await == json!(["DOPPLER"])).await;
    settled(&world).await;
    assert_eq!(id(&world, json!({"id": one})).await, Some(one));
    assert_eq!(id(&world, json!({"email": SECOND})).await, Some(other));
    assert_eq!(subscriber(&world, FIRST).await.unwrap()["lists"], json!(["Newsletter"]));
    assert_eq!(contact(&world, FIRST).await, None, "nobody is made again");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_cannot_be_looked_up_is_no_deletion() {
    let world = hearing(keeping().contacts(12).set("sync.deleted", "unsubscribe")).await;
    let (first, one, other) = two_subscribers(&world).await;
    // That nobody has the address any more is told, and that somebody has the number; not who it is.
    let route = "/contacts/search/duplicate";
    let fault = json!({"system": "HIGHLEVEL", "route": route, "kind": "status",
        "status": 503, "skip": 2});
    world.fault(fault).await;
    let merge = json!({"system": "HIGHLEVEL", "op": "merge", "contactId": first, "into": SECOND});
    world.control("/edit", merge).await;
    let refused = async || {
        tick(&world).await;
        let calls = journal(&world, 0).await.0;
        calls.iter().any(|call| call["route"] == route && call["status"] == 503)
    };
    world.until("it is looked up", refused).await;
    world.clear_faults().await;
    let hold = asked(&world, &one).await;
    assert!(hold["contacts"].to_string().contains(&other), "{hold:#}");
    settled(&world).await;
    let subscriber = subscriber(&world, FIRST).await.unwrap();
    assert_eq!(
        (&subscriber["status"], &subscriber["lists"]),
        (&json!("active"), &json!(["Newsletter"]))
    );
    world.end().await;
}
