//! A table of hostile queries, each refused before the first call, with its code.

mod queries;

use serde_json::Value;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn each_hostile_query_is_refused_before_the_first_call() {
    let world = World::start().await;
    for one in queries::all() {
        let request = world.http().post(world.url("/graphql"));
        let request = request.header("content-type", "application/json").body(one.body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], one.code, "{}: {error:#}", one.kind);
        assert!(error["extensions"]["requestId"].is_string(), "{}: {error:#}", one.kind);
        assert!(error["message"].as_str().is_some_and(|said| said.len() < 300), "{error:#}");
    }
    assert!(world.calls().await.is_empty(), "nothing was asked of the systems");
    // And the next one is served as ever.
    world.data("{ viewer { subject } }", Value::Null).await;
    world.end().await;
}
