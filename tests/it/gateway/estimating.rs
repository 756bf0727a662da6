//! What a query is estimated to cost is never less than what it does, by the sandbox's journal.

use serde_json::{Value, json};

use super::ana;
use crate::world::World;

/// The playground's examples, by their files; a subscription makes its calls later.
const EXAMPLES: [(&str, &str); 8] = [
    (include_str!("../../../playground/src/examples/ContactsPage.graphql"), "{}"),
    (
        include_str!("../../../playground/src/examples/CreateNote.graphql"),
        include_str!("../../../playground/src/examples/CreateNote.json"),
    ),
    (include_str!("../../../playground/src/examples/DopplerSource.graphql"), "{}"),
    (
        include_str!("../../../playground/src/examples/OnePerson.graphql"),
        include_str!("../../../playground/src/examples/OnePerson.json"),
    ),
    (
        include_str!("../../../playground/src/examples/Search.graphql"),
        include_str!("../../../playground/src/examples/Search.json"),
    ),
    (include_str!("../../../playground/src/examples/SyncPlan.graphql"), "{}"),
    (
        include_str!("../../../playground/src/examples/UpsertContact.graphql"),
        include_str!("../../../playground/src/examples/UpsertContact.json"),
    ),
    (include_str!("../../../playground/src/examples/Upstreams.graphql"), "{}"),
];

/// Everything that can be asked of a person, one by one and in pairs.
const FIELDS: [&str; 13] = [
    "id",
    "email phone name",
    "birthday country companyName address { city }",
    "status systems freshness { stale }",
    "tags lists { name }",
    "customFields { name definition { key } }",
    "differences { field }",
    "doppler { status lists { name } }",
    "highlevel { dnd customFields { name definition { key } } }",
    "notes(first: 2) { nodes { contact { tasks(first: 2) { nodes { id } } } } }",
    "tasks(first: 2) { nodes { id } }",
    "appointments { nodes { startsAt } }",
    "deliveries { nodes { status } }",
];

/// Asks it of a gateway that has nothing at hand, and compares.
async fn holds(world: &World, query: &str, variables: &Value) {
    world.forget_calls().await;
    let headers = [("tandem-cost", "true"), ("cache-control", "no-cache")];
    let answer = world.ask_with(query, variables.clone(), &headers).await;
    let cost = &answer["extensions"]["cost"];
    for system in ["DOPPLER", "HIGHLEVEL"] {
        let estimated = cost["estimated"][system].as_u64();
        let estimated = estimated.unwrap_or_else(|| panic!("{query}: {answer:#}"));
        let made = world.count(system).await as u64;
        assert!(made <= estimated, "{system}: {made} calls, {estimated} estimated: {query}");
        assert_eq!(cost["calls"][system], json!(made), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_example_of_the_playground_costs_more_than_estimated() {
    // What somebody else's worker does of a mutation is not in its answer.
    let world = World::builder().contacts(300).alone().still().start().await;
    for (query, variables) in EXAMPLES {
        holds(&world, query, &serde_json::from_str(variables).unwrap()).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_mix_of_fields_and_sources_costs_more_than_estimated() {
    for scan_up_to in [300, 0] {
        let world =
            World::builder().contacts(300).set("doppler.scan_up_to", scan_up_to).start().await;
        let id = ana(&world).await;
        let sources = [
            "contacts(first: 15) { nodes { F } }".to_owned(),
            "contacts(first: 15, source: DOPPLER) { nodes { F } }".to_owned(),
            "contact(by: {email: \"ana.paz@example.com\"}) { F }".to_owned(),
            format!("nodes(ids: [\"{id}\"]) {{ ... on Contact {{ F }} }}"),
        ];
        for (place, fields) in FIELDS.iter().enumerate() {
            let more = FIELDS[(place * 5 + 3) % FIELDS.len()];
            for source in &sources {
                let query = format!("{{ {} }}", source.replace('F', &format!("{fields} {more}")));
                holds(&world, &query, &json!({})).await;
            }
        }
        let phone = "{ contact(by: {phone: \"+541155550000\"}) { id email } }";
        holds(&world, phone, &json!({})).await;
        holds(&world, "{ tags { name contacts(first: 2) { nodes { email } } } }", &json!({})).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_from_doppler_asks_highlevel_for_everybody_at_once() {
    let world = World::builder().contacts(300).start().await;
    let query = "{ contacts(first: 50, source: DOPPLER) { nodes { id highlevel { email } } } }";
    let data = world.data(query, json!({})).await;
    let nodes = data["contacts"]["nodes"].as_array().unwrap();
    let absent = nodes.iter().filter(|node| node["highlevel"].is_null()).count();
    assert!(absent > 2, "{absent} are in Doppler only");
    let calls = world.count("HIGHLEVEL").await;
    assert!(calls < 10, "{calls} calls for 50 people");
    world.end().await;
}
