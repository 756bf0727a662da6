//! What a person could switch in the two systems while they run (`POST /control/settings`).
//!
//! To add a switch: a member of [`Settings`], its default, and the line in [`Change`] that sets it.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The switches, read as one consistent copy.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// HighLevel's location setting "allow duplicate contact".
    pub allow_duplicates: bool,
    /// Which identifier HighLevel looks for first when it searches a duplicate.
    pub duplicate_order: Vec<Identifier>,
    /// How late HighLevel's search sees a write, in milliseconds.
    pub index_delay_ms: u64,
    /// Whether an update of a HighLevel contact replaces `dndSettings` instead of merging them: the
    /// documents leave it open.
    pub dnd_replaces: bool,
    /// What a Doppler subscriber's `belongsToLists` holds: which of the two is unknown of the
    /// real system.
    pub belongs_to_lists: ListReference,
    /// How many lists a Doppler account may have before a create answers 400.3.
    pub max_lists: usize,
    /// Answer Doppler's `unsubscribed` without a window by a gateway's 504 in HTML, as the live
    /// system was seen to do, instead of 400.1.
    pub unsubscribed_gateway_error: bool,
    /// What HighLevel answers for a note or task that does not exist: 400 as for a contact, or 404.
    /// Which of the two is unknown of the real system.
    pub missing_status: MissingStatus,
    /// Whether HighLevel sends `X-RateLimit-Daily-Reset`, which its documents do not list.
    pub daily_reset_header: bool,
    /// How Doppler's imports end.
    pub imports_end: ImportEnd,
    /// HighLevel's calls in ten seconds. Agency sandbox accounts were measured at 25.
    pub burst: u32,
    /// HighLevel's calls a day. Agency sandbox accounts were measured at 10,000.
    pub daily: u32,
}

/// How an import ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImportEnd {
    /// Everybody was written who could be.
    Completed,
    /// Nobody was written, and it says so.
    Failed,
    /// It goes on being processed.
    Never,
}

/// The status for what does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum MissingStatus {
    /// 400
    BadRequest,
    /// 404
    NotFound,
}

impl From<MissingStatus> for u16 {
    fn from(status: MissingStatus) -> Self {
        match status {
            MissingStatus::BadRequest => 400,
            MissingStatus::NotFound => 404,
        }
    }
}

impl TryFrom<u16> for MissingStatus {
    type Error = &'static str;

    fn try_from(status: u16) -> Result<Self, Self::Error> {
        match status {
            400 => Ok(Self::BadRequest),
            404 => Ok(Self::NotFound),
            _ => Err("`missingStatus` is 400 or 404"),
        }
    }
}

/// What two contacts may have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Identifier {
    /// The e-mail address.
    Email,
    /// The phone number.
    Phone,
}

/// How a subscriber names the lists it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListReference {
    /// `["17"]`
    Ids,
    /// `["Newsletter"]`
    Names,
}

/// A body of `POST /control/settings`: what is absent stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    allow_duplicates: Option<bool>,
    duplicate_order: Option<Vec<Identifier>>,
    index_delay_ms: Option<u64>,
    dnd_replaces: Option<bool>,
    belongs_to_lists: Option<ListReference>,
    max_lists: Option<usize>,
    unsubscribed_gateway_error: Option<bool>,
    missing_status: Option<MissingStatus>,
    daily_reset_header: Option<bool>,
    imports_end: Option<ImportEnd>,
    burst: Option<u32>,
    daily: Option<u32>,
}

/// The place where the settings are held. Reading takes one reference count.
#[derive(Debug)]
pub struct Switches(RwLock<Arc<Settings>>);

impl Switches {
    /// The defaults, with the index delay asked for at start.
    pub fn new(index_delay: Duration) -> Self {
        Self(RwLock::new(Arc::new(Settings {
            allow_duplicates: false,
            duplicate_order: vec![Identifier::Email, Identifier::Phone],
            index_delay_ms: u64::try_from(index_delay.as_millis()).unwrap_or(u64::MAX),
            dnd_replaces: false,
            belongs_to_lists: ListReference::Ids,
            max_lists: 1000,
            unsubscribed_gateway_error: false,
            missing_status: MissingStatus::BadRequest,
            daily_reset_header: true,
            imports_end: ImportEnd::Completed,
            burst: 100,
            daily: 200_000,
        })))
    }

    /// As they are now.
    pub fn read(&self) -> Arc<Settings> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Applies `change` and answers the result.
    pub fn change(&self, change: Change) -> Arc<Settings> {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = Settings::clone(&held);
        set(&mut next.allow_duplicates, change.allow_duplicates);
        set(&mut next.duplicate_order, change.duplicate_order);
        set(&mut next.index_delay_ms, change.index_delay_ms);
        set(&mut next.dnd_replaces, change.dnd_replaces);
        set(&mut next.belongs_to_lists, change.belongs_to_lists);
        set(&mut next.max_lists, change.max_lists);
        set(&mut next.unsubscribed_gateway_error, change.unsubscribed_gateway_error);
        set(&mut next.missing_status, change.missing_status);
        set(&mut next.daily_reset_header, change.daily_reset_header);
        set(&mut next.imports_end, change.imports_end);
        set(&mut next.burst, change.burst);
        set(&mut next.daily, change.daily);
        *held = Arc::new(next);
        Arc::clone(&held)
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_leaves_the_rest_alone() {
        let switches = Switches::new(Duration::from_secs(2));
        let change = serde_json::from_str(r#"{"belongsToLists":"names"}"#).unwrap();
        let after = switches.change(change);
        assert_eq!(after.belongs_to_lists, ListReference::Names);
        assert_eq!((after.index_delay_ms, after.allow_duplicates), (2000, false));
    }

    #[test]
    fn an_unknown_switch_is_refused() {
        assert!(serde_json::from_str::<Change>(r#"{"allowDuplicate":true}"#).is_err());
        assert!(serde_json::from_str::<Change>(r#"{"missingStatus":418}"#).is_err());
    }
}
