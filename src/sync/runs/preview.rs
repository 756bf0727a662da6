//! What a run would do, as numbers and as examples. Pure.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::sync::engine::{sent_together, with_next};
use crate::sync::plan::{Action, HoldDraft, Plan, When};
use crate::unified::{ActionKind, ContactId, Estimate, HoldKind, System};

use super::bulk::{Bulk, Together};

/// How many examples are kept of each kind of action.
const SAMPLES: usize = 20;
/// How many actions of one person an example shows.
const SHOWN: usize = 20;

/// What a run would do.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct RunPreview {
    pub counts: Vec<PreviewCount>,
    /// Absent in what an older program stored.
    #[serde(default)]
    pub holds: Vec<PreviewHold>,
    pub samples: Vec<RunSample>,
    /// Calls to Doppler and to HighLevel, without those of what is sent together.
    pub calls: [u64; 2],
    /// Who is written to Doppler together, if they are enough.
    #[serde(default)]
    pub together: Together,
}

/// How many actions of a kind there are in a system.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PreviewCount {
    pub system: System,
    pub kind: ActionKind,
    pub count: u64,
}

/// How many people would be set aside for a reason.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PreviewHold {
    pub kind: HoldKind,
    /// `None`: it is between both.
    pub system: Option<System>,
    /// In the words of the first one.
    pub reason: String,
    pub count: u64,
}

/// What would be done about one person.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct RunSample {
    pub contact: ContactId,
    pub actions: Vec<Action>,
    pub reasons: Vec<String>,
    /// Whether something about the person would wait for a decision.
    pub held: bool,
}

impl RunSample {
    fn shows(&self, kind: ActionKind) -> bool {
        if kind == ActionKind::Hold {
            return self.held;
        }
        self.actions.iter().any(|action| action.kind == kind)
    }
}

/// How many calls each system takes in a second; 0: as many as one likes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates(pub [f64; 2]);

impl RunPreview {
    /// Counts what a plan would do. `looks`: whether both sides are read before. `quiet`: whether nothing
    /// stands against a write that is sent with others.
    pub fn add(&mut self, plan: &Plan, looks: bool, quiet: bool) {
        let before = self.samples.len();
        let mut wanted = false;
        for action in &plan.actions {
            wanted |= self.count(action.system, action.kind) <= SAMPLES as u64;
        }
        for hold in &plan.holds {
            // One between both systems counts as the first one's.
            let system = hold.system.unwrap_or(System::Doppler);
            wanted |= self.count(system, ActionKind::Hold) <= SAMPLES as u64;
            self.count_hold(hold);
        }
        if wanted && self.samples.len() == before {
            self.samples.push(RunSample {
                contact: plan.contact,
                actions: plan.actions.iter().take(SHOWN).cloned().collect(),
                reasons: plan
                    .reasons
                    .iter()
                    .cloned()
                    .chain(plan.holds.iter().map(|hold| hold.reason.clone()))
                    .collect(),
                held: !plan.holds.is_empty(),
            });
        }
        let mut writes = System::ALL.map(|system| writes(plan, system));
        let looks = looks && writes.iter().any(|count| *count > 0);
        if let Some(write) = sent_together(plan).filter(|_| quiet) {
            self.together.add(write);
            writes[System::Doppler as usize] = 0;
        }
        for system in System::ALL {
            let made = writes[system as usize];
            let reads = u64::from(made > 0 || looks);
            // Doppler answers no write with what it then holds.
            let read_back = u64::from(system == System::Doppler && made > 0);
            self.calls[system as usize] += reads + made + read_back;
        }
    }

    /// Counts one more; how many there are then.
    fn count(&mut self, system: System, kind: ActionKind) -> u64 {
        let known = self.counts.iter_mut().find(|one| one.system == system && one.kind == kind);
        if let Some(known) = known {
            known.count += 1;
            return known.count;
        }
        self.counts.push(PreviewCount { system, kind, count: 1 });
        1
    }

    fn count_hold(&mut self, hold: &HoldDraft) {
        let HoldDraft { kind, system, .. } = *hold;
        let known = self.holds.iter_mut().find(|one| one.kind == kind && one.system == system);
        if let Some(known) = known {
            known.count += 1;
            return;
        }
        let reason = hold.reason.clone();
        self.holds.push(PreviewHold { kind, system, reason, count: 1 });
    }

    /// Examples, of a kind if one is given; else first one that shows each kind, then another one of each.
    pub fn samples(&self, kind: Option<ActionKind>) -> impl Iterator<Item = &RunSample> {
        let mut before: HashMap<(System, ActionKind), usize> = HashMap::new();
        let mut ranked: Vec<(usize, &RunSample)> = Vec::new();
        for sample in
            self.samples.iter().filter(|sample| kind.is_none_or(|kind| sample.shows(kind)))
        {
            let actions = sample.actions.iter().map(|action| (action.system, action.kind));
            let held = sample.held.then_some((System::Doppler, ActionKind::Hold));
            let shown: HashSet<_> = actions.chain(held).collect();
            let rank = shown.iter().map(|one| before.get(one).copied().unwrap_or_default()).min();
            ranked.push((rank.unwrap_or_default(), sample));
            for one in shown {
                *before.entry(one).or_default() += 1;
            }
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, sample)| sample)
    }

    /// What it costs at these rates.
    pub fn estimate(&self, rates: Rates, bulk: Bulk) -> Estimate {
        let meanwhile =
            System::ALL.map(|system| rates.seconds(system, self.calls[system as usize]));
        let meanwhile = meanwhile.into_iter().max().unwrap_or(0);
        let cost = self.together.cost(bulk, meanwhile);
        let [doppler, highlevel] = self.calls;
        // Who is sent together was planned, and made in HighLevel, before.
        let after = rates.seconds(System::Doppler, cost.calls) + cost.waits;
        Estimate { calls: [doppler + cost.calls, highlevel], seconds: meanwhile + after }
    }
}

