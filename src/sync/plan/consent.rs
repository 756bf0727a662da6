//! Whether a person may be mailed. Not the latest word counts but the most restrictive one.
//!
//! An opt-out in one system becomes one in the other. That it is lifted somewhere never lifts it
//! elsewhere: a person decides (a CONSENT hold). Unsubscribing writes HighLevel's e-mail channel
//! only; calls and messages are none of a mailing list's business.

use crate::unified::{
    ActionKind, Agreement, Base, Canon, Canonical, ContactEdit, DndStatus, EditChange, EditId,
    EmailDnd, HighLevelContact, MappingRule, OPTED_OUT as OUT, Origin, STATUS, System,
    UserErrorCode, WriteOutcome, choice, doppler_forbids, highlevel_forbids,
};

use crate::upstream::Kind;

use super::draft::Draft;
use super::{
    Action, HoldDraft, Input, Over, Payload, PlannedField, Scope, Suppressed, holds, others,
};

const IN: &str = "ACTIVE";
/// What a system says that nobody connected.
const UNCONNECTED: &str = Kind::NotConnected.code();

/// What is known of a person's consent, before any list is joined.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// Some system, or a client now, says that the person is not to be mailed.
    pub opted_out: bool,
    /// HighLevel cannot be asked, or did not say: the error's name. No list is joined meanwhile.
    pub unknown: Option<&'static str>,
}

impl Standing {
    /// Plans that a list is joined, at once or when HighLevel can be asked whether that may be.
    pub fn join(self, draft: &mut Draft<'_>, mut action: Action, edits: &[EditId]) {
        let Some(code) = self.unknown else { return draft.act(action, edits) };
        action.reason = format!("{}, and HighLevel cannot be asked for consent now", action.reason);
        draft.wait(action, code, edits);
    }
}

/// Plans opt-outs and answers what is known of the person's consent.
pub(super) fn plan(draft: &mut Draft<'_>) -> Standing {
    let input = draft.input;
    let wishes: Vec<EditId> = input
        .edits
        .iter()
        .filter(|edit| matches!(edit.change, EditChange::Unsubscribe { .. }))
        .map(|edit| edit.id)
        .collect();
    let out = System::ALL.into_iter().any(|system| known(input, system) == Some(true))
        || !wishes.is_empty()
        || draft.opt_out_of.is_some()
        || is_suppressed(input);
    let anew = input.extra.suppressed == Suppressed::Anew;
    if input.scope == Scope::Everything || !wishes.is_empty() || anew {
        match lifted(input).filter(|_| wishes.is_empty()) {
            Some(system) if input.unread(system.other()).is_some() => later(draft, system),
            Some(system) => match ask(draft, system) {
                Some(wanted) => draft.wanted.push(wanted),
                None => restrict(draft, out, &wishes),
            },
            None => restrict(draft, out, &wishes),
        }
    }
    Standing { opted_out: out, unknown: unknown(input) }
}

