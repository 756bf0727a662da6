//! The contacts of a tag.

use serde_json::{Value, json};

use super::codes;
use crate::world::World;

/// Tags three people, whom nobody else shares the tag with.
async fn tag_three(world: &World) -> Vec<String> {
    let emails = ["one", "two", "three"].map(|name| format!("{name}.tagged@example.com"));
    for email in &emails {
        let fields = json!({"firstName": "Tagged"});
        let edit = json!({"system": "HIGHLEVEL", "op": "upsert", "email": email, "fields": fields, "tags": ["rare"]});
        world.control("/edit", edit).await;
    }
    emails.to_vec()
}

/// The page of the rare tag.
fn rare(data: &Value) -> &Value {
    let tags = data["tags"].as_array().unwrap();
    &tags.iter().find(|tag| tag["name"] == "rare").unwrap()["contacts"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tags_contacts_are_the_listing_filtered_by_it() {
    let world = World::start().await;
    let mut emails = tag_three(&world).await;
    let page = "totalCount pageInfo { hasNextPage endCursor } nodes { id highlevel { email } }";
    let query = format!(
        "query($after: String) {{ tags {{ name contacts(first: 2, after: $after) {{ {page} }} }} }}"
    );
    let first = rare(&world.data(&query, json!({})).await).clone();
    let filter = format!("{{ contacts(first: 2, filter: {{tagsAll: [\"rare\"]}}) {{ {page} }} }}");
    assert_eq!(first, world.data(&filter, json!({})).await["contacts"]);
    assert_eq!(first["totalCount"], 3);
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let after = json!({"after": first["pageInfo"]["endCursor"]});
    let second = rare(&world.data(&query, after).await).clone();
    assert_eq!(second["pageInfo"]["hasNextPage"], false);
    let nodes = [&first, &second].map(|page| page["nodes"].as_array().unwrap().clone()).concat();
    let mut seen: Vec<String> =
        nodes.iter().map(|node| node["highlevel"]["email"].as_str().unwrap().to_owned()).collect();
    seen.sort_unstable();
    emails.sort_unstable();
    assert_eq!(seen, emails);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tag_is_a_call_and_counted_before_the_first_page_is() {
    // How many tags there are a gateway learns by its own calls.
    let world = World::still().await;
    let data = world.data("{ tags { name } }", json!({})).await;
    let tags = data["tags"].as_array().unwrap().len();
    assert!(tags > 2, "{tags} tags");
    world.forget_calls().await;
    world.data("{ tags { contacts(first: 1) { nodes { id } } } }", json!({})).await;
    assert_eq!(world.count("HIGHLEVEL").await, tags);
    world.end().await;

    // Nobody has read the tags yet: that one call has to be made to know what the rest would take.
    let world = World::start().await;
    let dear =
        "{ tags { contacts(first: 100) { nodes { createdAt appointments { nodes { id } } } } } }";
    let answer = world.ask(dear, json!({})).await;
    assert_eq!(codes(&answer), [("QUERY_TOO_EXPENSIVE".to_owned(), String::new())]);
    assert!(world.calls().await.len() <= 1);
    let cheap = "{ tags { contacts(first: 1) { nodes { createdAt tasks { nodes { id } } } } } }";
    let narrow = World::builder().set("limits.upstream_calls", tags as u64).start().await;
    let answer = narrow.ask(cheap, json!({})).await;
    assert_eq!(codes(&answer), [("QUERY_TOO_EXPENSIVE".to_owned(), String::new())]);
    let extensions = &answer["errors"][0]["extensions"];
    assert_eq!(extensions["needed"], json!(1 + 2 * tags), "{answer:#}");
    assert!(narrow.calls().await.len() <= 1, "the tags at most");
    narrow.end().await;
    world.end().await;
}
