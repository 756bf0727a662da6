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
use super::{Estimate, Limits, Refusal};
use crate::graphql::ids::GlobalId;

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
    let place = Place { kind, depth: 0, times: 1, page: 1, origin: None, introspection_lists: 0 };
    walk.set(&operation.selection_set.node, place)?;
    walk.surface.directives += operation.directives.len() as u64;
    walk.verdict(account)
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
                Count::Ids => self.ids(field, at)?.0,
            });
            if let Some(begins) = rule.begins {
                inner.origin = Some(self.origin(begins, field, (place.times, first), at)?);
            }
            self.need(rule, field, inner.origin);
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
        let call = |highlevel, doppler| Calls { highlevel, doppler };
        let (people, listing, base) = match begins {
            Begins::Contact => (1, Listing::Unknown, self.lookup(field)),
            Begins::Contacts => match self.listing(field) {
                Listing::HighLevel => (first, Listing::HighLevel, call(1, 0)),
                // Doppler's pages are numbered: what follows a cursor may lie on two.
                Listing::Doppler => (first, Listing::Doppler, call(0, self.pages(field))),
                Listing::Unknown => (first, Listing::Unknown, call(1, self.pages(field))),
            },
            Begins::Tagged => (first, Listing::HighLevel, call(1, 0)),
            Begins::Nodes => {
                let (ids, others) = self.ids(field, at)?;
                (ids, Listing::Unknown, call(others, others))
            }
            // Looking for the person, the write itself, and reading again what it changed.
            Begins::Write => (1, Listing::Unknown, call(3, 1)),
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

    /// What finding a person takes: by an address or a number, both systems are asked, and a number
    /// may take a scan of Doppler.
    fn lookup(&self, field: &Field) -> Calls {
        let by = self.argument(field, "by");
        let given = |name: &str| match &by {
            Some(Value::Object(by)) => by.contains_key(name),
            _ => false,
        };
        if given("id") || given("highlevelId") {
            Calls { highlevel: 1, doppler: 0 }
        } else if given("email") {
            Calls { highlevel: 2, doppler: 1 }
        } else {
            let pages = u64::from(self.limits.scan_up_to).div_ceil(100);
            Calls { highlevel: 2, doppler: pages.max(1) }
        }
    }

    fn listing(&self, field: &Field) -> Listing {
        match self.argument(field, "source") {
            None | Some(Value::Null) => Listing::HighLevel,
            Some(Value::Enum(name)) if name == "HIGHLEVEL" => Listing::HighLevel,
            Some(Value::Enum(name)) if name == "DOPPLER" => Listing::Doppler,
            Some(Value::String(name)) if name == "HIGHLEVEL" => Listing::HighLevel,
            Some(Value::String(name)) if name == "DOPPLER" => Listing::Doppler,
            Some(_) => Listing::Unknown,
        }
    }

    fn pages(&self, field: &Field) -> u64 {
        match self.argument(field, "after") {
            None | Some(Value::Null) => 1,
            Some(_) => 2,
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

    /// How many ids a field is given, and how many of them are not those of contacts.
    fn ids(&self, field: &Field, at: Pos) -> Result<(u64, u64), Refusal> {
        // What a contact's id names is known without a call.
        let other = |id: &Value| {
            let Value::String(id) = id else { return true };
            !matches!(GlobalId::decode(id), Some(GlobalId::Contact(_)))
        };
        let (ids, others) = match self.argument(field, "ids").or(self.argument(field, "id")) {
            Some(Value::List(ids)) => (ids.len(), ids.iter().filter(|id| other(id)).count()),
            Some(id) => (1, usize::from(other(&id))),
            None => (1, 1),
        };
        if ids > self.limits.nodes {
            return Err(Refusal::argument("ids", ids as u64, self.limits.nodes).at(at));
        }
        Ok((ids as u64, others as u64))
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

    fn verdict(&self, account: Account) -> Result<Estimate, Refusal> {
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
        let calls = calls::total(self.origins.iter(), self.once, account);
        for (system, needed) in [("HIGHLEVEL", calls.highlevel), ("DOPPLER", calls.doppler)] {
            if needed > limits.upstream_calls as u64 {
                return Err(Refusal::too_expensive(system, needed, limits.upstream_calls));
            }
        }
        if self.complexity > limits.complexity as u64 {
            let what = "fields (each counted as often as its lists are long)";
            return Err(Refusal::too_complex(what, self.complexity, limits.complexity));
        }
        Ok(Estimate { depth: self.depth, complexity: self.complexity, calls })
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

/// A field with its arguments as they are written.
fn written(field: &Field) -> String {
    let mut text = field.name.node.to_string();
    for (name, value) in &field.arguments {
        // Writing to a string cannot fail.
        let _ = write!(text, " {}:{}", name.node, value.node);
    }
    text
}
