//! Tags, and whatever else is a set: both sides' additions and removals count, an addition first.
//!
//! A set has no single winner. What a side added since its base is added, what it took away is taken
//! away unless another side added it; without a base nothing was taken away. In the scope of edits
//! alone each side keeps its own set and only what the edits name changes.

use chrono::{DateTime, Utc};

use crate::unified::projection::{self, Slot};
use crate::unified::{
    ActionKind, Base, Canon, Canonical, EditId, HighLevelContact, Lookup, MappingRule, Origin,
    Subscriber, SubscriberStatus, System, TagRepresentation, doppler_tags, merge_tags,
    tags_without,
};

use super::consent::Standing;
use super::draft::Draft;
use super::fields::Change;
use super::{
    Action, Input, ListTarget, Payload, PlannedField, Scope, TagsDelta, emptied, holds, unplaced,
    writes,
};

/// The agreement's name of them.
pub(super) const TAGS: &str = "tags";

/// What one edit does to the tags.
struct Wish<'a> {
    edit: EditId,
    add: bool,
    at: DateTime<Utc>,
    tags: &'a [String],
    fresh: bool,
}

/// One side's set before and after.
#[derive(Clone)]
struct Turn {
    before: Vec<String>,
    after: Vec<String>,
    edits: Vec<EditId>,
}

/// The set that both sides' changes make of what was agreed.
pub(super) fn merge(canon: &[String], sides: &[(&[String], Option<&[String]>)]) -> Vec<String> {
    let mut gone: Vec<String> = Vec::new();
    let mut new: Vec<String> = Vec::new();
    for (read, base) in sides {
        gone.extend(tags_without(base.unwrap_or_default(), read));
        new.extend(tags_without(read, base.unwrap_or_default()));
    }
    let kept = tags_without(canon, &gone);
    merge_tags(kept.iter().chain(&new).map(String::as_str))
}

/// Plans tags. Where Doppler keeps them in a field they travel with its other fields.
pub(super) fn plan<'a>(draft: &mut Draft<'a>, standing: Standing) -> Option<Change<'a>> {
    let input = draft.input;
    let wishes = wishes(input);
    let paused = input.settings.paused_fields.iter().any(|field| field == TAGS);
    let all = input.scope == Scope::Everything && !paused && !waits(input);
    if input.scope == Scope::Everything && !all && is_changed(input) {
        draft.because(if paused {
            "tags is paused"
        } else {
            "tags wait: a direction is paused, and what becomes of a set both sides say together"
        });
    }
    if !all && wishes.is_empty() {
        return None;
    }
    let target = all.then(|| everything(draft, &wishes));
    let edits: Vec<EditId> = wishes.iter().map(|wish| wish.edit).collect();
    if !all {
        remember(draft, &wishes);
    }
    let turn = |system: System, read: Vec<String>| {
        let wanted = wishes.iter().filter(|wish| !input.agreement.gave_up(system, wish.at));
        Turn {
            after: target.clone().unwrap_or_else(|| apply(&read, wanted)),
            before: read,
            edits: writes::unique(&edits),
        }
    };
    let agreed_at = draft.agreement.canon.get(TAGS).map(|canon| canon.changed_at);
    let given_up = |system| all && agreed_at.is_some_and(|at| input.agreement.gave_up(system, at));
    let system = System::HighLevel;
    match input.highlevel.present() {
        _ if given_up(system) => {}
        Some(contact) => in_highlevel(draft, contact, &turn(system, highlevel_tags(contact))),
        None => later(draft, system, &turn(system, known(input, system))),
    }
    let system = System::Doppler;
    match input.doppler.present() {
        _ if given_up(system) || emptied::tags_wait(draft, &edits) => None,
        Some(subscriber) => {
            let turn = turn(system, read_doppler(input, subscriber));
            in_doppler(draft, subscriber, turn, standing)
        }
        None if input.mapping.tags != TagRepresentation::Off => {
            later(draft, system, &turn(system, known(input, system)));
            None
        }
        None => None,
    }
}

/// Whether a side has another set than was agreed.
fn is_changed(input: &Input<'_>) -> bool {
    let doppler = input.doppler.present().map(|subscriber| read_doppler(input, subscriber));
    let highlevel = input.highlevel.present().map(|contact| highlevel_tags(contact));
    let sides = [(System::Doppler, doppler), (System::HighLevel, highlevel)];
    sides.into_iter().any(|(system, read)| {
        let Some(read) = read else { return false };
        let base = input.agreement.base(system).get(TAGS);
        let base = base.map_or(&[][..], |base| projection::items(&base.value));
        !tags_without(&read, base).is_empty() || !tags_without(base, &read).is_empty()
    })
}

