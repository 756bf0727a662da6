//! Whom to ask about: a queue of small steps, each one call, that is stored after every one of them.
//! Pure. People stand in it by their contacts' ids: whoever is erased meanwhile leaves no address behind.
//!
//! A round looks at the campaigns of the last days. Whose numbers are not what they were has its lists
//! read, and the members of these are asked about one by one; after them those who left all lists
//! since the last round, because a bounce takes a person out of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::unified::{Campaign, ContactId};

/// How far a round is, and what is known of campaigns.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct Round {
    /// When it began; times are epoch milliseconds.
    pub began: i64,
    /// When the last one that ended had begun.
    before: Option<i64>,
    pub campaigns: BTreeMap<String, Looked>,
    /// Lists whose members this round has asked about, or will.
    lists: BTreeSet<String>,
    #[serde(deserialize_with = "understood")]
    todo: VecDeque<Task>,
}

/// The steps that are understood: people stood in earlier rounds by their addresses.
fn understood<'de, D: Deserializer<'de>>(from: D) -> Result<VecDeque<Task>, D::Error> {
    let steps = Vec::<Value>::deserialize(from)?;
    Ok(steps.into_iter().filter_map(|step| serde_json::from_value(step).ok()).collect())
}

/// What is known of a campaign.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Looked {
    /// Its numbers when they were last read.
    results: Option<String>,
    /// When it went out as far as Doppler says, else when it was first seen.
    sent_at: i64,
    pub first_seen: i64,
    /// Whether it went out after rounds had begun, so that nothing of it was there before.
    pub is_new: bool,
}

/// One step.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Task {
    /// Read a page of campaigns.
    Campaigns(u32),
    /// Read a campaign's numbers.
    Results(String),
    /// Read the lists that a campaign went to.
    Recipients(String),
    /// Read a page of a list's members.
    Members(String, u32),
    /// Read a page of those who left all lists since the last round.
    Left(u32),
    /// Read a contact's deliveries.
    Person(ContactId),
}

impl Round {
    /// Goes on with what was stored; with nothing left to do, a new round begins.
    pub fn at(stored: Option<&str>, now: DateTime<Utc>, days: TimeDelta) -> Self {
        let stored = stored.and_then(|text| serde_json::from_str(text).ok());
        let mut round: Self = stored.unwrap_or_default();
        if round.todo.is_empty() {
            let oldest = (now - days).timestamp_millis();
            round.before = (round.began != 0).then_some(round.began);
            round.began = now.timestamp_millis();
            round.campaigns.retain(|_, looked| looked.sent_at >= oldest);
            round.lists.clear();
            round.todo.push_back(Task::Campaigns(1));
        }
        round
    }

    /// What is stored, to be looked at without going on.
    pub fn stored(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Takes the next step out; `None`: the round is over.
    pub fn next(&mut self) -> Option<Task> {
        self.todo.pop_front()
    }

    /// Whether nothing is left to do.
    pub fn is_over(&self) -> bool {
        self.todo.is_empty()
    }

    /// When the last round had begun: who left the lists since is asked about.
    pub fn since(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.before?)
    }

    /// A page of campaigns was read.
    pub fn campaigns(
        &mut self,
        (number, is_last): (u32, bool),
        found: &[Campaign],
        days: TimeDelta,
    ) {
        let oldest = self.began - days.num_milliseconds();
        for campaign in found.iter().filter(|campaign| campaign.is_out) {
            let sent_at = campaign.sent_at.map(|at| at.timestamp_millis());
            let looked = Looked {
                results: None,
                sent_at: sent_at.unwrap_or(self.began),
                first_seen: self.began,
                is_new: self.before.is_some_and(|before| sent_at.is_none_or(|at| at >= before)),
            };
            let looked = match self.campaigns.get(&campaign.id) {
                Some(known) => known,
                None if looked.sent_at < oldest => continue,
                None => self.campaigns.entry(campaign.id.clone()).or_insert(looked),
            };
            let results = Task::Results(campaign.id.clone());
            if looked.sent_at >= oldest && !self.todo.contains(&results) {
                self.todo.push_back(results);
            }
        }
        if !is_last {
            self.todo.push_front(Task::Campaigns(number.saturating_add(1)));
        }
    }

    /// A campaign's numbers were read.
    pub fn results(&mut self, campaign: String, results: String) {
        let Some(looked) = self.campaigns.get_mut(&campaign) else { return };
        if looked.results.as_ref() != Some(&results) {
            looked.results = Some(results);
            self.todo.push_front(Task::Recipients(campaign));
        }
    }

