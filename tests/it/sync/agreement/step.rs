//! What may happen to the two people.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::keeping::tick;
use super::super::{contact, first_list, subscriber};
use super::done::Done;
use super::people::{FIELDS, TAGS, WHO};
use super::sync;
use super::way::Way;
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
    Rename {
        who: usize,
    },
    Note {
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
    Tags {
        add: bool,
        tags: Vec<usize>,
    },
    OptOut,
    /// Of HighLevel, whoever does it.
    Rename,
    /// Of HighLevel.
    Note,
    /// Of Doppler.
    Join,
    Delete,
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
        1 => Just(Deed::Rename),
        1 => Just(Deed::Note),
        1 => Just(Deed::Join),
        1 => Just(Deed::Delete),
    ];
    let kind = prop_oneof![3 => Just("status"), 2 => Just("rate-limit"), 1 => Just("hang"), 4 => Just("drop")];
    prop_oneof![
        8 => (who(), values(), prop::collection::vec(0..TAGS.len(), 0..2))
            .prop_map(|(who, values, tags)| Step::Upsert { who, values, tags }),
        3 => (who(), any::<bool>(), tags()).prop_map(|(who, add, tags)| Step::Tags { who, add, tags }),
        2 => (who(), any::<bool>()).prop_map(|(who, join)| Step::List { who, join }),
        1 => who().prop_map(|who| Step::Unsubscribe { who }),
        1 => who().prop_map(|who| Step::Rename { who }),
        1 => who().prop_map(|who| Step::Note { who }),
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
    /// Whom a client asks something of.
    pub fn asked_of(&self) -> Option<usize> {
        match self {
            Self::Upsert { who, .. }
            | Self::Tags { who, .. }
            | Self::List { who, .. }
            | Self::Unsubscribe { who }
            | Self::Rename { who }
            | Self::Note { who } => Some(*who),
            Self::Own { .. }
            | Self::Sync { .. }
            | Self::Fault { .. }
            | Self::Mend
            | Self::Wait { .. }
            | Self::Restart => None,
        }
    }

    pub async fn happen(&self, way: Way, world: &mut World, done: &mut Done) {
        match self {
            Self::Upsert { who, values, tags } => {
                let email = address(world, done, *who, "HIGHLEVEL").await;
                // Another than the latest, named as the one to have, would be a change of address.
                let latest = done.addresses[*who].last() == Some(&email);
                let by = json!({"email": email});
                let mut input = if latest { by } else { json!({"contact": by}) };
                for (field, value) in values {
                    FIELDS[*field].give(&mut input, FIELDS[*field].value(*who, *value));
                }
                if !tags.is_empty() {
                    input["tags"] = names(tags);
                }
                if accepted(world, "upsertContact", input).await.is_some() {
                    done.note_fields(*who, values.iter().map(|(field, _)| *field));
                    if !tags.is_empty() {
                        done.note(*who, "tags");
                    }
                }
            }
            Self::Tags { who, add, tags } => {
                let name = if *add { "addTags" } else { "removeTags" };
                let input = json!({"contact": by(world, done, *who).await, "tags": names(tags)});
                if accepted(world, name, input).await.is_some() {
                    done.note(*who, "tags");
                }
            }
            Self::List { who, join } => {
                let name = if *join { "addToList" } else { "removeFromList" };
                let input = json!({"contact": by(world, done, *who).await, "list": first_list()});
                accepted(world, name, input).await;
            }
            Self::Unsubscribe { who } => {
                let input = json!({"contact": by(world, done, *who).await});
                if accepted(world, "unsubscribe", input).await.is_some() {
                    done.note(*who, "status");
                }
            }
            Self::Rename { who } => {
                let to = done.fresh(*who);
                let input = json!({"contact": by(world, done, *who).await, "email": to});
                if accepted(world, "upsertContact", input).await.is_some() {
                    done.renamed(*who, to);
                }
            }
            Self::Note { who } => {
                let body = format!("Note {}", done.notes.len());
                let input = json!({"contact": by(world, done, *who).await, "body": body});
                let writes = accepted(world, "createNote", input).await;
                let written =
                    |writes: Vec<Value>| writes.iter().any(|write| write["outcome"] == "APPLIED");
                done.wrote_note(*who, writes.is_some_and(written));
            }
            Self::Own { system, who, deed } => deed.happen(world, (system, *who), done).await,
            Self::Sync { who } => sync(world, &address(world, done, *who, "HIGHLEVEL").await).await,
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
                    tick(world).await;
                }
            }
            Self::Restart => {
                world.restart().await;
                way.attach(world).await;
            }
        }
    }
}

