//! Random edits: what people do in both systems, and clients through GraphQL.

use std::collections::BTreeMap;

use anyhow::Context;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use serde_json::{Value, json};
use tandem::sandbox::credentials::DOPPLER_FIRST_LIST;

use crate::world::World;

/// Fields by their names in Doppler, HighLevel and GraphQL.
pub const FIELDS: [[&str; 3]; 4] = [
    ["FIRSTNAME", "firstName", "firstName"],
    ["LASTNAME", "lastName", "lastName"],
    ["CITY", "city", "address.city"],
    ["PHONE", "phone", "phone"],
];
const NAMES: [&str; 4] = ["Ana", "Bea Núñez", "O'Higgins", "Zoë"];
const TAGS: [&str; 4] = ["vip", "expo 2026", "newsletter", "ñandú"];

/// Who is edited, and what was done so far.
pub struct Edits {
    random: ChaCha8Rng,
    /// Every address of each person, the latest last.
    pub people: Vec<Vec<String>>,
    made: BTreeMap<(&'static str, &'static str), usize>,
    refused: usize,
}

impl Edits {
    /// Edits of everybody who is in both systems.
    pub async fn of(world: &World, random: ChaCha8Rng) -> anyhow::Result<Self> {
        let state = world.state().await?;
        let contacts = state["highlevel"]["contacts"].as_array().context("no contacts")?;
        let subscribers = state["doppler"]["subscribers"].as_array().context("no subscribers")?;
        let both =
            contacts.iter().filter_map(|contact| contact["email"].as_str()).filter(|email| {
                let is_one =
                    |side: &[Value]| side.iter().filter(|it| it["email"] == *email).count() == 1;
                is_one(contacts) && is_one(subscribers)
            });
        let people = both.map(|email| vec![email.to_owned()]).collect();
        Ok(Self { random, people, made: BTreeMap::new(), refused: 0 })
    }

    /// How many were accepted.
    pub fn count(&self) -> usize {
        self.made.values().sum()
    }

    /// One more, of somebody.
    pub async fn one(&mut self, world: &World) {
        let who = self.random.random_range(0..self.people.len());
        let place = ["in Doppler", "in HighLevel", "by GraphQL"][self.random.random_range(0..3)];
        let (what, done) = match place {
            "by GraphQL" => self.by_graphql(world, who).await,
            "in Doppler" => self.inside(world, who, "DOPPLER").await,
            _ => self.inside(world, who, "HIGHLEVEL").await,
        };
        if done {
            *self.made.entry((place, what)).or_default() += 1;
        } else {
            self.refused += 1;
        }
    }

    /// What it was and whether it was done.
    async fn inside(&mut self, world: &World, who: usize, system: &str) -> (&'static str, bool) {
        let highlevel = system == "HIGHLEVEL";
        let Some(email) = self.address(world, who, system).await else { return ("gone", false) };
        let mut edit = json!({"system": system, "email": email});
        let (what, more) = match self.random.random_range(0..20) {
            0 => ("unsubscribe", json!({"op": "unsubscribe"})),
            1 if highlevel => ("rename", json!({"op": "changeEmail", "to": self.fresh(who)})),
            2 if highlevel => ("note", json!({"op": "note", "body": self.word()})),
            1 | 2 => ("subscribe", json!({"op": "subscribe", "list": "Events"})),
            3..7 => ("tag", json!({"op": "tag", "tags": [self.tag()]})),
            7..9 => ("untag", json!({"op": "untag", "tags": [self.tag()]})),
            _ => {
                let [doppler, own, _] = FIELDS[self.random.random_range(0..FIELDS.len())];
                let value = self.value(own, who);
                let name = if highlevel { own } else { doppler };
                ("fields", json!({"op": "upsert", "fields": {name: value}}))
            }
        };
        let more = more.as_object().cloned().unwrap_or_default();
        let to = more.get("to").and_then(Value::as_str).map(str::to_owned);
        if let Some(edit) = edit.as_object_mut() {
            edit.extend(more);
        }
        let done = world.control("/edit", &edit).await.is_ok();
        self.people[who].extend(to.filter(|_| done));
        (what, done)
    }

    async fn by_graphql(&mut self, world: &World, who: usize) -> (&'static str, bool) {
        let Some(email) = self.address(world, who, "HIGHLEVEL").await else {
            return ("gone", false);
        };
        let by = json!({"email": email});
        let (what, name, input) = match self.random.random_range(0..20) {
            0 => ("unsubscribe", "unsubscribe", json!({"contact": by})),
            1 => ("note", "createNote", json!({"contact": by, "body": self.word()})),
            2 => {
                let list = format!("list_{DOPPLER_FIRST_LIST}");
                ("list", "addToList", json!({"contact": by, "list": list}))
            }
            3..7 => ("tag", "addTags", json!({"contact": by, "tags": [self.tag()]})),
            7..9 => ("untag", "removeTags", json!({"contact": by, "tags": [self.tag()]})),
            _ => {
                let [_, _, field] = FIELDS[self.random.random_range(0..FIELDS.len())];
                let mut input = json!({"contact": by});
                match field.split_once('.') {
                    Some((outer, inner)) => input[outer][inner] = self.value(field, who),
                    None => input[field] = self.value(field, who),
                }
                ("fields", "upsertContact", input)
            }
        };
        let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        let query = format!(
            "mutation($input: {kind}!) {{ {name}(input: $input) {{ writes {{ outcome }} }} }}"
        );
        let answer = world.ask(&query, json!({"input": input})).await;
        let taken = |data: &Value| data[name]["writes"].as_array().is_some_and(|it| !it.is_empty());
        (what, answer.is_ok_and(|data| taken(&data)))
    }

    /// The latest of a person's addresses that a system knows.
    async fn address(&self, world: &World, who: usize, system: &str) -> Option<String> {
        let state = world.state().await.ok()?;
        let side = if system == "DOPPLER" {
            &state["doppler"]["subscribers"]
        } else {
            &state["highlevel"]["contacts"]
        };
        let there = |email: &&String| {
            side.as_array().is_some_and(|all| all.iter().any(|one| one["email"] == **email))
        };
        self.people[who].iter().rev().find(there).cloned()
    }

    fn value(&mut self, field: &str, who: usize) -> Value {
        match field {
            // A number of their own.
            "phone" => {
                let last = self.random.random_range(0..3);
                json!(format!("+54911666{who:04}{last}"))
            }
            _ => json!(self.word()),
        }
    }

    fn word(&mut self) -> String {
        let (name, number) =
            (self.random.random_range(0..NAMES.len()), self.random.random_range(0..1000));
        format!("{} {number}", NAMES[name])
    }

    fn tag(&mut self) -> &'static str {
        TAGS[self.random.random_range(0..TAGS.len())]
    }

    /// An address that nobody has had.
    fn fresh(&self, who: usize) -> String {
        format!("person.{who}.{}@example.net", self.people[who].len())
    }

    pub fn print(&self) {
        for ((place, what), count) in &self.made {
            println!("{:<44} {count:>8}", format!("{what} {place}"));
        }
        println!("{:<44} {:>8}", "edits that were refused", self.refused);
    }
}
