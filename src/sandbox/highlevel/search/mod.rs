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
        if self.query.is_none()
            && self.filter.is_empty()
            && let Some(kept) = self.kept(directory)
        {
            let page = kept.skip(self.skip).take(self.take);
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

    /// Everybody after the cursor, in an order that the directory is kept in, without walking those before it: a
    /// load test or a first run reads page after page. `None` in other orders, while search lags behind the directory,
    /// or if it is no such cursor.
    fn kept<'a>(
        &self,
        directory: &'a Directory,
    ) -> Option<Box<dyn Iterator<Item = &'a Arc<Contact>> + 'a>> {
        let after = match self.after.as_deref() {
            None => None,
            Some([at, id]) => Some((at.as_i64()?, id.as_str()?)),
            Some(_) => return None,
        };
        let (newest, live) = (self.order.is_newest_first(), directory.searches_live());
        match after {
            None if newest => Some(directory.searched_newest()),
            Some((added, id)) if newest && live => Some(Box::new(directory.older_than(added, id))),
            _ if self.order.is_longest_unchanged_first() && live => {
                Some(Box::new(directory.unchanged(after)))
            }
            _ => None,
        }
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

fn too_long(name: &str) -> String {
    format!("{name} must be shorter than or equal to {MAX_TEXT} characters")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::when::Millis;
    use super::*;

    fn ids(directory: &Directory, body: &Value) -> Vec<String> {
        let body = body.as_object().cloned().unwrap();
        let (found, total) = Search::read(&body).unwrap().run(directory);
        assert_eq!(total, directory.searched_len());
        found.into_iter().map(|contact| contact.id.to_string()).collect()
    }

    /// A filter that everybody fits makes the search walk and sort all of them.
    #[test]
    fn the_orders_that_are_kept_are_those_that_are_made() {
        let mut directory = Directory::default();
        for n in 0..30 {
            let mut contact = Contact::blank(format!("c{n}").into(), Millis(n % 4));
            contact.date_updated = Millis(n % 7);
            directory.put(contact, Millis(0));
        }
        directory.catch_up(Millis(9), 1);
        let everybody = json!([{"field": "id", "operator": "exists"}]);
        for sort in [
            json!([]),
            json!([{"field": "dateUpdated", "direction": "asc"}]),
            json!([{"field": "dateUpdated", "direction": "desc"}]),
        ] {
            for after in
                [None, Some(json!([2, "c2"])), Some(json!([3, "zz"])), Some(json!([9, ""]))]
            {
                let mut body = json!({"locationId": "l", "pageLimit": 8, "sort": sort});
                if let Some(after) = after {
                    body["searchAfter"] = after;
                }
                let kept = ids(&directory, &body);
                body["filters"] = everybody.clone();
                assert_eq!(kept, ids(&directory, &body), "{body}");
            }
        }
    }

    /// A poll asks for those changed lately, of however many there are.
    #[test]
    fn whoever_changed_lately_is_found_as_by_a_walk() {
        let mut directory = Directory::default();
        for n in 0..30 {
            let mut contact = Contact::blank(format!("c{n}").into(), Millis(n));
            contact.date_updated = Millis(n % 7);
            directory.put(contact, Millis(0));
        }
        directory.catch_up(Millis(9), 1);
        let mut late = Contact::clone(directory.contact("c3").unwrap());
        late.date_updated = Millis(9);
        directory.put(late, Millis(9));
        let times = json!({"field": "dateUpdated", "operator": "eq", "value": [4, 5]});
        let range = json!({"gt": 3, "lte": 5});
        let range = json!({"field": "dateUpdated", "operator": "range", "value": range});
        let found = |filters: Value| {
            let body = json!({"locationId": "l", "pageLimit": 30, "filters": filters});
            let search = Search::read(&body.as_object().cloned().unwrap()).unwrap();
            let (found, total) = search.run(&directory);
            let found: Vec<_> = found.into_iter().map(|contact| contact.id.to_string()).collect();
            (found, total, search.filter.candidates(&directory).map(|ids| ids.len()))
        };
        let (walked, many, none) = found(json!([{"group": "OR", "filters": [range, times]}]));
        let (indexed, same, looked_at) = found(json!([range]));
        assert_eq!((indexed, same, none), (walked, many, None));
        assert_eq!((many, looked_at), (8, Some(16)));
    }
}
