//! Engagement: what people did with their mails, as events and as notes.

use serde_json::{Value, json};

use super::erasing::erase;
use super::keeping::{edit, keeping, settled, tick};
use super::{ANA, contact};
use crate::connecting::KEY;
use crate::world::{Builder, World};

/// A campaign that Ana was sent and has not opened, and another one that she opened.
const SALE: u64 = 12_330_003;
const AUTUMN: u64 = 12_330_002;

/// Looks for engagement whenever the clock moves; the two campaigns count.
fn engaging() -> Builder {
    keeping()
        .contacts(20)
        .set("doppler.engagement_interval", "5s")
        .set("sync.engagement_days", 36_500)
}

async fn ask_for_notes(world: &World) {
    let query = "mutation($input: UpdateMappingInput!) { updateMapping(input: $input) { \
        userErrors { message } } }";
    let mapping = json!({"notes": {"engagementNotes": true}});
    let input = json!({"ifRevision": 0, "mapping": mapping});
    let answer = world.data(query, json!({"input": input})).await;
    assert_eq!(answer["updateMapping"]["userErrors"], json!([]), "{answer:#}");
}

async fn told(world: &World) -> Vec<(String, Value)> {
    let query = "query($first: Int!) { syncEvents(filter: {kinds: [ENGAGEMENT]}, first: $first) { \
        nodes { message system contact { email } } } }";
    let data = world.data(query, json!({"first": 50})).await;
    let nodes = data["syncEvents"]["nodes"].as_array().unwrap().clone();
    let mut told: Vec<_> = nodes
        .iter()
        .map(|node| (node["message"].as_str().unwrap().to_owned(), node.clone()))
        .collect();
    told.reverse();
    told
}

/// Waits until so many events were told of.
async fn told_of(world: &World, count: usize) -> Vec<(String, Value)> {
    let enough = async || {
        tick(world).await;
        told(world).await.len() >= count
    };
    world.until("told of", enough).await;
    told(world).await
}

/// Waits until a round that began after this has ended.
async fn looked(world: &World) {
    for _ in 0..2 {
        let before = world.calls().await.len();
        let again = async || {
            tick(world).await;
            let calls = world.calls().await;
            calls[before..].iter().any(|call| call.route_ends_with("/campaigns"))
        };
        world.until("another round", again).await;
    }
}

