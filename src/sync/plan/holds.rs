//! What is set aside for a person, in plain words, and what the person's decision does.
//!
//! A plan says which holds are called for now; those that are open already stay, and those that are
//! not called for any more are over. To add a kind: a constructor here, with its resolutions, and
//! what each choice does in the topic that calls for it.

use crate::unified::projection::Misfit;
use crate::unified::{
    Base, Canon, ContactId, EditId, HoldCandidate, HoldKind, HoldResolution, Kind, Origin, System,
    WriteOutcome,
};

use super::decide::{Case, Source, Verdict};
use super::draft::Draft;
use super::fields::Topic;
use super::{HoldDraft, Input, OpenHold, Over, Scope};

/// Takes Doppler's value.
const KEEP_DOPPLER: &str = "KEEP_DOPPLER";
/// Takes HighLevel's value.
const KEEP_HIGHLEVEL: &str = "KEEP_HIGHLEVEL";
/// Takes the client's value.
const KEEP_CLIENT: &str = "KEEP_CLIENT";
/// Lets the difference be.
pub(super) const LEAVE: &str = "LEAVE";
/// Puts the opt-out back where it was lifted.
pub(super) const OPT_OUT: &str = "OPT_OUT";
/// Tries again.
pub(super) const RETRY: &str = "RETRY";
/// Lifts HighLevel's do-not-disturb, because the person asked for mail again.
pub(super) const OPT_IN: &str = "OPT_IN";

pub(super) fn resolution(choice: &str, effect: impl Into<String>) -> HoldResolution {
    HoldResolution { choice: choice.to_owned(), effect: effect.into() }
}

/// A field of the mapping that a system does not have any more. About the workspace, not a contact.
pub(super) fn field_gone(field: &str, system: System, name: &str) -> HoldDraft {
    let shown = system.name();
    HoldDraft {
        kind: HoldKind::RemoteFieldGone,
        contact: None,
        contacts: Vec::new(),
        system: Some(system),
        field: Some(field.to_owned()),
        candidates: Vec::new(),
        resolutions: vec![resolution(
            RETRY,
            format!(
                "Look again, after the field {name} was made in {shown} or the mapping changed"
            ),
        )],
        reason: format!(
            "{shown} has no field {name} any more, so {field} is not kept in step until it is back \
             or mapped elsewhere"
        ),
    }
}

/// Values to choose from.
pub(super) fn of_values(
    contact: ContactId,
    field: &str,
    kind: HoldKind,
    sources: &[Source],
) -> HoldDraft {
    let mut sources: Vec<&Source> = sources.iter().collect();
    sources.sort_by_key(|source| choice_of(source.origin));
    let candidate = |source: &&Source| HoldCandidate {
        id: choice_of(source.origin).to_owned(),
        system: system_of(source.origin),
        label: match system_of(source.origin) {
            Some(system) => format!("{} has", system.name()),
            None => "A client asked for".to_owned(),
        },
        value: super::fields::shown(&source.value),
    };
    let effect = |source: &&Source| {
        let whose = system_of(source.origin).map_or("the client", System::name);
        resolution(choice_of(source.origin), format!("Write the value of {whose} to both systems"))
    };
    let reason = if kind == HoldKind::Oscillation {
        format!(
            "both systems keep overwriting each other's {field}; it is frozen until somebody \
             chooses, or one of the two stops"
        )
    } else {
        format!("{field} was changed to different values, and its rule leaves that to people")
    };
    HoldDraft {
        kind,
        contact: Some(contact),
        contacts: vec![contact],
        system: None,
        field: Some(field.to_owned()),
        candidates: sources.iter().map(candidate).collect(),
        resolutions: sources.iter().map(effect).collect(),
        reason,
    }
}

/// A value that a system cannot hold.
pub(super) fn misfit(
    contact: ContactId,
    field: &str,
    system: System,
    misfit: &Misfit,
) -> HoldDraft {
    let kind = match misfit {
        Misfit::Overflow { .. } => HoldKind::Overflow,
        Misfit::Invalid(_) | Misfit::Fixed(_) => HoldKind::InvalidValue,
    };
    let (here, there) = (system.name(), system.other().name());
    HoldDraft {
        kind,
        contact: Some(contact),
        contacts: vec![contact],
        system: Some(system),
        field: Some(field.to_owned()),
        candidates: Vec::new(),
        resolutions: vec![
            resolution(LEAVE, format!("Leave {here} as it is; the two systems then differ")),
            resolution(
                choice_of(Origin::of(system)),
                format!("Write what {here} holds to {there}, which loses the value there"),
            ),
        ],
        reason: format!("{here} cannot hold {field}: {misfit}. Nothing was cut or changed"),
    }
}

