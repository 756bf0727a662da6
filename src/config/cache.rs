//! `[cache]`: what is kept in memory, and for how long.

use std::time::Duration;

use serde::Deserialize;

use super::check::Check;

/// See `default.toml` for what each key means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Cache {
    /// Memory for entities, in bytes.
    pub max_bytes: u64,
    /// Memory for whole answers, in bytes; 0 keeps none.
    pub response_max_bytes: u64,
    /// How long each kind may be served without asking again.
    pub ttl: Ttl,
}

/// How long each kind may be served without asking again; zero asks every time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Ttl {
    /// A HighLevel contact.
    #[serde(with = "humantime_serde")]
    pub contact: Duration,
    /// A Doppler subscriber.
    #[serde(with = "humantime_serde")]
    pub subscriber: Duration,
    /// The notes of one contact.
    #[serde(with = "humantime_serde")]
    pub notes: Duration,
    /// The tasks of one contact.
    #[serde(with = "humantime_serde")]
    pub tasks: Duration,
    /// The appointments of one contact.
    #[serde(with = "humantime_serde")]
    pub appointments: Duration,
    /// The deliveries to one subscriber.
    #[serde(with = "humantime_serde")]
    pub deliveries: Duration,
    /// One page of a listing.
    #[serde(with = "humantime_serde")]
    pub page: Duration,
    /// Lists, custom fields, tags.
    #[serde(with = "humantime_serde")]
    pub definitions: Duration,
    /// That something does not exist.
    #[serde(with = "humantime_serde")]
    pub negative: Duration,
}

impl Cache {
    pub(super) fn validate(&self, check: &mut Check<'_>) {
        const LARGEST: u64 = 64 << 30;
        check.within("max_bytes", self.max_bytes, 1 << 20..=LARGEST);
        check.within("response_max_bytes", self.response_max_bytes, 0..=LARGEST);
        for (key, duration) in self.ttl.named() {
            let allowed = Duration::ZERO..=Duration::from_hours(24);
            check.lasting(&format!("ttl.{key}"), duration, allowed);
        }
    }
}

impl Ttl {
    fn named(&self) -> [(&'static str, Duration); 9] {
        [
            ("contact", self.contact),
            ("subscriber", self.subscriber),
            ("notes", self.notes),
            ("tasks", self.tasks),
            ("appointments", self.appointments),
            ("deliveries", self.deliveries),
            ("page", self.page),
            ("definitions", self.definitions),
            ("negative", self.negative),
        ]
    }
}

impl Default for Cache {
    fn default() -> Self {
        super::Config::default().cache
    }
}
