//! Runs: everybody at once.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};

use super::enums::{HoldKind, SyncActionKind};
use super::plan::SyncPlan;
use crate::contacts::{self, RunPreview};
use crate::graphql::context::ContextExt;
use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::DateTime;
use crate::graphql::types::{SystemName, page_size};
use crate::unified;

/// What kind of run.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "unified::RunKind")]
pub enum SyncRunKind {
    /// Everybody is brought into agreement: both systems are read through, what would be done is shown,
    /// and after an approval it is done.
    Backfill,
    /// What changed since the last look is found and done. While sync is running each system is looked at
    /// every few minutes by itself.
    Poll,
    /// Both systems are read through, and whoever differs is brought into agreement.
    FullCompare,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "unified::RunState")]
pub enum SyncRunState {
    /// Both systems are read, and everybody is planned. Nothing is written.
    Previewing,
    /// What it would do is known; `approveSync` lets it be done.
    AwaitingApproval,
    /// It is being done.
    Running,
    /// A hold stopped it, or sync is paused.
    Paused,
    /// All is done, or it was a dry run.
    Finished,
    /// Somebody stopped it; what it had written stays.
    Cancelled,
    /// It could not go on; `error` says why.
    Failed,
}

/// A run: everybody at once.
pub struct SyncRun(pub unified::SyncRun);

impl From<unified::SyncRun> for SyncRun {
    fn from(run: unified::SyncRun) -> Self {
        Self(run)
    }
}

fn number(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A run: everybody at once.
#[Object]
impl SyncRun {
    /// The run's global id, for `approveSync` and `cancelSync`.
    pub async fn id(&self) -> ID {
        GlobalId::Run(self.0.id).encode()
    }

    /// What kind.
    async fn kind(&self) -> SyncRunKind {
        self.0.kind.into()
    }

    /// The system that a poll looks at; null where it is both.
    async fn system(&self) -> Option<SystemName> {
        self.0.system.map(Into::into)
    }

    /// How it stands.
    async fn state(&self) -> SyncRunState {
        self.0.state.into()
    }

    /// When it began.
    async fn started_at(&self) -> DateTime {
        DateTime(self.0.began_at)
    }

    /// When it was over; null before.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }

    /// How much of what it does now is done, from 0 to 1; null while nobody knows how much there is.
    async fn progress(&self) -> Option<f64> {
        self.0.progress()
    }

    /// Records that both systems' listings showed, for example `612`.
    async fn seen(&self) -> u32 {
        number(self.0.seen)
    }

    /// People whom both systems know.
    async fn matched(&self) -> u32 {
        number(self.0.matched)
    }

    /// People who were made in a system by it.
    async fn created(&self) -> u32 {
        number(self.0.tally.created)
    }

    /// People of whom something was written.
    async fn updated(&self) -> u32 {
        number(self.0.tally.updated)
    }

    /// People of whom nothing had to be written.
    async fn unchanged(&self) -> u32 {
        number(self.0.tally.unchanged)
    }

    /// People of whom something waits for a decision.
    async fn held(&self) -> u32 {
        number(self.0.tally.held)
    }

    /// People of whom a write failed; it is tried again.
    async fn failed(&self) -> u32 {
        number(self.0.tally.failed)
    }

    /// Calls to both systems that it takes, by the preview; null before there is one.
    async fn estimated_calls(&self) -> Option<u32> {
        self.0.estimate.map(|estimate| number(estimate.calls.iter().sum()))
    }

    /// How long it still takes, by the estimate, in seconds; null when it is over or nobody knows.
    async fn eta_seconds(&self) -> Option<u32> {
        self.0.seconds_left().map(number)
    }

    /// What it would do; null until everybody is planned.
    async fn preview(&self, context: &Context<'_>) -> Result<Option<SyncPreview>> {
        let Some(estimate) = self.0.estimate else { return Ok(None) };
        let preview = context.observer()?.run_preview(self.0.id).await?;
        Ok(preview.map(|preview| SyncPreview { preview, estimate }))
    }

    /// Why it failed, or what it waits for, in words.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }
}

/// What a run would do.
pub struct SyncPreview {
    preview: RunPreview,
    estimate: unified::Estimate,
}

/// How many actions of a kind a run would take in a system.
#[derive(SimpleObject)]
pub struct PreviewCount {
    /// In which system. What waits for a decision between both counts as Doppler's.
    system: SystemName,
    /// What.
    kind: SyncActionKind,
    /// How many.
    count: u32,
}

/// How many people a run would set aside for a reason.
#[derive(SimpleObject)]
pub struct PreviewHold {
    /// Why, as a code.
    kind: HoldKind,
    /// In which system; null where it is between both.
    system: Option<SystemName>,
    /// Why, in words: those of the first person.
    reason: String,
    /// How many people.
    count: u32,
}

/// What a run would do.
#[Object]
impl SyncPreview {
    /// How many actions of each kind, in each system.
    async fn counts(&self) -> Vec<PreviewCount> {
        self.preview.counts.iter().copied().map(Into::into).collect()
    }

    /// What would wait for a decision, by the reason.
    async fn holds(&self) -> Vec<PreviewHold> {
        self.preview.holds.iter().cloned().map(Into::into).collect()
    }

    /// Examples: what would be done about single people. Some of each kind are kept.
    async fn samples(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only plans with an action of this kind.")] kind: Option<SyncActionKind>,
        #[graphql(desc = "How many, at most 100; 20 if not given.")] first: Option<i32>,
    ) -> Result<Vec<SyncPlan>> {
        let kind = kind.map(Into::into);
        let samples =
            context.observer()?.run_samples(&self.preview, kind, page_size(first)?).await?;
        Ok(samples.into_iter().map(SyncPlan::sample).collect())
    }

    /// Calls to both systems that it takes.
    async fn estimated_calls(&self) -> u32 {
        number(self.estimate.calls.iter().sum())
    }

    /// How long that takes at the rate that the systems allow, in seconds.
    async fn estimated_seconds(&self) -> u32 {
        number(self.estimate.seconds)
    }
}

impl From<contacts::PreviewHold> for PreviewHold {
    fn from(hold: contacts::PreviewHold) -> Self {
        let contacts::PreviewHold { kind, system, reason, count } = hold;
        Self { kind: kind.into(), system: system.map(Into::into), reason, count: number(count) }
    }
}

impl From<contacts::PreviewCount> for PreviewCount {
    fn from(count: contacts::PreviewCount) -> Self {
        let contacts::PreviewCount { system, kind, count } = count;
        Self { system: system.into(), kind: kind.into(), count: number(count) }
    }
}
