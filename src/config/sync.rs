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
    /// Attempts at one person in one system before it is given up.
    pub most_attempts: u32,
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
        check.within("workers", self.workers, 1..=1_000);
        check.within("most_attempts", self.most_attempts as usize, 1..=1_000);
    }
}
