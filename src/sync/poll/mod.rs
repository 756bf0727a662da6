//! Polls: looking for changes that nobody told us of. Doppler tells of none, and of HighLevel's
//! webhooks some get lost.
//!
//! A poll is a run ([`super::runs`]) that reads a system's people page by page, and what it remembers
//! after each page is where it is and in which version it saw whom, so that a program that dies goes on
//! where it was. Whose version is new is marked; nothing is written here, and what a page says of values
//! is kept as a last known copy and not believed: the reconcile reads both sides. One that nothing went
//! before sees everybody for the first time, at the lowest priority.
//!
//! [`highlevel`] and [`doppler`] decide what to ask for next; both are pure. [`page`] asks, for polls
//! and for other runs.

mod doppler;
mod highlevel;
mod page;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use crate::store::{Mark, POLL, Priority};
use crate::unified::System;

pub(in crate::sync) use doppler::{Position as DopplerPosition, Request, shown, version};
pub(in crate::sync) use highlevel::version as contact_version;
pub use page::Pages;

/// The rows of work that poll a workspace's systems, for whoever sets it up.
pub fn schedule(now: DateTime<Utc>) -> [Mark; 2] {
    System::ALL.map(|system| Mark {
        kind: POLL,
        key: system.as_str().to_owned(),
        priority: Priority::Live,
        due: now,
    })
}

/// When the last poll that ended began, by where a poll is: whoever was there then was seen. `None`:
/// none has ended.
pub fn read_through(position: &str) -> Option<DateTime<Utc>> {
    /// What both systems' positions have.
    #[derive(serde::Deserialize)]
    struct Ended {
        since: Option<i64>,
    }
    let ended: Ended = serde_json::from_str(position).ok()?;
    DateTime::from_timestamp_millis(ended.since?)
}
