//! Deleting: in HighLevel; Doppler has no way to.

use serde_json::json;

use super::{ANA, contact, mutate, outcome, reason, subscriber, with_a_rule};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn highlevel_deletes_and_doppler_says_why_not() {
    let world = with_a_rule().start().await;
    let before = subscriber(&world, ANA).await;
    let input = json!({"contact": {"email": ANA}});
    let gone = mutate(&world, "deleteContact", input.clone()).await;
    assert_eq!(outcome(&gone, "HIGHLEVEL"), "APPLIED", "{gone:#}");
    assert_eq!(outcome(&gone, "DOPPLER"), "SKIPPED", "{gone:#}");
    assert!(!reason(&gone, "DOPPLER").is_empty(), "{gone:#}");
    assert_eq!(contact(&world, ANA).await, None);
    assert_eq!(subscriber(&world, ANA).await, before);
    assert_eq!(gone["contact"]["systems"], json!(["DOPPLER"]));
    // Nothing makes the person anew by itself.
    mutate(&world, "syncContact", input).await;
    assert_eq!(contact(&world, ANA).await, None);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_nowhere_any_more_is_deleted() {
    let world = World::start().await;
    let email = "leaving@example.com";
    super::upsert(&world, json!({"email": email, "firstName": "Lea"})).await;
    assert!(contact(&world, email).await.is_some());
    let query = "mutation($e: EmailAddress!) { deleteContact(input: {contact: {email: $e}}) { \
        deletedContactId writes { system outcome } userErrors { code } } }";
    let data = world.data(query, json!({"e": email})).await["deleteContact"].clone();
    assert!(data["deletedContactId"].is_string(), "{data:#}");
    assert_eq!(contact(&world, email).await, None);
    let again = world.data(query, json!({"e": email})).await["deleteContact"].clone();
    assert_eq!(again["userErrors"][0]["code"], "NOT_FOUND", "{again:#}");
    world.end().await;
}
