//! Creating a person in a system that does not know them.
//!
//! Being on a mailing list is a matter of consent, so nobody is created in Doppler but by a rule of
//! the mapping or by a client who names a list, and never who opted out.

use crate::unified::expression::{self, Facts};
use crate::unified::projection::{self, Field, into_draft};
use crate::unified::{
    ActionKind, Canonical, ContactDraft, EditChange, EditId, Kind, MappingRule, Subscriber,
    SubscriberEdit, System, TagRepresentation, WriteOutcome,
};

use super::consent::Standing;
use super::draft::Draft;
use super::fields::{self, Topic};
use super::{
    Action, Input, Payload, PlannedField, Scope, TagsDelta, facts, holds, others, presence, tags,
    unplaced,
};

/// Plans creations where the person is not.
pub(super) fn plan(draft: &mut Draft<'_>, topics: &[Topic<'_>], standing: Standing) {
    for system in System::ALL {
        let input = draft.input;
        let linked = input.link(system).is_some();
        if input.is_in(system) || (linked && !input.is_gone(system)) {
            continue;
        }
        let edits = named_by(input, system);
        if given_up(draft, system) {
            continue;
        }
        if !presence::may_be_created(input, system) {
            let reason = if input.is_gone(system) {
                format!("the person was deleted in {}", system.name())
            } else {
                format!("the person is not in {}", system.name())
            };
            for edit in upserts(input) {
                draft.know(edit, system, WriteOutcome::Skipped, Some(reason.clone()));
            }
            continue;
        }
        if input.scope == Scope::Everything && edits.is_empty() && !input.is_in(system.other()) {
            continue;
        }
        if edits.is_empty() && !input.is_open(system) {
            draft.because(format!(
                "the person is made in {} when that direction goes on",
                system.name()
            ));
            continue;
        }
        if !asked_for(input, system) {
            for edit in &edits {
                let reason = Some("it was not asked to create the person there".to_owned());
                draft.know(*edit, system, WriteOutcome::Skipped, reason);
            }
            continue;
        }
        let values = values(draft, topics, system);
        match system {
            System::Doppler => in_doppler(draft, &values, standing, &edits),
            System::HighLevel => in_highlevel(draft, &values, standing, &edits),
        }
    }
}

/// Whether a person gave the creation up and nobody asked for it since.
fn given_up(draft: &mut Draft<'_>, system: System) -> bool {
    let input = draft.input;
    if !input.agreement.given_up.contains_key(&system) {
        return false;
    }
    let edits = input.edits.iter().filter(|edit| creates(&edit.change, system));
    let (old, new): (Vec<_>, Vec<_>) =
        edits.partition(|edit| input.agreement.gave_up(system, edit.at));
    if !new.is_empty() {
        return false;
    }
    draft.because(format!("making the person in {} was given up by hand", system.name()));
    for edit in old {
        let reason = Some("Discarded by a person".to_owned());
        draft.know(edit.id, system, WriteOutcome::Skipped, reason);
    }
    true
}

/// A value for the person to be created.
struct Value<'a> {
    field: &'a Field<'a>,
    value: Canonical,
    after: Canonical,
}

/// All that is agreed and that the system can hold.
fn values<'a>(draft: &mut Draft<'_>, topics: &'a [Topic<'a>], system: System) -> Vec<Value<'a>> {
    let mut values = Vec::new();
    for topic in topics {
        let field = &topic.field;
        let leads = field.mapping.direction.leads_to(system) || !topic.edits.is_empty();
        let Some(slot) = field.slot(system).filter(|_| leads) else { continue };
        let Some(canon) = draft.agreement.canon.get(field.name()) else { continue };
        let value = canon.value.clone();
        if value.is_empty() {
            continue;
        }
        match slot.project(field.kind, &value, false) {
            Ok(after) => values.push(Value { field, value, after }),
            Err(misfit) => {
                draft.because(format!("{} cannot hold {}: {misfit}", system.name(), field.name()));
                if misfit.is_of_the_value() {
                    let wanted = holds::misfit(draft.input.contact, field.name(), system, &misfit);
                    draft.wanted.push(wanted);
                }
            }
        }
    }
    values
}

fn planned(values: &[Value<'_>]) -> Vec<PlannedField> {
    let planned = |value: &Value<'_>| PlannedField {
        field: value.field.name().to_owned(),
        before: None,
        after: fields::shown(&value.after),
        rule: value.field.mapping.rule,
        reason: None,
    };
    values.iter().map(planned).collect()
}