/// Somebody opted out, and one system says that this is over.
pub(super) fn consent(contact: ContactId, lifted: System, can_lift: bool) -> HoldDraft {
    let (here, there) = (lifted.name(), lifted.other().name());
    let mut resolutions = vec![resolution(OPT_OUT, format!("Opt the person out in {here} again"))];
    if can_lift {
        resolutions.push(resolution(
            OPT_IN,
            "The person asked for e-mail again: lift the e-mail do-not-disturb in HighLevel, too",
        ));
    } else if lifted == System::HighLevel {
        resolutions.push(resolution(
            LEAVE,
            "Leave HighLevel as it is. Doppler has no way to subscribe the person again: only the \
             person can, through a Doppler form",
        ));
    }
    HoldDraft {
        kind: HoldKind::Consent,
        contact: Some(contact),
        contacts: vec![contact],
        system: Some(lifted),
        field: Some("status".to_owned()),
        candidates: Vec::new(),
        resolutions,
        reason: format!(
            "the person had opted out of e-mail, and {here} does not say so any more while {there} \
             does; nobody is mailed again without a decision"
        ),
    }
}

/// Somebody else has the address that a rename leads to.
pub(super) fn address_taken(contact: ContactId, other: Option<ContactId>) -> HoldDraft {
    HoldDraft {
        kind: HoldKind::AmbiguousMatch,
        contact: Some(contact),
        contacts: std::iter::once(contact).chain(other).collect(),
        system: Some(System::Doppler),
        field: Some("email".to_owned()),
        candidates: Vec::new(),
        resolutions: vec![resolution(
            LEAVE,
            "Leave both subscribers as they are; the addresses then differ",
        )],
        reason: "another person of this workspace has the new e-mail address in Doppler".to_owned(),
    }
}

fn choice_of(origin: Origin) -> &'static str {
    match origin {
        Origin::Doppler => KEEP_DOPPLER,
        Origin::HighLevel => KEEP_HIGHLEVEL,
        Origin::Client => KEEP_CLIENT,
    }
}

fn system_of(origin: Origin) -> Option<System> {
    match origin {
        Origin::Doppler => Some(System::Doppler),
        Origin::HighLevel => Some(System::HighLevel),
        Origin::Client => None,
    }
}

/// What an open hold or its decision says about a field's value, if either has a say.
pub(super) fn decision(
    draft: &mut Draft<'_>,
    topic: &Topic<'_>,
    case: &Case<'_>,
) -> Option<Verdict> {
    let name = topic.field.name();
    let about = |open: &&OpenHold| open.hold.field.as_deref() == Some(name);
    for open in draft.input.holds.iter().filter(about) {
        let by_value = matches!(
            open.hold.kind,
            HoldKind::Conflict
                | HoldKind::Oscillation
                | HoldKind::Overflow
                | HoldKind::InvalidValue
        );
        if let Some(decision) = open.decision.as_ref().filter(|_| by_value) {
            let origins = [Origin::Doppler, Origin::HighLevel, Origin::Client];
            let origin = origins.into_iter().find(|o| choice_of(*o) == decision.choice);
            let Some(source) = origin.and_then(|o| source_of(open, case, o, topic.field.kind))
            else {
                continue;
            };
            draft.decided.push(Over {
                hold: open.hold.id,
                field: Some(name.to_owned()),
                reason: format!("somebody chose what {name} is to be"),
            });
            return Some(Verdict::Agreed(Canon {
                value: source.value,
                origin: source.origin,
                changed_at: decision.at,
                certain: true,
                alternated: Vec::new(),
            }));
        }
        if open.hold.kind == HoldKind::Oscillation && !sides_agree(case) && case.wish.is_none() {
            let sources = case.sides.iter().filter_map(|side| {
                let origin = Origin::of(side.system);
                source_of(open, case, origin, topic.field.kind)
            });
            return Some(Verdict::Oscillates(sources.collect()));
        }
    }
    None
}

