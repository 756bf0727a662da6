//! How many calls a system still allows.

use chrono::{DateTime, Utc};

/// What is known of a system's rate limits: from its own headers, or from our own settings where
/// it states none. `None` means that nobody said.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Budget {
    /// Calls a burst window allows.
    pub limit: Option<u32>,
    /// Calls left in the current window.
    pub remaining: Option<u32>,
    /// When the window is full again.
    pub resets_at: Option<DateTime<Utc>>,
    pub daily_limit: Option<u32>,
    pub daily_remaining: Option<u32>,
}
