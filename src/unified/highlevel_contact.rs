//! What HighLevel says of a person.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{CustomFieldValue, HighLevelId, JsonText};

/// A HighLevel contact in neutral form. Empty texts arrive as `None`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct HighLevelContact {
    pub id: HighLevelId,
    pub location_id: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub name: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company_name: Option<String>,
    pub birthday: Option<NaiveDate>,
    pub address: Address,
    /// HighLevel's `type`, such as `lead`.
    pub kind: Option<String>,
    pub source: Option<String>,
    pub assigned_to: Option<String>,
    /// The switch for all channels; `None` when the answer did not carry it.
    pub dnd: Option<bool>,
    /// The e-mail channel of `dndSettings`.
    pub email_dnd: Option<DndStatus>,
    /// `dndSettings` as HighLevel sent it, every channel included.
    pub dnd_settings: Option<JsonText>,
    pub bounced: bool,
    pub unsubscribed: bool,
    pub tags: Vec<String>,
    pub custom_fields: Vec<CustomFieldValue>,
    pub date_added: Option<DateTime<Utc>>,
    pub date_updated: Option<DateTime<Utc>>,
    /// False for a row of a listing that left members out (birthday, do-not-disturb): those members
    /// are then unknown, not empty, and the contact must be read singly to know them.
    pub complete: bool,
}

/// A postal address.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Address {
    pub line1: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: Option<String>,
}

impl Address {
    /// Whether nothing is known of it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One channel of `dndSettings`; `Active` means that do-not-disturb is on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DndStatus {
    Active,
    Inactive,
    /// On, and not to be lifted through the API.
    Permanent,
}

/// An appointment. HighLevel sends its times without a zone: they are local to the location, and
/// [`Appointment::starts_at`] is their meaning in UTC.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Appointment {
    pub id: String,
    pub title: Option<String>,
    pub status: Option<String>,
    pub starts_local: Option<NaiveDateTime>,
    pub ends_local: Option<NaiveDateTime>,
    pub starts_at: Option<DateTime<Utc>>,
    pub ends_at: Option<DateTime<Utc>>,
    pub calendar_id: Option<String>,
    pub address: Option<String>,
}

/// A HighLevel location (a sub-account).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Location {
    pub id: String,
    pub name: Option<String>,
    /// IANA name, such as `America/Argentina/Buenos_Aires`.
    pub timezone: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
}
