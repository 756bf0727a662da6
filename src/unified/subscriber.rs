//! What Doppler says of a person.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A Doppler subscriber in neutral form. The e-mail address is its only key.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Subscriber {
    pub email: String,
    pub status: SubscriberStatus,
    /// `belongsToLists` as sent: list ids in digits or list names (Doppler's documents leave it
    /// open), to be looked up among the account's lists.
    pub lists: Vec<String>,
    pub fields: Vec<SubscriberField>,
    pub unsubscribed_at: Option<DateTime<Utc>>,
    pub unsubscription_type: Option<String>,
    pub score: Option<i64>,
}

impl Subscriber {
    /// The non-empty value of a field; names match without regard to case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name))
            .and_then(|field| field.value.as_deref())
            .filter(|value| !value.is_empty())
    }
}

/// One custom or predefined field of a subscriber; values always travel as text.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SubscriberField {
    pub name: String,
    pub value: Option<String>,
    /// Doppler's type name: `string`, `number`, `boolean`, `date`, `gender`, `country`, `email`,
    /// `phone`, `permission`, `consent`.
    pub kind: String,
    pub predefined: bool,
    pub read_only: bool,
}

/// Doppler's raw status.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum SubscriberStatus {
    Active,
    /// Waits for the double opt-in.
    Pending,
    /// On hold until the account's plan is upgraded.
    StandBy,
    Unsubscribed,
    /// A value this program does not know, kept as sent.
    Other(String),
}

impl SubscriberStatus {
    /// The value as Doppler writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::StandBy => "standBy",
            Self::Unsubscribed => "unsubscribed",
            Self::Other(raw) => raw,
        }
    }
}

impl From<&str> for SubscriberStatus {
    fn from(raw: &str) -> Self {
        match raw {
            "active" => Self::Active,
            "pending" => Self::Pending,
            "standBy" => Self::StandBy,
            "unsubscribed" => Self::Unsubscribed,
            other => Self::Other(other.to_owned()),
        }
    }
}
