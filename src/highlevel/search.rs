//! The body of `POST /contacts/search`.
//!
//! The official schema of it is empty; the rules are those of the vendor's page on searching
//! contacts, mirrored at <https://help.hoopai.com/api-reference/overview/contacts-search>: filters
//! all have to hold, groups nest, `searchAfter` continues after a row and excludes `page`.

use serde::Serialize;
use serde_json::{Value, json};

use crate::unified::ContactOrder;
use crate::upstream::{SearchRequest, SearchTerm};

use super::body::iso;

/// Rows a page, at most.
const MAX_ROWS: u32 = 500;
/// Terms in one OR group, at most.
const MAX_TERMS: usize = 50;
/// Characters of free text and of a filter's value, at most.
const MAX_TEXT: usize = 75;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "HighLevel's name")]
pub(super) struct Search<'a> {
    location_id: &'a str,
    page_limit: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    filters: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sort: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search_after: Option<&'a [Value]>,
}

/// Why a search is not made.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Unsearchable {
    /// HighLevel would refuse this part.
    Part(&'static str),
    /// None of the terms can be the value of a filter, so nothing would be found.
    Nothing,
}

impl<'a> Search<'a> {
    /// The body for `request`.
    pub(super) fn new(location: &'a str, request: &'a SearchRequest) -> Result<Self, Unsearchable> {
        if request.query.as_deref().is_some_and(is_long) {
            return Err(Unsearchable::Part("query"));
        }
        if request.tags_any.iter().chain(&request.tags_all).any(|tag| is_long(tag)) {
            return Err(Unsearchable::Part("tags"));
        }
        if request.any_of.len() > MAX_TERMS {
            return Err(Unsearchable::Part("anyOf"));
        }
        if !request.any_of.is_empty() && !request.any_of.iter().any(is_searchable) {
            return Err(Unsearchable::Nothing);
        }
        Ok(Self {
            location_id: location,
            page_limit: request.limit.clamp(1, MAX_ROWS),
            query: request.query.as_deref().filter(|query| !query.is_empty()),
            filters: filters(request),
            sort: request.order.map(sort).unwrap_or_default(),
            search_after: request.after.as_deref(),
        })
    }
}

fn is_long(text: &str) -> bool {
    text.chars().count() > MAX_TEXT
}

/// A longer value is refused together with the whole search, and would take the other terms along.
fn is_searchable(term: &SearchTerm) -> bool {
    match term {
        SearchTerm::Id(id) => !is_long(id.as_str()),
        SearchTerm::Email(text) | SearchTerm::Phone(text) => !is_long(text),
    }
}

fn filters(request: &SearchRequest) -> Vec<Value> {
    let mut filters = Vec::new();
    if !request.any_of.is_empty() {
        filters.push(any(&request
            .any_of
            .iter()
            .filter(|term| is_searchable(term))
            .map(term)
            .collect::<Vec<_>>()));
    }
    if !request.tags_any.is_empty() {
        filters.push(any(&request.tags_any.iter().map(|name| tag(name)).collect::<Vec<_>>()));
    }
    filters.extend(request.tags_all.iter().map(|name| tag(name)));
    if let Some(since) = request.updated_since {
        filters.push(json!({
            "field": "dateUpdated", "operator": "range", "value": {"gte": iso(since)}
        }));
    }
    filters
}

fn any(filters: &[Value]) -> Value {
    json!({"group": "OR", "filters": filters})
}

fn term(term: &SearchTerm) -> Value {
    match term {
        SearchTerm::Id(id) => equal("id", id.as_str()),
        SearchTerm::Email(email) => equal("email", email),
        SearchTerm::Phone(phone) => equal("phone", phone),
    }
}

/// HighLevel keeps tags in lower case.
fn tag(name: &str) -> Value {
    equal("tags", &name.to_lowercase())
}

fn equal(field: &str, value: &str) -> Value {
    json!({"field": field, "operator": "eq", "value": value})
}

