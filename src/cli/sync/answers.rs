//! What is asked of the gateway, and the answers as far as they are looked into. Kinds and states stay text: a
//! newer gateway may have more of them.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::client::{Gateway, Refusal};

/// What is asked of every run.
const RUN: &str = "id kind system state startedAt finishedAt progress seen matched created updated unchanged held \
                   failed estimatedCalls etaSeconds error";

/// A run.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run {
    pub id: String,
    pub kind: String,
    pub system: Option<String>,
    pub state: String,
    pub started_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    pub progress: Option<f64>,
    pub seen: u64,
    pub matched: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub held: u64,
    pub failed: u64,
    pub eta_seconds: Option<u64>,
    pub error: Option<String>,
    pub preview: Option<Preview>,
}

impl Run {
    /// Whether nothing more comes.
    pub fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "FINISHED" | "CANCELLED" | "FAILED")
    }

    /// Whether it goes on without anybody's doing.
    pub fn goes_on(&self) -> bool {
        !self.is_over() && !self.waits() && self.state != "PAUSED"
    }

    /// Whether it waits for somebody's consent.
    pub fn waits(&self) -> bool {
        self.state == "AWAITING_APPROVAL"
    }
}

/// What a run would do.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Preview {
    pub counts: Vec<Count>,
    pub holds: Vec<PlannedHold>,
    pub estimated_calls: u64,
    pub estimated_seconds: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Count {
    pub system: String,
    pub kind: String,
    pub count: u64,
}

/// People who would be set aside, by the reason.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct PlannedHold {
    pub kind: String,
    pub reason: String,
    pub count: u64,
}

