//! What a listing of contacts can be asked for. Which source serves which part is decided in
//! `contacts::listing`.

use chrono::{DateTime, Utc};

use super::{ContactStatus, ContactSyncState, System};

/// Whose listing it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ContactSource {
    /// The index over the last known copies of both systems.
    Index,
    HighLevel,
    Doppler,
}

/// Conditions on a listing; all given ones must hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ContactFilter {
    pub query: Option<String>,
    pub systems: Option<Vec<System>>,
    pub status: Option<Vec<ContactStatus>>,
    pub tags_any: Option<Vec<String>>,
    pub tags_all: Option<Vec<String>>,
    pub sync_state: Option<Vec<ContactSyncState>>,
    pub updated_since: Option<DateTime<Utc>>,
    pub opened: Option<bool>,
    pub clicked: Option<bool>,
}

/// The order of a listing.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ContactOrder {
    UpdatedDesc,
    UpdatedAsc,
    CreatedDesc,
    EmailAsc,
    NameAsc,
}
