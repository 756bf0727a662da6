//! What is set aside for a person, in plain words, and what the person's decision does.
//!
//! A plan says which holds are called for now; those that are open already stay, and those that are
//! not called for any more are over. To add a kind: a constructor here, with its resolutions, and
//! what each choice does in the topic that calls for it.

use crate::unified::choice::{
    GO_ON, KEEP_CLIENT, KEEP_DOPPLER, KEEP_HIGHLEVEL, LEAVE, OPT_IN, OPT_OUT, RETRY,
};
use crate::unified::projection::{Field, Misfit};
use crate::unified::{
    Base, Canon, ContactId, EditId, HoldCandidate, HoldKind, HoldResolution, Kind, Origin, System,
    WriteOutcome,
};

use super::decide::{Case, Source, Verdict};
use super::draft::Draft;
use super::fields::Topic;
use super::{HoldDraft, Input, OpenHold, Over, Scope};

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

/// So many people were deleted in a system that what was set for such people needs a decision.
pub(super) fn many_deleted(contact: ContactId, system: System) -> HoldDraft {
    let (here, there) = (system.name(), system.other().name());
    HoldDraft {
        kind: HoldKind::MassDelete,
        contact: Some(contact),
        contacts: vec![contact],
        system: Some(system),
        field: None,
        candidates: Vec::new(),
        resolutions: vec![
            resolution(GO_ON, format!("Do in {there} what is set for people deleted in {here}")),
            resolution(LEAVE, format!("Leave the person in {there} as they are")),
        ],
        reason: format!(
            "the person was deleted in {here}, as were many others within a day; nothing is changed in \
             {there} until somebody has looked"
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
    let own = |open: &&OpenHold| !open.remembered;
    for open in draft.input.holds.iter().filter(about).filter(own) {
        let by_value = matches!(
            open.hold.kind,
            HoldKind::Conflict
                | HoldKind::Oscillation
                | HoldKind::Overflow
                | HoldKind::InvalidValue
        );
        if let Some(decision) = open.decision.as_ref().filter(|_| by_value) {
            let chosen = chosen(&decision.choice);
            let Some(source) = chosen.and_then(|o| source_of(open, case, o, topic.field.kind))
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

/// Whose value a choice takes.
fn chosen(choice: &str) -> Option<Origin> {
    let origins = [Origin::Doppler, Origin::HighLevel, Origin::Client];
    origins.into_iter().find(|origin| choice_of(*origin) == choice)
}

/// What was decided before about like conflicts, as a verdict about this one.
pub(super) fn as_before(draft: &mut Draft<'_>, field: &str, sources: &[Source]) -> Option<Verdict> {
    let wanted = of_values(draft.input.contact, field, HoldKind::Conflict, sources);
    // A question that was asked already is answered by itself.
    if draft.input.holds.iter().any(|open| is_of(open, &wanted)) {
        return None;
    }
    let open = remembered(draft.input, &wanted)?;
    let decision = open.decision.as_ref()?;
    let origin = chosen(&decision.choice)?;
    let source = sources.iter().find(|source| source.origin == origin)?;
    let whose = system_of(origin).map_or("the client", System::name);
    draft.decided.push(Over {
        hold: open.hold.id,
        field: Some(field.to_owned()),
        reason: format!("{field} is to be what {whose} says{AS_BEFORE}"),
    });
    let changed_at = source.at.unwrap_or(draft.input.now);
    Some(Verdict::Agreed(Canon {
        value: source.value.clone(),
        origin,
        changed_at,
        certain: source.certain,
        alternated: Vec::new(),
    }))
}

/// What an event says of a question that was not asked.
const AS_BEFORE: &str = ", as somebody decided before for all like questions";

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
    let (open, choice) = choice(draft.input, wanted)?;
    if choice != LEAVE {
        return None;
    }
    let before = as_decided(open);
    draft.decided.push(Over {
        hold: open.hold.id,
        field: Some(field.to_owned()),
        reason: format!("{field} may stay different in {}{before}", system.name()),
    });
    draft.agreement.base(system).get(field).cloned()
}

/// The decision about a hold that is called for: its own, or one that is remembered.
pub(super) fn choice<'a>(input: &Input<'a>, wanted: &HoldDraft) -> Option<(&'a OpenHold, &'a str)> {
    let own = input.holds.iter().find(|open| is_of(open, wanted));
    let open = own.or_else(|| remembered(input, wanted))?;
    Some((open, open.decision.as_ref()?.choice.as_str()))
}

/// The latest decision that stands for like questions: of the same kind, about the same field and
/// system.
fn remembered<'a>(input: &Input<'a>, wanted: &HoldDraft) -> Option<&'a OpenHold> {
    let like = |open: &&OpenHold| {
        let choice = open.decision.as_ref().map(|decision| decision.choice.as_str());
        open.remembered
            && is_like(open, wanted)
            && choice.is_some_and(|choice| wanted.kind.remembers(choice))
    };
    let at = |open: &&OpenHold| open.decision.as_ref().map(|decision| decision.at);
    input.holds.iter().filter(like).max_by_key(at)
}

/// What an event adds about a decision that was taken about another question.
pub(super) fn as_decided(open: &OpenHold) -> &'static str {
    if open.remembered { AS_BEFORE } else { "" }
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
    !open.remembered && open.hold.contact == wanted.contact && is_like(open, wanted)
}

