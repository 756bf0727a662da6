//! A run: everybody at once. Both systems are read through, what would be done is counted, somebody
//! agrees, and it is done.
//!
//! A run is a small state machine whose every change is stored before anything follows from it, so
//! that whoever comes after a gateway that died goes on at [`SyncRun::stage`].

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ContactId, System};

/// A run. Equal for all who read it: what only counts while it goes on is in [`RunTally`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SyncRun {
    pub id: Uuid,
    pub kind: RunKind,
    /// The system that a poll reads; `None`: both.
    #[serde(default)]
    pub system: Option<System>,
    pub state: RunState,
    /// Whether it ends with its preview and writes nothing.
    pub dry: bool,
    /// Whether nobody has to agree, or somebody did.
    pub approved: bool,
    pub stage: Stage,
    pub began_at: DateTime<Utc>,
    /// What was read at or after this moment was read for it. Some time before its beginning,
    /// because HighLevel's index hears late of changes.
    pub fresh_from: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    /// When a poll had read all that it reads.
    #[serde(default)]
    pub read_at: Option<DateTime<Utc>>,
    /// Records that the listings showed.
    pub seen: u64,
    /// How many pages Doppler's account has.
    #[serde(default)]
    pub pages: u64,
    /// People whom both systems know.
    pub matched: u64,
    /// People it is about, once the listings are read.
    pub total: u64,
    /// How many people were found to differ.
    pub differing: u64,
    /// How many of them were looked at for the preview.
    pub foreseen: u64,
    /// What became of people, as of the last change; of one that goes on the store knows more.
    pub tally: RunTally,
    /// Calls that it will need, by system as in [`System::ALL`], and how long they take; known with
    /// the preview.
    pub estimate: Option<Estimate>,
    /// The hold that stopped it.
    pub hold: Option<Uuid>,
    /// The systems whose listings a person believed after they had stopped it.
    #[serde(default)]
    pub believed: Vec<System>,
    /// How far it was when that was last told, in tenths.
    pub told: u8,
    /// Why it failed, in words.
    pub error: Option<String>,
    /// The client who started it.
    pub by: Option<Arc<str>>,
}

/// What kind of run.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunKind {
    /// Everybody is brought into agreement, after a preview and somebody's consent.
    Backfill,
    /// Looking for changes, which goes on by itself.
    Poll,
    /// Everybody is looked at and whoever differs is brought into agreement.
    FullCompare,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunState {
    /// Both systems are read and everybody is planned.
    Previewing,
    AwaitingApproval,
    Running,
    /// A hold stopped it, or sync is paused.
    Paused,
    Finished,
    Cancelled,
    Failed,
}

impl RunState {
    /// Whether nothing more comes.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Cancelled | Self::Failed)
    }
}

/// What a run does next, and from where.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Stage {
    /// Reads a system's pages; `position` as the page before left it.
    Listing {
        system: System,
        position: Option<String>,
    },
    /// Looks whether the listings can be believed.
    Judging,
    /// Plans everybody after this one.
    Foreseeing {
        after: Option<ContactId>,
    },
    /// Waits for somebody's consent.
    Waiting,
    /// Reads what changed in HighLevel since it was listed, from there; `None`: all of it. Days may have
    /// gone by until somebody agreed.
    Refreshing {
        position: Option<String>,
    },
    /// Marks everybody after this one: first who is in HighLevel, then the `rest`.
    Marking {
        after: Option<ContactId>,
        #[serde(default)]
        rest: bool,
    },
    /// Waits until the work is done.
    Draining,
    Over,
}

/// What became of the people of a run.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct RunTally {
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub held: u64,
    pub failed: u64,
}

impl RunTally {
    /// How many people there is an outcome of.
    pub const fn done(&self) -> u64 {
        self.created + self.updated + self.unchanged + self.held + self.failed
    }

    /// Counts people more.
    pub fn add(&mut self, outcome: RunOutcome, count: u64) {
        let slot = match outcome {
            RunOutcome::Created => &mut self.created,
            RunOutcome::Updated => &mut self.updated,
            RunOutcome::Unchanged => &mut self.unchanged,
            RunOutcome::Held => &mut self.held,
            RunOutcome::Failed => &mut self.failed,
        };
        *slot += count;
    }
}

/// What became of one person in a run.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunOutcome {
    Created,
    Updated,
    Unchanged,
    Held,
    /// At least once; it is tried again.
    Failed,
}

/// What a run will cost.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Estimate {
    /// Calls to Doppler and to HighLevel.
    pub calls: [u64; 2],
    /// By the slower of the two.
    pub seconds: u64,
}

/// A run that begins.
#[derive(Clone, Debug)]
pub struct Begin {
    pub id: Uuid,
    pub kind: RunKind,
    /// The system, of a poll of one.
    pub system: Option<System>,
    pub dry: bool,
    pub approved: bool,
    pub at: DateTime<Utc>,
    pub fresh_from: DateTime<Utc>,
    pub by: Option<Arc<str>>,
}

