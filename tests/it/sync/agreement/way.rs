//! How the gateway comes to know what happens: it is told of each person, or it hears of changes by
//! webhooks that get lost, doubled, late and out of order, and by polls.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tandem::sandbox::credentials::{HIGHLEVEL_LOCATION, HIGHLEVEL_TOKEN};

use super::super::keeping::{is_read, journal, reads, tick};
use super::super::with_a_rule;
use super::people::FIELDS;
use super::step::Step;
use crate::world::World;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    Told,
    Heard,
}

impl Way {
    /// A world of one person, in step.
    pub async fn world(self, seed: u64) -> World {
        let builder = with_a_rule()
            .contacts(1)
            .set("doppler.timeout", "3s")
            .set("highlevel.timeout", "3s")
            .set("sync.mutation_deadline", "1s");
        let world = match self {
            Self::Told => builder.start().await,
            Self::Heard => {
                let builder = builder
                    .seed(seed)
                    .hearing()
                    .set("sync.first_run", "auto")
                    .set("doppler.poll_interval", "15s")
                    .set("highlevel.poll_interval", "15s")
                    .set("highlevel.index_delay", "0s");
                builder.start().await
            }
        };
        map_custom_fields(&world).await;
        self.attach(&world).await;
        if self == Self::Told {
            world.run_sync().await;
        }
        world
    }

    /// Says where the gateway is, after its start.
    pub async fn attach(self, world: &World) {
        if self == Self::Heard {
            let settings = json!({"url": world.url("/webhooks/highlevel"), "lose": 0.3,
                "duplicate": 0.3, "reorder": 0.3, "delay": 0.3, "delayMs": 20_000});
            world.control("/webhooks", settings).await;
        }
    }

    /// Lets a moment pass, so that no two changes have one time.
    pub async fn pass(self, world: &World) {
        if self == Self::Heard {
            world.clock.advance(Duration::from_secs(2));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until nothing is left to be tried, and no poll finds anything.
    pub async fn rest(self, world: &World, history: &[Step]) {
        let mut last = Value::Null;
        let mut since = journal(world, 0).await.1;
        for _ in 0..600 {
            // The status is a moment old.
            tick(world).await;
            let (calls, next) = journal(world, since).await;
            if self == Self::Heard && !was_looked_at(&calls) {
                continue;
            }
            since = next;
            last = open(world).await;
            let quiet = calls.iter().all(is_read) || self == Self::Told;
            if quiet && is_over(&last) && webhooks_are_out(world).await {
                return;
            }
        }
        panic!("it does not come to rest: {last:#}\n{history:#?}");
    }
}

/// Two polls of each system, of which at least one began after the first of these calls.
fn was_looked_at(calls: &[Value]) -> bool {
    reads(calls, "HIGHLEVEL", "/contacts/search") >= 2
        && reads(calls, "DOPPLER", "/unsubscribed") >= 2
}

async fn open(world: &World) -> Value {
    let query =
        "{ syncStatus { pending } failures(first: 50) { nodes { dead system code message } } }";
    world.data(query, json!({})).await
}

fn is_over(open: &Value) -> bool {
    let failures = open["failures"]["nodes"].as_array().unwrap();
    open["syncStatus"]["pending"] == 0 && failures.iter().all(|one| one["dead"] == true)
}

async fn webhooks_are_out(world: &World) -> bool {
    world.control_get("/webhooks").await["pending"] == 0
}

/// Adds the custom fields to the mapping that comes with the gateway.
async fn map_custom_fields(world: &World) {
    let query = "{ mapping { revision fields { field doppler highlevel direction rule owner \
        initialOwner } } }";
    let held = world.data(query, json!({})).await["mapping"].clone();
    let mut fields = held["fields"].as_array().unwrap().clone();
    for field in FIELDS.iter().filter(|field| field.is_custom()) {
        let row = json!({"field": field.name, "doppler": field.doppler,
            "highlevel": field.highlevel, "owner": "HIGHLEVEL"});
        fields.push(row);
    }
    let update = "mutation($input: UpdateMappingInput!) { updateMapping(input: $input) { \
        mapping { revision } userErrors { message field } } }";
    let input = json!({"mapping": {"fields": fields}, "ifRevision": held["revision"]});
    let updated = world.data(update, json!({"input": input})).await["updateMapping"].clone();
    assert_eq!(updated["userErrors"], json!([]));
    let new = &updated["mapping"]["revision"];
    let shown = || async move {
        world.data("{ mapping { revision } }", json!({})).await["mapping"]["revision"] == *new
    };
    world.shows("the mapping with custom fields", shown).await;
}

/// The ids of HighLevel's custom fields, by their keys.
pub async fn custom_ids(world: &World) -> BTreeMap<String, String> {
    let url = world.sandbox.highlevel_url();
    let url = format!("{url}/locations/{HIGHLEVEL_LOCATION}/customFields");
    let request =
        world.http().get(url).bearer_auth(HIGHLEVEL_TOKEN).header("version", "2021-07-28");
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let fields = answer["customFields"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    fields.map(|field| (text(&field["fieldKey"]), text(&field["id"]))).collect()
}