/// The value that a choice stands for: what the side holds now, else what it held then.
fn source_of(open: &OpenHold, case: &Case<'_>, origin: Origin, kind: Kind) -> Option<Source> {
    let side = case.sides.iter().find(|side| Origin::of(side.system) == origin);
    let now = side.and_then(|side| side.read.clone());
    let then = || {
        let candidate = open.hold.candidates.iter().find(|c| c.id == choice_of(origin))?;
        Some(kind.read(candidate.value.as_deref().unwrap_or_default()))
    };
    let wished =
        || case.wish.as_ref().filter(|_| origin == Origin::Client).map(|w| w.value.clone());
    let value = now.or_else(wished).or_else(then)?;
    Some(Source { origin, value, at: None, certain: false })
}

fn sides_agree(case: &Case<'_>) -> bool {
    let [a, b] = &case.sides;
    matches!((&a.read, &b.read), (Some(a), Some(b)) if case.kind.agrees(a, b))
}

/// The base of a value that somebody decided to leave different, if so.
pub(super) fn left_alone(
    draft: &mut Draft<'_>,
    wanted: &HoldDraft,
    system: System,
    field: &str,
) -> Option<Base> {
    let open = draft.input.holds.iter().find(|open| is_of(open, wanted))?;
    if open.decision.as_ref()?.choice != LEAVE {
        return None;
    }
    draft.decided.push(Over {
        hold: open.hold.id,
        field: Some(field.to_owned()),
        reason: format!("{field} may stay different in {}", system.name()),
    });
    draft.agreement.base(system).get(field).cloned()
}

/// The decision about a hold that is called for.
pub(super) fn choice<'a>(input: &Input<'a>, wanted: &HoldDraft) -> Option<(&'a OpenHold, &'a str)> {
    let open = input.holds.iter().find(|open| is_of(open, wanted))?;
    Some((open, open.decision.as_ref()?.choice.as_str()))
}

/// Edits that wait for a decision stay queued.
pub(super) fn wait(draft: &mut Draft<'_>, edits: &[EditId], wanted: &HoldDraft) {
    for edit in edits {
        for system in System::ALL {
            if wanted.system.is_none_or(|held| held == system) {
                let reason = format!("it waits for a decision: {}", wanted.reason);
                draft.know(*edit, system, WriteOutcome::Queued, Some(reason));
            }
        }
    }
}

pub(super) fn is_of(open: &OpenHold, wanted: &HoldDraft) -> bool {
    open.hold.kind == wanted.kind
        && open.hold.contact == wanted.contact
        && open.hold.field == wanted.field
        && open.hold.system == wanted.system
}

/// Which holds are new and which are over.
pub(super) fn compare(
    input: &Input<'_>,
    wanted: Vec<HoldDraft>,
    decided: Vec<Over>,
) -> (Vec<HoldDraft>, Vec<Over>) {
    let same = |open: &OpenHold, wanted: &HoldDraft| {
        let values =
            open.hold.kind != HoldKind::Conflict || open.hold.candidates == wanted.candidates;
        is_of(open, wanted) && values
    };
    let mut over = decided;
    for open in input.holds {
        let called_for = wanted.iter().any(|wanted| same(open, wanted));
        if !called_for && is_judged(input, open) && over.iter().all(|o| o.hold != open.hold.id) {
            over.push(Over {
                hold: open.hold.id,
                field: open.hold.field.clone(),
                reason: "what it was about has changed".to_owned(),
            });
        }
    }
    let is_open = |wanted: &HoldDraft| {
        let still = |open: &&OpenHold| over.iter().all(|over| over.hold != open.hold.id);
        input.holds.iter().filter(still).any(|open| same(open, wanted))
    };
    let new = wanted.into_iter().filter(|wanted| !is_open(wanted)).collect();
    (new, over)
}

/// Whether this plan looked at what the hold is about, so that its silence means something.
fn is_judged(input: &Input<'_>, open: &OpenHold) -> bool {
    let kind = matches!(
        open.hold.kind,
        HoldKind::Conflict
            | HoldKind::Overflow
            | HoldKind::Oscillation
            | HoldKind::Consent
            | HoldKind::InvalidValue
            | HoldKind::AmbiguousMatch
    );
    let own = open.hold.contact == Some(input.contact);
    let field = open.hold.field.as_deref().unwrap_or_default();
    let paused = input.settings.paused_fields.iter().any(|paused| paused == field)
        || input.mapping.field(field).is_some_and(|row| row.paused)
        || System::ALL.into_iter().any(|system| !input.is_open(system));
    let known = System::ALL.into_iter().all(|system| input.unread(system).is_none());
    kind && own && input.scope == Scope::Everything && known && !paused
}
