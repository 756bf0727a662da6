//! Whether both systems agree, and stay so.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use crate::edits::{Edits, FIELDS};
use crate::world::{World, is_read};

/// What the comparison came to.
#[derive(Default)]
pub struct Verdict {
    compared: usize,
    /// Differences of which it is told why they stay.
    told: usize,
    /// Everything else, a line each.
    wrong: Vec<String>,
}

const TOLD: &str = "query($e: EmailAddress!) { syncPlan(by: {email: $e}) { \
    actions { system kind reason fields { field } } reasons } \
    holds(first: 100) { nodes { field reason contact { id } } } failures(first: 100) { nodes { message } } }";

/// Compares everybody who was edited.
pub async fn compare(world: &World, edits: &Edits) -> anyhow::Result<Verdict> {
    let state = world.state().await?;
    let side = |system: &str, kind: &str| {
        state[system][kind].as_array().cloned().context("nothing is there")
    };
    let (subscribers, contacts) = (side("doppler", "subscribers")?, side("highlevel", "contacts")?);
    let mut verdict = Verdict::default();
    for addresses in &edits.people {
        let of = |side: &[Value]| -> Vec<Value> {
            let is_one = |it: &&Value| addresses.iter().any(|email| it["email"] == **email);
            side.iter().filter(is_one).cloned().collect()
        };
        let (there, here) = (of(&subscribers), of(&contacts));
        verdict.compared += 1;
        if here.len() != 1 {
            verdict.wrong.push(format!("{addresses:?}: {} contacts in HighLevel", here.len()));
            continue;
        }
        let email = text(&here[0]["email"]);
        let told = match world.ask(TOLD, json!({"e": email})).await {
            Ok(told) => told,
            Err(error) => {
                verdict.wrong.push(format!("{email}: {error}"));
                continue;
            }
        };
        let plan = &told["syncPlan"];
        let actions = plan["actions"].as_array().context("no plan")?;
        let (skips, open): (Vec<_>, Vec<_>) = actions.iter().partition(|it| it["kind"] == "SKIP");
        if !open.is_empty() {
            verdict.wrong.push(format!("{email}: left to be done: {open:?}"));
        }
        let words = json!([skips, plan["reasons"], told["holds"], told["failures"]]).to_string();
        let (current, old): (Vec<_>, Vec<_>) =
            there.into_iter().partition(|it| it["email"] == here[0]["email"]);
        let mailed = old.iter().filter(|it| it["status"] == "active" && it["lists"] != json!([]));
        match current.first() {
            Some(there) => {
                verdict.wrong.extend(mailed.map(|it| format!("{}: still mailed", it["email"])));
                person(&mut verdict, (there, &here[0]), &words);
            }
            // It is told why there is nobody of this address.
            None if words.contains("opted out") || words.contains("not confirmed") => {
                verdict.told += 1;
            }
            None => verdict.wrong.push(format!("{email}: not in Doppler: {words}")),
        }
    }
    Ok(verdict)
}

fn person(verdict: &mut Verdict, (there, here): (&Value, &Value), words: &str) {
    let email = text(&here["email"]);
    let out = there["status"] == "unsubscribed";
    let silent = here["dnd"] == true
        || ["active", "permanent"].iter().any(|on| here["dndSettings"]["Email"]["status"] == *on);
    if out != silent {
        verdict
            .wrong
            .push(format!("{email}: opted out in one system only: {words} {there} {here}"));
    }
    let mut differ = |name: &str, a: String, b: String| {
        if a == b {
            return;
        }
        if words.contains(name) || (out && words.contains("opted out")) {
            verdict.told += 1;
        } else {
            verdict.wrong.push(format!("{email}: {name} is {a:?} and {b:?}: {words}"));
        }
    };
    for [doppler, highlevel, name] in FIELDS {
        differ(name, text(&there["fields"][doppler]), text(&here[highlevel]));
    }
    let own = here["tags"].as_array().cloned().unwrap_or_default();
    let own: BTreeSet<String> = own.iter().map(|tag| text(tag).to_lowercase()).collect();
    let held = text(&there["fields"]["TAGS"]);
    let held: BTreeSet<String> =
        held.split(", ").filter(|tag| !tag.is_empty()).map(str::to_lowercase).collect();
    differ("tags", format!("{held:?}"), format!("{own:?}"));
}

/// How many calls write when everybody is reconciled once more.
pub async fn echoes(world: &mut World, edits: &Edits) -> anyhow::Result<usize> {
    let query = "mutation($e: EmailAddress!) { syncContact(input: {contact: {email: $e}}) { \
        userErrors { code } } }";
    for addresses in &edits.people {
        let email = addresses.last().context("nobody")?;
        world.ask(query, json!({"e": email})).await?;
    }
    world.rest(Duration::from_secs(300)).await?;
    Ok(world.counted().await?.iter().filter(|call| !is_read(call)).count())
}

impl Verdict {
    pub fn is_good(&self) -> bool {
        self.wrong.is_empty()
    }

    pub fn print(&self) {
        println!("{:<44} {:>8}", "people compared", self.compared);
        println!("{:<44} {:>8}", "differences that stay and are told", self.told);
        println!("{:<44} {:>8}", "disagreements", self.wrong.len());
        for line in &self.wrong {
            println!("  {line}");
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
