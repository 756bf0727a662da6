//! What is written to a HighLevel contact, in neutral form.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Address, Assign, CustomFieldEdit, HighLevelContact, JsonText};

/// A contact to be created. What is `None` is left out.
///
/// HighLevel refuses one that has neither e-mail address, phone number, first nor last name.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct ContactDraft {
    pub email: Option<String>,
    /// E.164.
    pub phone: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// Takes a value here and never again: HighLevel's update has no such member.
    pub company_name: Option<String>,
    pub birthday: Option<NaiveDate>,
    pub address: Address,
    pub source: Option<String>,
    /// A user's id.
    pub assigned_to: Option<String>,
    pub tags: Vec<String>,
    /// Whether e-mail must not be sent. Other channels are left as a new contact has them.
    pub email_dnd: Option<bool>,
    pub custom_fields: Vec<CustomFieldEdit>,
}

/// A change of a contact: only what is given is written.
///
/// It has no tags, because HighLevel's update replaces them all; no company name and no gender,
/// because its update does not take them; and no way to clear what it does not let be cleared.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct ContactEdit {
    pub email: Assign<String>,
    /// E.164.
    pub phone: Assign<String>,
    pub first_name: Assign<String>,
    pub last_name: Assign<String>,
    pub birthday: Assign<NaiveDate>,
    pub address_line1: Assign<String>,
    pub city: Assign<String>,
    pub state: Assign<String>,
    /// Cannot be cleared.
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2, upper case. Cannot be cleared.
    pub country: Option<String>,
    pub source: Assign<String>,
    /// A user's id.
    pub assigned_to: Assign<String>,
    pub email_dnd: Option<EmailDnd>,
    pub custom_fields: Vec<CustomFieldEdit>,
}

/// Do-not-disturb of the e-mail channel, together with what has to be sent beside it so that the
/// other channels stay as they are.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct EmailDnd {
    on: bool,
    /// Channels of `dndSettings` that are sent back as they were read.
    beside: serde_json::Map<String, Value>,
}

/// The channels that HighLevel's request takes (`DndSettingsSchema`). It answers more (`RCS`), and
/// refuses those in a request.
const CHANNELS: [&str; 5] = ["Call", "SMS", "WhatsApp", "GMB", "FB"];

impl EmailDnd {
    /// For `contact` as it was last read.
    ///
    /// HighLevel's documents do not say whether an update merges `dndSettings` or replaces them.
    /// Channels whose do-not-disturb is on are therefore sent back: where updates replace, they
    /// would be lost otherwise, and where they merge, it changes nothing. Channels that are off are
    /// left out, since sending them would undo an opt-out that came in after the reading, and so
    /// are permanent ones, which no update changes and some refuse.
    pub fn new(on: bool, contact: &HighLevelContact) -> Self {
        let settings = contact.dnd_settings.as_ref().map(JsonText::value);
        let mut beside = match settings {
            Some(Value::Object(settings)) => settings,
            _ => serde_json::Map::new(),
        };
        beside.retain(|channel, setting| {
            CHANNELS.contains(&channel.as_str()) && setting["status"] == "active"
        });
        Self { on, beside }
    }

    /// Whether e-mail must not be sent.
    pub fn on(&self) -> bool {
        self.on
    }

    /// The other channels to send, each as HighLevel wrote it.
    pub fn beside(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.beside.iter().map(|(channel, setting)| (channel.as_str(), setting))
    }
}
