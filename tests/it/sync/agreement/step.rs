//! What may happen to the two people.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::first_list;
use super::people::{FIELDS, TAGS, WHO};
use super::{Changes, sync};
use crate::world::World;

/// Fields by their place in [`FIELDS`], each with the number of its value.
type Values = Vec<(usize, usize)>;

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Step {
    Upsert {
        who: usize,
        values: Values,
        tags: Vec<usize>,
    },
    Tags {
        who: usize,
        add: bool,
        tags: Vec<usize>,
    },
    List {
        who: usize,
        join: bool,
    },
    Unsubscribe {
        who: usize,
    },
    /// Somebody in the system itself.
    Own {
        system: &'static str,
        who: usize,
        deed: Deed,
    },
    Sync {
        who: usize,
    },
    Fault {
        system: &'static str,
        kind: &'static str,
        writes: bool,
        times: u32,
    },
    Mend,
    Wait {
        steps: u32,
    },
    Restart,
}

/// What somebody does in a system.
#[derive(Clone, Debug)]
pub enum Deed {
    Fields(Values),
    Tags { add: bool, tags: Vec<usize> },
    OptOut,
}

pub fn one() -> impl Strategy<Value = Step> {
    let who = || 0..WHO.len();
    let system = || prop_oneof![Just("DOPPLER"), Just("HIGHLEVEL")];
    let values = || prop::collection::vec((0..FIELDS.len(), 0usize..6), 1..4);
    let tags = || prop::collection::vec(0..TAGS.len(), 1..3);
    let deed = prop_oneof![
        6 => values().prop_map(Deed::Fields),
        3 => (any::<bool>(), tags()).prop_map(|(add, tags)| Deed::Tags { add, tags }),
        1 => Just(Deed::OptOut),
    ];
    let kind = prop_oneof![3 => Just("status"), 2 => Just("rate-limit"), 1 => Just("hang"), 4 => Just("drop")];
    prop_oneof![
        8 => (who(), values(), prop::collection::vec(0..TAGS.len(), 0..2))
            .prop_map(|(who, values, tags)| Step::Upsert { who, values, tags }),
        3 => (who(), any::<bool>(), tags()).prop_map(|(who, add, tags)| Step::Tags { who, add, tags }),
        2 => (who(), any::<bool>()).prop_map(|(who, join)| Step::List { who, join }),
        1 => who().prop_map(|who| Step::Unsubscribe { who }),
        8 => (system(), who(), deed).prop_map(|(system, who, deed)| Step::Own { system, who, deed }),
        3 => who().prop_map(|who| Step::Sync { who }),
        5 => (system(), kind, any::<bool>(), 1u32..4)
            .prop_map(|(system, kind, writes, times)| Step::Fault { system, kind, writes, times }),
        1 => Just(Step::Mend),
        2 => (1u32..6).prop_map(|steps| Step::Wait { steps }),
        1 => Just(Step::Restart),
    ]
}

impl Step {
    pub async fn happen(&self, world: &mut World, changes: &mut Changes) {
        match self {
            Self::Upsert { who, values, tags } => {
                let mut input = json!({"email": WHO[*who]});
                for (field, value) in values {
                    FIELDS[*field].give(&mut input, FIELDS[*field].value(*value));
                }
                if !tags.is_empty() {
                    input["tags"] = names(tags);
                }
                if accepted(world, "upsertContact", input).await {
                    note(changes, *who, values);
                    if !tags.is_empty() {
                        changes.note(*who, "tags");
                    }
                }
            }
            Self::Tags { who, add, tags } => {
                let name = if *add { "addTags" } else { "removeTags" };
                let input = json!({"contact": {"email": WHO[*who]}, "tags": names(tags)});
                if accepted(world, name, input).await {
                    changes.note(*who, "tags");
                }
            }
            Self::List { who, join } => {
                let name = if *join { "addToList" } else { "removeFromList" };
                let input = json!({"contact": {"email": WHO[*who]}, "list": first_list()});
                accepted(world, name, input).await;
            }
            Self::Unsubscribe { who } => {
                if accepted(world, "unsubscribe", json!({"contact": {"email": WHO[*who]}})).await {
                    changes.note(*who, "status");
                }
            }
            Self::Own { system, who, deed } => deed.happen(world, (system, *who), changes).await,
            Self::Sync { who } => sync(world, WHO[*who]).await,
            Self::Fault { system, kind, writes, times } => {
                let method = if *system == "DOPPLER" { "POST" } else { "PUT" };
                let mut fault = json!({"system": system, "kind": kind, "times": times});
                if *kind == "status" {
                    fault["status"] = json!(503);
                }
                if *writes {
                    fault["method"] = json!(method);
                }
                world.fault(fault).await;
            }
            Self::Mend => world.clear_faults().await,
            Self::Wait { steps } => {
                for _ in 0..*steps {
                    world.clock.advance(Duration::from_secs(5));
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            Self::Restart => world.restart().await,
        }
    }
}

impl Deed {
    async fn happen(&self, world: &World, (system, who): (&str, usize), changes: &mut Changes) {
        let edit = |op: &str| json!({"system": system, "op": op, "email": WHO[who]});
        let edit = match self {
            Self::Fields(values) => {
                let mut edit = edit("upsert");
                for (field, value) in values {
                    let field = &FIELDS[*field];
                    let (name, value) = match system {
                        // Its own screens take no more than it holds.
                        "DOPPLER" => (field.doppler, short(field.value(*value))),
                        _ => (field.highlevel, field.value(*value)),
                    };
                    edit["fields"][name] = json!(value);
                }
                edit
            }
            Self::Tags { add, tags } => {
                let mut edit = edit(if *add { "tag" } else { "untag" });
                edit["tags"] = names(tags);
                edit
            }
            Self::OptOut => edit("unsubscribe"),
        };
        // Who is not there cannot be tagged, and that is all there is to it.
        if !world.try_control("/edit", edit).await {
            return;
        }
        match self {
            Self::Fields(values) => note(changes, who, values),
            Self::Tags { .. } => changes.note(who, "tags"),
            Self::OptOut => changes.note(who, "status"),
        }
    }
}

fn short(value: Option<&'static str>) -> Option<&'static str> {
    value.filter(|value| value.chars().count() <= 400)
}

fn names(tags: &[usize]) -> Value {
    tags.iter().map(|tag| TAGS[*tag]).collect()
}

fn note(changes: &mut Changes, who: usize, values: &Values) {
    let mut fields: Vec<usize> = values.iter().map(|(field, _)| *field).collect();
    fields.sort_unstable();
    fields.dedup();
    for field in fields {
        changes.note(who, FIELDS[field].name);
    }
}

/// Whether a mutation was taken, whatever becomes of it.
async fn accepted(world: &World, name: &str, input: Value) -> bool {
    let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    let query = format!(
        "mutation($input: {kind}!) {{ {name}(input: $input) {{ writes {{ system outcome reason }} \
         userErrors {{ code message }} }} }}"
    );
    let answer = world.ask(&query, json!({"input": input})).await;
    answer["data"][name]["writes"].as_array().is_some_and(|writes| !writes.is_empty())
}