/// Why nobody can say what HighLevel knows of the person's consent: the error's name.
fn unknown(input: &Input<'_>) -> Option<&'static str> {
    let system = System::HighLevel;
    // A row of a listing that left the person's consent out.
    let untold =
        (input.is_in(system) && forbids(input, system).is_none()).then_some("UPSTREAM_UNAVAILABLE");
    let asked = |code: &&str| {
        // Of one that nobody connected nothing new is to come: what it last said counts, if it ever
        // knew the person.
        let is_told = was_out(input, system).is_some() || input.link(system).is_none();
        // And a record that is to stay somebody else's says nothing of this person.
        let is_left = input.other(system).is_some_and(|other| others::is_left(input, other));
        is_left || (**code == *UNCONNECTED && is_told)
    };
    input.unread(system).filter(|code| !asked(code)).or(untold)
}

/// Whether the person opted out under another record, of which nothing is left here: somebody who was
/// deleted and comes again is mailed no more than before, and nor is one who became one with another
/// contact or has the address of one now.
pub(in crate::sync) fn is_suppressed(input: &Input<'_>) -> bool {
    let met = |system| input.is_in(system) && was_out(input, system).is_some();
    let is_out = match input.extra.suppressed {
        Suppressed::Anew => return true,
        Suppressed::Before => true,
        Suppressed::Nothing => input.agreement.is_out(),
    };
    is_out && !System::ALL.into_iter().any(met)
}

/// Whether a system forbids mailing now; `None`: not known, or the person is not there.
fn forbids(input: &Input<'_>, system: System) -> Option<bool> {
    match system {
        System::Doppler => doppler_forbids(input.doppler.present()?),
        System::HighLevel => highlevel_forbids(input.highlevel.present()?),
    }
}

fn was_out(input: &Input<'_>, system: System) -> Option<bool> {
    says(input.agreement, system)
}

/// The same as [`forbids`], where a system that cannot be read says what it said before.
fn known(input: &Input<'_>, system: System) -> Option<bool> {
    match input.unread(system) {
        Some(_) => was_out(input, system),
        None => forbids(input, system),
    }
}

/// Whether a system may keep an opt-out: it says so, or it cannot be read and did not say otherwise.
fn may_keep(input: &Input<'_>, system: System) -> bool {
    let is_unasked = input.unread(system).is_some() && input.link(system).is_some();
    known(input, system).unwrap_or(is_unasked)
}

/// The system that lifted an opt-out which the other one keeps.
fn lifted(input: &Input<'_>) -> Option<System> {
    System::ALL.into_iter().find(|system| {
        was_out(input, *system) == Some(true)
            && forbids(input, *system) == Some(false)
            && may_keep(input, system.other())
    })
}

/// Whether a system forbade mailing when it was last asked; `None`: it never was.
pub(in crate::sync) fn says(agreement: &Agreement, system: System) -> Option<bool> {
    agreement.base(system).get(STATUS).map(|base| is_out(&base.value))
}

/// Whether the agreement's word for a consent is an opt-out.
pub(in crate::sync) fn is_out(word: &Canonical) -> bool {
    *word == Canonical::Text(OUT.to_owned())
}

/// The hold that is called for when one system lifted an opt-out that the other keeps, unless
/// somebody decided.
fn ask(draft: &mut Draft<'_>, system: System) -> Option<HoldDraft> {
    let input = draft.input;
    let can_lift = system == System::Doppler
        && input.highlevel.present().is_some_and(|contact| can_be_lifted(contact));
    let wanted = holds::consent(input.contact, system, can_lift);
    let Some((open, chosen)) = holds::choice(input, &wanted) else { return Some(wanted) };
    let hold = open.hold.id;
    let effect = match chosen {
        choice::OPT_OUT => "the person stays opted out",
        choice::OPT_IN if can_lift => {
            lift(draft);
            "the person asked for e-mail again"
        }
        choice::LEAVE if system == System::HighLevel => "HighLevel is left as it is",
        _ => return Some(wanted),
    };
    if chosen == choice::LEAVE {
        let sent = Some(Canonical::Text(OUT.to_owned()));
        let base = Base { value: Canonical::Text(IN.to_owned()), sent };
        draft.agreement.base_mut(system).insert(STATUS.to_owned(), base);
    }
    let reason = format!("{effect}{}", holds::as_decided(open));
    let field = Some(STATUS.to_owned());
    draft.decided.push(Over { hold, field, reason });
    None
}

/// Keeps what was agreed until the other system can be read: what can be chosen hangs on what it says.
fn later(draft: &mut Draft<'_>, lifted: System) {
    let (here, there) = (lifted.name(), lifted.other().name());
    let reason =
        format!("{here} lifted an opt-out, which is asked about when {there} says its own");
    let action = Action::new(lifted.other(), ActionKind::Hold, Payload::Nothing, reason);
    draft.act(action, &[]);
}

/// Whether the opt-out is of the e-mail channel alone, and not for good.
fn can_be_lifted(contact: &HighLevelContact) -> bool {
    contact.email_dnd == Some(DndStatus::Active)
        && contact.dnd != Some(true)
        && !contact.bounced
        && !contact.unsubscribed
}

/// Lifts HighLevel's do-not-disturb, after a person decided so.
fn lift(draft: &mut Draft<'_>) {
    let Some(contact) = draft.input.highlevel.present() else { return };
    let edit =
        ContactEdit { email_dnd: Some(EmailDnd::new(false, contact)), ..ContactEdit::default() };
    let payload = Payload::UpdateContact { id: contact.id.clone(), edit: Box::new(edit) };
    let reason = "somebody decided that the person asked for e-mail again";
    let action = Action::new(System::HighLevel, ActionKind::Update, payload, reason)
        .with(vec![planned(OUT, IN, reason)]);
    draft.act(action, &[]);
}

/// Opts the person out wherever that is not so yet.
fn restrict(draft: &mut Draft<'_>, out: bool, wishes: &[EditId]) {
    let input = draft.input;
    let lifting = draft.actions.iter().any(|action| {
        let is_update = action.kind == ActionKind::Update && action.is_write();
        action.system == System::HighLevel && is_update
    });
    note(draft, out && !lifting, wishes);
    for system in System::ALL {
        let says = forbids(input, system);
        let left = draft
            .agreement
            .base(system)
            .get(STATUS)
            .is_some_and(|base| base.sent.is_some() && known(input, system) == Some(false));
        if !out || lifting || (left && wishes.is_empty()) {
            continue;
        }
        let unread = input.unread(system).is_some() && input.link(system).is_some();
        let to_do = (input.is_in(system) && says != Some(true))
            || (unread && was_out(input, system) != Some(true));
        if to_do {
            opt_out(draft, system, wishes);
            continue;
        }
        for edit in wishes {
            let (outcome, reason) = if says == Some(true) || unread {
                (WriteOutcome::Unchanged, None)
            } else {
                let reason = format!("the person is not in {}", system.name());
                (WriteOutcome::Skipped, Some(reason))
            };
            draft.know(*edit, system, outcome, reason);
        }
    }
}

fn opt_out(draft: &mut Draft<'_>, system: System, wishes: &[EditId]) {
    let input = draft.input;
    let reason = if draft.opt_out_of == Some(system) {
        format!("the person was deleted in {}", system.other().name())
    } else if wishes.is_empty() && forbids(input, system.other()) != Some(true) {
        "the person opted out of e-mail before".to_owned()
    } else if wishes.is_empty() {
        format!("the person opted out of e-mail in {}", system.other().name())
    } else {
        "a client unsubscribed the person".to_owned()
    };
    let payload = match (input.doppler.present(), input.highlevel.present()) {
        (Some(subscriber), _) if system == System::Doppler => {
            Payload::OptOut { email: subscriber.email.clone() }
        }
        (_, Some(contact)) if system == System::HighLevel => {
            let email_dnd = Some(EmailDnd::new(true, contact));
            let edit = ContactEdit { email_dnd, ..ContactEdit::default() };
            Payload::UpdateContact { id: contact.id.clone(), edit: Box::new(edit) }
        }
        _ => Payload::Nothing,
    };
    let action = Action::new(system, ActionKind::Unsubscribe, payload, reason.clone())
        .with(vec![planned(IN, OUT, &reason)]);
    draft.act(action, wishes);
}

fn planned(before: &str, after: &str, reason: &str) -> PlannedField {
    PlannedField {
        field: STATUS.to_owned(),
        before: Some(before.to_owned()),
        after: Some(after.to_owned()),
        rule: MappingRule::Merge,
        reason: Some(reason.to_owned()),
    }
}

/// Records what both systems said, so that it is seen when one of them lifts it.
fn note(draft: &mut Draft<'_>, out: bool, wishes: &[EditId]) {
    let input = draft.input;
    let anew = input.extra.suppressed == Suppressed::Anew;
    for system in System::ALL {
        let says = forbids(input, system);
        if anew && says != Some(true) {
            // It was said of another address.
            draft.agreement.base_mut(system).remove(STATUS);
        }
        let Some(says) = says else { continue };
        // What is to be put right is agreed once it is.
        if out && !says && is_suppressed(input) {
            continue;
        }
        let value = word(says);
        let kept = draft.agreement.base(system).get(STATUS).filter(|base| base.value == value);
        let sent = kept.and_then(|base| base.sent.clone());
        draft.agreement.base_mut(system).insert(STATUS.to_owned(), Base { value, sent });
    }
    let value = word(out);
    if draft.agreement.canon.get(STATUS).is_some_and(|canon| canon.value == value) {
        return;
    }
    let by_system = System::ALL.into_iter().find(|system| known(input, *system) == Some(out));
    // It is remembered from then on, as the address is no longer new.
    let here = || System::ALL.into_iter().rev().find(|system| input.link(*system).is_some());
    let origin = match by_system.or_else(|| anew.then(here).flatten()) {
        _ if !wishes.is_empty() => Origin::Client,
        Some(system) => Origin::of(system),
        None => return,
    };
    let canon =
        Canon { value, origin, changed_at: input.now, certain: false, alternated: Vec::new() };
    draft.agreement.canon.insert(STATUS.to_owned(), canon);
}

/// The agreement's word for a consent.
pub(in crate::sync) fn word(forbids: bool) -> Canonical {
    Canonical::Text(if forbids { OUT } else { IN }.to_owned())
}

/// Refuses an edit that would put an opted-out person on a list.
pub(super) fn refuse(draft: &mut Draft<'_>, edit: EditId) {
    let Some(edit) = draft.input.edits.iter().find(|open| open.id == edit) else { return };
    let message = "the person opted out of e-mail, and only the person can change that";
    draft.refuse(edit, System::Doppler, UserErrorCode::OptedOut, message);
}
