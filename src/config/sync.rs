//! `[sync]`: how mutations and reconciles are carried out.

use std::time::Duration;

use serde::Deserialize;

use super::check::Check;

/// See `default.toml` for what each key means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Sync {
    /// Longest wait of a mutation for its writes.
    #[serde(with = "humantime_serde")]
    pub mutation_deadline: Duration,
    /// People worked on at once in the background.
    pub workers: usize,
    /// What happens in a workspace that was never synced.
    pub first_run: FirstRun,
    /// From one full comparison to the next.
    #[serde(with = "humantime_serde")]
    pub compare_every: Duration,
    /// Attempts at one person in one system before it is given up.
    pub most_attempts: u32,
    /// From how many people on that have the same fields to be written in one list an import is sent; 0:
    /// never.
    pub import_from: usize,
    /// How long nobody else has to come before those who wait for an import are sent.
    #[serde(with = "humantime_serde")]
    pub import_wait: Duration,
    /// For how many days after it went out a campaign's opens and clicks are looked for.
    pub engagement_days: u32,
    /// What becomes of a person in one system who was deleted in the other.
    pub deleted: Deleted,
    /// The same of one who was changed meanwhile.
    pub deleted_but_changed: DeletedButChanged,
}

/// What becomes of a person who was deleted in the other system.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Deleted {
    /// They are left as they are.
    Unlink,
    /// They get a tag that says so.
    Tag,
    /// They are opted out of e-mail.
    Unsubscribe,
    /// They are deleted, or opted out where nobody can be deleted.
    Delete,
}

/// What becomes of a person who was deleted in the other system and changed in this one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum DeletedButChanged {
    /// They are left as they are.
    Keep,
    /// They are made again where they were deleted.
    Recreate,
}

/// How a workspace's sync begins.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum FirstRun {
    /// It does not begin by itself.
    Manual,
    /// It begins at once.
    Auto,
}

impl Sync {
    pub(super) fn validate(&self, check: &mut Check<'_>) {
        const SECOND: Duration = Duration::from_secs(1);
        check.lasting("mutation_deadline", self.mutation_deadline, SECOND / 10..=SECOND * 60);
        check.lasting("compare_every", self.compare_every, SECOND * 600..=SECOND * 86_400 * 30);
        check.lasting("import_wait", self.import_wait, SECOND / 10..=SECOND * 600);
        check.within("import_from", self.import_from, 0..=10_000);
        check.within("workers", self.workers, 1..=1_000);
        check.within("most_attempts", self.most_attempts as usize, 1..=1_000);
        check.within("engagement_days", self.engagement_days, 1..=36_500);
    }
}
