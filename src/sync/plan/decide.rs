//! Whose value counts: the rules of reconciling one field.
//!
//! A side has a change when it differs from its own base, never because it differs from the other
//! side. One change wins; several that differ are decided by the field's rule. A client's edit is a
//! deliberate act: a side's change beats it only where it is known to be later, so that no accepted
//! edit is lost to a change that nobody can date.

use chrono::{DateTime, TimeDelta, Utc};

use crate::unified::{Base, Canon, Canonical, FieldMapping, Kind, MappingRule, Origin, System};

/// Times of two systems that are closer than this say nothing about which came first.
pub(super) const SKEW: TimeDelta = TimeDelta::seconds(2);
/// A field whose winner alternates more often than [`ALTERNATIONS`] in this time is frozen.
const BREAKER_WINDOW: TimeDelta = TimeDelta::minutes(10);
const ALTERNATIONS: usize = 3;

/// One field as both systems, the canon and a client see it.
pub(super) struct Case<'a> {
    pub kind: Kind,
    pub mapping: &'a FieldMapping,
    pub canon: Option<&'a Canon>,
    pub sides: [SideCase<'a>; 2],
    /// What a client wants, unless the canon knows it already.
    pub wish: Option<Wish>,
    pub now: DateTime<Utc>,
}

/// One field in one system.
pub(super) struct SideCase<'a> {
    pub system: System,
    /// `None`: not known, and so unchanged.
    pub read: Option<Canonical>,
    pub base: Option<&'a Base>,
    /// Whether its changes count: the direction lets them, and nothing is paused.
    pub speaks: bool,
    /// What the system would make of the canon; `None` if it cannot hold it.
    pub projected: Option<Canonical>,
    /// Whether the canon is yet to be written there.
    pub awaits: bool,
    /// A time before which it changed, if it did.
    pub updated_at: Option<DateTime<Utc>>,
}

/// A client's value.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub value: Canonical,
    pub at: DateTime<Utc>,
    /// Whether no run has seen it, so that the canon cannot know it.
    pub unseen: bool,
}

/// One of the values to choose from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    pub origin: Origin,
    pub value: Canonical,
    /// When, or before when, it came to be.
    pub at: Option<DateTime<Utc>>,
    pub certain: bool,
}

/// What is decided about a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// Nothing is known of it.
    Nothing,
    Agreed(Canon),
    /// A person has to choose.
    Conflict(Vec<Source>),
    /// The sides overwrite each other for ever.
    Oscillates(Vec<Source>),
}

impl Origin {
    /// The origin of what a system says.
    pub(super) fn of(system: System) -> Self {
        match system {
            System::Doppler => Self::Doppler,
            System::HighLevel => Self::HighLevel,
        }
    }
}

/// Decides about one field.
pub(super) fn decide(case: &Case<'_>) -> Verdict {
    let mut sources = changes(case);
    let mut undecided = Vec::new();
    if case.wish.is_none() {
        match first_meeting(case) {
            Meeting::Nothing => {}
            Meeting::Value(source) => sources.push(source),
            Meeting::Choice(choice) => undecided = choice,
        }
    }
    if !undecided.is_empty() && sources.is_empty() {
        return Verdict::Conflict(undecided);
    }
    if let Some(wish) = &case.wish {
        let (value, at) = (wish.value.clone(), Some(wish.at));
        sources.push(Source { origin: Origin::Client, value, at, certain: true });
    } else if let Some(canon) = case.canon
        && let Some(rival) = undelivered(case, canon, &sources)
    {
        sources.push(rival);
    }
    match choose(case, sources) {
        Ok(None) => case.canon.cloned().map_or(Verdict::Nothing, Verdict::Agreed),
        Ok(Some(winner)) => accept(case, winner),
        Err(rivals) => Verdict::Conflict(rivals),
    }
}

/// The sides that changed since they agreed with the canon. One that now holds what the canon says
/// has not changed but caught up.
fn changes(case: &Case<'_>) -> Vec<Source> {
    let changed = |side: &&SideCase<'_>| {
        let (Some(read), Some(base)) = (&side.read, side.base) else { return false };
        let caught_up = side.projected.as_ref().is_some_and(|canon| case.kind.agrees(canon, read));
        side.speaks && !case.kind.agrees(read, &base.value) && !caught_up
    };
    case.sides.iter().filter(changed).filter_map(SideCase::source).collect()
}

enum Meeting {
    Nothing,
    Value(Source),
    Choice(Vec<Source>),
}

/// What sides say that never agreed with anything. An empty value says nothing, and time decides
/// nothing: a whole system's values would else depend on which record was touched last.
fn first_meeting(case: &Case<'_>) -> Meeting {
    let newcomer = |side: &SideCase<'_>| {
        let source = side.source().filter(|source| !source.value.is_empty())?;
        let said = side.projected.as_ref().is_some_and(|c| case.kind.agrees(c, &source.value));
        (side.speaks && side.base.is_none() && !said).then_some(source)
    };
    let newcomers: Vec<Source> = case.sides.iter().filter_map(newcomer).collect();
    let known = case.canon.filter(|canon| !canon.value.is_empty());
    let mut choice = newcomers;
    choice.extend(known.map(Source::from));
    let [first, rest @ ..] = choice.as_slice() else { return Meeting::Nothing };
    if rest.iter().all(|other| case.kind.agrees(&first.value, &other.value)) {
        return if known.is_some() { Meeting::Nothing } else { Meeting::Value(first.clone()) };
    }
    let mapping = case.mapping;
    let owner = (mapping.rule != MappingRule::Hold).then(|| mapping.owner());
    match mapping.initial_owner.or(owner) {
        None => Meeting::Choice(choice),
        Some(owner) => {
            let own = choice.iter().find(|source| source.origin == Origin::of(owner));
            // Without a word of the owner's, what was agreed before stays.
            own.map_or(Meeting::Nothing, |source| Meeting::Value(source.clone()))
        }
    }
}

