//! Which writes wait to be sent with others, and whether an import then did what they asked for. Pure.
//!
//! Only work that nobody waits for is parked: at a run's priority, with nothing asked for, in doubt or
//! failed, and where the one thing to be done in Doppler is to make or to update the subscriber.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::store::{Lease, Parked, ParkedState};
use crate::sync::plan::{Action, Payload, Plan, Scope, When};
use crate::sync::poll::version;
use crate::unified::{
    Canon, List, Mapping, Subscriber, SubscriberEdit, SubscriberStatus, SyncSettings, SyncState,
    System, lists_of,
};

use super::run::Facts;
use super::{Error, Inner, id};

/// What is kept of a parked write beside its values, to settle it as if it had been made at once.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(in crate::sync) struct Slip {
    pub action: Action,
    /// What was agreed of the action's fields when it was planned.
    pub canon: BTreeMap<String, Canon>,
    /// Up to which mark its run covered the contact.
    pub generation: i64,
    /// What the subscriber looked like; `None`: there was none.
    pub before: Option<String>,
    /// When that was so.
    pub read_at: DateTime<Utc>,
    /// The mapping by which it was planned: see [`rules`].
    pub rules: String,
    /// Whether something else of the contact waited for what was paused: once it is resumed that is to be
    /// planned, whatever else happened.
    pub partial: bool,
}

impl Slip {
    /// What a parked write says; `None`: another version of the program wrote it.
    pub fn of(parked: &Parked) -> Option<Self> {
        serde_json::from_str(&parked.body).ok()
    }

    /// Whether something of the write is not to go to Doppler now.
    pub fn is_paused(&self, settings: &SyncSettings) -> bool {
        let fields = &self.action.fields;
        settings.state != SyncState::Running
            || settings.paused_to_doppler
            || fields.iter().any(|planned| settings.paused_fields.contains(&planned.field))
    }

    /// Whether the subscriber is as it was when the write was planned, and so is the mapping.
    pub fn still_holds(&self, seen: Option<&str>, mapping: &Mapping) -> bool {
        self.before.as_deref() == seen && self.rules == rules(mapping)
    }
}

/// What tells one mapping from another: the default has no revision and is another one after a restart.
pub(in crate::sync) fn rules(mapping: &Mapping) -> String {
    let text = serde_json::to_string(mapping).unwrap_or_default();
    format!("{:x}", Sha256::digest(text))
}

/// Which action of a plan is to be sent with others.
pub(super) fn parks(facts: &Facts, plan: &Plan) -> Option<usize> {
    let sheet = &facts.sheet;
    let is_quiet = sheet.edits.is_empty() && sheet.pending.is_empty() && sheet.failures.is_empty();
    if !facts.may_park || !is_quiet || facts.looked.importing || !plan.needs.is_empty() {
        return None;
    }
    (facts.scope == Scope::Everything).then(|| only_write(plan)).flatten()
}

/// The one thing to be done in Doppler, if that is to make or to update a subscriber.
fn only_write(plan: &Plan) -> Option<usize> {
    let all = plan.actions.iter().enumerate();
    let mut writes = all.filter(|(_, one)| {
        one.system == System::Doppler && one.is_write() && one.when != When::Never
    });
    let (index, action) = writes.next()?;
    let fits = action.when == When::Now && action.edit.is_none() && written(action).is_some();
    (fits && writes.next().is_none()).then_some(index)
}

/// What a plan would send with others: the list and the values.
pub(in crate::sync) fn sent_together(plan: &Plan) -> Option<(Option<&str>, &SubscriberEdit)> {
    let index = only_write(plan).filter(|_| plan.needs.is_empty())?;
    written(plan.actions.get(index)?)
}

/// The list and the values of a write that an import can make.
fn written(action: &Action) -> Option<(Option<&str>, &SubscriberEdit)> {
    match &action.payload {
        Payload::CreateSubscriber { list, edit } => Some((Some(list), edit)),
        Payload::UpdateSubscriber { list, edit } => Some((list.as_deref(), edit)),
        Payload::Nothing
        | Payload::Link(_)
        | Payload::Unlink { .. }
        | Payload::Rename { .. }
        | Payload::Subscribe { .. }
        | Payload::RemoveFromList { .. }
        | Payload::OptOut { .. }
        | Payload::CreateContact(_)
        | Payload::UpdateContact { .. }
        | Payload::AddTags { .. }
        | Payload::RemoveTags { .. }
        | Payload::DeleteContact { .. }
        | Payload::CreateNote { .. }
        | Payload::UpdateNote { .. }
        | Payload::DeleteNote { .. }
        | Payload::CreateTask { .. }
        | Payload::UpdateTask { .. }
        | Payload::CompleteTask { .. }
        | Payload::DeleteTask { .. } => None,
    }
}