    /// The lists that a campaign went to were read.
    pub fn recipients(&mut self, lists: Vec<String>) {
        for list in lists {
            if self.lists.is_empty() && self.before.is_some() {
                self.todo.push_back(Task::Left(1));
            }
            if self.lists.insert(list.clone()) {
                self.todo.push_back(Task::Members(list, 1));
            }
        }
    }

    /// A page of people was read. `people`: those to be asked about.
    pub fn people(&mut self, next: Option<Task>, people: impl IntoIterator<Item = ContactId>) {
        if let Some(next) = next {
            self.todo.push_front(next);
        }
        for person in people {
            self.todo.push_front(Task::Person(person));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: TimeDelta = TimeDelta::days(14);

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap() + TimeDelta::hours(hours)
    }

    fn campaign(id: &str, hours: i64) -> Campaign {
        Campaign { id: id.to_owned(), is_out: true, sent_at: Some(at(hours)) }
    }

    fn person(number: u128) -> ContactId {
        ContactId(uuid::Uuid::from_u128(number))
    }

    fn later(round: &Round, hours: i64) -> Round {
        Round::at(Some(&round.to_json()), at(hours), DAYS)
    }

    /// A round that has looked at the campaigns 1 (2 hours old) and 2 (a month old), to its end.
    fn looked() -> Round {
        let mut round = Round::at(None, at(0), DAYS);
        assert_eq!(round.next(), Some(Task::Campaigns(1)));
        let draft = Campaign { is_out: false, ..campaign("3", 0) };
        round.campaigns((1, true), &[campaign("1", -2), campaign("2", -700), draft], DAYS);
        assert_eq!(round.next(), Some(Task::Results("1".to_owned())));
        round.results("1".to_owned(), "10 0".to_owned());
        assert_eq!(round.next(), Some(Task::Recipients("1".to_owned())));
        round.recipients(vec!["7".to_owned(), "7".to_owned()]);
        assert_eq!(round.next(), Some(Task::Members("7".to_owned(), 1)));
        round.people(Some(Task::Members("7".to_owned(), 2)), [person(7)]);
        // The program dies and comes back.
        let mut round = later(&round, 1);
        assert_eq!(round.next(), Some(Task::Person(person(7))));
        assert_eq!(round.next(), Some(Task::Members("7".to_owned(), 2)));
        round.people(None, []);
        assert_eq!(round.next(), None, "nobody left before the first round");
        round
    }

    #[test]
    fn who_is_asked_about_follows_from_numbers_that_changed() {
        let mut round = later(&looked(), 2);
        assert_eq!(round.next(), Some(Task::Campaigns(1)));
        round.campaigns((1, false), &[campaign("1", -2), campaign("4", 1)], DAYS);
        assert_eq!(round.next(), Some(Task::Campaigns(2)));
        round.campaigns((2, true), &[campaign("1", -2)], DAYS);
        assert_eq!(round.next(), Some(Task::Results("1".to_owned())));
        round.results("1".to_owned(), "10 0".to_owned());
        assert_eq!(round.next(), Some(Task::Results("4".to_owned())), "nothing changed in 1");
        round.results("4".to_owned(), "1 0".to_owned());
        assert_eq!(round.next(), Some(Task::Recipients("4".to_owned())));
        round.recipients(vec!["7".to_owned()]);
        assert_eq!(round.next(), Some(Task::Left(1)));
        assert_eq!(round.since(), Some(at(0)));
        assert_eq!(round.next(), Some(Task::Members("7".to_owned(), 1)));
        assert_eq!(round.next(), None);
        let is_new = |id: &str| round.campaigns[id].is_new;
        assert_eq!((is_new("1"), is_new("4")), (false, true));
    }

    #[test]
    fn old_campaigns_are_forgotten() {
        let round = looked();
        assert!(round.is_over());
        let round = later(&round, 24 * 15);
        assert!(round.campaigns.is_empty() && !round.is_over());
        assert_eq!(Round::at(Some("not ours"), at(0), DAYS).next(), Some(Task::Campaigns(1)));
    }

    #[test]
    fn people_of_earlier_rounds_are_left_out_and_the_rest_goes_on() {
        let stored = r#"{"began": 7, "campaigns": {}, "lists": ["7"],
            "todo": [{"Person": "ana@example.com"}, {"Members": ["7", 2]}]}"#;
        let mut round = Round::at(Some(stored), at(0), DAYS);
        assert_eq!((round.began, round.to_json().contains("ana")), (7, false));
        assert_eq!(round.next(), Some(Task::Members("7".to_owned(), 2)));
        assert!(round.is_over());
    }
}
