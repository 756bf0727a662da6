//! Who opted out in either system stays out, whatever is done to them: a table of ways, each tried with
//! somebody who opted out in Doppler and with somebody who did in HighLevel.

use serde_json::{Value, json};

use super::keeping::{STEP, connect, hearing, keeping, settled, tick};
use super::runs::{calm, decide, previewed, reaches};
use super::{contact, first_list, mutate, outcome, subscriber, upsert};
use crate::world::World;

/// What is done to people who opted out.
const WAYS: [&str; 13] = [
    "nothing",
    "upsert into a list",
    "add to a list",
    "sync",
    "edits on both sides",
    "lifted in HighLevel",
    "another address in HighLevel",
    "another address by a client",
    "deleted in HighLevel and made again",
    "deleted in Doppler and made again",
    "merged into somebody who did not opt out",
    "somebody who did not opt out is merged into them",
    "tagged and noted",
];

/// Somebody who opted out.
struct Out {
    way: usize,
    system: &'static str,
    contact_id: Value,
}

impl Out {
    fn way(&self) -> &'static str {
        WAYS[self.way]
    }

    fn email(&self) -> String {
        format!("{}.{}@example.org", self.system.to_lowercase(), self.way)
    }

    /// The address that some of them have afterwards.
    fn new_email(&self) -> String {
        format!("new.{}", self.email())
    }

    async fn edit(&self, world: &World, system: &str, op: &str, more: Value) -> Value {
        let mut body = json!({"system": system, "op": op, "email": self.email()});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.control("/edit", body).await
    }

    async fn done_to(&self, world: &World) {
        let email = self.email();
        let named = json!({"contact": {"email": email}});
        match self.way() {
            "nothing" => {}
            "upsert into a list" => {
                let input = json!({"email": email, "firstName": "Up", "lists": [first_list()]});
                upsert(world, input).await;
            }
            "add to a list" => {
                let input = json!({"contact": {"email": email}, "list": first_list()});
                mutate(world, "addToList", input).await;
            }
            "sync" => {
                mutate(world, "syncContact", named).await;
            }
            "edits on both sides" => {
                let fields = json!({"fields": {"firstName": "High", "lastName": "Both"}});
                self.edit(world, "HIGHLEVEL", "upsert", fields).await;
                let fields = json!({"fields": {"FIRSTNAME": "Dop", "CITY": "Salta"}});
                self.edit(world, "DOPPLER", "upsert", fields).await;
            }
            "lifted in HighLevel" => {
                self.edit(world, "HIGHLEVEL", "resubscribe", json!({})).await;
            }
            "another address in HighLevel" => {
                let to = json!({"to": self.new_email()});
                self.edit(world, "HIGHLEVEL", "changeEmail", to).await;
            }
            "another address by a client" => {
                let input = json!({"contact": {"email": email}, "email": self.new_email(),
                    "lists": [first_list()]});
                upsert(world, input).await;
            }
            "deleted in HighLevel and made again" => {
                self.edit(world, "HIGHLEVEL", "delete", json!({})).await;
                self.edit(world, "HIGHLEVEL", "upsert", json!({})).await;
            }
            "deleted in Doppler and made again" => {
                self.edit(world, "DOPPLER", "delete", json!({})).await;
                mutate(world, "syncContact", named).await;
                let again = json!({"list": "Newsletter", "fields": {"FIRSTNAME": "Again"}});
                self.edit(world, "DOPPLER", "upsert", again).await;
            }
            "merged into somebody who did not opt out" => {
                let other = self.other(world).await;
                let merge = json!({"system": "HIGHLEVEL", "op": "merge",
                    "contactId": self.contact_id, "into": other});
                world.control("/edit", merge).await;
            }
            "somebody who did not opt out is merged into them" => {
                let other = self.other(world).await;
                let merge = json!({"system": "HIGHLEVEL", "op": "merge",
                    "contactId": other, "into": self.contact_id});
                world.control("/edit", merge).await;
            }
            "tagged and noted" => {
                let tags = json!({"contact": {"email": email}, "tags": ["vip"]});
                mutate(world, "addTags", tags).await;
                self.edit(world, "HIGHLEVEL", "tag", json!({"tags": ["expo"]})).await;
            }
            other => panic!("no such way: {other}"),
        }
    }

    /// Somebody else in HighLevel, who has no address and did not opt out.
    async fn other(&self, world: &World) -> Value {
        let number = format!("+54911{}{:07}", self.system.len(), 5_000_000 + self.way);
        let fields = json!({"phone": number, "firstName": "Other"});
        let made = json!({"system": "HIGHLEVEL", "op": "upsert", "fields": fields});
        let id = world.control("/edit", made).await["contactId"].clone();
        settled(world).await;
        id
    }

    /// Fails if a system would mail the person.
    async fn is_out(&self, world: &World) {
        let told = format!("{} in {}", self.way(), self.system);
        for email in [self.email(), self.new_email()] {
            if let Some(there) = subscriber(world, &email).await {
                let is_mailed = there["status"] == "active" && there["lists"] != json!([]);
                assert!(!is_mailed, "{told}: {there:#}");
            }
            // What somebody lifts there by hand is asked about, and lifted nowhere else.
            if self.way() == "lifted in HighLevel" {
                continue;
            }
            if let Some(there) = contact(world, &email).await {
                assert!(forbids(&there), "{told}: {there:#}");
            }
        }
        let somewhere = [self.email(), self.new_email()];
        let mut known = false;
        for email in &somewhere {
            known |=
                subscriber(world, email).await.is_some() || contact(world, email).await.is_some();
        }
        assert!(known, "{told}: nobody is left to judge by");
    }
}

