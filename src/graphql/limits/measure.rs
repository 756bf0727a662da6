//! A walk over the chosen operation with its fragments written out: how deep, how heavy, how dear.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};

use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Pos, Positioned, Value, Variables};

use super::calls::{self, Account, Calls, Listing, Origin};
use super::relations::{Begins, Count, Kind, Needs, Rule, UNPAGED, narrowed, rule};
use super::{Estimate, Limits, Refusal, finding};

/// What `first` is when it is not given.
const DEFAULT_FIRST: u64 = 20;
/// How far lists of fields and types may be nested in introspection; each level multiplies the
/// answer, and GraphiQL needs one.
const INTROSPECTION_LISTS: usize = 2;

struct Walk<'a> {
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    limits: &'a Limits,
    account: Account,
    origins: Vec<Origin>,
    /// Which origin a field with its arguments is. The same one under two names is one.
    places: HashMap<String, usize>,
    hasher: RandomState,
    /// What is read once, outside any origin.
    once: Needs,
    fragments: HashSet<&'a Name>,
    depth: usize,
    introspection_depth: usize,
    complexity: u64,
    root_fields: u64,
    surface: Surface,
}

/// Where in the operation the walk is.
#[derive(Clone, Copy)]
struct Place {
    kind: Kind,
    /// Fields around it, counted from `__schema` within introspection.
    depth: usize,
    /// How often it is there, by the lists around it.
    times: u64,
    /// The length of the page around it.
    page: u64,
    origin: Option<usize>,
    /// Whether the people there are come to one by one: by a note or a task, each of which arrives
    /// when its own call is answered.
    apart: bool,
    introspection_lists: usize,
}

/// What stands in the text, however often it is used.
#[derive(Clone, Copy, Default)]
struct Surface {
    aliases: u64,
    directives: u64,
}

/// Measures `operation` and compares.
pub(super) fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    (limits, account): (&Limits, Account),
) -> Result<Estimate, Refusal> {
    let mut walk = Walk {
        document,
        operation,
        variables,
        limits,
        account,
        origins: Vec::new(),
        places: HashMap::new(),
        hasher: RandomState::new(),
        once: Needs::NONE,
        fragments: HashSet::new(),
        depth: 0,
        introspection_depth: 0,
        complexity: 0,
        root_fields: 0,
        surface: Surface::of(&operation.selection_set.node),
    };
    let kind = match operation.ty {
        OperationType::Query => Kind::Query,
        OperationType::Mutation => Kind::Mutation,
        OperationType::Subscription => Kind::Subscription,
    };
    let place = Place {
        kind,
        depth: 0,
        times: 1,
        page: 1,
        origin: None,
        apart: false,
        introspection_lists: 0,
    };
    walk.set(&operation.selection_set.node, place)?;
    walk.surface.directives += super::outer_directives(operation);
    walk.verdict()
}

