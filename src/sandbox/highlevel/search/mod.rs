//! `POST /contacts/search`: filters, order and two ways to page, over what search has seen.
//!
//! The specification's body schema is empty; the rules are those of the vendor's guide (mirrored
//! as "contacts-search" by resellers). Page mode reaches the first 10,000 records; `searchAfter`
//! goes on for ever, with the cursor that every row carries.

mod filter;
mod order;

use std::cmp::Ordering;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::HighLevel;
use super::call::{Call, own_location_of};
use super::directory::Directory;
use super::dto::{Body, Kind, Rule};
use super::list::mentions;
use super::model::{Contact, Id};
use super::reply::{Answer, Refusal, Reply};
use super::rows::Row;
use crate::sandbox::fault;

use self::filter::Filter;
use self::order::Order;

/// How far page mode reaches.
const CEILING: usize = 10_000;
/// "pageLimit max 500".
const MAX_PAGE: u64 = 500;
/// The longest query and filter value.
const MAX_TEXT: usize = 75;

const RULES: &[Rule] = &[
    Rule::required("locationId", Kind::Text),
    Rule::required("pageLimit", Kind::Number),
    Rule::optional("page", Kind::Number),
    Rule::optional("searchAfter", Kind::List),
    Rule::optional("query", Kind::Text),
    Rule::optional("filters", Kind::List),
    Rule::optional("sort", Kind::List),
];

#[derive(Serialize)]
struct Found<'a> {
    contacts: Vec<Row<'a>>,
    total: usize,
}

/// A search as asked for.
struct Search {
    filter: Filter,
    order: Order,
    /// In lower case.
    query: Option<String>,
    skip: usize,
    take: usize,
    after: Option<Vec<Value>>,
}

/// `POST /contacts/search`
pub fn search(fake: &HighLevel, call: &Call) -> Answer {
    let body = call.json(RULES)?;
    let mut search = Search::read(&body)?;
    own_location_of(&body)?;
    if call.has_fault(fault::Kind::EmptyList) {
        return Reply::ok(&Found { contacts: Vec::new(), total: 0 });
    }
    let directory = fake.searchable();
    search.filter.resolve(&directory)?;
    let (contacts, total) = search.run(&directory);
    let row = |contact: &'_ Contact| search.order.cursor(contact);
    let contacts = contacts.into_iter().map(|c| Row::new(c, row(c))).collect();
    Reply::ok(&Found { contacts, total })
}

impl Search {
    fn read(body: &Body) -> Result<Self, Refusal> {
        let mut violations = Vec::new();
        let whole = |name: &str| body.get(name).map(Value::as_u64);
        let take = whole("pageLimit").flatten().unwrap_or(0);
        if take == 0 {
            violations.push("pageLimit must not be less than 1".to_owned());
        }
        if take > MAX_PAGE {
            violations.push(format!("pageLimit must not be greater than {MAX_PAGE}"));
        }
        let page = whole("page").map(Option::unwrap_or_default);
        if page == Some(0) {
            violations.push("page must not be less than 1".to_owned());
        }
        let after = body.get("searchAfter").and_then(Value::as_array).cloned();
        if page.is_some() && after.is_some() {
            violations.push("page should not exist together with searchAfter".to_owned());
        }
        let query = body.get("query").and_then(Value::as_str).map(str::to_lowercase);
        if query.as_ref().is_some_and(|query| query.chars().count() > MAX_TEXT) {
            violations.push(too_long("query"));
        }
        let filter = Filter::read_all(body.get("filters"), &mut violations);
        let order = Order::read(body.get("sort"), &mut violations);
        if !violations.is_empty() {
            return Err(Refusal::invalid(&violations));
        }
        let (filter, order) = (filter?, order?);
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let (take, page) = (size(take), size(page.unwrap_or(1)));
        if after.is_none() && page.saturating_mul(take) > CEILING {
            return Err(Refusal::bad_request(format!(
                "Page mode reaches {CEILING} records, use searchAfter"
            )));
        }
        if after.as_ref().is_some_and(|after| after.len() != order.width()) {
            return Err(Refusal::bad_request("Invalid searchAfter"));
        }
        let query = query.filter(|query| !query.is_empty());
        Ok(Self { filter, order, query, skip: (page - 1) * take, take, after })
    }

    fn fits(&self, contact: &Contact) -> bool {
        self.query.as_ref().is_none_or(|query| mentions(contact, query))
            && self.filter.fits(contact)
    }

    /// The page, and how many there are in all.
    fn run<'a>(&self, directory: &'a Directory) -> (Vec<&'a Contact>, usize) {
        let in_order = self.order.is_newest_first();
        if in_order && self.query.is_none() && self.filter.is_empty() && self.after.is_none() {
            let page = directory.searched_newest().skip(self.skip).take(self.take);
            return (page.map(AsRef::as_ref).collect(), directory.searched_len());
        }
        if in_order
            && self.query.is_none()
            && self.filter.is_empty()
            && let Some(older) = self.after.as_deref().and_then(|after| older(directory, after))
        {
            let page = older.skip(self.skip).take(self.take);
            return (page.map(AsRef::as_ref).collect(), directory.searched_len());
        }
        let mut found: Vec<&Contact> = if let Some(ids) = self.candidates(directory) {
            let seen = ids.iter().filter_map(|id| directory.searched(id));
            seen.map(AsRef::as_ref).filter(|contact| self.fits(contact)).collect()
        } else {
            let seen = directory.searched_newest().map(Arc::as_ref);
            seen.filter(|contact| self.fits(contact)).collect()
        };
        let total = found.len();
        if let Some(after) = &self.after {
            found.retain(|contact| self.order.compare_cursor(contact, after) == Ordering::Greater);
        }
        found.sort_by(|a, b| self.order.compare(a, b));
        (found.into_iter().skip(self.skip).take(self.take).collect(), total)
    }

    /// When the filter names ids, addresses or numbers: everybody who can fit, so that a batch
    /// read does not walk the whole location.
    fn candidates(&self, directory: &Directory) -> Option<Vec<Id>> {
        let mut ids = self.filter.candidates(directory)?;
        ids.extend(directory.stale_ids().cloned());
        ids.sort();
        ids.dedup();
        Some(ids)
    }
}

/// Everybody after a cursor of the order that the directory is kept in, without walking those
/// before it: a load test reads page after page. `None` while search lags behind the directory, or
/// if it is no such cursor.
fn older<'a>(
    directory: &'a Directory,
    after: &[Value],
) -> Option<impl Iterator<Item = &'a Arc<Contact>> + use<'a>> {
    let (added, id) = (after.first()?.as_i64()?, after.get(1)?.as_str()?);
    directory.searches_live().then(|| directory.older_than(added, id))
}

fn too_long(name: &str) -> String {
    format!("{name} must be shorter than or equal to {MAX_TEXT} characters")
}