fn sort(order: ContactOrder) -> Vec<Value> {
    let by = |field: &str, direction: &str| json!({"field": field, "direction": direction});
    match order {
        ContactOrder::UpdatedDesc => vec![by("dateUpdated", "desc")],
        ContactOrder::UpdatedAsc => vec![by("dateUpdated", "asc")],
        ContactOrder::CreatedDesc => vec![by("dateAdded", "desc")],
        ContactOrder::EmailAsc => vec![by("email", "asc")],
        ContactOrder::NameAsc => {
            vec![by("firstNameLowerCase", "asc"), by("lastNameLowerCase", "asc")]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_request() {
        let request = SearchRequest {
            any_of: vec![
                SearchTerm::Id("c1".into()),
                SearchTerm::Email("ana@example.com".to_owned()),
                SearchTerm::Phone("+5491112345678".to_owned()),
            ],
            query: Some("ana".to_owned()),
            tags_any: vec!["VIP".to_owned()],
            tags_all: vec!["lead".to_owned(), "b2b".to_owned()],
            updated_since: "2026-11-23T09:00:00Z".parse().ok(),
            order: Some(ContactOrder::UpdatedDesc),
            limit: 1_000,
            after: Some(vec![json!(1_795_000_000_000_i64), json!("c0")]),
        };
        let body = serde_json::to_value(Search::new("loc", &request).unwrap()).unwrap();
        insta::assert_snapshot!(body, @r#"{"filters":[{"filters":[{"field":"id","operator":"eq","value":"c1"},{"field":"email","operator":"eq","value":"ana@example.com"},{"field":"phone","operator":"eq","value":"+5491112345678"}],"group":"OR"},{"filters":[{"field":"tags","operator":"eq","value":"vip"}],"group":"OR"},{"field":"tags","operator":"eq","value":"lead"},{"field":"tags","operator":"eq","value":"b2b"},{"field":"dateUpdated","operator":"range","value":{"gte":"2026-11-23T09:00:00.000Z"}}],"locationId":"loc","pageLimit":500,"query":"ana","searchAfter":[1795000000000,"c0"],"sort":[{"direction":"desc","field":"dateUpdated"}]}"#);
    }

    #[test]
    fn an_empty_request_is_short() {
        let request = SearchRequest { limit: 20, ..SearchRequest::default() };
        let body = serde_json::to_string(&Search::new("loc", &request).unwrap()).unwrap();
        assert_eq!(body, r#"{"locationId":"loc","pageLimit":20}"#);
    }

    #[test]
    fn what_would_be_refused_is_not_sent() {
        let long = "x".repeat(76);
        for (request, part) in [
            (SearchRequest { query: Some(long.clone()), ..SearchRequest::default() }, "query"),
            (SearchRequest { tags_all: vec![long], ..SearchRequest::default() }, "tags"),
            (
                SearchRequest {
                    any_of: vec![SearchTerm::Id("c".into()); 51],
                    ..SearchRequest::default()
                },
                "anyOf",
            ),
        ] {
            assert_eq!(Search::new("loc", &request).unwrap_err(), Unsearchable::Part(part));
        }
    }

    #[test]
    fn a_term_that_is_too_long_finds_nothing_and_harms_no_other() {
        let long = SearchTerm::Email(format!("{}@example.com", "x".repeat(80)));
        let mut request =
            SearchRequest { any_of: vec![long], limit: 5, ..SearchRequest::default() };
        assert_eq!(Search::new("loc", &request).unwrap_err(), Unsearchable::Nothing);
        request.any_of.push(SearchTerm::Id("c1".into()));
        let body = serde_json::to_value(Search::new("loc", &request).unwrap()).unwrap();
        let terms = body["filters"][0]["filters"].as_array().unwrap();
        assert_eq!(terms.len(), 1);
        assert_eq!(terms[0]["value"], "c1");
    }
}
