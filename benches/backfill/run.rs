//! The first run, as a client of the API sees it.

use std::cell::RefCell;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use crate::Kills;
use crate::world::World;

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(1);
const RUN: &str = "query($id: ID!) { node(id: $id) { ... on SyncRun { state progress seen matched created \
    updated unchanged held failed error estimatedCalls \
    preview { counts { system kind count } estimatedCalls estimatedSeconds } } } }";

/// What it is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Listing,
    Writing,
}

pub struct Run {
    id: Value,
    /// The gateway's memory by the share of the writing that is done, in percent.
    pub memory: RefCell<Vec<(u32, f64)>>,
}

impl Run {
    pub async fn begin(world: &World) -> anyhow::Result<Self> {
        let query = "mutation { startSync(input: {kind: BACKFILL}) { run { id } } }";
        let id = world.ask(query, json!({})).await?["startSync"]["run"]["id"].clone();
        ensure!(id.is_string(), "no run began");
        Ok(Self { id, memory: RefCell::default() })
    }

    pub async fn approve(&self, world: &World) -> anyhow::Result<()> {
        let query =
            "mutation($id: ID!) { approveSync(input: {run: $id}) { userErrors { message } } }";
        let answer = world.ask(query, json!({"id": self.id})).await?;
        ensure!(answer["approveSync"]["userErrors"] == json!([]), "{answer}");
        Ok(())
    }

    /// Waits for a state, and kills the gateway when that is due.
    pub async fn until(
        &self,
        world: &mut World,
        wanted: &str,
        stage: Stage,
        kills: &mut Kills,
    ) -> anyhow::Result<()> {
        loop {
            tokio::time::sleep(LOOK).await;
            let run = self.look(world).await?;
            let now = run["state"].as_str().unwrap_or_default();
            let progress = run["progress"].as_f64().unwrap_or_default();
            if stage == Stage::Writing {
                self.remember(progress, world.resident_mib());
            }
            match now {
                _ if now == wanted => return Ok(()),
                "FAILED" | "CANCELLED" | "PAUSED" => bail!("it stopped: {run}"),
                _ if kills.due(stage, progress) => world.kill().await?,
                _ => {}
            }
        }
    }

    /// Keeps the memory at each tenth.
    fn remember(&self, progress: f64, mib: f64) {
        let mut memory = self.memory.borrow_mut();
        let next = memory.last().map_or(0, |(share, _)| share + 10);
        if next <= 100 && progress * 100.0 >= f64::from(next) {
            memory.push((next, mib));
        }
    }

    async fn look(&self, world: &World) -> anyhow::Result<Value> {
        let run = world.ask(RUN, json!({"id": self.id})).await?["node"].clone();
        ensure!(run.is_object(), "the run is gone");
        Ok(run)
    }

    pub async fn preview(&self, world: &World) -> anyhow::Result<String> {
        let preview = self.look(world).await?["preview"].clone();
        let counts = preview["counts"].as_array().context("no preview")?;
        let counts =
            counts.iter().map(|one| format!("{} {} {}", one["system"], one["kind"], one["count"]));
        let counts: Vec<_> = counts.collect();
        let (calls, seconds) = (&preview["estimatedCalls"], &preview["estimatedSeconds"]);
        Ok(format!("foreseen: {}; {calls} calls, {seconds} s", counts.join(", ").replace('"', "")))
    }

    pub async fn outcome(&self, world: &World) -> anyhow::Result<String> {
        let run = self.look(world).await?;
        let names = ["seen", "matched", "created", "updated", "unchanged", "held", "failed"];
        let words: Vec<_> = names.iter().map(|name| format!("{name} {}", run[name])).collect();
        Ok(words.join(", "))
    }
}