/// What would be done about one person.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Sample {
    pub contact: Option<Person>,
    pub actions: Vec<Action>,
    pub reasons: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Person {
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Action {
    pub system: String,
    pub kind: String,
    pub reason: String,
}

/// How sync stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Standing {
    pub sync_status: Status,
    pub runs: Nodes<Run>,
    pub polls: Nodes<Run>,
    pub holds: Nodes<Hold>,
    pub failures: Nodes<Failed>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    pub state: String,
    pub in_sync: u64,
    pub pending: u64,
    pub held: u64,
    pub failed: u64,
    pub total: u64,
    pub lag_seconds: Option<f64>,
    pub upstreams: Vec<Upstream>,
    pub current_run: Option<Run>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Upstream {
    pub system: String,
    pub state: String,
    pub budget: Budget,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Budget {
    pub remaining: Option<i64>,
    pub limit: Option<i64>,
    pub daily_remaining: Option<i64>,
    pub daily_limit: Option<i64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Nodes<T> {
    pub nodes: Vec<T>,
    #[serde(default)]
    pub page_info: PageInfo,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    pub has_next_page: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Hold {
    pub kind: String,
    pub reason: String,
    pub since: DateTime<Utc>,
    pub run: Option<Id>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Id {
    pub id: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Failed {
    pub system: Option<String>,
    pub code: String,
    pub message: String,
    pub next_attempt_at: Option<DateTime<Utc>>,
    pub dead: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    run: Option<Run>,
    user_errors: Vec<UserError>,
}

#[derive(Debug, Deserialize)]
struct UserError {
    message: String,
}

/// Looks into an answer.
pub(super) fn read<T: DeserializeOwned>(answer: &Value) -> Result<T, Refusal> {
    T::deserialize(answer).map_err(|error| {
        Refusal::Failed(format!("the gateway's answer is not understood ({error}): is it older?"))
    })
}

impl Gateway {
    /// The run that goes on or waits.
    pub async fn current_run(&self) -> Result<Option<Run>, Refusal> {
        let query = format!("{{ syncStatus {{ currentRun {{ {RUN} }} }} }}");
        let data = self.ask(&query, json!({})).await?;
        read(&data["syncStatus"]["currentRun"])
    }

    /// A run, as JSON and as read; with what it would do.
    pub async fn run(&self, id: &str) -> Result<(Value, Run), Refusal> {
        let query = format!(
            "query($id: ID!) {{ node(id: $id) {{ ... on SyncRun {{ {RUN} preview {{ estimatedCalls \
             estimatedSeconds counts {{ system kind count }} holds {{ kind system reason count }} }} \
             }} }} }}"
        );
        let mut data = self.ask(&query, json!({"id": id})).await?;
        let run = read(&data["node"])?;
        Ok((data.pointer_mut("/node").map(Value::take).unwrap_or_default(), run))
    }

    /// Examples of what a run would do, as JSON.
    pub async fn samples(&self, id: &str, first: u32) -> Result<Value, Refusal> {
        let query = "query($id: ID!, $first: Int!) { node(id: $id) { ... on SyncRun { preview { \
            samples(first: $first) { contact { id name email phone } actions { system kind reason } \
            reasons } } } } }";
        let mut data = self.ask(query, json!({"id": id, "first": first})).await?;
        Ok(data.pointer_mut("/node/preview/samples").map(Value::take).unwrap_or_default())
    }

    /// Begins a run, or says in one line why not.
    pub async fn start(&self, kind: &str, dry: bool) -> Result<Run, Refusal> {
        let query = format!(
            "mutation($input: StartSyncInput!) {{ startSync(input: $input) {{ run {{ {RUN} }} \
             userErrors {{ message }} }} }}"
        );
        let input = json!({"kind": kind, "dryRun": dry});
        changed(&self.ask(&query, json!({"input": input})).await?["startSync"])
    }

    /// Lets a run do what it shows, or says in one line why not.
    pub async fn approve(&self, id: &str) -> Result<Run, Refusal> {
        let query = format!(
            "mutation($input: ApproveSyncInput!) {{ approveSync(input: $input) {{ run {{ {RUN} }} \
             userErrors {{ message }} }} }}"
        );
        changed(&self.ask(&query, json!({"input": {"run": id}})).await?["approveSync"])
    }

    /// Everything about sync, as JSON.
    pub async fn standing(&self) -> Result<Value, Refusal> {
        let query = format!(
            "{{ syncStatus {{ state inSync pending held failed total lagSeconds updatedAt \
             currentRun {{ {RUN} }} upstreams {{ system state budget {{ remaining limit resetsAt \
             dailyRemaining dailyLimit }} }} }} \
             runs: syncRuns(first: 5, kinds: [BACKFILL, FULL_COMPARE]) {{ nodes {{ {RUN} }} }} \
             polls: syncRuns(first: 4, kinds: [POLL]) {{ nodes {{ {RUN} }} }} {HOLDS} \
             failures(first: 100) {{ nodes {{ id system action code message attempts nextAttemptAt dead }} \
             pageInfo {{ hasNextPage }} }} }}"
        );
        self.ask(&query, json!({})).await
    }

    /// Why a run is stopped by a hold, as JSON and in words; `None`: no hold stopped it.
    pub async fn stopped_by(&self, id: &str) -> Result<Option<Hold>, Refusal> {
        let data = self.ask(&format!("{{ {HOLDS} }}"), json!({})).await?;
        let holds: Nodes<Hold> = read(&data["holds"])?;
        Ok(holds.nodes.into_iter().find(|hold| hold.run.as_ref().is_some_and(|run| run.id == id)))
    }
}

/// The oldest holds.
const HOLDS: &str = "holds(first: 100) { nodes { id kind system field reason since run { id } } \
                     pageInfo { hasNextPage } }";

fn changed(payload: &Value) -> Result<Run, Refusal> {
    let Changed { run, user_errors } = read(payload)?;
    match (run, user_errors.into_iter().next()) {
        (Some(run), None) => Ok(run),
        (_, Some(error)) => Err(Refusal::Failed(error.message)),
        (None, None) => Err(Refusal::Failed("the gateway named no run".to_owned())),
    }
}
