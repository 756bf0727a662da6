//! Ids: the same for ever and from everywhere, and nothing personal in them.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{ANA, ana, codes};
use crate::world::World;

async fn ids_by_address(world: &World, source: &str) -> HashMap<String, String> {
    let query = "query($source: ContactSource, $after: String) { \
        contacts(first: 100, source: $source, after: $after) { \
        nodes { id email } pageInfo { hasNextPage endCursor } } }";
    let mut ids = HashMap::new();
    let mut after = Value::Null;
    loop {
        let data = world.data(query, json!({"source": source, "after": after})).await;
        for node in data["contacts"]["nodes"].as_array().unwrap() {
            if let (Some(id), Some(email)) = (node["id"].as_str(), node["email"].as_str()) {
                ids.insert(email.to_lowercase(), id.to_owned());
            }
        }
        let page = &data["contacts"]["pageInfo"];
        if page["hasNextPage"] == false {
            return ids;
        }
        after = page["endCursor"].clone();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_stay_the_same_over_restarts_and_sources() {
    let mut world = World::start().await;
    let from_highlevel = ids_by_address(&world, "HIGHLEVEL").await;
    let from_doppler = ids_by_address(&world, "DOPPLER").await;
    let shared = from_doppler.iter().filter(|(email, _)| from_highlevel.contains_key(*email));
    let ambiguous = ambiguous_addresses(&world).await;
    let mut compared = 0;
    for (email, id) in shared.filter(|(email, _)| !ambiguous.contains(*email)) {
        assert_eq!(from_highlevel[email], *id, "{email}");
        compared += 1;
    }
    assert!(compared > 20, "only {compared} people are in both");
    world.restart().await;
    assert_eq!(ids_by_address(&world, "HIGHLEVEL").await, from_highlevel);
    assert_eq!(ids_by_address(&world, "DOPPLER").await, from_doppler);
    world.end().await;
}

/// Addresses that several HighLevel contacts share.
async fn ambiguous_addresses(world: &World) -> Vec<String> {
    let state = world.control_get("/state").await;
    let mut seen: HashMap<String, usize> = HashMap::new();
    for contact in state["highlevel"]["contacts"].as_array().unwrap() {
        if let Some(email) = contact["email"].as_str() {
            *seen.entry(email.to_lowercase()).or_default() += 1;
        }
    }
    seen.into_iter().filter(|(_, count)| *count > 1).map(|(email, _)| email).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_tell_nothing_of_the_person() {
    let world = World::start().await;
    let query = "query($email: EmailAddress!) { contact(by: {email: $email}) { id \
        notes { nodes { id } } tasks { nodes { id } } appointments { nodes { id } } \
        deliveries { nodes { id } } lists { id } } }";
    let data = world.data(query, json!({"email": ANA})).await;
    let text = data.to_string();
    for word in ["ana", "paz", "example"] {
        assert!(!text.to_lowercase().contains(&format!("\"{word}")), "{text}");
    }
    for part in text.split('"').filter(|part| part.contains('_')) {
        use base64::Engine;
        let inner = part.split_once('_').map_or("", |(_, inner)| inner);
        let decoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(inner);
        let decoded = String::from_utf8_lossy(&decoded.unwrap_or_default()).to_lowercase();
        assert!(!decoded.contains('@') && !decoded.contains("paz"), "{part}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_with_an_id_is_found_by_it() {
    let world = World::start().await;
    let query = "query($email: EmailAddress!) { viewer { workspace { id } } \
        contact(by: {email: $email}) { id notes { nodes { id } } tasks { nodes { id } } \
        appointments { nodes { id } } deliveries { nodes { id } } lists { id } } }";
    let data = world.data(query, json!({"email": ANA})).await;
    let mut ids = vec![data["viewer"]["workspace"]["id"].clone(), data["contact"]["id"].clone()];
    for relation in ["notes", "tasks", "appointments", "deliveries"] {
        let id = data["contact"][relation]["nodes"][0]["id"].clone();
        assert!(id.is_string(), "{relation}: {data:#}");
        ids.push(id);
    }
    ids.push(data["contact"]["lists"][0]["id"].clone());
    let found = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    let nodes = world.data(found, json!({"ids": ids})).await["nodes"].clone();
    let names: Vec<&str> =
        nodes.as_array().unwrap().iter().map(|node| node["__typename"].as_str().unwrap()).collect();
    let kinds = ["Workspace", "Contact", "Note", "Task", "Appointment", "Delivery", "DopplerList"];
    assert_eq!(names, kinds);
    let same: Vec<Value> =
        nodes.as_array().unwrap().iter().map(|node| node["id"].clone()).collect();
    assert_eq!(same, ids);
    let unknown = json!({"ids": ["contact_00000000000000000000000000000000", "nonsense", ""]});
    let nodes = world.data(found, unknown).await["nodes"].clone();
    assert_eq!(nodes, json!([null, null, null]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_people_behind_one_address_are_named_and_not_guessed() {
    let world = World::start().await;
    world.control("/settings", json!({"allowDuplicates": true})).await;
    for first_name in ["One", "Two"] {
        let fields = json!({"email": "twins@example.com", "firstName": first_name});
        let edit = json!({"system": "HIGHLEVEL", "op": "upsert", "email": format!("{first_name}@example.com"), "fields": fields});
        world.control("/edit", edit).await;
    }
    let query = "query($email: EmailAddress!) { contact(by: {email: $email}) { id } }";
    let answer = world.ask(query, json!({"email": "twins@example.com"})).await;
    assert_eq!(codes(&answer), [("CONFLICT".to_owned(), "contact".to_owned())], "{answer:#}");
    let candidates = answer["errors"][0]["extensions"]["contacts"].as_array().unwrap();
    assert_eq!(candidates.len(), 2);
    let by_id = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Contact { firstName } } }";
    let data = world.data(by_id, json!({"ids": candidates})).await;
    let mut names: Vec<String> =
        data["nodes"].as_array().unwrap().iter().map(|n| n["firstName"].to_string()).collect();
    names.sort();
    assert_eq!(names, ["\"One\"", "\"Two\""]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_naming_a_person_leads_to_one_id() {
    let world = World::start().await;
    let id = ana(&world).await;
    let query = "query($id: ID!) { contact(by: {id: $id}) { phone highlevel { contactId } } }";
    let contact = world.data(query, json!({"id": id})).await["contact"].clone();
    let phone = "query($v: PhoneNumber!) { contact(by: {phone: $v}) { id } }";
    let data = world.data(phone, json!({"v": contact["phone"]})).await;
    assert_eq!(data["contact"]["id"], json!(id));
    let own = "query($v: String!) { contact(by: {highlevelId: $v}) { id } }";
    let data = world.data(own, json!({"v": contact["highlevel"]["contactId"]})).await;
    assert_eq!(data["contact"]["id"], json!(id));
    let email = "query($v: EmailAddress!) { contact(by: {email: $v}) { id } }";
    let data = world.data(email, json!({"v": "  ANA.Paz@Example.COM "})).await;
    assert_eq!(data["contact"]["id"], json!(id));
    let nobody = world.data(email, json!({"v": "nobody@example.com"})).await;
    assert!(nobody["contact"].is_null());
    world.end().await;
}

/// Two HighLevel contacts and one subscriber who share an address.
async fn twins(world: &World) -> &'static str {
    world.control("/settings", json!({"allowDuplicates": true})).await;
    for name in ["one@example.com", "two@example.com"] {
        let fields = json!({"email": "twins@example.com", "firstName": name});
        let edit = json!({"system": "HIGHLEVEL", "op": "upsert", "email": name, "fields": fields});
        world.control("/edit", edit).await;
    }
    let subscriber = json!({"system": "DOPPLER", "op": "upsert", "email": "twins@example.com", "fields": {"FIRSTNAME": "Twin"}, "list": "Newsletter"});
    world.control("/edit", subscriber).await;
    "twins@example.com"
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_taken_for_a_twin_while_the_search_fails() {
    let world = World::start().await;
    let email = twins(&world).await;
    let route = "/contacts/search";
    world
        .fault(json!({"system": "HIGHLEVEL", "route": route, "kind": "status", "status": 422}))
        .await;
    let query = "query($query: String!) { contacts(source: DOPPLER, filter: {query: $query}) { \
        nodes { email highlevel { contactId } } } }";
    let answer = world.ask(query, json!({"query": email})).await;
    let nodes = &answer["data"]["contacts"]["nodes"];
    assert_eq!(*nodes, json!([{"email": email, "highlevel": null}]), "{answer:#}");
    let path = "contacts.nodes.0.highlevel".to_owned();
    assert_eq!(codes(&answer), [("UPSTREAM_REJECTED".to_owned(), path)]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_found_with_half_an_ear_is_not_kept() {
    let world = World::start().await;
    let email = twins(&world).await;
    let fault = json!({"system": "HIGHLEVEL", "route": "/contacts/search", "kind": "status", "status": 422, "times": 1});
    world.fault(fault).await;
    let query = "query($email: EmailAddress!) { contact(by: {email: $email}) { id } }";
    let alone = world.data(query, json!({"email": email})).await;
    assert!(alone["contact"]["id"].is_string());
    let all = world.ask(query, json!({"email": email})).await;
    assert_eq!(codes(&all), [("CONFLICT".to_owned(), "contact".to_owned())], "{all:#}");
    world.end().await;
}
