//! What is to go wrong, and when (`POST /control/faults`).
//!
//! Faults that are the same for any HTTP service are made by [`super::gate`]. The others need the
//! system's own words: the gate puts the [`Fault`] into the request's extensions and the fake acts
//! on it. To add a kind: a variant of [`Kind`], and its effect in one of the two places.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::credentials::Account;
use super::ids::Ids;
use super::shared::System;

/// A fault as posted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Whose calls go wrong.
    pub system: System,
    /// Only calls of this template (`/contacts/{contactId}`); a slash at the end does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Only calls with this verb.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only calls with a key or private token of this account or location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What goes wrong.
    pub kind: Kind,
    /// For the kinds that answer by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Seconds, sent as `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// For the kinds that answer by themselves: send no body, as gateways on the way do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_body: bool,
    /// For `delay`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// How many calls go right before; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<u64>,
    /// How many calls; absent: until cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// Of each matching call, 0 to 1; absent: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Another status (500), with an error body in the system's shape. The call has no effect.
    Status,
    /// The answer comes `delayMs` later.
    Delay,
    /// No answer ever; the call has no effect.
    Hang,
    /// The call takes effect, and the connection is closed in the middle of the answer.
    Drop,
    /// A gateway's HTML page (502) instead of an answer. The call has no effect.
    Html,
    /// The call takes effect, and the answer is JSON that ends in the middle.
    BadJson,
    /// HighLevel: the contact is created and the answer is 422 all the same.
    #[serde(rename = "created-but-422")]
    CreatedBut422,
    /// 429 in the system's own words.
    RateLimit,
    /// HighLevel: 429 because the day's quota is spent.
    DailyExhausted,
    /// A list or search answers that there is nothing.
    EmptyList,
}

/// The faults in force.
#[derive(Debug, Default)]
pub struct Faults {
    count: AtomicUsize,
    armed: Mutex<Vec<Armed>>,
}

#[derive(Debug)]
struct Armed {
    fault: Arc<Fault>,
    skip: u64,
    left: Option<u64>,
}

impl Fault {
    /// Says what is wrong with a fault, in one line.
    pub fn check(&self) -> Result<(), String> {
        if matches!(self.kind, Kind::CreatedBut422 | Kind::DailyExhausted)
            && self.system == System::Doppler
        {
            return Err("this `kind` is of HIGHLEVEL only".to_owned());
        }
        if self.kind == Kind::Delay && self.delay_ms.is_none() {
            return Err("`delay` needs `delayMs`".to_owned());
        }
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Err("`status` must be between 200 and 599".to_owned());
        }
        if self.probability.is_some_and(|chance| !(0.0..=1.0).contains(&chance)) {
            return Err("`probability` must be between 0 and 1".to_owned());
        }
        Ok(())
    }

    fn concerns(
        &self,
        system: System,
        (method, route): (&str, Option<&str>),
        account: Option<&Account>,
    ) -> bool {
        let same_account =
            |wanted: &str| account.is_some_and(|one| [one.doppler, one.location].contains(&wanted));
        let same_route = |wanted: &str| {
            route.is_some_and(|route| route.trim_end_matches('/') == wanted.trim_end_matches('/'))
        };
        self.system == system
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.route.as_deref().is_none_or(same_route)
            && self.account.as_deref().is_none_or(same_account)
    }
}

impl Faults {
    /// Whether there is none, at the price of one atomic read.
    pub fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// Puts a fault in force, after those already there.
    pub fn add(&self, fault: Fault) {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let (skip, left) = (fault.skip.unwrap_or_default(), fault.times);
        armed.push(Armed { fault: Arc::new(fault), skip, left });
        self.count.store(armed.len(), Ordering::Relaxed);
    }

    /// Ends them all.
    pub fn clear(&self) {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        armed.clear();
        self.count.store(0, Ordering::Relaxed);
    }

