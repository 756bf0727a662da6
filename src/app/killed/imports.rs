//! A gateway that dies within an import: between binding people to it and sending it, between Doppler's
//! answer and the memory of it, and while it waits for the end.

use serde_json::json;

use super::ground::Ground;
use super::runs::{approve, reaches, start};
use super::victim::Victim;
use crate::store::conformance::Place;

/// Enough for one import.
const PEOPLE: usize = 40;

/// Dies at a step, and is followed by another one.
pub async fn survives(place: &impl Place, step: &str) {
    let ground = Ground::with(place.url(), 1).await;
    for number in 0..PEOPLE {
        let fields = json!({"firstName": "Pia", "lastName": format!("N{number}")});
        let op = json!({"system": "HIGHLEVEL", "op": "upsert", "email": person(number),
            "fields": fields});
        ground.control("/edit", op).await;
    }
    let victim = Victim::start(&ground.order(), step).await;
    let run = start(&ground, victim.address()).await;
    reaches(&ground, victim.address(), &run, "AWAITING_APPROVAL").await;
    ground.forget_calls();
    approve(&ground, victim.address(), &run).await;
    victim.dies_by_itself().await;

    let app = ground.go_on().await;
    let done = reaches(&ground, app.addr(), &run, "FINISHED").await;
    assert_eq!(done["failed"], 0, "{step}: {done:#}");
    let state = ground.state().await;
    let subscribers = state["doppler"]["subscribers"].as_array().unwrap();
    for number in 0..PEOPLE {
        let mut found = subscribers.iter().filter(|one| one["email"] == person(number));
        let one = found.next().unwrap_or_else(|| panic!("{step}: {number} is not there"));
        assert_eq!(found.next(), None, "{step}: {number} is there twice");
        assert_eq!(one["fields"]["LASTNAME"], format!("N{number}"), "{step}");
        assert_eq!(one["lists"], json!(["Newsletter"]), "{step}");
    }
    let calls = ground.calls();
    let posts = |end: &str| {
        let of = calls.iter().filter(|call| call.method == "POST");
        let to = of.filter(|call| call.route.as_deref().is_some_and(|route| route.ends_with(end)));
        to.filter(|call| call.status.is_some_and(|status| status < 300)).count()
    };
    // Nobody can tell whether one was taken whose answer was not stored: whoever is not there yet is
    // sent again.
    let most = if step == "sent" { 2 } else { 1 };
    let imports = posts("/lists/{listId}/subscribers/import");
    assert!((1..=most).contains(&imports), "{step}: {imports} imports");
    let alone = ground.writes().into_iter().filter(|call| {
        let route = call.route.as_deref().unwrap_or_default();
        let body = call.request_body.as_deref().unwrap_or_default();
        route.ends_with("/lists/{listId}/subscribers") && body.contains("@example.net")
    });
    assert_eq!(alone.count(), 0, "{step}: nobody of them is written alone");
    app.shutdown().await;
    ground.end();
}

fn person(number: usize) -> String {
    format!("person.{number}@example.net")
}
