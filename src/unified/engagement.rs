//! What became of the e-mails sent to a person, which only Doppler knows.

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
