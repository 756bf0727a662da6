//! The index of contacts: what it lists, and that it asks nobody.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::{ANA, ana, codes};
use crate::world::World;

const LIVE: &str = "query($after: String, $source: ContactSource!) {
    contacts(first: 100, after: $after, source: $source) {
        pageInfo { hasNextPage endCursor } nodes { id name status systems tags highlevel { dnd } }
    } }";
const INDEX: &str = "query($after: String, $filter: ContactFilter, $order: ContactOrder) {
    contacts(first: 7, after: $after, source: INDEX, filter: $filter, orderBy: $order) {
        totalCount coverage { complete asOf } pageInfo { hasNextPage endCursor }
        nodes { id name email status systems tags createdAt updatedAt doppler { status }
            highlevel { contactId dnd } freshness { source } }
    } }";
const STATS: &str = "query($filter: ContactFilter) { contactStats(filter: $filter) {
    total exact inBoth onlyDoppler onlyHighLevel byStatus { status count } topTags { tag count } } }";

/// All people of a listing, by id.
async fn all(world: &World, query: &str, mut variables: Value) -> Vec<Value> {
    let mut people = Vec::new();
    loop {
        let page = world.data(query, variables.clone()).await["contacts"].clone();
        people.extend(page["nodes"].as_array().unwrap().clone());
        if page["pageInfo"]["hasNextPage"] == false {
            return people;
        }
        variables["after"] = page["pageInfo"]["endCursor"].clone();
    }
}

async fn stats(world: &World, filter: Value) -> Value {
    world.data(STATS, json!({"filter": filter})).await["contactStats"].clone()
}

/// Everybody of both systems is read by their own listings, and so is in the index.
async fn read_all(world: &World) -> Vec<Value> {
    all(world, LIVE, json!({"source": "DOPPLER"})).await;
    all(world, LIVE, json!({"source": "HIGHLEVEL"})).await;
    // Once more: the first listing did not know yet whom the second would join to whom. HighLevel's
    // row of somebody tells more, and of two the first is kept.
    let mut people = all(world, LIVE, json!({"source": "HIGHLEVEL"})).await;
    people.extend(all(world, LIVE, json!({"source": "DOPPLER"})).await);
    people.sort_by_key(|one| one["id"].to_string());
    people.dedup_by_key(|one| one["id"].to_string());
    let total = people.len();
    let written = || async { stats(world, Value::Null).await["total"] == total };
    world.until("everybody is in the index", written).await;
    people
}

fn ids(people: &[Value]) -> BTreeSet<String> {
    people.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_what_both_systems_say_and_asks_neither() {
    let world = World::builder().contacts(40).start().await;
    let live = read_all(&world).await;
    world.forget_calls().await;
    for order in ["UPDATED_DESC", "UPDATED_ASC", "CREATED_DESC", "EMAIL_ASC", "NAME_ASC"] {
        let listed = all(&world, INDEX, json!({"order": order})).await;
        assert_eq!(listed.len(), live.len(), "{order}");
        assert_eq!(ids(&listed), ids(&live), "{order}");
        for one in &listed {
            let twin = live.iter().find(|twin| twin["id"] == one["id"]).unwrap();
            for field in ["name", "status", "systems", "tags"] {
                assert_eq!(one[field], twin[field], "{field}: {one:#}");
            }
        }
    }
    let by = |field: &str, value: &str| {
        let has = |one: &&Value| one[field] == value || one[field].to_string().contains(value);
        ids(&live.iter().filter(has).cloned().collect::<Vec<_>>())
    };
    for (filter, expected) in [
        (json!({"status": ["UNSUBSCRIBED"]}), by("status", "UNSUBSCRIBED")),
        (json!({"tagsAll": ["VIP"]}), by("tags", "\"vip\"")),
        (json!({"query": "ANA pa"}), by("name", "Ana Pa")),
    ] {
        let listed = ids(&all(&world, INDEX, json!({"filter": filter})).await);
        assert_eq!(listed, expected, "{filter}");
        assert!(!listed.is_empty(), "{filter}");
        let counted = stats(&world, filter.clone()).await;
        assert_eq!((&counted["total"], &counted["exact"]), (&json!(listed.len()), &json!(true)));
    }
    let counted = stats(&world, Value::Null).await;
    let parts = ["inBoth", "onlyDoppler", "onlyHighLevel"].map(|part| counted[part].as_u64());
    assert_eq!(parts.into_iter().flatten().sum::<u64>(), live.len() as u64, "{counted}");
    assert!(world.calls().await.is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_shows_once_it_was_written() {
    let world = World::builder().contacts(20).start().await;
    read_all(&world).await;
    let id = ana(&world).await;
    let write = "mutation($id: ID!) {
        upsertContact(input: {contact: {id: $id}, firstName: \"Zulema\"}) { userErrors { code } } }";
    world.data(write, json!({"id": id})).await;
    let asked = json!({"filter": {"query": "zulema"}});
    let shown = || async {
        let page = world.data(INDEX, asked.clone()).await["contacts"].clone();
        page["totalCount"].is_null() && page["nodes"][0]["id"] == id.as_str()
    };
    world.until("Ana's new name", shown).await;
    let gone = json!({"filter": {"query": ANA}, "order": "NAME_ASC"});
    assert_eq!(world.data(INDEX, gone).await["contacts"]["nodes"][0]["id"], id.as_str());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_belongs_to_its_listing() {
    let world = World::builder().contacts(30).start().await;
    read_all(&world).await;
    let first = world.data(INDEX, json!({"order": "NAME_ASC"})).await["contacts"].clone();
    assert_eq!(first["coverage"], json!({"complete": false, "asOf": null}));
    let after = &first["pageInfo"]["endCursor"];
    let bad = [("BAD_USER_INPUT".to_owned(), "contacts".to_owned())];
    for variables in [
        json!({"after": after, "order": "EMAIL_ASC"}),
        json!({"after": after, "order": "NAME_ASC", "filter": {"query": "a"}}),
    ] {
        assert_eq!(codes(&world.ask(INDEX, variables).await), bad);
    }
    // Without a source the cursor's goes on, complete or not.
    world.forget_calls().await;
    let on = "query($after: String) { contacts(first: 7, after: $after, orderBy: NAME_ASC) {
        nodes { id } } }";
    let second = world.data(on, json!({"after": after})).await["contacts"].clone();
    assert_eq!(second["nodes"].as_array().unwrap().len(), 7);
    assert!(world.calls().await.is_empty());
    let live = "{ contacts(first: 7) { pageInfo { endCursor } } }";
    let live = world.data(live, json!({})).await["contacts"]["pageInfo"]["endCursor"].clone();
    assert_eq!(codes(&world.ask(INDEX, json!({"after": live})).await), bad);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_both_systems_were_read_through_it_is_the_listing() {
    let world = World::builder()
        .contacts(20)
        .set("sync.first_run", "auto")
        .set("doppler.poll_interval", "5s")
        .set("highlevel.poll_interval", "5s")
        .start()
        .await;
    let page = "query($after: String) { contacts(first: 5, after: $after) {
        coverage { complete asOf } pageInfo { endCursor } nodes { id freshness { source } } } }";
    let complete = || async {
        let coverage = &world.data(page, json!({})).await["contacts"]["coverage"];
        // A live listing is complete by itself and as of now.
        coverage["complete"] == true && !coverage["asOf"].is_null()
    };
    world.comes("both were read through", Duration::from_secs(5), complete).await;
    let filter = "{ contacts(first: 5, filter: {systems: [DOPPLER]}) { nodes { id } } }";
    world.data(filter, json!({})).await;
    world.end().await;
}
