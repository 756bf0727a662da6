//! What went over the wire, by what it was for.

use std::collections::BTreeMap;

use serde_json::Value;

/// Calls a second: 100 in ten seconds, as HighLevel documents it; Doppler's is the sandbox's own.
const RATE: f64 = 10.0;

/// Calls of one stage.
#[derive(Default)]
pub struct Calls {
    pub doppler: usize,
    pub highlevel: usize,
    pub refused: usize,
    kinds: BTreeMap<String, usize>,
}

impl Calls {
    pub fn of(journal: &[Value]) -> Self {
        let mut calls = Self::default();
        for call in journal {
            let text = |name: &str| call[name].as_str().unwrap_or_default();
            *if text("system") == "DOPPLER" { &mut calls.doppler } else { &mut calls.highlevel } +=
                1;
            calls.refused += usize::from(call["status"] == 429);
            let kind = format!("{} {} {}", text("system"), text("method"), text("route"));
            *calls.kinds.entry(kind).or_default() += 1;
        }
        calls
    }

    /// How long the slower of both takes if all of its rate is used.
    pub fn least_seconds(&self) -> f64 {
        self.doppler.max(self.highlevel) as f64 / RATE
    }

    pub fn by_kind(&self) -> impl Iterator<Item = (&str, usize)> {
        self.kinds.iter().map(|(name, count)| (&**name, *count))
    }
}