    /// Those still in force.
    pub fn list(&self) -> Vec<Fault> {
        let armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let left = |armed: &Armed| Fault {
            skip: (armed.skip > 0).then_some(armed.skip),
            times: armed.left,
            ..Fault::clone(&armed.fault)
        };
        armed.iter().map(left).collect()
    }

    /// The first fault that strikes this call; spends one of its `times`.
    pub fn strike(
        &self,
        system: System,
        call: (&str, Option<&str>),
        account: Option<&Account>,
        ids: &Ids,
    ) -> Option<Arc<Fault>> {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let index = armed.iter_mut().position(|armed| {
            let concerns = armed.fault.concerns(system, call, account);
            let is_due = concerns && armed.skip == 0;
            armed.skip = armed.skip.saturating_sub(u64::from(concerns));
            is_due && ids.chance(armed.fault.probability.unwrap_or(1.0))
        })?;
        let struck = &mut armed[index];
        let fault = Arc::clone(&struck.fault);
        if let Some(left) = &mut struck.left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                armed.remove(index);
                self.count.store(armed.len(), Ordering::Relaxed);
            }
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::credentials::ACCOUNTS;

    fn fault(value: serde_json::Value) -> Fault {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_fault_strikes_its_route_as_often_as_told() {
        let (faults, ids) = (Faults::default(), Ids::new(1));
        faults.add(fault(json!({
            "system": "HIGHLEVEL", "route": "/contacts/", "kind": "html", "times": 2
        })));
        let strike =
            |system, route| faults.strike(system, ("GET", Some(route)), None, &ids).is_some();
        assert!(!strike(System::Doppler, "/contacts/"));
        assert!(!strike(System::HighLevel, "/contacts/{contactId}"));
        assert!(strike(System::HighLevel, "/contacts"));
        assert!(strike(System::HighLevel, "/contacts/"));
        assert!(!strike(System::HighLevel, "/contacts/"));
        assert!(faults.is_empty());
    }

    #[test]
    fn the_first_calls_may_go_right() {
        let (faults, ids) = (Faults::default(), Ids::new(1));
        faults.add(fault(json!({"system": "DOPPLER", "kind": "hang", "skip": 1, "times": 1})));
        let strike = || faults.strike(System::Doppler, ("GET", None), None, &ids).is_some();
        assert_eq!([strike(), strike(), strike()], [false, true, false]);
    }

    #[test]
    fn half_the_calls_go_wrong_the_same_way_for_the_same_seed() {
        let draw = || {
            let (faults, ids) = (Faults::default(), Ids::new(3));
            faults.add(fault(json!({"system": "DOPPLER", "kind": "drop", "probability": 0.5})));
            let strikes = |_| faults.strike(System::Doppler, ("GET", None), None, &ids).is_some();
            (0..200).map(strikes).collect::<Vec<_>>()
        };
        let struck = draw().into_iter().filter(|struck| *struck).count();
        assert!((70..130).contains(&struck), "{struck}");
        assert_eq!(draw(), draw());
    }

    #[test]
    fn a_fault_may_be_one_accounts_own() {
        let (faults, ids) = (Faults::default(), Ids::new(1));
        let [first, second, ..] = &ACCOUNTS;
        let kind = json!({"system": "DOPPLER", "kind": "hang", "account": second.doppler});
        faults.add(fault(kind));
        let strike = |of| faults.strike(System::Doppler, ("GET", None), of, &ids).is_some();
        assert_eq!((strike(None), strike(Some(first)), strike(Some(second))), (false, false, true));
    }

    #[test]
    fn nonsense_is_told_apart() {
        for value in [
            json!({"system": "DOPPLER", "kind": "daily-exhausted"}),
            json!({"system": "DOPPLER", "kind": "delay"}),
            json!({"system": "DOPPLER", "kind": "status", "status": 99}),
            json!({"system": "DOPPLER", "kind": "html", "probability": 1.5}),
        ] {
            assert!(fault(value).check().is_err());
        }
        let unknown = json!({"system": "DOPPLER", "kind": "html", "often": 1});
        assert!(serde_json::from_value::<Fault>(unknown).is_err());
    }
}
