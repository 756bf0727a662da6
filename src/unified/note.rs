//! Notes, which only HighLevel has.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A note on a HighLevel contact.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Note {
    pub id: String,
    pub body: Option<String>,
    pub title: Option<String>,
    pub created_at: Option<DateTime<Utc>>,
    pub author_id: Option<String>,
}

/// A note to be written.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct NoteDraft {
    pub body: String,
    pub title: Option<String>,
}

/// A change of a note: absent members stay as they are.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct NoteEdit {
    pub body: Option<String>,
    pub title: Option<String>,
}
