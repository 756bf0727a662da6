//! What becomes of a person in one system who was deleted in the other.
//!
//! | there | here | what is done here |
//! |---|---|---|
//! | gone | gone | nothing: both links go |
//! | gone | as it was agreed | [`WhenUnchanged`] |
//! | gone | changed since | [`WhenChanged`] |
//! | now one with another contact | | the two become one; where both have a subscriber, or their addresses differ, when somebody says so |
//!
//! Where many were deleted within a day, a person decides before anything but forgetting the link is done.
//!
//! The link goes once that is done, and leaves a tombstone: nobody is made there again by a run, however
//! late news of the person come.

use crate::unified::choice::GO_ON;
use crate::unified::projection::Field;
use crate::unified::{ActionKind, Base, Canonical, System};

use super::draft::Draft;
use super::{
    Action, Deleted, Deletion, Input, Over, Payload, Scope, Side, WhenChanged, WhenUnchanged, due,
    emptied, fields, holds, joining, writes,
};

/// Among the bases of a system, that the person is to be made there again: what changed in the other
/// system is agreed by the time that may succeed. It is no field's name.
const MAKE_AGAIN: &str = "#again";
/// In the canon, since when a policy is to be carried out. It is no field's name.
const POLICY: &str = "#deleted";
/// The tags that say where somebody was deleted.
const TAGS: [(System, &str); 2] =
    [(System::Doppler, "deleted in doppler"), (System::HighLevel, "deleted in highlevel")];

/// How a plan goes on after what follows from deletions.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Course {
    GoesOn,
    /// It is not known yet what follows: nothing is to be agreed meanwhile that it hangs on.
    Waits,
    /// The person is to be deleted, or is another contact, which is all there is to do.
    Ends,
}

impl Course {
    fn ends_if(is_all: bool) -> Self {
        if is_all { Self::Ends } else { Self::GoesOn }
    }
}

/// Plans what follows from deletions.
pub(super) fn plan(draft: &mut Draft<'_>) -> Course {
    let input = draft.input;
    let gone = System::ALL.into_iter().filter(|system| input.is_gone(*system));
    let linked = gone.filter_map(|system| Some((system, input.link(system)?)));
    let courses = linked.map(|(system, link)| one(draft, system, &link.key));
    let Some(course) = courses.max() else {
        due::is_over(draft, POLICY);
        return Course::GoesOn;
    };
    course
}

/// Whether the person is to be made again in a system that they were deleted from.
pub(super) fn is_made_again(input: &Input<'_>, system: System) -> bool {
    let decided = input.agreement.base(system).contains_key(MAKE_AGAIN);
    let applies = input.scope == Scope::Everything && input.link(system).is_some();
    input.is_gone(system) && applies && (decided || is_remade(input, system))
}

fn is_remade(input: &Input<'_>, system: System) -> bool {
    let other = system.other();
    input.deletion.changed == WhenChanged::Recreate
        && input.is_in(other)
        && input.successor(system).is_none_or(|other| joining::is_left(input, system, other))
        && is_changed(input, other)
}

fn one(draft: &mut Draft<'_>, system: System, key: &str) -> Course {
    let (input, other, here) = (draft.input, system.other(), system.name());
    let successor = input.successor(system);
    if let Some(other) = successor.filter(|other| !other.succeeds) {
        if input.scope != Scope::Everything {
            draft.because(format!("the person is not in {here} any more, which waits"));
            return Course::GoesOn;
        }
        if let Some(is_all) = joining::plan(draft, system, (key, other)) {
            return Course::ends_if(is_all);
        }
    } else if let Some(successor) = successor {
        let reason = format!("{here} made one record of two, and so they are one contact");
        unlink(draft, system, (key, &reason));
        let payload = Payload::Link(successor.record.clone());
        draft.actions.push(Action::new(system, ActionKind::Link, payload, reason));
        return Course::GoesOn;
    }
    // Whether the person changed may decide.
    if input.deletion != Deletion::default() && emptied::look_at_all_again(draft) {
        draft.because(format!("the person is not in {here} any more, which waits"));
        return Course::Waits;
    }
    if is_made_again(input, system) && !input.is_open(system) {
        draft.because(format!("the person is made in {here} again when that direction goes on"));
        return Course::GoesOn;
    }
    if is_made_again(input, system) {
        let base = Base { value: Canonical::Null, sent: None };
        draft.agreement.base_mut(system).insert(MAKE_AGAIN.to_owned(), base);
        unlink(draft, system, (key, "the person is changed and is made again"));
        return Course::GoesOn;
    }
    let there = other.name();
    let kept = format!(
        "the person is not in {here} any more; {there} is left as it is, and nobody is created in \
         {here} again"
    );
    let policy = input.deletion.unchanged;
    let present = input.is_in(other);
    if policy == WhenUnchanged::Unlink || (!present && input.unread(other).is_none()) {
        unlink(draft, system, (key, &kept));
        return Course::GoesOn;
    }
    if input.scope != Scope::Everything || !input.is_open(other) {
        // The link stays, so that the policy is asked when sync goes on.
        draft.because(format!("the person is not in {here} any more, which waits"));
        return Course::GoesOn;
    }
    if let Some(code) = input.unread(other) {
        let payload = Payload::Unlink { system, key: key.to_owned() };
        draft.wait(Action::new(system, ActionKind::Unlink, payload, kept), code, &[]);
        return Course::GoesOn;
    }
    if is_changed(input, other) {
        let reason = format!("the person is not in {here} any more, but changed in {there}");
        unlink(draft, system, (key, &reason));
        return Course::GoesOn;
    }
    let policy = if is_braked(draft, system) { ask(draft, system) } else { Some(policy) };
    let Some(policy) = policy else { return Course::GoesOn };
    let deleted = Canonical::Text(key.to_owned());
    let is_left =
        policy != WhenUnchanged::Unlink && due::is_given_up(draft, POLICY, (other, &deleted));
    let policy = if is_left { WhenUnchanged::Unlink } else { policy };
    Course::ends_if(obey(draft, system, key, policy))
}