fn in_highlevel(draft: &mut Draft<'_>, values: &[Value<'_>], standing: Standing, edits: &[EditId]) {
    let system = System::HighLevel;
    if !matches_rule(draft, system) {
        draft.skip(system, "no rule of the mapping lets the person be created", edits);
        return;
    }
    let mut contact = ContactDraft::default();
    for value in values {
        if let Some(slot) = value.field.slot(system)
            && let Err(misfit) = into_draft(&mut contact, slot, &value.value)
        {
            draft.because(format!("{} is left out: {misfit}", value.field.name()));
        }
    }
    if contact.email.is_none() {
        contact.email = address(draft);
    }
    let named = [&contact.email, &contact.phone, &contact.first_name, &contact.last_name];
    if named.into_iter().all(Option::is_none) {
        let reason = "HighLevel takes nobody without an e-mail address, a phone number or a name";
        draft.skip(system, reason, edits);
        return;
    }
    if others::refused_before(draft, None, named_by_whom(&contact).as_deref(), edits) {
        return;
    }
    contact.tags = tags::agreed(draft);
    contact.email_dnd = standing.opted_out.then_some(true);
    let reason = if draft.input.is_in(System::Doppler) {
        "the person is in Doppler and not in HighLevel"
    } else {
        "a client asked for a new person"
    };
    let mut fields = planned(values);
    let delta = TagsDelta { add: contact.tags.clone(), remove: Vec::new() };
    if !contact.tags.is_empty() {
        fields.push(tag_field(&contact.tags));
    }
    let payload = Payload::CreateContact(Box::new(contact));
    let mut action = Action::new(system, ActionKind::Create, payload, reason).with(fields);
    action.tags = Some(delta);
    draft.act(action, edits);
}

/// What tells whether another record is in the way of the person to be made.
pub(in crate::sync) fn named_by_whom(contact: &ContactDraft) -> Option<String> {
    let texts: Vec<&str> = contact.email.iter().chain(&contact.phone).map(String::as_str).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

fn in_doppler(draft: &mut Draft<'_>, values: &[Value<'_>], standing: Standing, edits: &[EditId]) {
    let system = System::Doppler;
    let input = draft.input;
    let Some(email) = address(draft) else {
        draft.skip(system, "no e-mail address", edits);
        return;
    };
    if standing.opted_out {
        let by_list = edits.iter().copied().filter(|edit| names_list(input, *edit));
        for edit in by_list.collect::<Vec<_>>() {
            super::consent::refuse(draft, edit);
        }
        let rest: Vec<EditId> =
            edits.iter().copied().filter(|edit| !draft.says(*edit, system)).collect();
        draft.skip(system, "the person opted out of e-mail", &rest);
        return;
    }
    let list = match list(draft) {
        Ok(list) => list,
        Err(reason) => {
            draft.skip(system, reason, edits);
            return;
        }
    };
    let texts = values.iter().filter_map(|value| {
        let slot = value.field.slot(system)?;
        let text = slot.doppler_text(&value.value).ok()?;
        (value.field.kind != Kind::Email).then(|| (slot.place.name().to_owned(), text))
    });
    let mut edit = SubscriberEdit { email, fields: texts.collect() };
    let mut fields = planned(values);
    let delta = with_tags(draft, &mut edit, &mut fields);
    let reason = if input.is_in(System::HighLevel) {
        "a rule or a client puts the person on a list of Doppler"
    } else {
        "a client asked for a new person"
    };
    let payload = Payload::CreateSubscriber { list, edit };
    let mut action = Action::new(system, ActionKind::Create, payload, reason).with(fields);
    action.tags = delta;
    // No list is joined while nobody can say what HighLevel knows of the person's consent.
    let unknown = standing.unknown.or_else(|| {
        input.unread(System::HighLevel).filter(|_| input.link(System::HighLevel).is_none())
    });
    // And nobody is made without a name because the account's fields could not be read.
    let unplaced = input.definitions.of(system).is_none().then_some(unplaced::UNREAD);
    let unknown = unknown.or(unplaced.filter(|_| input.unread(system).is_none()));
    match unknown {
        Some(code) => draft.wait(action, code, edits),
        None => draft.act(action, edits),
    }
}