impl Rates {
    /// How long so many calls take.
    fn seconds(self, system: System, calls: u64) -> u64 {
        let rate = self.0[system as usize];
        if rate <= 0.0 {
            return 0;
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "seconds for people to read"
        )]
        let seconds = (calls as f64 / rate).ceil() as u64;
        seconds
    }
}

/// How many calls a plan's writes to a system are.
fn writes(plan: &Plan, system: System) -> u64 {
    let made = |(_, action): &(usize, &Action)| {
        action.system == system && action.when == When::Now && action.is_write()
    };
    let made = plan.actions.iter().enumerate().filter(made);
    made.filter(|(index, _)| with_next(plan, *index).is_none()).count() as u64
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::sync::plan::Payload;
    use crate::unified::{Agreement, SubscriberEdit};

    fn plan(actions: Vec<Action>) -> Plan {
        Plan::only(ContactId(Uuid::nil()), actions, Agreement::default())
    }

    fn tag() -> Action {
        let payload = Payload::AddTags { id: "h1".into(), tags: vec!["vip".to_owned()] };
        Action::new(System::HighLevel, ActionKind::Tag, payload, "because")
    }

    fn opt_out() -> Action {
        let payload = Payload::OptOut { email: "ana@example.com".to_owned() };
        Action::new(System::Doppler, ActionKind::Unsubscribe, payload, "because")
    }

    #[test]
    fn it_counts_actions_and_calls_and_keeps_some_examples_of_each_kind() {
        let mut preview = RunPreview::default();
        for _ in 0..30 {
            preview.add(&plan(vec![tag()]), false, true);
        }
        preview.add(&plan(vec![opt_out(), tag()]), false, true);
        preview.add(&plan(Vec::new()), false, true);
        let tags = PreviewCount { system: System::HighLevel, kind: ActionKind::Tag, count: 31 };
        assert!(preview.counts.contains(&tags), "{:?}", preview.counts);
        assert_eq!(preview.samples(None).count(), 21);
        let second = preview.samples(None).nth(1).unwrap();
        assert!(second.shows(ActionKind::Unsubscribe), "one of each kind comes first");
        assert_eq!(preview.samples(Some(ActionKind::Unsubscribe)).count(), 1);
        // One read and one write each; Doppler's one more to see what came of it.
        assert_eq!(preview.calls, [3, 62]);
        assert_eq!(preview.estimate(Rates([1.0, 10.0]), Bulk::default()).seconds, 7);
        assert_eq!(preview.estimate(Rates([0.1, 0.0]), Bulk::default()).seconds, 30);
    }

    #[test]
    fn people_who_would_be_set_aside_are_counted_by_the_reason() {
        let hold = |kind, system, reason: &str| HoldDraft {
            kind,
            contact: None,
            contacts: Vec::new(),
            system,
            field: None,
            candidates: Vec::new(),
            resolutions: Vec::new(),
            reason: reason.to_owned(),
        };
        let mut preview = RunPreview::default();
        for reason in ["two share it", "three share it"] {
            let shared = hold(HoldKind::AmbiguousMatch, None, reason);
            let long = hold(HoldKind::Overflow, Some(System::Doppler), "too long");
            preview.add(&Plan { holds: vec![shared, long], ..plan(Vec::new()) }, false, true);
        }
        let counted = |kind, system, reason: &str| PreviewHold {
            kind,
            system,
            reason: reason.to_owned(),
            count: 2,
        };
        let wanted = [
            counted(HoldKind::AmbiguousMatch, None, "two share it"),
            counted(HoldKind::Overflow, Some(System::Doppler), "too long"),
        ];
        assert_eq!(preview.holds, wanted);
    }

    #[test]
    fn where_both_sides_are_read_before_that_counts_too() {
        let mut preview = RunPreview::default();
        preview.add(&plan(vec![tag()]), true, true);
        assert_eq!(preview.calls, [1, 2]);
    }

    #[test]
    fn what_is_sent_together_comes_after_the_rest() {
        let edit = SubscriberEdit { email: "ana@example.com".to_owned(), fields: Vec::new() };
        let payload = Payload::CreateSubscriber { list: "7".to_owned(), edit };
        let create = Action::new(System::Doppler, ActionKind::Create, payload, "because");
        let (mut preview, mut alone) = (RunPreview::default(), RunPreview::default());
        for _ in 0..100 {
            preview.add(&plan(vec![tag(), create.clone()]), false, true);
            alone.add(&plan(vec![tag(), create.clone()]), false, false);
        }
        assert_eq!((preview.calls, alone.calls), ([0, 200], [300, 200]));
        let (rates, bulk) = (Rates([5.0, 10.0]), Bulk { least: 30, pages: 2 });
        assert_eq!(alone.estimate(rates, bulk), Estimate { calls: [300, 200], seconds: 60 });
        let cost = preview.together.cost(bulk, 20);
        let together = preview.estimate(rates, bulk);
        assert_eq!(together.calls, [cost.calls, 200]);
        assert_eq!(together.seconds, 20 + cost.calls.div_ceil(5) + cost.waits);
    }
}
