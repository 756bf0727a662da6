//! What went over the wire, by what it was for.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::Value;

/// Calls a second: 100 in ten seconds, as HighLevel documents it; Doppler's is the sandbox's own.
const RATE: f64 = 10.0;

/// Into how many the time is parted.
const PARTS: usize = 40;

/// Calls of one stage.
#[derive(Default)]
pub struct Calls {
    pub doppler: usize,
    pub highlevel: usize,
    pub refused: usize,
    kinds: BTreeMap<String, usize>,
    /// When HighLevel was called, in epoch milliseconds, and when Doppler was.
    times: [Vec<i64>; 2],
}

impl Calls {
    pub fn of(journal: &[Value]) -> Self {
        let mut calls = Self::default();
        for call in journal {
            let text = |name: &str| call[name].as_str().unwrap_or_default();
            let is_doppler = text("system") == "DOPPLER";
            *if is_doppler { &mut calls.doppler } else { &mut calls.highlevel } += 1;
            let at = DateTime::parse_from_rfc3339(text("at")).map(|at| at.timestamp_millis());
            calls.times[usize::from(is_doppler)].extend(at.ok());
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

    /// Calls a second to HighLevel and to Doppler in every part of the time, to see where it is not used.
    pub fn rates(&self) -> Vec<String> {
        let all = || self.times.iter().flatten().copied();
        let (Some(first), Some(last)) = (all().min(), all().max()) else { return Vec::new() };
        let length = (last - first) / PARTS as i64 + 1;
        let rates = self.times.iter().map(|times| {
            let mut counts = [0_usize; PARTS];
            for at in times {
                counts[((at - first) / length) as usize] += 1;
            }
            let rates = counts.map(|count| format!("{:.1}", count as f64 * 1000.0 / length as f64));
            rates.join(" ")
        });
        let lines = ["HighLevel", "Doppler"].into_iter().zip(rates);
        lines.map(|(system, rates)| format!("{system} a second: {rates}")).collect()
    }

    pub fn by_kind(&self) -> impl Iterator<Item = (&str, usize)> {
        self.kinds.iter().map(|(name, count)| (&**name, *count))
    }
}