fn forbids(contact: &Value) -> bool {
    let email = &contact["dndSettings"]["Email"]["status"];
    contact["dnd"] == true || email == "active" || email == "permanent"
}

/// Everybody in the table, in both systems and opted out in one, which the other knows.
async fn everybody_out(world: &World) -> Vec<Out> {
    let mut all = Vec::new();
    for system in ["DOPPLER", "HIGHLEVEL"] {
        for way in 0..WAYS.len() {
            let mut one = Out { way, system, contact_id: Value::Null };
            let fields = json!({"fields": {"firstName": "Out", "lastName": "Ofit"}});
            let made = one.edit(world, "HIGHLEVEL", "upsert", fields).await;
            one.contact_id = made["contactId"].clone();
            all.push(one);
        }
    }
    let made = async || {
        tick(world).await;
        let state = world.state().await;
        let known = state["doppler"]["subscribers"].as_array().unwrap().clone();
        all.iter().all(|one| known.iter().any(|there| there["email"] == one.email()))
    };
    world.until("the rule makes everybody in Doppler", made).await;
    settled(world).await;
    for one in &all {
        one.edit(world, one.system, "unsubscribe", json!({})).await;
    }
    let out = async || {
        tick(world).await;
        let state = world.state().await;
        all.iter().all(|one| {
            let of = |people: &Value| {
                let mut people = people.as_array().unwrap().iter();
                people.find(|person| person["email"] == one.email()).cloned().unwrap()
            };
            let (there, here) =
                (of(&state["doppler"]["subscribers"]), of(&state["highlevel"]["contacts"]));
            there["status"] == "unsubscribed" && forbids(&here)
        })
    };
    world.until("everybody is out in both", out).await;
    settled(world).await;
    all
}