/// Whether so many were deleted that a person has to look, or was asked to.
fn is_braked(draft: &Draft<'_>, system: System) -> bool {
    let wanted = holds::many_deleted(draft.input.contact, system);
    let is_asked = draft.input.holds.iter().any(|open| holds::is_of(open, &wanted));
    match draft.input.extra.deleted {
        Deleted::Many => true,
        Deleted::Few => is_asked,
        Deleted::Waived => false,
    }
}

/// What somebody decided about one of many who were deleted; `None`: nothing yet.
fn ask(draft: &mut Draft<'_>, system: System) -> Option<WhenUnchanged> {
    let input = draft.input;
    let wanted = holds::many_deleted(input.contact, system);
    let Some((open, chosen)) = holds::choice(input, &wanted) else {
        draft.because(wanted.reason.clone());
        draft.wanted.push(wanted);
        return None;
    };
    let hold = open.hold.id;
    let (policy, reason) = if chosen == GO_ON {
        (input.deletion.unchanged, "somebody looked at how many were deleted")
    } else {
        (WhenUnchanged::Unlink, "somebody decided that the person stays as they are")
    };
    let reason = format!("{reason}{}", holds::as_decided(open));
    draft.decided.push(Over { hold, field: None, reason });
    Some(policy)
}

/// Does what the policy wants of the other system.
fn obey(draft: &mut Draft<'_>, system: System, key: &str, policy: WhenUnchanged) -> bool {
    let (other, here) = (system.other(), system.name());
    let reason = |what: &str| format!("the person was deleted in {here}, so {what}");
    match policy {
        WhenUnchanged::Unlink => unlink(draft, system, (key, &reason("the link is forgotten"))),
        WhenUnchanged::Tag => {
            draft.deleted_tag = TAGS.iter().find(|(of, _)| *of == system).map(|(_, tag)| *tag);
            unlink(draft, system, (key, &reason("they are marked by a tag")));
        }
        WhenUnchanged::Delete if other == System::HighLevel => {
            let Some(id) = writes::highlevel_id(draft.input) else { return false };
            let payload = Payload::DeleteContact { id };
            let why = reason("they are deleted");
            draft.act(Action::new(other, ActionKind::Delete, payload, why.clone()), &[]);
            unlink(draft, system, (key, &why));
            return true;
        }
        // Doppler has no way to delete: who is opted out there is in no list any more.
        WhenUnchanged::Unsubscribe | WhenUnchanged::Delete => {
            draft.opt_out_of = Some(other);
            unlink(draft, system, (key, &reason("they are opted out")));
        }
    }
    false
}

pub(super) fn unlink(draft: &mut Draft<'_>, system: System, (key, reason): (&str, &str)) {
    let payload = Payload::Unlink { system, key: key.to_owned() };
    draft.act(Action::new(system, ActionKind::Unlink, payload, reason), &[]);
}

/// Whether a system holds something else than what was agreed, or a client asked for something.
fn is_changed(input: &Input<'_>, system: System) -> bool {
    if input.edits.iter().any(|edit| edit.change.is_upsert() || edit.change.tags().is_some()) {
        return true;
    }
    let rows = input.mapping.fields.iter().filter(|row| row.expression.is_none());
    let mapped = rows.map(|row| Field::resolve(row, input.definitions));
    std::iter::once(Field::email()).chain(mapped).any(|field| {
        let Some(read) = fields::read(input, &field, system) else { return false };
        match input.agreement.base(system).get(field.name()) {
            Some(base) => !field.kind.agrees(&base.value, &read),
            None => !read.is_empty() && input.agreement.canon.contains_key(field.name()),
        }
    })
}

impl Input<'_> {
    /// The other contact's record that the person's own became part of.
    pub(super) fn successor(&self, system: System) -> Option<&super::Other> {
        let gone = matches!((system, self.highlevel), (System::HighLevel, Side::Gone));
        self.extra.successor.filter(|_| gone)
    }
}