fn notes(ana: &Value) -> Vec<&str> {
    let notes = ana["notes"].as_array().unwrap().iter();
    let bodies = notes.filter_map(|note| note["body"].as_str());
    bodies.filter(|body| body.starts_with("Doppler campaign")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_before_is_not_told_and_what_happens_is_told_once() {
    let mut world = engaging().start().await;
    settled(&world).await;
    looked(&world).await;
    assert!(told(&world).await.is_empty(), "old opens are no news");
    edit(&world, "DOPPLER", "open", json!({"campaignId": SALE})).await;
    let events = told_of(&world, 1).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].0, "Opened the campaign Summer sale");
    assert_eq!(events[0].1["system"], "DOPPLER");
    assert_eq!(events[0].1["contact"]["email"], ANA);
    world.restart().await;
    looked(&world).await;
    assert_eq!(told(&world).await.len(), 1, "it is not told again");
    edit(&world, "DOPPLER", "click", json!({"campaignId": SALE})).await;
    let events = told_of(&world, 2).await;
    assert_eq!(events[1].0, "Followed a link in the campaign Summer sale");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_changed_nobody_is_asked_about() {
    let world = engaging().start().await;
    settled(&world).await;
    looked(&world).await;
    let resting = async || {
        world.forget_calls().await;
        looked(&world).await;
        !world.calls().await.iter().any(|call| call.route_ends_with("/deliveries"))
    };
    world.until("the first round is over", resting).await;
    world.forget_calls().await;
    edit(&world, "DOPPLER", "click", json!({"campaignId": AUTUMN})).await;
    told_of(&world, 1).await;
    let asked = world.calls().await;
    let asked = asked.iter().filter(|call| call.route_ends_with("/deliveries")).count();
    let people = world.state().await["doppler"]["subscribers"].as_array().unwrap().len();
    assert!(asked >= 1 && asked <= people, "each at most once: {asked} of {people}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_is_one_note_that_is_changed() {
    let mut world = engaging().start().await;
    settled(&world).await;
    ask_for_notes(&world).await;
    looked(&world).await;
    assert!(notes(&contact(&world, ANA).await.unwrap()).is_empty(), "nothing old becomes a note");
    edit(&world, "DOPPLER", "open", json!({"campaignId": SALE})).await;
    let text = "Doppler campaign Summer sale: opened";
    let noted = async |text: &str| {
        tick(&world).await;
        notes(&contact(&world, ANA).await.unwrap()) == [text]
    };
    world.until("the note", async || noted(text).await).await;
    edit(&world, "DOPPLER", "click", json!({"campaignId": SALE})).await;
    let more = "Doppler campaign Summer sale: opened, followed a link";
    world.until("the same note, changed", async || noted(more).await).await;
    world.restart().await;
    settled(&world).await;
    world.forget_calls().await;
    looked(&world).await;
    settled(&world).await;
    assert_eq!(world.writes().await, 0, "{:?}", world.calls().await);
    assert_eq!(notes(&contact(&world, ANA).await.unwrap()), [more]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_is_told_and_opts_the_person_out() {
    let world = engaging().start().await;
    settled(&world).await;
    looked(&world).await;
    edit(&world, "DOPPLER", "bounce", json!({"campaignId": SALE})).await;
    let events = told_of(&world, 1).await;
    assert_eq!(events[0].0, "The campaign Summer sale could not be delivered, for good");
    let out = async || {
        tick(&world).await;
        contact(&world, ANA).await.unwrap()["dndSettings"]["Email"]["status"] == "active"
    };
    world.until("opted out in HighLevel", out).await;
    world.end().await;
}

/// Whose deliveries were asked for since the journal was forgotten.
async fn asked_about(world: &World) -> Vec<String> {
    let journal = world.control_get("/journal").await;
    let calls = journal["calls"].as_array().unwrap().iter();
    let asked = calls
        .filter(|call| call["route"].as_str().is_some_and(|route| route.ends_with("/deliveries")));
    asked.map(|call| call["path"].as_str().unwrap().to_lowercase()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_followed_is_asked_about_though_no_campaign_counts() {
    // All campaigns are older.
    let builder = keeping().contacts(12).set("doppler.engagement_interval", "5s");
    let world = builder.set("sync.engagement_days", 1).start().await;
    settled(&world).await;
    looked(&world).await;
    world.forget_calls().await;
    looked(&world).await;
    assert_eq!(asked_about(&world).await, Vec::<String>::new());

    let follow = "subscription($e: EmailAddress!) { contactChanged(by: {email: $e}) { id } }";
    let body = json!({"query": follow, "variables": {"e": ANA}});
    let request = world.http().post(world.url("/graphql")).header("accept", "text/event-stream");
    let following = request.json(&body).send().await.unwrap();
    let asked = async || {
        tick(&world).await;
        !asked_about(&world).await.is_empty()
    };
    world.until("she is asked about", asked).await;
    let asked = asked_about(&world).await;
    assert!(asked.iter().all(|path| path.contains("ana.paz")), "and nobody else: {asked:?}");

    drop(following);
    let quiet = async || {
        world.forget_calls().await;
        looked(&world).await;
        asked_about(&world).await.is_empty()
    };
    world.until("nobody follows her any more", quiet).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_while_a_round_has_them_leaves_no_address_and_is_not_asked_about() {
    let world = engaging().set("vault.keys", KEY).start().await;
    settled(&world).await;
    looked(&world).await;
    let route = "/accounts/{accountName}/subscribers/{email}/deliveries";
    world
        .fault(json!({"system": "DOPPLER", "route": route, "kind": "status", "status": 503}))
        .await;
    world.forget_calls().await;
    edit(&world, "DOPPLER", "open", json!({"campaignId": SALE})).await;
    let is_known = async || {
        tick(&world).await;
        !asked_about(&world).await.is_empty()
    };
    world.until("whom to ask about is known", is_known).await;
    assert_eq!(erase(&world, json!({"email": ANA})).await["userErrors"], json!([]));
    assert_eq!(world.find_stored(ANA).await, Vec::<String>::new());
    world.forget_calls().await;
    world.clear_faults().await;
    looked(&world).await;
    let asked = asked_about(&world).await;
    assert!(!asked.is_empty() && asked.iter().all(|path| !path.contains("ana.paz")), "{asked:?}");
    world.end().await;
}