/// Calls that would have put one of them on a list or lifted their opt-out.
async fn subscribing(world: &World, all: &[Out]) -> Vec<Value> {
    let journal = world.control_get("/journal?bodies=true").await;
    let text = |call: &Value, name: &str| call[name].as_str().unwrap_or_default().to_lowercase();
    let subscribes = |call: &&Value| {
        let (route, body) = (text(call, "route"), text(call, "requestBody"));
        let joins = route.ends_with("/lists/{listid}/subscribers")
            || route.ends_with("/lists/{listid}/subscribers/import");
        let names = all.iter().any(|one| body.contains(&one.email()));
        let lifts = body.contains("\"inactive\"") && route.starts_with("/contacts");
        text(call, "method") != "get" && ((joins && names) || lifts)
    };
    journal["calls"].as_array().unwrap().iter().filter(subscribes).cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_done_to_them() {
    let mut world = hearing(keeping().contacts(12)).await;
    let all = everybody_out(&world).await;
    world.forget_calls().await;
    for one in &all {
        one.done_to(&world).await;
    }
    settled(&world).await;
    for one in &all {
        one.is_out(&world).await;
    }
    assert_eq!(subscribing(&world, &all).await, Vec::<Value>::new());
    // Nor after a restart, by a run over everybody, or by what HighLevel tells once more.
    world.restart().await;
    connect(&world).await;
    let run = previewed(&world).await;
    decide(&world, "approveSync", &run).await;
    reaches(&world, &run["id"], "FINISHED").await;
    for one in &all {
        for email in [one.email(), one.new_email()] {
            let tag =
                json!({"system": "HIGHLEVEL", "op": "tag", "email": email, "tags": ["again"]});
            // Some are there by one of the two addresses only.
            world.try_control("/edit", tag).await;
        }
    }
    settled(&world).await;
    for one in &all {
        one.is_out(&world).await;
    }
    assert_eq!(subscribing(&world, &all).await, Vec::<Value>::new());
    world.end().await;
}

/// Between the listing and somebody's consent days may go by, in which nobody tells of anything.
#[tokio::test(flavor = "multi_thread")]
async fn by_a_run_that_was_listed_before_they_opted_out() {
    for import_from in [2, 0] {
        let world = calm().contacts(4).set("sync.import_from", import_from).start().await;
        let person = |number: usize| format!("late.{number}@example.org");
        for number in 0..6 {
            let made = json!({"system": "HIGHLEVEL", "op": "upsert", "email": person(number),
                "fields": {"firstName": "Late"}});
            world.control("/edit", made).await;
        }
        for number in 10..13 {
            let made = json!({"system": "DOPPLER", "op": "upsert", "email": person(number),
                "list": "Newsletter"});
            world.control("/edit", made).await;
        }
        let run = previewed(&world).await;
        for (system, number) in [("HIGHLEVEL", 3), ("DOPPLER", 11)] {
            let out = json!({"system": system, "op": "unsubscribe", "email": person(number)});
            world.control("/edit", out).await;
        }
        world.forget_calls().await;
        if import_from == 0 {
            // No poll says so sooner.
            let pages = json!({"system": "DOPPLER", "route": "/accounts/{accountName}/subscribers",
                "kind": "status", "status": 503});
            world.fault(pages).await;
        }
        decide(&world, "approveSync", &run).await;
        let is_made = async || contact(&world, &person(11)).await.is_some();
        world.until("whoever opted out in Doppler is made", is_made).await;
        world.clear_faults().await;
        reaches(&world, &run["id"], "FINISHED").await;
        assert!(subscriber(&world, &person(4)).await.is_some(), "the others are made");
        assert_eq!(subscriber(&world, &person(3)).await, None);
        let dnd = async |number| {
            let made = contact(&world, &person(number)).await;
            made.map(|made| made["dndSettings"]["Email"]["status"].clone())
        };
        assert_eq!(dnd(10).await, Some(Value::Null), "the others are made there, too");
        assert_eq!(dnd(11).await, Some(json!("active")), "and whoever opted out is not mailed");
        let journal = world.control_get("/journal?bodies=true").await.to_string();
        assert!(journal.contains(&person(4)), "bodies are there to be looked at");
        let calls = world.control_get("/journal?bodies=true").await;
        let named = |call: &&Value| {
            call["system"] == "DOPPLER"
                && call["requestBody"].as_str().is_some_and(|body| body.contains(&person(3)))
        };
        let calls = calls["calls"].as_array().unwrap();
        assert_eq!(calls.iter().filter(named).count(), 0, "Doppler was never told of her");
        let made = |call: &&Value| {
            call["system"] == "HIGHLEVEL"
                && call["method"] == "POST"
                && call["requestBody"].as_str().is_some_and(|body| body.contains(&person(11)))
        };
        let made: Vec<&Value> = calls.iter().filter(made).collect();
        let bodies = made.iter().filter_map(|call| call["requestBody"].as_str());
        assert!(!made.is_empty() && bodies.clone().all(|body| body.contains("dnd")), "{made:#?}");
        world.end().await;
    }
}

/// What a client asks for of people who opted out in HighLevel a moment ago, of which nobody told, while
/// HighLevel cannot be read.
const BLIND: [&str; 5] =
    ["known in both", "known in Doppler alone", "new in two lists", "by a tag", "another address"];

fn blind(way: &str) -> String {
    format!("{}@example.org", way.replace(' ', "."))
}

async fn list_named(world: &World, name: &str) -> String {
    let state = world.state().await;
    let lists = state["doppler"]["lists"].as_array().unwrap();
    format!("list_{}", lists.iter().find(|list| list["name"] == name).unwrap()["id"])
}

async fn ask_blindly(world: &World, way: &str, events: &str) -> Value {
    let email = blind(way);
    let contact = json!({"email": email});
    match way {
        "known in both" | "known in Doppler alone" => {
            mutate(world, "addToList", json!({"contact": contact, "list": events})).await
        }
        "new in two lists" => {
            let lists = json!([first_list(), events]);
            upsert(world, json!({"email": email, "firstName": "Blind", "lists": lists})).await
        }
        "by a tag" => mutate(world, "addTags", json!({"contact": contact, "tags": ["vip"]})).await,
        "another address" => {
            let email = format!("new.{email}");
            upsert(world, json!({"contact": contact, "email": email})).await
        }
        other => panic!("no such way: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_highlevel_cannot_be_read() {
    for is_running in [true, false] {
        let world = calm().contacts(4).set("mapping.tags.as", "LISTS").start().await;
        let edit = async |system: &str, op: &str, way: &str, more: Value| {
            let mut body = json!({"system": system, "op": op, "email": blind(way)});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            world.control("/edit", body).await;
        };
        let in_doppler = json!({"list": "Newsletter"});
        let both = ["known in both", "by a tag", "another address"];
        for way in both {
            edit("HIGHLEVEL", "upsert", way, json!({"fields": {"firstName": "Blind"}})).await;
            edit("DOPPLER", "upsert", way, in_doppler.clone()).await;
        }
        if is_running {
            world.run_sync().await;
        }
        edit("DOPPLER", "upsert", "known in Doppler alone", in_doppler).await;
        let query = "query($e: EmailAddress!) { contact(by: {email: $e}) { systems } }";
        for way in BLIND {
            world.data(query, json!({"e": blind(way)})).await;
        }
        for way in ["known in Doppler alone", "new in two lists"] {
            edit("HIGHLEVEL", "upsert", way, json!({"fields": {"firstName": "Blind"}})).await;
        }
        for way in BLIND {
            edit("HIGHLEVEL", "unsubscribe", way, json!({})).await;
        }
        let events = list_named(&world, "Events").await;
        let before = world.state().await["doppler"].clone();
        world.fault(json!({"system": "HIGHLEVEL", "kind": "status", "status": 503})).await;
        for way in BLIND {
            let answer = ask_blindly(&world, way, &events).await;
            assert_eq!(outcome(&answer, "DOPPLER"), "QUEUED", "{way}: {answer:#}");
        }
        for _ in 0..3 {
            tick(&world).await;
        }
        assert_eq!(world.state().await["doppler"], before, "nobody is mailed meanwhile");
        world.clear_faults().await;
        let waiting = async || {
            let failures = "{ failures { nodes { id } } syncStatus { pending } }";
            world.data(failures, json!({})).await
                == json!({"failures": {"nodes": []}, "syncStatus": {"pending": 0}})
        };
        world.comes("what waited is looked at", STEP, waiting).await;
        let was = |email: &str| {
            let all = before["subscribers"].as_array().unwrap();
            all.iter().find(|one| one["email"] == email).map(|one| one["lists"].clone())
        };
        for email in BLIND.map(blind).into_iter().chain([format!("new.{}", blind(BLIND[4]))]) {
            let Some(there) = subscriber(&world, &email).await else { continue };
            let joined =
                there["status"] == "active" && Some(&there["lists"]) != was(&email).as_ref();
            assert!(!joined, "{there:#}");
        }
        world.end().await;
    }
}
