//! Tasks, which only HighLevel has.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A task on a HighLevel contact.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Task {
    pub id: String,
    pub title: Option<String>,
    pub body: Option<String>,
    pub due_at: Option<DateTime<Utc>>,
    pub completed: bool,
    pub assigned_to: Option<String>,
}

/// A task to be written.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct TaskDraft {
    pub title: String,
    pub body: Option<String>,
    pub due_at: DateTime<Utc>,
    pub assigned_to: Option<String>,
}

/// A change of a task: absent members stay as they are.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct TaskEdit {
    pub title: Option<String>,
    pub body: Option<String>,
    pub due_at: Option<DateTime<Utc>>,
    pub assigned_to: Option<String>,
}
