//! What can be done to a contact in a system.

use serde::{Deserialize, Serialize};

/// What a plan would do.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ActionKind {
    Create,
    Update,
    /// Doppler's e-mail address is its key: a new subscriber, then the old one's end.
    Rename,
    Tag,
    Untag,
    Subscribe,
    Unsubscribe,
    RemoveFromList,
    Note,
    Task,
    Delete,
    Link,
    Unlink,
    Hold,
    Skip,
}
