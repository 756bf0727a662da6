//! Imports that end badly or not at all, and what is looked at once more before one is sent.

use std::time::Duration;

use serde_json::{Value, json};
use tandem::sandbox::credentials::{DOPPLER_ACCOUNT, DOPPLER_API_KEY, DOPPLER_FIRST_LIST};

use super::importing::{
    INTO_LIST, addresses, approve, calls, calm, edit, failures, imports, is_sent, of, people,
    person, previewed,
};
use super::runs::reaches;
use super::{contact, subscriber};
use crate::world::{Builder, World};

const SECOND_LIST: &str = "27311002";

async fn settings(world: &World, settings: Value) {
    world.control("/settings", settings).await;
}

async fn mutate(world: &World, name: &str, input: Value) {
    let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    let query = format!(
        "mutation($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ message }} }} }}"
    );
    let done = world.data(&query, json!({"input": input})).await;
    assert_eq!(done[name]["userErrors"], json!([]), "{done:#}");
}

/// How many of the people are subscribers.
async fn made(world: &World) -> usize {
    let state = world.state().await;
    let all = state["doppler"]["subscribers"].as_array().unwrap().iter();
    all.filter(|one| one["email"].as_str().unwrap().ends_with("@example.net")).count()
}

async fn no_import_has_last_names(world: &World) {
    for import in imports(world).await {
        assert!(!import["fields"].to_string().contains("LASTNAME"), "planned anew: {import:#}");
    }
}

/// Waits until so many of the people are subscribers, while time goes by in such steps.
async fn are_made(world: &World, count: usize, step: Duration) {
    world.comes("all are made", step, || async { made(world).await == count }).await;
}

/// Sends forty people's import, with which Doppler is done, and nobody knows that yet; the run.
async fn made_unheard(world: &World) -> Value {
    let run = previewed(world).await;
    let task = "/accounts/{accountName}/tasks/{taskId}";
    let silent = json!({"system": "DOPPLER", "route": task, "kind": "status", "status": 503});
    world.fault(silent).await;
    approve(world, &run).await;
    is_sent(world).await;
    are_made(world, 40, Duration::from_secs(2)).await;
    run
}

/// What comes after the run is sent soon: nobody knows whether more people come.
fn hasty() -> Builder {
    calm().contacts(0).set("sync.import_wait", "5s")
}