impl<'a> Walk<'a> {
    fn set(&mut self, set: &'a SelectionSet, place: Place) -> Result<(), Refusal> {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => self.field(field, place)?,
                Selection::InlineFragment(inline) => {
                    let on = inline.node.type_condition.as_ref().map(|it| it.node.on.node.as_str());
                    let kind = on.map_or(place.kind, |on| narrowed(place.kind, on));
                    self.set(&inline.node.selection_set.node, Place { kind, ..place })?;
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let Some(fragment) = self.document.fragments.get(name) else { continue };
                    let (on, set) = (&fragment.node.type_condition, &fragment.node.selection_set);
                    if self.fragments.insert(name) {
                        self.surface.add(Surface::of(&set.node));
                        self.surface.directives += fragment.node.directives.len() as u64;
                    }
                    let kind = narrowed(place.kind, &on.node.on.node);
                    self.set(&set.node, Place { kind, ..place })?;
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &'a Positioned<Field>, place: Place) -> Result<(), Refusal> {
        let (at, field) = (field.pos, &field.node);
        self.complexity = self.complexity.saturating_add(place.times);
        if place.depth == 0 && place.kind != Kind::Introspection {
            self.root_fields += 1;
        }
        let rule = rule(place.kind, &field.name.node);
        let mut inner = Place { kind: rule.into, depth: place.depth + 1, ..place };
        if rule.into == Kind::Introspection {
            self.introspect(&field.name.node, place, &mut inner)?;
        } else {
            self.depth = self.depth.max(inner.depth);
            let first = self.first(field, at)?;
            inner.page = first;
            inner.times = place.times.saturating_mul(match rule.count {
                Count::One | Count::Page => 1,
                Count::OfPage => place.page,
                Count::List => UNPAGED,
                // There is at least one: the gateway counts them and weighs again.
                Count::Tags => self.account.known.tags.map_or(1, u64::from),
                Count::Ids => self.ids(field, at)?.0,
            });
            if let Some(begins) = rule.begins {
                inner.origin = Some(self.origin(begins, field, (place.times, first), at)?);
            }
            inner.apart |= matches!(place.kind, Kind::Note | Kind::Task);
            let apart = place.apart && rule.needs == Needs::TASKS;
            let needs = if apart { Needs::TASKS_APART } else { rule.needs };
            self.need(Rule { needs, ..rule }, field, inner.origin);
        }
        self.set(&field.selection_set.node, inner)
    }

    fn introspect(&mut self, name: &str, place: Place, inner: &mut Place) -> Result<(), Refusal> {
        if place.kind != Kind::Introspection {
            inner.depth = 1;
            self.depth = self.depth.max(1);
        }
        self.introspection_depth = self.introspection_depth.max(inner.depth);
        if matches!(name, "fields" | "inputFields" | "interfaces" | "possibleTypes") {
            inner.introspection_lists += 1;
            if inner.introspection_lists > INTROSPECTION_LISTS {
                let what = "lists in introspection are nested";
                let found = inner.introspection_lists;
                return Err(Refusal::too_deep(what, found, INTROSPECTION_LISTS));
            }
        }
        Ok(())
    }

    /// Adds what a field needs to the people that it is about.
    fn need(&mut self, rule: Rule, field: &Field, origin: Option<usize>) {
        let Some(origin) = origin.and_then(|index| self.origins.get_mut(index)) else {
            self.once = self.once.and(rule.needs);
            return;
        };
        origin.needs = origin.needs.and(rule.needs);
        if rule.each {
            origin.each.insert(self.hasher.hash_one(written(field)));
        }
    }

    /// The origin that begins at a field.
    fn origin(
        &mut self,
        begins: Begins,
        field: &Field,
        (times, first): (u64, u64),
        at: Pos,
    ) -> Result<usize, Refusal> {
        let mut place = written(field);
        if begins == Begins::Write {
            // The same write under two names is two writes.
            place = field.response_key().node.to_string();
        } else if begins == Begins::Tagged {
            place.insert_str(0, "tag ");
        }
        if let Some(known) = self.places.get(&place) {
            return Ok(*known);
        }
        let (people, listing, base) = match begins {
            Begins::Contact => {
                let by = self.argument(field, "by");
                (1, Listing::Unknown, finding::person(by.as_ref(), self.account))
            }
            Begins::Contacts => {
                let (highlevel, doppler) = (Calls::highlevel(1), self.pages(field));
                match self.listing(field) {
                    Listing::HighLevel => (first, Listing::HighLevel, highlevel),
                    Listing::Doppler => (first, Listing::Doppler, doppler),
                    Listing::Index => (first, Listing::Index, Calls::default()),
                    Listing::Unknown => (first, Listing::Unknown, highlevel.and(doppler)),
                }
            }
            Begins::Tagged => (first, Listing::HighLevel, Calls::highlevel(1)),
            Begins::Nodes => {
                let (ids, calls) = self.ids(field, at)?;
                (ids, Listing::Unknown, calls)
            }
            Begins::Write => {
                let input = self.argument(field, "input");
                (1, Listing::Unknown, finding::write(input.as_ref(), self.account))
            }
        };
        let origin = Origin {
            begins,
            listing,
            people,
            times,
            base,
            needs: Needs::NONE,
            each: HashSet::new(),
        };
        self.origins.push(origin);
        self.places.insert(place, self.origins.len() - 1);
        Ok(self.origins.len() - 1)
    }

    fn listing(&self, field: &Field) -> Listing {
        match self.argument(field, "source") {
            // The index or HighLevel's, which is the dearer one.
            None | Some(Value::Null) => Listing::HighLevel,
            Some(Value::Enum(name)) => listing_named(&name),
            Some(Value::String(name)) => listing_named(&name),
            Some(_) => Listing::Unknown,
        }
    }

    /// Doppler's pages are numbered: what follows a cursor may lie on two.
    fn pages(&self, field: &Field) -> Calls {
        match self.argument(field, "after") {
            None | Some(Value::Null) => Calls::doppler(1),
            Some(_) => Calls::doppler(2),
        }
    }

    /// The field's `first`, or the default where it has none or one that validation will refuse.
    fn first(&self, field: &Field, at: Pos) -> Result<u64, Refusal> {
        let Some(Value::Number(given)) = self.argument(field, "first") else {
            return Ok(DEFAULT_FIRST);
        };
        match given.as_u64() {
            Some(first) if first > self.limits.first as u64 => {
                Err(Refusal::argument("first", first, self.limits.first).at(at))
            }
            Some(first) => Ok(first),
            None => Ok(DEFAULT_FIRST),
        }
    }

    /// How many ids a field is given, and what finding what they name takes.
    fn ids(&self, field: &Field, at: Pos) -> Result<(u64, Calls), Refusal> {
        let ids = match self.argument(field, "ids").or(self.argument(field, "id")) {
            Some(Value::List(ids)) => ids,
            Some(id) => vec![id],
            None => Vec::new(),
        };
        if ids.len() > self.limits.nodes {
            return Err(Refusal::argument("ids", ids.len() as u64, self.limits.nodes).at(at));
        }
        let calls = ids.iter().map(|id| finding::node(id, self.account));
        Ok((ids.len() as u64, calls.fold(Calls::default(), Calls::and)))
    }

    /// An argument's value, with variables put in. `None` if it is not given.
    fn argument(&self, field: &Field, name: &str) -> Option<Value> {
        field
            .get_argument(name)?
            .node
            .clone()
            .into_const_with(|variable| self.variable(&variable).ok_or(()))
            .ok()
    }

    fn variable(&self, name: &Name) -> Option<Value> {
        let definitions = &self.operation.variable_definitions;
        let default = || {
            let definition = definitions.iter().find(|it| it.node.name.node == *name)?;
            definition.node.default_value.as_ref().map(|it| it.node.clone())
        };
        self.variables.get(name).cloned().or_else(default)
    }

    fn verdict(&self) -> Result<Estimate, Refusal> {
        let limits = self.limits;
        if self.depth > limits.depth {
            return Err(Refusal::too_deep("the operation is", self.depth, limits.depth));
        }
        if self.introspection_depth > limits.introspection_depth {
            let (found, limit) = (self.introspection_depth, limits.introspection_depth);
            return Err(Refusal::too_deep("introspection is", found, limit));
        }
        for (what, found, limit) in [
            ("aliases", self.surface.aliases, limits.aliases),
            ("directives", self.surface.directives, limits.directives),
            ("root fields", self.root_fields, limits.root_fields),
        ] {
            if found > limit as u64 {
                return Err(Refusal::too_complex(what, found, limit));
            }
        }
        let calls = calls::total(self.origins.iter(), self.once, self.account);
        limits.check_calls("operation", calls)?;
        if self.complexity > limits.complexity as u64 {
            let what = "fields (each counted as often as its lists are long)";
            return Err(Refusal::too_complex(what, self.complexity, limits.complexity));
        }
        let by_tag = self.origins.iter().any(|origin| origin.begins == Begins::Tagged);
        Ok(Estimate { depth: self.depth, complexity: self.complexity, calls, by_tag })
    }
}

impl Surface {
    fn of(set: &SelectionSet) -> Self {
        let mut surface = Self::default();
        for item in &set.items {
            surface.directives += item.node.directives().len() as u64;
            match &item.node {
                Selection::Field(field) => {
                    surface.aliases += u64::from(field.node.alias.is_some());
                    surface.add(Self::of(&field.node.selection_set.node));
                }
                Selection::InlineFragment(inline) => {
                    surface.add(Self::of(&inline.node.selection_set.node));
                }
                Selection::FragmentSpread(_) => {}
            }
        }
        surface
    }

    fn add(&mut self, other: Self) {
        self.aliases += other.aliases;
        self.directives += other.directives;
    }
}

fn listing_named(name: &str) -> Listing {
    match name {
        "HIGHLEVEL" => Listing::HighLevel,
        "DOPPLER" => Listing::Doppler,
        "INDEX" => Listing::Index,
        _ => Listing::Unknown,
    }
}

/// A field with its arguments as they are written.
fn written(field: &Field) -> String {
    let mut text = field.name.node.to_string();
    for (name, value) in &field.arguments {
        // Writing to a string cannot fail.
        let _ = write!(text, " {}:{}", name.node, value.node);
    }
    text
}