/// A canon that a changed side never received competes with that change.
fn undelivered(case: &Case<'_>, canon: &Canon, sources: &[Source]) -> Option<Source> {
    let overtaken = |source: &Source| {
        let side = case.sides.iter().find(|side| Origin::of(side.system) == source.origin);
        source.origin != canon.origin && side.is_some_and(|side| side.awaits && side.base.is_some())
    };
    let alone = sources.iter().all(|source| source.origin != canon.origin);
    (alone && sources.iter().any(overtaken)).then(|| Source::from(canon))
}

/// The winner; `Err` with the rivals where a person has to choose.
fn choose(case: &Case<'_>, mut sources: Vec<Source>) -> Result<Option<Source>, Vec<Source>> {
    if let Some(client) = sources.iter().find(|source| source.origin == Origin::Client).cloned() {
        let hold = case.mapping.rule == MappingRule::Hold;
        sources.retain(|source| source.origin == Origin::Client || contests(source, &client, hold));
    }
    let Some(first) = sources.first() else { return Ok(None) };
    if sources.iter().all(|other| case.kind.agrees(&first.value, &other.value)) {
        // The client's, if it is one of them: its edit is then known to the canon.
        let client = sources.iter().find(|source| source.origin == Origin::Client);
        return Ok(Some(client.unwrap_or(first).clone()));
    }
    let owner = case.mapping.owner();
    let own = sources.iter().find(|source| source.origin == Origin::of(owner)).cloned();
    let fallback = own.or_else(|| sources.last().cloned());
    match case.mapping.rule {
        MappingRule::Hold => Err(sources),
        // Sets that merge do not come here; of a text no two can both count.
        MappingRule::Owner | MappingRule::Merge => Ok(fallback),
        MappingRule::Newest => {
            let latest = sources.iter().find(|one| {
                sources.iter().all(|other| other.origin == one.origin || later(one, other))
            });
            Ok(latest.cloned().or(fallback))
        }
    }
}

/// Whether a side's change stands against a client's edit.
fn contests(source: &Source, client: &Source, hold: bool) -> bool {
    match (source.at, client.at) {
        (Some(at), Some(edited)) => at > edited + SKEW,
        // Nobody knows when: only where a person is to be asked anyway.
        _ => hold,
    }
}

/// Whether one change is known to be later than another. That a record was changed by some time says
/// only that the field was not changed later.
fn later(one: &Source, other: &Source) -> bool {
    match (one.at, other.at) {
        (Some(at), Some(other)) if one.certain => at > other + SKEW,
        _ => false,
    }
}

/// The winner as the new canon, unless the winners take turns.
fn accept(case: &Case<'_>, winner: Source) -> Verdict {
    let Some(canon) = case.canon else {
        return Verdict::Agreed(winner.into_canon(case.now, Vec::new()));
    };
    if winner.origin != Origin::Client && case.kind.agrees(&winner.value, &canon.value) {
        let changed_at = winner.at.unwrap_or(canon.changed_at).max(canon.changed_at);
        return Verdict::Agreed(Canon { changed_at, ..canon.clone() });
    }
    let recent = |at: &&DateTime<Utc>| **at > case.now - BREAKER_WINDOW;
    let mut alternated: Vec<_> = canon.alternated.iter().filter(recent).copied().collect();
    let systems = [Origin::Doppler, Origin::HighLevel];
    if winner.origin != canon.origin
        && systems.contains(&winner.origin)
        && systems.contains(&canon.origin)
    {
        alternated.push(case.now);
    }
    if alternated.len() > ALTERNATIONS {
        return Verdict::Oscillates(vec![winner, Source::from(canon)]);
    }
    Verdict::Agreed(winner.into_canon(case.now, alternated))
}

impl SideCase<'_> {
    fn source(&self) -> Option<Source> {
        let origin = Origin::of(self.system);
        let value = self.read.clone()?;
        Some(Source { origin, value, at: self.updated_at, certain: false })
    }
}

impl Source {
    fn into_canon(self, now: DateTime<Utc>, alternated: Vec<DateTime<Utc>>) -> Canon {
        let (value, origin, certain) = (self.value, self.origin, self.certain);
        Canon { value, origin, changed_at: self.at.unwrap_or(now), certain, alternated }
    }
}

impl From<&Canon> for Source {
    fn from(canon: &Canon) -> Self {
        Self {
            origin: canon.origin,
            value: canon.value.clone(),
            at: Some(canon.changed_at),
            certain: canon.certain,
        }
    }
}
