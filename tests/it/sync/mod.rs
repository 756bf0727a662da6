//! Writing to both systems: what mutations do there, judged by what the systems hold afterwards.
//!
//! [`complaints`] has the list of what users of other tools complain about, each with its test.

mod agreement;
mod breakers;
mod complaints;
mod concurrent;
mod consent;
mod creating;
mod delete;
mod deleting;
mod emptied;
mod engagement;
mod erasing;
mod events;
mod fields_gone;
mod import_ends;
mod importing;
mod keeping;
mod mapping;
mod merging;
mod never_again;
mod never_mailed;
mod notes;
mod outage;
mod pausing;
mod polls;
mod readonly;
mod renaming;
mod run_news;
mod runs;
mod scope;
mod shown_notes;
mod somebody_elses;
mod stalled;
mod tags_and_lists;
mod unconnected;
mod ungranted;
mod unreadable;

use serde_json::{Value, json};
use tandem::sandbox::credentials::DOPPLER_FIRST_LIST;

use crate::world::{Builder, World};

const ANA: &str = "ana.paz@example.com";

const UPSERT: &str = "mutation($input: UpsertContactInput!) { upsertContact(input: $input) { \
    contact { id systems } writes { system outcome reason code } \
    userErrors { code message field } } }";

/// A world whose mapping lets people be made in Doppler, in the first list.
fn with_a_rule() -> Builder {
    let rule = json!([{"system": "DOPPLER", "list": DOPPLER_FIRST_LIST}]);
    World::builder().set("mapping.create_in", rule)
}

/// The first list's id, as clients name it.
fn first_list() -> String {
    format!("list_{DOPPLER_FIRST_LIST}")
}

async fn upsert(world: &World, input: Value) -> Value {
    world.data(UPSERT, json!({"input": input})).await["upsertContact"].clone()
}

/// Does a mutation by its name and its input's type.
async fn mutate(world: &World, name: &str, input: Value) -> Value {
    let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    let query = format!(
        "mutation($input: {kind}!) {{ {name}(input: $input) {{ contact {{ id systems }} \
         writes {{ system outcome reason code }} userErrors {{ code message field }} }} }}"
    );
    world.data(&query, json!({"input": input})).await[name].clone()
}

/// What became of a write, by system.
fn outcome<'a>(payload: &'a Value, system: &str) -> &'a str {
    let writes = payload["writes"].as_array().unwrap();
    let write = writes.iter().find(|write| write["system"] == system);
    write.and_then(|write| write["outcome"].as_str()).unwrap_or("none")
}

/// Why, by system.
fn reason(payload: &Value, system: &str) -> String {
    let writes = payload["writes"].as_array().unwrap();
    let write = writes.iter().find(|write| write["system"] == system).unwrap();
    write["reason"].as_str().unwrap_or_default().to_owned()
}

/// Doppler's subscriber of an address; there must not be two.
async fn subscriber(world: &World, email: &str) -> Option<Value> {
    only(&world.state().await["doppler"]["subscribers"], email)
}

/// HighLevel's contact of an address; there must not be two.
async fn contact(world: &World, email: &str) -> Option<Value> {
    only(&world.state().await["highlevel"]["contacts"], email)
}

fn only(people: &Value, email: &str) -> Option<Value> {
    let people = people.as_array().unwrap().iter();
    let mut found = people.filter(|person| person["email"] == email).cloned();
    let first = found.next();
    assert_eq!(found.next(), None, "{email} is there twice");
    first
}
