//! What Doppler answers. Members that may be missing, empty or null are all the same; members that
//! are not named here are ignored.
#![expect(clippy::struct_field_names, reason = "the names are Doppler's")]

use serde::{Deserialize, Deserializer};

/// A page of a collection.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct Page<T> {
    #[serde(default, deserialize_with = "list")]
    pub items: Vec<T>,
    /// Deliveries come without it.
    pub page_size: Option<u32>,
    pub items_count: Option<u32>,
    pub current_page: Option<u32>,
    pub pages_count: Option<u32>,
}

/// A collection that is not paged.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct Collection<T> {
    #[serde(default, deserialize_with = "list")]
    pub items: Vec<T>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subscriber {
    pub email: String,
    #[serde(default, deserialize_with = "list")]
    pub fields: Vec<FieldValue>,
    #[serde(default, deserialize_with = "list")]
    pub belongs_to_lists: Vec<Loose>,
    pub status: Option<String>,
    /// The name that Doppler's own client reads.
    pub unsubscribed_date: Option<String>,
    /// The name that connectors written from Doppler's documents read.
    pub unsubscription_date: Option<String>,
    pub unsubscription_type: Option<String>,
    pub score: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FieldValue {
    pub name: String,
    pub value: Option<Loose>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub predefined: Option<bool>,
    pub readonly: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub predefined: Option<bool>,
    pub readonly: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct List {
    pub list_id: i64,
    pub name: Option<String>,
    pub subscribers_count: Option<i64>,
    pub current_status: Option<String>,
}

/// What was made, or the task of making it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    pub created_resource_id: Loose,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Task {
    pub task_id: Loose,
    pub status: Option<String>,
    pub finish_date: Option<String>,
    #[serde(default)]
    pub import_details: Counters,
}

/// The spelling is Doppler's.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Counters {
    pub processed: Option<u32>,
    pub invalid_emails: Option<u32>,
    pub soft_bounceds: Option<u32>,
    pub hard_bounceds: Option<u32>,
    pub subscriber_bounceds: Option<u32>,
    pub amount_headers_and_fields_dont_match: Option<u32>,
    pub never_open_bounceds: Option<u32>,
    pub updated: Option<u32>,
    pub new_subscribers: Option<u32>,
    pub unsubscribed_by_user: Option<u32>,
    pub users_in_black_list: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delivery {
    pub campaign_id: Loose,
    pub campaign_name: Option<String>,
    pub campaign_subject: Option<String>,
    pub delivery_status: Option<String>,
    pub clicks_count: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Campaign {
    pub campaign_id: Loose,
    pub status: Option<String>,
    pub scheduled_date: Option<String>,
}

/// A campaign's numbers, of which only matters whether they are the same.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Results {
    pub total_shipped: Option<Loose>,
    pub total_times_opened: Option<Loose>,
    pub unique_opens: Option<Loose>,
    pub total_clicks: Option<Loose>,
    pub unique_clicks: Option<Loose>,
    pub total_hard_bounces: Option<Loose>,
    pub total_soft_bounces: Option<Loose>,
    pub total_unsubscribers: Option<Loose>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Recipients {
    #[serde(default, deserialize_with = "list")]
    pub lists: Vec<Recipient>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Recipient {
    pub id: Loose,
}

/// An error. `errorCode` means something only together with the status.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Problem {
    pub error_code: Option<u32>,
    /// Names what does not exist, beside people's addresses.
    pub detail: Option<String>,
    #[serde(default, deserialize_with = "list")]
    pub errors: Vec<Invalid>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Invalid {
    pub key: Option<String>,
}

/// Text that may be sent as a number or a truth value.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Loose {
    Text(String),
    Number(serde_json::Number),
    Truth(bool),
}

impl From<Loose> for String {
    fn from(text: Loose) -> Self {
        match text {
            Loose::Text(text) => text,
            Loose::Number(number) => number.to_string(),
            Loose::Truth(truth) => truth.to_string(),
        }
    }
}

/// A list that may be null.
fn list<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(from).map(Option::unwrap_or_default)
}
