//! What a made-up person brings into the HighLevel fake: plain values, no rules.
//!
//! Seeding is not an API call: it fires no webhook, costs no budget and is visible to search at
//! once. The values are taken as they are, so a seed can hold what HighLevel holds but its API
//! would not accept (two contacts with one phone number, a permanent DND, an e-mail with capitals).

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

/// A contact as seeded. Everything but `tags` and the collections may be absent, as in HighLevel.
#[derive(Clone, Debug, Default)]
pub struct SeedContact {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Stored as given; compared in lower case.
    pub email: Option<String>,
    /// E.164, for example `+5491155550101`.
    pub phone: Option<String>,
    /// Employer.
    pub company_name: Option<String>,
    /// Street and number.
    pub address1: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State or province.
    pub state: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// ISO 3166 two-letter code.
    pub country: Option<String>,
    /// A URL.
    pub website: Option<String>,
    /// IANA zone, for example `America/Argentina/Buenos_Aires`.
    pub timezone: Option<String>,
    /// `male`, `female` or free text: HighLevel takes it on create only and never shows it.
    pub gender: Option<String>,
    /// Birthday.
    pub date_of_birth: Option<NaiveDate>,
    /// The switch for all channels at once.
    pub dnd: bool,
    /// Do-not-disturb by channel.
    pub dnd_settings: Vec<SeedDnd>,
    /// Lower-cased when stored, as HighLevel does.
    pub tags: Vec<String>,
    /// By field key (`contact.plan`), see [`STANDARD_FIELDS`]; the value in its read form.
    pub custom_fields: Vec<(String, Value)>,
    /// Oldest first.
    pub notes: Vec<SeedNote>,
    /// Oldest first.
    pub tasks: Vec<SeedTask>,
    /// Oldest first.
    pub appointments: Vec<SeedAppointment>,
    /// Where the contact came from, for example `public api` or a form's name.
    pub source: Option<String>,
    /// `lead` (the default) or `customer`.
    pub kind: Option<String>,
    /// A user id, twenty characters.
    pub assigned_to: Option<String>,
    /// When absent: now.
    pub date_added: Option<DateTime<Utc>>,
    /// When absent: `date_added`.
    pub date_updated: Option<DateTime<Utc>>,
    /// The address bounced.
    pub bounce_email: bool,
    /// The person used HighLevel's own unsubscribe link.
    pub unsubscribe_email: bool,
    /// Further addresses, read-only in the API.
    pub additional_emails: Vec<String>,
    /// A business record, 24 hex digits.
    pub business_id: Option<String>,
}

/// Do-not-disturb on one channel.
#[derive(Clone, Debug)]
pub struct SeedDnd {
    /// `Call`, `Email`, `SMS`, `WhatsApp`, `GMB` or `FB`.
    pub channel: &'static str,
    /// `active` (do not disturb), `inactive` or `permanent` (which the API cannot undo).
    pub status: &'static str,
    /// Shown with the status.
    pub message: Option<String>,
    /// HighLevel's reason code.
    pub code: Option<String>,
}

/// A note.
#[derive(Clone, Debug, Default)]
pub struct SeedNote {
    /// The text.
    pub body: String,
    /// A heading.
    pub title: Option<String>,
    /// The author.
    pub user_id: Option<String>,
    /// `#RRGGBB`.
    pub color: Option<String>,
    /// Kept on top.
    pub pinned: bool,
    /// When absent: the contact's `date_added`.
    pub date_added: Option<DateTime<Utc>>,
}

/// A task.
#[derive(Clone, Debug, Default)]
pub struct SeedTask {
    /// What to do.
    pub title: String,
    /// More about it.
    pub body: Option<String>,
    /// A user id.
    pub assigned_to: Option<String>,
    /// When absent: a week after the contact's `date_added`.
    pub due_date: Option<DateTime<Utc>>,
    /// Done.
    pub completed: bool,
}

/// An appointment. Times are UTC here and shown local to the location, without a zone, by the API.
#[derive(Clone, Debug)]
pub struct SeedAppointment {
    /// What it is about.
    pub title: String,
    /// Start, UTC.
    pub start: DateTime<Utc>,
    /// End, UTC.
    pub end: DateTime<Utc>,
    /// `new`, `confirmed`, `cancelled`, `showed`, `noshow` or `invalid`.
    pub status: String,
    /// Where.
    pub address: Option<String>,
    /// Free text.
    pub notes: Option<String>,
    /// A user id.
    pub assigned_user_id: Option<String>,
}

/// A custom field's definition.
#[derive(Clone, Copy, Debug)]
pub struct SeedField {
    /// The full key, with its `contact.` prefix.
    pub key: &'static str,
    /// As shown.
    pub name: &'static str,
    /// HighLevel's `dataType`.
    pub data_type: &'static str,
    /// For the types that have a closed list of values.
    pub options: &'static [&'static str],
}

/// The custom fields every sandbox location starts with: one of each `dataType` that contacts use.
pub const STANDARD_FIELDS: &[SeedField] = &[
    field("contact.plan", "Plan", "SINGLE_OPTIONS", &["free", "silver", "gold"]),
    field("contact.birthplace", "Birthplace", "TEXT", &[]),
    field("contact.remarks", "Remarks", "LARGE_TEXT", &[]),
    field("contact.orders", "Orders", "NUMERICAL", &[]),
    field("contact.lifetime_value", "Lifetime value", "MONETORY", &[]),
    field("contact.interests", "Interests", "MULTIPLE_OPTIONS", &["music", "sport", "travel"]),
    field("contact.topics", "Topics", "CHECKBOX", &["offers", "news", "events"]),
    field("contact.preferred_channel", "Preferred channel", "RADIO", &["email", "phone", "chat"]),
    field("contact.renewal_date", "Renewal date", "DATE", &[]),
    field("contact.second_phone", "Second phone", "PHONE", &[]),
    field("contact.contract", "Contract", "FILE_UPLOAD", &[]),
    field("contact.score", "Score", "FLOAT", &[]),
];

const fn field(
    key: &'static str,
    name: &'static str,
    data_type: &'static str,
    options: &'static [&'static str],
) -> SeedField {
    SeedField { key, name, data_type, options }
}