/// People whose import waits to be sent, because Doppler shows nobody what it looks like now; the run.
async fn held_up(world: &World) -> Value {
    people(world, 40).await;
    let run = previewed(world).await;
    world.forget_calls().await;
    let pages = "/accounts/{accountName}/subscribers";
    world
        .fault(json!({"system": "DOPPLER", "route": pages, "kind": "status", "status": 503}))
        .await;
    approve(world, &run).await;
    let asked = || async { world.calls().await.iter().any(|call| call.route_ends_with(pages)) };
    world.until("the sender looks", asked).await;
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_in_an_import_that_failed_is_written_alone() {
    let world = calm().contacts(0).start().await;
    settings(&world, json!({"importsEnd": "failed"})).await;
    people(&world, 40).await;
    let run = previewed(&world).await;
    world.forget_calls().await;
    approve(&world, &run).await;
    reaches(&world, &run, "FINISHED").await;
    let query = "{ syncEvents(first: 100, filter: {kinds: [FAILED]}) { nodes { system } } }";
    let told = world.data(query, json!({})).await["syncEvents"]["nodes"].clone();
    assert!(told.to_string().contains("DOPPLER"), "it is not passed over: {told:#}");
    are_made(&world, 40, Duration::from_secs(5)).await;
    let over = || async { failures(&world).await.is_empty() };
    world.until("nothing stands against them any more", over).await;
    let calls = calls(&world).await;
    assert_eq!(of(&calls, "POST", INTO_LIST), 1, "{calls:#?}");
    assert_eq!(of(&calls, "POST", "/lists/{listId}/subscribers"), 40, "once each: {calls:#?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_never_ends_is_waited_for_an_hour() {
    let world = calm().contacts(0).start().await;
    settings(&world, json!({"importsEnd": "never"})).await;
    people(&world, 40).await;
    let run = previewed(&world).await;
    world.forget_calls().await;
    approve(&world, &run).await;
    is_sent(&world).await;
    // So long nothing is written beside it.
    for _ in 0..10 {
        world.pass(Duration::from_secs(300)).await;
    }
    let before = calls(&world).await;
    assert_eq!(of(&before, "POST", "/lists/{listId}/subscribers"), 0, "{before:#?}");
    world.pass(Duration::from_secs(600)).await;
    are_made(&world, 40, Duration::from_secs(2)).await;
    let after = calls(&world).await;
    assert_eq!(of(&after, "POST", "/lists/{listId}/subscribers"), 40, "{after:#?}");
    assert!(of(&after, "GET", "/tasks/{taskId}") < 100, "asked ever more seldom: {after:#?}");
    reaches(&world, &run, "FINISHED").await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_paused_meanwhile_is_in_no_import() {
    let world = hasty().start().await;
    held_up(&world).await;
    mutate(&world, "pauseSync", json!({"field": "lastName"})).await;
    world.clear_faults().await;
    are_made(&world, 40, Duration::from_secs(2)).await;
    no_import_has_last_names(&world).await;
    let one = subscriber(&world, &person(3)).await.unwrap();
    assert!(one["fields"]["LASTNAME"].as_str().is_none_or(str::is_empty), "{one:#}");
    mutate(&world, "resumeSync", json!({"field": "lastName"})).await;
    let arrived =
        || async { subscriber(&world, &person(3)).await.unwrap()["fields"]["LASTNAME"] == "N3" };
    world.comes("what waited", Duration::from_secs(2), arrived).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_sync_is_paused_no_import_is_sent() {
    for pause in [json!({}), json!({"direction": "TO_DOPPLER"})] {
        let world = hasty().start().await;
        held_up(&world).await;
        mutate(&world, "pauseSync", pause.clone()).await;
        world.clear_faults().await;
        for _ in 0..20 {
            world.pass(Duration::from_secs(15)).await;
        }
        assert_eq!((made(&world).await, imports(&world).await.len()), (0, 0), "{pause}");
        mutate(&world, "resumeSync", pause).await;
        are_made(&world, 40, Duration::from_secs(2)).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_changed_meanwhile_is_obeyed() {
    let world = hasty().start().await;
    held_up(&world).await;
    let query =
        "{ mapping { fields { field doppler highlevel direction rule owner initialOwner } } }";
    let mut mapping = world.data(query, json!({})).await["mapping"].clone();
    for row in mapping["fields"].as_array_mut().unwrap() {
        if row["field"] == "lastName" {
            row["direction"] = json!("TO_HIGHLEVEL");
        }
    }
    let fields = mapping["fields"].clone();
    let input = json!({"ifRevision": 0, "mapping": {"fields": fields}});
    mutate(&world, "updateMapping", input).await;
    world.clear_faults().await;
    are_made(&world, 40, Duration::from_secs(2)).await;
    no_import_has_last_names(&world).await;
    let one = subscriber(&world, &person(3)).await.unwrap();
    assert!(one["fields"]["LASTNAME"].as_str().is_none_or(str::is_empty), "{one:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_is_looked_at_again() {
    let world = calm().contacts(0).start().await;
    people(&world, 40).await;
    let run = previewed(&world).await;
    world.forget_calls().await;
    let route = format!("/accounts/{{accountName}}{INTO_LIST}");
    // Nobody knows whether Doppler took it; it did not.
    let fault = json!({"system": "DOPPLER", "route": route, "kind": "status", "status": 504});
    world.fault(fault).await;
    approve(&world, &run).await;
    is_sent(&world).await;
    let op = json!({"system": "DOPPLER", "op": "upsert", "email": person(3), "fields": {}});
    edit(&world, op).await;
    edit(&world, json!({"system": "DOPPLER", "op": "unsubscribe", "email": person(3)})).await;
    world.clear_faults().await;
    let run = reaches(&world, &run, "FINISHED").await;
    // Whether the first one made her nobody knows: she is looked at alone.
    assert_eq!(run["created"], 39, "{run:#}");
    let sent = imports(&world).await;
    assert!(addresses(&sent[..1]).contains(&person(3)));
    let quiet = || async { failures(&world).await.is_empty() };
    world.comes("she is looked at", Duration::from_secs(2), quiet).await;
    let last = addresses(&sent[sent.len() - 1..]);
    assert!(last.contains(&person(4)) && !last.contains(&person(3)), "{last:?}");
    let out = subscriber(&world, &person(3)).await.unwrap();
    assert_eq!((&out["status"], &out["lists"]), (&json!("unsubscribed"), &json!([])));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_busy_holds_up_no_other() {
    let rules = json!([
        {"system": "DOPPLER", "list": SECOND_LIST, "when": "'vip' in tags"},
        {"system": "DOPPLER", "list": DOPPLER_FIRST_LIST},
    ]);
    let world = calm().contacts(0).set("mapping.create_in", rules).start().await;
    people(&world, 80).await;
    for number in 0..40 {
        let tag = json!({"system": "HIGHLEVEL", "op": "tag", "email": person(number),
            "tags": ["vip"]});
        edit(&world, tag).await;
    }
    let run = previewed(&world).await;
    // Somebody else's import into the first list, which goes on for ever.
    settings(&world, json!({"importsEnd": "never"})).await;
    let path = format!("/accounts/{DOPPLER_ACCOUNT}/lists/{DOPPLER_FIRST_LIST}/subscribers/import");
    let url = format!("{}{path}", world.sandbox.doppler_url());
    let body = json!({"fields": [], "items": [{"email": "else@example.com"}]});
    let theirs = world.http().post(url).header("authorization", format!("token {DOPPLER_API_KEY}"));
    assert_eq!(theirs.json(&body).send().await.unwrap().status(), 202);
    settings(&world, json!({"importsEnd": "completed"})).await;
    world.forget_calls().await;
    approve(&world, &run).await;
    are_made(&world, 40, Duration::from_secs(1)).await;
    let sent = addresses(&imports(&world).await);
    assert!(sent.contains(&person(0)) && !sent.contains(&person(79)), "{sent:?}");
    assert!(subscriber(&world, &person(0)).await.is_some());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn polls_leave_people_to_the_import_that_has_them() {
    let world = calm().contacts(0).set("doppler.poll_interval", "2s").start().await;
    people(&world, 40).await;
    let run = made_unheard(&world).await;
    let op = json!({"system": "DOPPLER", "op": "upsert", "email": person(3), "list": "Newsletter",
        "fields": {"FIRSTNAME": "Pia", "LASTNAME": "N3", "CITY": "Salta"}});
    edit(&world, op).await;
    world.forget_calls().await;
    let polled = || async { of(&calls(&world).await, "GET", "/subscribers") >= 3 };
    world.until("polls see them", polled).await;
    let single = || async { of(&calls(&world).await, "GET", "/subscribers/{email}") };
    assert_eq!(single().await, 0, "{:#?}", calls(&world).await);

    world.clear_faults().await;
    reaches(&world, &run, "FINISHED").await;
    let found = || async { contact(&world, &person(3)).await.unwrap()["city"] == "Salta" };
    world.until("whoever settles the import sees what else was changed", found).await;
    assert!(single().await <= 2, "nobody else is read: {:#?}", calls(&world).await);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_import_wrote_is_no_change_made_in_doppler() {
    let world = calm().contacts(0).start().await;
    people(&world, 40).await;
    let tags =
        |op: &str| json!({"system": "HIGHLEVEL", "op": op, "email": person(3), "tags": ["expo"]});
    edit(&world, tags("tag")).await;
    let run = made_unheard(&world).await;
    edit(&world, tags("untag")).await;
    mutate(&world, "syncContact", json!({"contact": {"email": person(3)}})).await;
    let tags = || async { contact(&world, &person(3)).await.unwrap()["tags"].clone() };
    assert_eq!(tags().await, json!([]), "nobody added it in Doppler");

    world.clear_faults().await;
    reaches(&world, &run, "FINISHED").await;
    let gone = || async {
        let held = subscriber(&world, &person(3)).await.unwrap();
        held["fields"]["TAGS"].as_str().unwrap_or_default().is_empty()
    };
    world.until("the tag is gone in Doppler, too", gone).await;
    assert_eq!(tags().await, json!([]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opts_out_while_an_import_has_them_is_opted_out_at_once() {
    let world = calm().contacts(0).start().await;
    people(&world, 40).await;
    let run = made_unheard(&world).await;
    let out = json!({"system": "HIGHLEVEL", "op": "unsubscribe", "email": person(3)});
    edit(&world, out).await;
    mutate(&world, "syncContact", json!({"contact": {"email": person(3)}})).await;
    let status = || async { subscriber(&world, &person(3)).await.unwrap()["status"].clone() };
    let is_out = || async { status().await == "unsubscribed" };
    world.until("opted out in Doppler, too", is_out).await;

    world.clear_faults().await;
    reaches(&world, &run, "FINISHED").await;
    assert!(is_out().await, "the end of the import changes nothing about it");
    world.end().await;
}

/// Those of the account, who are known in both systems, come later than those of the list, because
/// HighLevel takes its time over theirs.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_never_ends_holds_up_no_other_list() {
    let world = hasty().start().await;
    people(&world, 40).await;
    for number in 40..43 {
        for (system, fields) in
            [("DOPPLER", json!({"FIRSTNAME": "Pia"})), ("HIGHLEVEL", json!({"lastName": "Later"}))]
        {
            let made = json!({"system": system, "op": "upsert", "email": person(number),
                "fields": fields});
            edit(&world, made).await;
        }
    }
    let run = previewed(&world).await;
    settings(&world, json!({"importsEnd": "never"})).await;
    world.forget_calls().await;
    let slow = json!({"system": "HIGHLEVEL", "method": "PUT", "route": "/contacts/{contactId}",
        "kind": "delay", "delayMs": 10_000});
    world.fault(slow).await;
    approve(&world, &run).await;
    let sent = || async { !imports(&world).await.is_empty() };
    world.comes("the import of the list", Duration::from_secs(2), sent).await;
    settings(&world, json!({"importsEnd": "completed"})).await;
    let first = addresses(&imports(&world).await);
    assert!(first.contains(&person(0)) && !first.contains(&person(41)), "{first:?}");
    world.clear_faults().await;
    let told = || async {
        let state = world.state().await;
        let all = state["highlevel"]["contacts"].as_array().unwrap().iter();
        let told = all.filter(|one| one["lastName"] == "Later" && one["firstName"] == "Pia");
        told.count() == 3
    };
    world.until("the others are written in HighLevel", told).await;
    for _ in 0..10 {
        world.pass(Duration::from_secs(60)).await;
    }
    let written = || async {
        world.pass(Duration::from_secs(1)).await;
        subscriber(&world, &person(41)).await.unwrap()["fields"]["LASTNAME"] == "Later"
    };
    world.until("the others are written in Doppler", written).await;
    assert_eq!(made(&world).await, 3, "the list's import is still under way");
    world.end().await;
}
