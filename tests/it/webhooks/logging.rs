//! What the log says of what changes nothing.

use chrono::TimeDelta;
use serde_json::json;
use tracing::Level;

use super::{event, post, send, signed, trusting};
use crate::log::Log;
use crate::world::World;

/// Posts something and gives what the log says of it, which must name nobody.
async fn said(world: &World, log: &Log, body: &str, signature: Option<&str>) -> String {
    log.take();
    post(world, body, signature).await;
    let said = log.take();
    for secret in ["contact-one", "webhook-one", HIDDEN]
        .into_iter()
        .chain(signature.filter(|one| one.len() > 5))
    {
        assert!(!said.contains(secret), "{secret} is in the log: {said}");
    }
    said
}

/// Stands in every body.
const HIDDEN: &str = "hidden@example.com";
/// How a line says whose it is.
const WHOSE: &str = "workspace=\"default\"";

// On one thread, so that all that is said is heard.
#[tokio::test]
async fn what_changes_nothing_is_told_with_its_reason() {
    let (log, guard) = Log::of_this_thread(Level::INFO);
    let world = trusting().start().await;
    let before = world.state().await;
    let mut first = event(&world, "webhook-one", "contact-one");
    first["email"] = json!(HIDDEN);
    let body = first.to_string();
    let good = signed(&body);

    let unsigned = said(&world, &log, &body, None).await;
    assert!(unsigned.contains("webhook refused") && unsigned.contains("it is not signed"));
    let unsigned = said(&world, &log, &body, Some("N/A")).await;
    assert!(unsigned.contains("it is not signed"), "{unsigned}");
    let tampered = said(&world, &log, &format!("{body} "), Some(&good)).await;
    assert!(tampered.contains("its signature is by none of the known keys"), "{tampered}");
    let mut ahead = first.clone();
    ahead["timestamp"] = json!((world.clock.now() + TimeDelta::minutes(6)).to_rfc3339());
    let ahead = ahead.to_string();
    let ahead = said(&world, &log, &ahead, Some(&signed(&ahead))).await;
    assert!(ahead.contains("it was sent in the future"), "{ahead}");
    assert!(ahead.contains(WHOSE), "{ahead}");
    let mut strange = first.clone();
    strange["locationId"] = json!("somebodyElse");
    let strange = strange.to_string();
    let strange = said(&world, &log, &strange, Some(&signed(&strange))).await;
    assert!(strange.contains("webhook ignored") && strange.contains("not served here"));
    assert!(!strange.contains("workspace="), "nobody knows whose it is: {strange}");
    let odd = HIDDEN.to_owned();
    let odd = said(&world, &log, &odd, Some(&signed(&odd))).await;
    assert!(odd.contains("it is no event"), "{odd}");
    let mut unknown = first.clone();
    unknown["type"] = json!("KnowledgeBaseUpdate");
    unknown["webhookId"] = json!("other");
    let unknown = unknown.to_string();
    let unknown = said(&world, &log, &unknown, Some(&signed(&unknown))).await;
    assert!(unknown.contains("webhook kept"), "{unknown}");
    assert!(unknown.contains("it is about nothing that we keep"), "{unknown}");
    assert!(unknown.contains(WHOSE), "{unknown}");
    assert_eq!(world.calls().await.len(), 0, "and nobody was read");

    assert_eq!(send(&world, &first).await, (200, "stored".to_owned()));
    let again = said(&world, &log, &body, Some(&good)).await;
    assert!(again.contains("it came before"), "{again}");
    assert!(again.lines().all(|line| line.contains(WHOSE)), "{again}");
    assert_eq!(world.state().await, before);
    drop(guard);
    world.end().await;
}