/// Adds the tags as a field; what does not fit waits for a person when the subscriber is there.
fn with_tags(
    draft: &mut Draft<'_>,
    edit: &mut SubscriberEdit,
    fields: &mut Vec<PlannedField>,
) -> Option<TagsDelta> {
    let TagRepresentation::Field { field, .. } = &draft.input.mapping.tags else { return None };
    let definition = draft.input.definitions.find(System::Doppler, field).found()?;
    let agreed = tags::agreed(draft);
    let text = projection::tag_text(&agreed, &draft.input.mapping.tags).ok()?;
    if agreed.is_empty() {
        return None;
    }
    edit.fields.push((definition.key.clone(), text));
    fields.push(tag_field(&agreed));
    Some(TagsDelta { add: agreed, remove: Vec::new() })
}

fn tag_field(tags: &[String]) -> PlannedField {
    PlannedField {
        field: tags::TAGS.to_owned(),
        before: None,
        after: Some(tags.join(", ")),
        rule: MappingRule::Merge,
        reason: None,
    }
}

/// The address of the person to be created.
fn address(draft: &Draft<'_>) -> Option<String> {
    let agreed = draft.agreement.canon.get("email").map(|canon| canon.value.clone());
    let input = draft.input;
    let read = || {
        let contact = input.highlevel.present().and_then(|contact| contact.email.clone());
        contact.or_else(|| input.doppler.present().map(|s: &&Subscriber| s.email.clone()))
    };
    let linked = || input.links.iter().find_map(|link| link.email.clone());
    let text = match agreed {
        Some(Canonical::Text(text)) => Some(text),
        _ => read().or_else(linked),
    };
    text.as_deref().and_then(crate::unified::normalize_email)
}

/// The list that a new subscriber is put into: a client's, else that of the first rule that matches.
fn list(draft: &mut Draft<'_>) -> Result<String, String> {
    let input = draft.input;
    let known = |list: &str| {
        input.lists.is_empty() || input.lists.iter().any(|known| known.id.to_string() == *list)
    };
    let mut joined = input.edits.iter().flat_map(|edit| edit.change.joins());
    let named = joined.find(|list| known(list));
    if let Some(list) = named {
        return Ok(list.clone());
    }
    let facts = facts::of(draft);
    for rule in input.mapping.create_in.iter().filter(|rule| rule.system == System::Doppler) {
        if !applies(draft, rule.when.as_deref(), &facts) {
            continue;
        }
        return match rule.list.as_deref() {
            Some(list) if known(list) => Ok(list.to_owned()),
            Some(_) => Err("the list of the rule does not exist any more".to_owned()),
            None => Err("no list chosen".to_owned()),
        };
    }
    Err("no list chosen".to_owned())
}

/// Whether the rules for a system, if it has any, let the person be created.
fn matches_rule(draft: &mut Draft<'_>, system: System) -> bool {
    let mapping = draft.input.mapping;
    let mut rules = mapping.create_in.iter().filter(|rule| rule.system == system).peekable();
    if rules.peek().is_none() {
        return true;
    }
    let facts = facts::of(draft);
    rules.any(|rule| applies(draft, rule.when.as_deref(), &facts))
}

fn applies(draft: &mut Draft<'_>, when: Option<&str>, facts: &Facts) -> bool {
    let Some(when) = when else { return true };
    match expression::holds(when, facts) {
        Ok(applies) => applies,
        Err(error) => {
            draft.because(format!(
                "a create rule could not be worked out and does not apply: {error}"
            ));
            false
        }
    }
}

/// Whether clients that say where a new person goes include the system.
fn asked_for(input: &Input<'_>, system: System) -> bool {
    let mut limits = input.edits.iter().filter_map(|edit| edit.change.create_in());
    match limits.next() {
        None => true,
        Some(first) => first.contains(&system) || limits.any(|more| more.contains(&system)),
    }
}

fn upserts(input: &Input<'_>) -> Vec<EditId> {
    input.edits.iter().filter(|edit| edit.change.is_upsert()).map(|edit| edit.id).collect()
}

/// The edits that a creation carries out.
fn named_by(input: &Input<'_>, system: System) -> Vec<EditId> {
    let edits = input.edits.iter().filter(|edit| creates(&edit.change, system));
    edits.map(|edit| edit.id).collect()
}

/// Whether a creation in a system carries a change out.
fn creates(change: &EditChange, system: System) -> bool {
    change.is_upsert()
        || matches!(change, EditChange::AddTags(_))
        || (system == System::Doppler && matches!(change, EditChange::AddToList(_)))
}

fn names_list(input: &Input<'_>, id: EditId) -> bool {
    input.edits.iter().any(|edit| edit.id == id && !edit.change.joins().is_empty())
}