impl Deed {
    async fn happen(&self, world: &World, (system, who): (&'static str, usize), done: &mut Done) {
        let system = match self {
            Self::Rename | Self::Note => "HIGHLEVEL",
            Self::Join => "DOPPLER",
            Self::Fields(_) | Self::Tags { .. } | Self::OptOut | Self::Delete => system,
        };
        let email = address(world, done, who, system).await;
        let edit = |op: &str| json!({"system": system, "op": op, "email": email});
        let fresh = done.fresh(who);
        let edit = match self {
            Self::Fields(values) => {
                let mut edit = edit("upsert");
                for (field, value) in values {
                    own(&mut edit, (system, *field), FIELDS[*field].value(who, *value), done);
                }
                edit
            }
            Self::Tags { add, tags } => {
                let mut edit = edit(if *add { "tag" } else { "untag" });
                edit["tags"] = names(tags);
                edit
            }
            Self::OptOut => edit("unsubscribe"),
            Self::Rename => {
                let mut edit = edit("changeEmail");
                edit["to"] = json!(fresh);
                edit
            }
            Self::Note => {
                let mut edit = edit("note");
                edit["body"] = json!(format!("Note {}", done.notes.len()));
                edit
            }
            Self::Join => {
                let mut edit = edit("subscribe");
                edit["list"] = json!("Newsletter");
                edit
            }
            Self::Delete => edit("delete"),
        };
        // Who is not there cannot be tagged, and that is all there is to it.
        if !world.try_control("/edit", edit).await {
            return;
        }
        done.is_back(who, system);
        match self {
            Self::Fields(values) => done.note_fields(who, values.iter().map(|(field, _)| *field)),
            Self::Tags { .. } => done.note(who, "tags"),
            Self::OptOut => done.note(who, "status"),
            Self::Rename => done.renamed(who, fresh),
            Self::Note => done.wrote_note(who, true),
            Self::Join => {}
            Self::Delete => done.deleted(who, system),
        }
    }
}

/// Puts a value into an edit made inside a system.
fn own(edit: &mut Value, (system, field): (&str, usize), value: Option<&str>, done: &Done) {
    let field = &FIELDS[field];
    if system == "DOPPLER" {
        // Its own screens take no more than it holds.
        edit["fields"][field.doppler] = json!(value.filter(|value| value.chars().count() <= 400));
    } else if field.is_custom() {
        let value = if value.is_some() { field.typed(value) } else { json!("") };
        let given = json!({"id": done.custom[field.highlevel], "field_value": value});
        if !edit["fields"]["customFields"].is_array() {
            edit["fields"]["customFields"] = json!([]);
        }
        edit["fields"]["customFields"].as_array_mut().unwrap().push(given);
    } else {
        edit["fields"][field.highlevel] = json!(value);
    }
}

/// The latest of a person's addresses that a system knows, else the latest.
async fn address(world: &World, done: &Done, who: usize, system: &str) -> String {
    for email in done.addresses[who].iter().rev() {
        let found = match system {
            "DOPPLER" => subscriber(world, email).await,
            _ => contact(world, email).await,
        };
        if found.is_some() {
            return email.clone();
        }
    }
    done.addresses[who].last().unwrap().clone()
}

/// How a client names a person.
async fn by(world: &World, done: &Done, who: usize) -> Value {
    json!({"email": address(world, done, who, "HIGHLEVEL").await})
}

fn names(tags: &[usize]) -> Value {
    tags.iter().map(|tag| TAGS[*tag]).collect()
}

/// What a mutation made of its input, if it was taken, whatever becomes of it.
async fn accepted(world: &World, name: &str, input: Value) -> Option<Vec<Value>> {
    let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    let query = format!(
        "mutation($input: {kind}!) {{ {name}(input: $input) {{ writes {{ system outcome reason }} \
         userErrors {{ code message }} }} }}"
    );
    let answer = world.ask(&query, json!({"input": input})).await;
    answer["data"][name]["writes"].as_array().filter(|writes| !writes.is_empty()).cloned()
}