/// The tags that are agreed once the plan is carried out, for somebody who is to be created.
pub(super) fn agreed(draft: &Draft<'_>) -> Vec<String> {
    let canon = draft.agreement.canon.get(TAGS);
    let known = canon.map_or(&[][..], |canon| projection::items(&canon.value));
    match draft.input.scope {
        Scope::Everything => known.to_vec(),
        Scope::Edits => apply(&[], wishes(draft.input).iter()),
    }
}

fn wishes<'a>(input: &Input<'a>) -> Vec<Wish<'a>> {
    let taken = input.agreement.canon.get(TAGS).map(|canon| canon.changed_at);
    let wish = |edit: &'a crate::unified::Edit| {
        let (add, tags) = edit.change.tags()?;
        // What no run has seen is not in it, whenever it was asked for.
        let unseen = edit.writes.is_empty();
        let fresh = taken.is_none_or(|taken| unseen || taken < edit.at);
        (!tags.is_empty()).then_some(Wish { edit: edit.id, add, at: edit.at, tags, fresh })
    };
    input.edits.iter().filter_map(wish).collect()
}

/// When a set is taken that holds these wishes: not before the last of them, which else would count
/// as a new one in the next run.
fn latest(input: &Input<'_>, wishes: &[Wish<'_>]) -> DateTime<Utc> {
    wishes.iter().map(|wish| wish.at).fold(input.now, DateTime::max)
}

/// A set after edits, in their order.
fn apply<'a, 'b: 'a>(tags: &[String], wishes: impl Iterator<Item = &'a Wish<'b>>) -> Vec<String> {
    wishes.fold(tags.to_vec(), |tags, wish| {
        if wish.add {
            merge_tags(tags.iter().chain(wish.tags).map(String::as_str))
        } else {
            tags_without(&tags, wish.tags)
        }
    })
}

/// Whether a side's change waits for a paused direction: merging now would lose which side it was.
fn waits(input: &Input<'_>) -> bool {
    System::ALL.into_iter().any(|system| !input.is_open(system))
}

fn highlevel_tags(contact: &HighLevelContact) -> Vec<String> {
    merge_tags(contact.tags.iter().map(String::as_str))
}

fn read_doppler(input: &Input<'_>, subscriber: &Subscriber) -> Vec<String> {
    doppler_tags(subscriber, &input.mapping.tags, input.lists)
}

/// What a side held when it last agreed.
fn known(input: &Input<'_>, system: System) -> Vec<String> {
    let base = input.agreement.base(system).get(TAGS);
    base.map_or_else(Vec::new, |base| projection::items(&base.value).to_vec())
}

/// The one set of both sides, recorded as the canon.
fn everything(draft: &mut Draft<'_>, wishes: &[Wish<'_>]) -> Vec<String> {
    let input = draft.input;
    let reads = [
        (System::Doppler, input.doppler.present().map(|side| read_doppler(input, side))),
        (System::HighLevel, input.highlevel.present().map(|side| highlevel_tags(side))),
    ];
    let off = input.mapping.tags == TagRepresentation::Off;
    let held = |system: System| off && system == System::Doppler;
    let bases = [known(input, System::Doppler), known(input, System::HighLevel)];
    let canon = input.agreement.canon.get(TAGS);
    let agreed = canon.map_or(&[][..], |canon| projection::items(&canon.value));
    let sides: Vec<_> = reads
        .iter()
        .zip(&bases)
        .filter(|((system, _), _)| !held(*system) && tags_known(input, *system))
        .filter_map(|((system, read), base)| {
            let has = input.agreement.base(*system).contains_key(TAGS);
            Some((read.as_deref()?, has.then_some(base.as_slice())))
        })
        .collect();
    let merged = merge(agreed, &sides);
    let merged = merge_tags(merged.iter().map(String::as_str).chain(draft.deleted_tag));
    let new = apply(&merged, wishes.iter().filter(|wish| wish.fresh));
    let fresh = wishes.iter().any(|wish| wish.fresh);
    let same = tags_without(&new, agreed).is_empty() && tags_without(agreed, &new).is_empty();
    if fresh || !same || canon.is_none() {
        let origin = if fresh { Origin::Client } else { Origin::HighLevel };
        let value = projection::set(new.clone());
        let changed_at = latest(input, wishes);
        let canon = Canon { value, origin, changed_at, certain: fresh, alternated: Vec::new() };
        draft.agreement.canon.insert(TAGS.to_owned(), canon);
    }
    for (system, read) in reads {
        let Some(read) = read.filter(|_| !held(system) && tags_known(input, system)) else {
            continue;
        };
        let old = input.agreement.base(system).get(TAGS);
        let value = projection::set(read);
        let sent = old.filter(|old| old.value == value).and_then(|old| old.sent.clone());
        draft.agreement.base_mut(system).insert(TAGS.to_owned(), Base { value, sent });
    }
    new
}