fn is_like(open: &OpenHold, wanted: &HoldDraft) -> bool {
    open.hold.kind == wanted.kind
        && open.hold.field == wanted.field
        && open.hold.system == wanted.system
}

/// Which holds are new and which are over. `waits`: nothing was looked at but consent.
pub(super) fn compare(
    input: &Input<'_>,
    (wanted, decided): (Vec<HoldDraft>, Vec<Over>),
    waits: bool,
) -> (Vec<HoldDraft>, Vec<Over>) {
    let same = |open: &OpenHold, wanted: &HoldDraft| {
        let values =
            open.hold.kind != HoldKind::Conflict || open.hold.candidates == wanted.candidates;
        is_of(open, wanted) && values
    };
    let mut over = decided;
    for open in input.holds.iter().filter(|open| !open.remembered) {
        let called_for = wanted.iter().any(|wanted| same(open, wanted));
        let is_judged = is_judged(input, open) && (!waits || open.hold.kind == HoldKind::Consent);
        if !called_for && is_judged && over.iter().all(|o| o.hold != open.hold.id) {
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
    if open.hold.kind == HoldKind::RemoteFieldGone {
        return is_back(input, open);
    }
    let kind = matches!(
        open.hold.kind,
        HoldKind::Conflict
            | HoldKind::Overflow
            | HoldKind::Oscillation
            | HoldKind::Consent
            | HoldKind::InvalidValue
            | HoldKind::AmbiguousMatch
            | HoldKind::MassDelete
    );
    let own = open.hold.contact == Some(input.contact);
    let field = open.hold.field.as_deref().unwrap_or_default();
    let paused = input.settings.paused_fields.iter().any(|paused| paused == field)
        || input.mapping.field(field).is_some_and(|row| row.paused)
        || System::ALL.into_iter().any(|system| !input.is_open(system));
    let known = System::ALL.into_iter().all(|system| input.unread(system).is_none());
    kind && own && input.scope == Scope::Everything && known && !paused
}

/// Whether a field that was gone is there again, or not mapped any more. That this contact does not
/// miss it says nothing.
fn is_back(input: &Input<'_>, open: &OpenHold) -> bool {
    let (Some(field), Some(system)) = (open.hold.field.as_deref(), open.hold.system) else {
        return false;
    };
    let found = input.mapping.field(field).map(|row| Field::resolve(row, input.definitions));
    found.is_none_or(|found| found.missing.iter().all(|(missing, _)| *missing != system))
}
