//! How deliveries are disturbed (`POST /control/webhooks`). Probabilities are drawn from the seed.
//!
//! To add a disturbance: a member of [`Settings`] and of [`Change`], and its effect where the
//! event is queued or sent.

use serde::{Deserialize, Deserializer, Serialize};

/// The settings in force.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Where to; `null`: nowhere.
    pub url: Option<String>,
    /// How many events are never sent, 0 to 1.
    pub lose: f64,
    /// How many are sent twice with one id.
    pub duplicate: f64,
    /// How many let the next event go first.
    pub reorder: f64,
    /// How many are sent late; the others pass them.
    pub delay: f64,
    /// How long after the change those are sent, on the sandbox's clock.
    pub delay_ms: u64,
    /// How many are signed over other bytes than are sent.
    pub tamper: f64,
    /// Send the literal `N/A` for a signature.
    pub unsigned: bool,
    /// How many are preceded by an event of a type nobody knows.
    pub unknown: f64,
    /// `TaskCreate` without `contactId` and `body`, as live deliveries are (GH#332).
    pub bare_task_create: bool,
    /// `AppointmentUpdate` and `AppointmentDelete` say `AppointmentCreate`, as their pages do.
    pub wrong_appointment_type: bool,
    /// What a failed delivery leads to.
    pub retry: Retry,
}

/// The two policies that HighLevel's own documents state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// Integration guide, 2026: whatever is not 2xx, twelve times, backing off.
    Any,
    /// Help article 155000007071, 2025: 429 only, six times, ten minutes apart.
    TooManyRequests,
    /// Not at all.
    Never,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: None,
            lose: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            delay: 1.0,
            delay_ms: 0,
            tamper: 0.0,
            unsigned: false,
            unknown: 0.0,
            bare_task_create: true,
            wrong_appointment_type: false,
            retry: Retry::Any,
        }
    }
}

/// A body of `POST /control/webhooks`: what is absent stays, `"url": null` ends deliveries.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Change {
    /// See [`Settings::url`].
    #[serde(deserialize_with = "present")]
    pub url: Option<Option<String>>,
    /// See [`Settings::lose`].
    pub lose: Option<f64>,
    /// See [`Settings::duplicate`].
    pub duplicate: Option<f64>,
    /// See [`Settings::reorder`].
    pub reorder: Option<f64>,
    /// See [`Settings::delay`].
    pub delay: Option<f64>,
    /// See [`Settings::delay_ms`].
    pub delay_ms: Option<u64>,
    /// See [`Settings::tamper`].
    pub tamper: Option<f64>,
    /// See [`Settings::unsigned`].
    pub unsigned: Option<bool>,
    /// See [`Settings::unknown`].
    pub unknown: Option<f64>,
    /// See [`Settings::bare_task_create`].
    pub bare_task_create: Option<bool>,
    /// See [`Settings::wrong_appointment_type`].
    pub wrong_appointment_type: Option<bool>,
    /// See [`Settings::retry`].
    pub retry: Option<Retry>,
}

#[expect(clippy::option_option, reason = "absent, null and a text are three things here")]
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl Change {
    /// Only the address.
    pub fn url(url: Option<String>) -> Self {
        Self { url: Some(url), ..Self::default() }
    }

    /// Says what is wrong with it, in one line.
    pub fn check(&self) -> Result<(), String> {
        for (name, chance) in [
            ("lose", self.lose),
            ("duplicate", self.duplicate),
            ("reorder", self.reorder),
            ("delay", self.delay),
            ("tamper", self.tamper),
            ("unknown", self.unknown),
        ] {
            if chance.is_some_and(|chance| !(0.0..=1.0).contains(&chance)) {
                return Err(format!("`{name}` must be between 0 and 1"));
            }
        }
        match &self.url {
            Some(Some(url)) if url::Url::parse(url).is_err() => {
                Err("`url` is not a URL".to_owned())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn apply(self, settings: &mut Settings) {
        set(&mut settings.url, self.url);
        set(&mut settings.lose, self.lose);
        set(&mut settings.duplicate, self.duplicate);
        set(&mut settings.reorder, self.reorder);
        set(&mut settings.delay, self.delay);
        set(&mut settings.delay_ms, self.delay_ms);
        set(&mut settings.tamper, self.tamper);
        set(&mut settings.unsigned, self.unsigned);
        set(&mut settings.unknown, self.unknown);
        set(&mut settings.bare_task_create, self.bare_task_create);
        set(&mut settings.wrong_appointment_type, self.wrong_appointment_type);
        set(&mut settings.retry, self.retry);
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
