//! Two gateways on one store: what one changes, the other does not keep.
//!
//! `TEST_POSTGRES_URL` and `TEST_NATS_URL` name servers; under CI they must.

use serde_json::json;

use super::ana;
use crate::world::{Builder, World};

const NOTES: &str = "query($id: ID!) { contact(by: {id: $id}) { notes { nodes { body } } } }";
const CREATE: &str = "mutation($id: ID!, $body: String!) { createNote(input: {contact: {id: $id}, body: $body}) { userErrors { code } } }";

/// The server that a variable names.
fn server(variable: &str) -> Option<String> {
    let server = std::env::var(variable).ok();
    assert!(
        server.is_some() || std::env::var("CI").as_deref() != Ok("true"),
        "{variable} is not set"
    );
    server
}

/// A name that nobody else uses on the server.
fn own_name() -> String {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().file_name().unwrap().to_string_lossy().to_lowercase();
    format!("test_{}_{}", std::process::id(), name.trim_start_matches('.'))
}

async fn what_one_writes_the_other_shows(builder: Builder) {
    let mut world = builder.start().await;
    world.join().await;
    let id = ana(&world).await;
    let variables = json!({"id": id});
    for body in ["Called", "Called again"] {
        let before = world.data_of_other(NOTES, variables.clone()).await;
        assert_eq!(world.data_of_other(NOTES, variables.clone()).await, before, "it is kept");
        world.data(CREATE, json!({"id": id, "body": body})).await;
        // The clock stands still, so nothing is read again for its age.
        let (world, variables) = (&world, &variables);
        world
            .until("the other gateway shows the note", || async move {
                world.data_of_other(NOTES, variables.clone()).await.to_string().contains(body)
            })
            .await;
    }
    world.end().await;
}

#[cfg(feature = "nats")]
#[tokio::test(flavor = "multi_thread")]
async fn over_nats() {
    let Some(url) = server("TEST_NATS_URL") else { return };
    let builder = World::builder().set("bus.url", url).set("bus.channel", own_name());
    what_one_writes_the_other_shows(builder).await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
async fn over_postgresql() {
    let Some(server) = server("TEST_POSTGRES_URL") else { return };
    let schema = own_name();
    let admin = sqlx::PgPool::connect(&server).await.unwrap();
    let create = format!("CREATE SCHEMA {schema}");
    sqlx::query(sqlx::AssertSqlSafe(create)).execute(&admin).await.unwrap();
    let join = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{join}options=-c%20search_path%3D{schema}");
    let builder = World::builder().set("store.url", url).set("bus.channel", schema.clone());
    what_one_writes_the_other_shows(builder).await;
    let drop = format!("DROP SCHEMA {schema} CASCADE");
    sqlx::query(sqlx::AssertSqlSafe(drop)).execute(&admin).await.unwrap();
}
