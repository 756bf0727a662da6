//! Doppler's subscriber lists.

use serde::{Deserialize, Serialize};

/// A Doppler list.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct List {
    pub id: i64,
    pub name: String,
    pub subscribers_count: Option<i64>,
}
