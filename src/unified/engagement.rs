//! What became of the e-mails sent to a person, which only Doppler knows.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One campaign's delivery to one subscriber. Doppler gives no times.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Delivery {
    pub campaign_id: String,
    pub campaign_name: Option<String>,
    pub campaign_subject: Option<String>,
    pub status: DeliveryStatus,
    pub clicks: u32,
}

/// What became of it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum DeliveryStatus {
    NotOpened,
    Opened,
    SoftBounced,
    HardBounced,
    /// A value this program does not know.
    Unknown,
}

/// A mailing, as far as it tells whose deliveries may have changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Campaign {
    pub id: String,
    /// Whether mails of it went out, or are going out.
    pub is_out: bool,
    /// When it was to go out, if Doppler says so.
    pub sent_at: Option<DateTime<Utc>>,
}

/// What was last seen of one campaign's delivery to a contact.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Engagement {
    pub campaign: String,
    pub name: Option<String>,
    pub status: DeliveryStatus,
    pub clicks: u32,
    /// Whether something happened while the mapping asked for notes: what was there before never
    /// becomes one.
    pub noted: bool,
}
