//! Whether the two systems are kept in step, and what of it is paused.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Where a workspace's sync stands. `READ_ONLY` of the public schema is not stored: it follows from
/// HighLevel's credential.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SyncState {
    /// No first sync was approved: only what a mutation's input names is written.
    #[default]
    NotSetUp,
    /// A first run waits for approval.
    Preview,
    Running,
    Paused,
}

/// How one contact stands, in a word.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ContactSyncState {
    InSync,
    Pending,
    Held,
    Failed,
    Unlinked,
    Paused,
}

impl ContactSyncState {
    /// What follows from a contact's failure (`Some(true)`: it was given up), its open holds, the edits
    /// that are not done, the workspace's state and the number of links.
    pub fn of(
        failure: Option<bool>,
        (held, edited): (bool, bool),
        workspace: SyncState,
        links: usize,
    ) -> Self {
        match failure {
            Some(true) => Self::Failed,
            _ if held => Self::Held,
            Some(false) => Self::Pending,
            None if edited => Self::Pending,
            None if workspace == SyncState::Paused => Self::Paused,
            None if links < 2 => Self::Unlinked,
            None => Self::InSync,
        }
    }
}

/// A workspace's sync settings beside the mapping.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct SyncSettings {
    pub state: SyncState,
    /// Directions that are paused (`TO_DOPPLER`, `TO_HIGHLEVEL`); marks accumulate meanwhile.
    pub paused_to_doppler: bool,
    pub paused_to_highlevel: bool,
    /// Mapped fields that are paused.
    pub paused_fields: Vec<String>,
    pub changed_at: Option<DateTime<Utc>>,
}

impl SyncSettings {
    /// Whether a direction or a field is paused.
    pub fn pauses_part(&self) -> bool {
        self.paused_to_doppler || self.paused_to_highlevel || !self.paused_fields.is_empty()
    }
}