/// Whether what a side shows are all its tags: not where lists stand for tags and are not known, nor where
/// the field may be gone that held them.
fn tags_known(input: &Input<'_>, system: System) -> bool {
    let by_lists = matches!(input.mapping.tags, TagRepresentation::Lists { .. });
    let in_doppler = || (!by_lists || !input.lists.is_empty()) && emptied::tags(input).is_none();
    system == System::HighLevel || in_doppler()
}

/// Edits alone change what was agreed, if anything was, by what they name.
fn remember(draft: &mut Draft<'_>, wishes: &[Wish<'_>]) {
    let now = latest(draft.input, wishes);
    if !wishes.iter().any(|wish| wish.fresh) {
        return;
    }
    if let Some(canon) = draft.agreement.canon.get_mut(TAGS) {
        let fresh = wishes.iter().filter(|wish| wish.fresh);
        let new = apply(projection::items(&canon.value), fresh);
        canon.value = projection::set(new);
        canon.changed_at = now;
        canon.origin = Origin::Client;
    }
}

fn in_highlevel(draft: &mut Draft<'_>, contact: &HighLevelContact, turn: &Turn) {
    let base = draft.agreement.base(System::HighLevel).get(TAGS);
    let meant = projection::set(turn.after.clone());
    if base.is_some_and(|base| {
        base.sent.as_ref().is_some_and(|sent| crate::unified::Kind::Options.agrees(sent, &meant))
    }) {
        draft.because("HighLevel keeps its own form of a tag");
        return;
    }
    let add = tags_without(&turn.after, &turn.before);
    let remove = tags_without(&turn.before, &turn.after);
    let id = contact.id.clone();
    if !add.is_empty() {
        let payload = Payload::AddTags { id: id.clone(), tags: add.clone() };
        let delta = TagsDelta { add, remove: Vec::new() };
        draft.act(action(ActionKind::Tag, payload, turn, delta), &turn.edits);
    }
    if !remove.is_empty() {
        let payload = Payload::RemoveTags { id, tags: remove.clone() };
        let delta = TagsDelta { add: Vec::new(), remove };
        draft.act(action(ActionKind::Untag, payload, turn, delta), &turn.edits);
    }
}

fn action(kind: ActionKind, payload: Payload, turn: &Turn, delta: TagsDelta) -> Action {
    let (what, tags) =
        if kind == ActionKind::Untag { ("take away", &delta.remove) } else { ("add", &delta.add) };
    let native = matches!(payload, Payload::AddTags { .. } | Payload::RemoveTags { .. });
    let system = if native { System::HighLevel } else { System::Doppler };
    let number = tags.len();
    let noun = if number == 1 { "tag" } else { "tags" };
    let reason = format!("{what} {number} {noun} in {}", system.name());
    let mut action = Action::new(system, kind, payload, reason).with(vec![planned(turn)]);
    action.tags = Some(delta);
    action
}

fn planned(turn: &Turn) -> PlannedField {
    let shown = |tags: &[String]| (!tags.is_empty()).then(|| tags.join(", "));
    PlannedField {
        field: TAGS.to_owned(),
        before: shown(&turn.before),
        after: shown(&turn.after),
        rule: MappingRule::Merge,
        reason: Some("tags of both systems count".to_owned()),
    }
}

/// What a side that cannot be read will be given.
fn later(draft: &mut Draft<'_>, system: System, turn: &Turn) {
    if draft.input.unread(system).is_none() || draft.input.link(system).is_none() {
        return;
    }
    let add = tags_without(&turn.after, &turn.before);
    let remove = tags_without(&turn.before, &turn.after);
    if add.is_empty() && remove.is_empty() {
        return;
    }
    let reason = format!("bring the tags in {} up to date", system.name());
    let action =
        Action::new(system, ActionKind::Tag, Payload::Nothing, reason).with(vec![planned(turn)]);
    draft.act(action, &turn.edits);
}

fn in_doppler<'a>(
    draft: &mut Draft<'a>,
    subscriber: &Subscriber,
    turn: Turn,
    standing: Standing,
) -> Option<Change<'a>> {
    let delta = TagsDelta {
        add: tags_without(&turn.after, &turn.before),
        remove: tags_without(&turn.before, &turn.after),
    };
    if delta == TagsDelta::default() {
        return None;
    }
    match &draft.input.mapping.tags {
        TagRepresentation::Field { field, .. } => in_field(draft, field, turn, delta),
        TagRepresentation::Lists { prefix } => {
            in_lists(draft, subscriber, (prefix, &turn, &delta), standing);
            None
        }
        TagRepresentation::Off => {
            if !turn.edits.is_empty() {
                draft.skip(System::Doppler, "tags are not kept in Doppler", &turn.edits);
            }
            None
        }
    }
}

