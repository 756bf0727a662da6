//! Requests that wait for one read together have each their own time.

use std::time::Duration;

use serde_json::json;

use super::{ana, codes};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn who_joined_late_does_not_fail_for_want_of_the_starters_time() {
    // Reads are shared inside one gateway.
    let world = World::builder().set("server.request_timeout", "10s").alone().start().await;
    let id = ana(&world).await;
    world.forget_calls().await;
    let route = "/contacts/{contactId}/notes";
    let fault = json!({"system": "HIGHLEVEL", "route": route, "kind": "hang", "times": 1});
    world.fault(fault).await;
    let query = "query($id: ID!) { contact(by: {id: $id}) { notes { nodes { id } } } }";
    let ask = || world.ask(query, json!({"id": id}));
    let reads = || async {
        let calls = world.calls().await;
        calls.iter().filter(|call| call.route.as_deref() == Some(route)).count()
    };
    let late = async {
        world.until("the first read is under way", || async { reads().await == 1 }).await;
        // Not a wait for anything: it is how much more time the others have.
        tokio::time::sleep(Duration::from_secs(5)).await;
        futures_util::future::join_all((0..10).map(|_| ask())).await
    };
    let (first, others) = tokio::join!(ask(), late);
    // On a busy machine what the others read may be known by the time it gives up, or there is no time
    // left to say so.
    if first["data"]["contact"].is_object() && first["data"]["contact"]["notes"].is_null() {
        assert_eq!(codes(&first), [("UPSTREAM_TIMEOUT".to_owned(), "contact.notes".to_owned())]);
    }
    for other in others {
        assert!(other.get("errors").is_none(), "{other:#}");
        assert!(other["data"]["contact"]["notes"]["nodes"][0]["id"].is_string(), "{other:#}");
    }
    assert_eq!(reads().await, 2, "the second read is shared again");
    world.end().await;
}