impl SyncRun {
    /// A run that has done nothing yet.
    pub fn begin(begin: Begin) -> Self {
        let Begin { id, kind, system, dry, approved, at, fresh_from, by } = begin;
        let state = match kind {
            // What changed is done at once.
            RunKind::Poll => RunState::Running,
            RunKind::Backfill | RunKind::FullCompare => RunState::Previewing,
        };
        Self {
            id,
            kind,
            system,
            state,
            dry,
            approved,
            stage: Stage::Listing { system: system.unwrap_or(System::Doppler), position: None },
            began_at: at,
            fresh_from,
            finished_at: None,
            read_at: None,
            seen: 0,
            matched: 0,
            total: 0,
            pages: 0,
            differing: 0,
            foreseen: 0,
            tally: RunTally::default(),
            estimate: None,
            hold: None,
            believed: Vec::new(),
            told: 0,
            error: None,
            by,
        }
    }

    /// The same, over.
    #[must_use]
    pub fn ended(self, state: RunState, at: DateTime<Utc>) -> Self {
        Self { state, stage: Stage::Over, finished_at: Some(at), hold: None, ..self }
    }

    /// Whether what the listings showed counts as read: they are complete and it was agreed to. What a
    /// poll sees is not complete.
    pub const fn is_staged(&self) -> bool {
        let listed = matches!(
            self.stage,
            Stage::Foreseeing { .. }
                | Stage::Refreshing { .. }
                | Stage::Marking { .. }
                | Stage::Draining
        );
        self.approved && !self.dry && listed && !self.is_poll()
    }

    /// Whether it only looks for what changed.
    pub const fn is_poll(&self) -> bool {
        matches!(self.kind, RunKind::Poll)
    }

    /// Whether it is a poll that came by itself: there may be one of each system beside what people began.
    pub const fn is_scheduled(&self) -> bool {
        self.is_poll() && self.system.is_some()
    }

    /// How much of what it does now is done, of 1; `None` while nobody knows how much there is.
    pub fn progress(&self) -> Option<f64> {
        let part = |done: u64| {
            #[expect(clippy::cast_precision_loss, reason = "a share for people to look at")]
            let share = done as f64 / self.total.max(1) as f64;
            Some(share.clamp(0.0, 1.0))
        };
        match (&self.stage, self.state) {
            (_, RunState::Finished) => Some(1.0),
            (_, RunState::Cancelled | RunState::Failed)
            | (Stage::Listing { .. } | Stage::Judging, _) => None,
            (Stage::Foreseeing { .. } | Stage::Waiting, _) => part(self.foreseen),
            (
                Stage::Refreshing { .. } | Stage::Marking { .. } | Stage::Draining | Stage::Over,
                _,
            ) => part(self.tally.done()),
        }
    }

    /// How long it still takes, by the estimate.
    pub fn seconds_left(&self) -> Option<u64> {
        if self.state.is_over() {
            return None;
        }
        let seconds = self.estimate?.seconds;
        let left = match self.stage {
            Stage::Refreshing { .. } | Stage::Marking { .. } | Stage::Draining => {
                self.total.saturating_sub(self.tally.done())
            }
            Stage::Listing { .. }
            | Stage::Judging
            | Stage::Foreseeing { .. }
            | Stage::Waiting
            | Stage::Over => self.total,
        };
        Some(seconds.saturating_mul(left).div_ceil(self.total.max(1)))
    }
}

/// How many links may be found gone at once before a run stops: a listing that lies looks like that.
pub const fn most_absent(links: u64) -> u64 {
    let share = links / 50;
    if share > 20 { share } else { 20 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> SyncRun {
        let at = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        SyncRun::begin(Begin {
            id: Uuid::nil(),
            kind: RunKind::Backfill,
            system: None,
            dry: false,
            approved: false,
            at,
            fresh_from: at,
            by: None,
        })
    }

    #[test]
    fn progress_is_of_what_goes_on() {
        let mut run = SyncRun { total: 200, foreseen: 50, ..run() };
        assert_eq!(run.progress(), None);
        run.stage = Stage::Foreseeing { after: None };
        assert_eq!(run.progress(), Some(0.25));
        run.estimate = Some(Estimate { calls: [10, 400], seconds: 40 });
        (run.state, run.stage) = (RunState::Running, Stage::Draining);
        run.tally.add(RunOutcome::Unchanged, 100);
        run.tally.add(RunOutcome::Created, 50);
        assert_eq!((run.progress(), run.seconds_left()), (Some(0.75), Some(10)));
        let at = run.began_at;
        let run = run.ended(RunState::Finished, at);
        assert_eq!((run.progress(), run.seconds_left()), (Some(1.0), None));
    }

    #[test]
    fn a_run_is_stopped_by_two_of_a_hundred_or_by_more_than_twenty() {
        assert_eq!([0, 1_000, 1_049, 5_000].map(most_absent), [20, 20, 20, 100]);
    }
}