fn in_field<'a>(
    draft: &mut Draft<'a>,
    name: &str,
    turn: Turn,
    delta: TagsDelta,
) -> Option<Change<'a>> {
    let input = draft.input;
    let slot = match input.definitions.find(System::Doppler, name) {
        Lookup::Found(definition) => Slot::of(definition),
        Lookup::Missing => {
            let reason = format!("Doppler has no field {name} for the tags");
            draft.because(reason.clone());
            if !turn.edits.is_empty() {
                draft.skip(System::Doppler, reason, &turn.edits);
            }
            return None;
        }
        Lookup::Unknown => {
            let reason = "the fields of Doppler could not be read, and its tags are in one";
            let action = Action::new(System::Doppler, ActionKind::Tag, Payload::Nothing, reason);
            draft.wait(action.with(vec![planned(&turn)]), unplaced::UNREAD, &turn.edits);
            return None;
        }
    };
    match projection::tag_text(&turn.after, &input.mapping.tags) {
        Ok(text) => Some(Change {
            system: System::Doppler,
            slot,
            value: Canonical::Text(text),
            planned: planned(&turn),
            edits: turn.edits,
            tags: Some(delta),
        }),
        Err(misfit) => {
            overflow(draft, turn, &misfit);
            None
        }
    }
}

/// Tags that do not fit into the field wait for a person; none is left out silently.
fn overflow(draft: &mut Draft<'_>, turn: Turn, misfit: &projection::Misfit) {
    let meant = projection::set(turn.after);
    let base = draft.agreement.base(System::Doppler).get(TAGS).cloned();
    let left = base.as_ref().is_some_and(|base| base.sent.as_ref() == Some(&meant));
    if left {
        draft.because(format!("Doppler does not hold all tags: {misfit}"));
        return;
    }
    let mut wanted = holds::misfit(draft.input.contact, TAGS, System::Doppler, misfit);
    // The whole set of a system is no value to choose.
    wanted.resolutions.truncate(1);
    if let Some(base) = holds::left_alone(draft, &wanted, System::Doppler, TAGS) {
        let base = Base { sent: Some(meant), ..base };
        draft.agreement.doppler.insert(TAGS.to_owned(), base);
    } else {
        holds::wait(draft, &turn.edits, &wanted);
        draft.wanted.push(wanted);
    }
}

/// A list a tag. Nobody is put on a list, not even one that stands for a tag, who opted out or has
/// not confirmed.
fn in_lists(
    draft: &mut Draft<'_>,
    subscriber: &Subscriber,
    (prefix, turn, delta): (&str, &Turn, &TagsDelta),
    standing: Standing,
) {
    let input = draft.input;
    let list_of = |tag: &str| {
        let name = format!("{prefix}{tag}");
        let found = input.lists.iter().find(|list| list.name.to_lowercase() == name.to_lowercase());
        found.map(|list| list.id.to_string()).ok_or(name)
    };
    let email = || subscriber.email.clone();
    let may_join = subscriber.status == SubscriberStatus::Active && !standing.opted_out;
    if !may_join && !delta.add.is_empty() {
        let reason = "a tag is a list in Doppler, and the person is not to be put on a list now";
        draft.skip(System::Doppler, reason, &turn.edits);
    }
    let misfit = |tag: &String| {
        projection::project_tags(std::slice::from_ref(tag), &input.mapping.tags).err()
    };
    if let Some(misfit) = delta.add.iter().filter(|_| may_join).find_map(misfit) {
        overflow(draft, turn.clone(), &misfit);
    }
    let fits = |tag: &&String| may_join && misfit(tag).is_none();
    for tag in delta.add.iter().filter(fits) {
        let list = list_of(tag).map_or_else(ListTarget::Named, ListTarget::Id);
        let payload = Payload::Subscribe { list, email: email() };
        let delta = TagsDelta { add: vec![tag.clone()], remove: Vec::new() };
        standing.join(draft, action(ActionKind::Tag, payload, turn, delta), &turn.edits);
    }
    for tag in &delta.remove {
        let Ok(list) = list_of(tag) else { continue };
        let payload = Payload::RemoveFromList { list, email: email() };
        let delta = TagsDelta { add: Vec::new(), remove: vec![tag.clone()] };
        draft.act(action(ActionKind::Untag, payload, turn, delta), &turn.edits);
    }
}