impl Inner {
    /// What is stored of an action that waits.
    pub(super) fn park(
        &self,
        lease: &Lease,
        facts: &Facts,
        (plan, action): (&Plan, &Action),
    ) -> Result<Option<Parked>, Error> {
        let Some((list, edit)) = written(action) else { return Ok(None) };
        let canon = action.fields.iter().filter_map(|planned| {
            let canon = plan.agreement.canon.get(&planned.field)?;
            Some((planned.field.clone(), canon.clone()))
        });
        let read_ms = facts.listed_from.unwrap_or(facts.looked.fetched_ms);
        let slip = Slip {
            action: action.clone(),
            canon: canon.collect(),
            generation: lease.generation,
            before: facts.looked.subscriber.present().map(|found| version(found)),
            read_at: DateTime::from_timestamp_millis(read_ms).unwrap_or(facts.now),
            rules: rules(&facts.mapping),
            partial: facts.settings.pauses_part(),
        };
        Ok(Some(Parked {
            id: id(&self.parts.clock),
            contact: facts.sheet.known.id,
            list: list.map(str::to_owned),
            edit: edit.clone(),
            state: ParkedState::Waiting,
            body: serde_json::to_string(&slip).map_err(|_| Error::Encoding)?,
        }))
    }
}

/// Whether an import did what a write asked for, by what Doppler then holds. Doppler tells of no row
/// whether it took it.
pub(super) fn took(action: &Action, held: Option<&Subscriber>, lists: &[List]) -> bool {
    let (Some(held), Some((list, edit))) = (held, written(action)) else { return false };
    if held.status == SubscriberStatus::Unsubscribed {
        return false;
    }
    let is_member = |list: &str| {
        let known = lists_of(held, lists).into_iter().any(|one| one.id.to_string() == list);
        known || held.lists.iter().any(|raw| raw == list)
    };
    if !list.is_none_or(is_member) {
        return false;
    }
    let is_new = matches!(action.payload, Payload::CreateSubscriber { .. });
    edit.fields.iter().all(|(name, sent)| {
        let value = held.field(name).unwrap_or_default().trim();
        // Nobody else wrote to who was made by it: what differs is what Doppler makes of the value.
        value == sent.trim() || (is_new && !value.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unified::{ActionKind, Agreement, ContactId, fixture};

    fn edit(fields: &[(&str, &str)]) -> SubscriberEdit {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        SubscriberEdit { email: "ana@example.com".to_owned(), fields: fields.collect() }
    }

    fn create(fields: &[(&str, &str)]) -> Action {
        let payload = Payload::CreateSubscriber { list: "7".to_owned(), edit: edit(fields) };
        Action::new(System::Doppler, ActionKind::Create, payload, "because")
    }

    fn update(list: Option<&str>, fields: &[(&str, &str)]) -> Action {
        let list = list.map(str::to_owned);
        let payload = Payload::UpdateSubscriber { list, edit: edit(fields) };
        Action::new(System::Doppler, ActionKind::Update, payload, "because")
    }

    fn held(lists: &[&str], fields: &[(&str, &str)]) -> Subscriber {
        let lists = lists.iter().map(|&list| list.to_owned()).collect();
        Subscriber { lists, status: SubscriberStatus::Active, ..fixture::subscriber(fields) }
    }

    fn plan(actions: Vec<Action>) -> Plan {
        Plan::only(ContactId(uuid::Uuid::nil()), actions, Agreement::default())
    }

    #[test]
    fn only_the_one_write_of_a_subscriber_is_sent_with_others() {
        let opt_out = Payload::OptOut { email: "ana@example.com".to_owned() };
        let opt_out = Action::new(System::Doppler, ActionKind::Unsubscribe, opt_out, "because");
        let tags = Payload::AddTags { id: "h1".into(), tags: Vec::new() };
        let tags = Action::new(System::HighLevel, ActionKind::Tag, tags, "because");
        let later = Action { when: When::Later { code: "X".to_owned() }, ..create(&[]) };
        assert_eq!(only_write(&plan(vec![tags.clone(), create(&[])])), Some(1));
        assert_eq!(only_write(&plan(vec![update(None, &[]), tags.clone()])), Some(0));
        for other in [
            vec![opt_out.clone()],
            vec![opt_out, update(None, &[])],
            vec![create(&[]), update(Some("7"), &[])],
            vec![later],
            vec![tags],
        ] {
            assert_eq!(only_write(&plan(other.clone())), None, "{other:?}");
        }
    }

    #[test]
    fn who_is_not_as_wanted_was_not_taken() {
        let new = create(&[("CITY", "Salta"), ("PHONE", "+54 1")]);
        let fine = held(&["7"], &[("CITY", "Salta"), ("phone", "+541")]);
        assert!(took(&new, Some(&fine), &[]), "Doppler may write a value its own way");
        assert!(!took(&new, None, &[]));
        assert!(!took(&new, Some(&held(&["8"], &[("CITY", "Salta"), ("PHONE", "1")])), &[]));
        assert!(!took(&new, Some(&held(&["7"], &[("CITY", "Salta")])), &[]), "a value is lost");
        let out = Subscriber { status: SubscriberStatus::Unsubscribed, ..fine };
        assert!(!took(&new, Some(&out), &[]));
        let change = update(None, &[("CITY", "Salta"), ("ZIP", "")]);
        assert!(took(&change, Some(&held(&[], &[("CITY", "Salta ")])), &[]));
        assert!(!took(&change, Some(&held(&[], &[("CITY", "Jujuy")])), &[]));
        assert!(!took(&change, Some(&held(&[], &[("CITY", "Salta"), ("ZIP", "1")])), &[]));
    }
}
