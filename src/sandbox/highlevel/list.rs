//! Lists: `GET /contacts/` with its cursor, and the contacts of a business.
//!
//! The cursor is the pair `startAfter` (epoch milliseconds) and `startAfterId` of the last item,
//! newest first. With `startAfterId` alone the list starts over: a client was seen to loop that
//! way. `nextPageUrl` points at a host that is not ours, as the specification's own example does.

use serde::Serialize;
use serde_json::Value;

use super::HighLevel;
use super::call::{Call, own_location_of};
use super::dto::{Body, Kind, Rule};
use super::model::Contact;
use super::reply::{Answer, Refusal, Reply};
use super::rows::Item;
use crate::sandbox::fault;
use crate::sandbox::here;

#[derive(Serialize)]
struct Page<'a> {
    contacts: Vec<Item<'a>>,
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
}

/// `ContactsMetaSchema`, which the specification has and no response of it refers to.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    total: usize,
    next_page_url: Option<String>,
    start_after_id: Option<String>,
    start_after: Option<i64>,
    current_page: usize,
    next_page: Option<usize>,
    prev_page: Option<usize>,
}

/// `GET /contacts/`
pub fn list(fake: &HighLevel, call: &Call) -> Answer {
    const RULES: &[Rule] = &[
        Rule::required("locationId", Kind::Text),
        Rule::optional("startAfterId", Kind::Text),
        Rule::optional("startAfter", Kind::Number),
        Rule::optional("query", Kind::Text),
        Rule::optional("limit", Kind::Number),
    ];
    let query = call.query(RULES, &["startAfter", "limit"])?;
    let limit = limit(&query)?;
    own_location_of(&query)?;
    let directory = fake.read();
    let text = query.get("query").and_then(Value::as_str).filter(|text| !text.is_empty());
    let needle = text.map(str::to_lowercase);
    let fits = |contact: &&std::sync::Arc<Contact>| match &needle {
        Some(needle) => mentions(contact, needle),
        None => true,
    };
    let total =
        if needle.is_some() { directory.newest().filter(fits).count() } else { directory.len() };
    let after = query.get("startAfter").and_then(Value::as_f64);
    let after_id = query.get("startAfterId").and_then(Value::as_str);
    #[expect(clippy::cast_possible_truncation, reason = "epoch milliseconds fit 53 bits")]
    let contacts: Vec<Item<'_>> = match (after, after_id) {
        _ if call.has_fault(fault::Kind::EmptyList) => Vec::new(),
        (Some(after), Some(id)) => {
            let older = directory.older_than(after as i64, id);
            older.filter(fits).take(limit).map(|contact| Item::from(&**contact)).collect()
        }
        _ => directory.newest().filter(fits).take(limit).map(|c| Item::from(&**c)).collect(),
    };
    let last = contacts.last().map(Item::cursor);
    let more = contacts.len() == limit;
    let meta = Meta {
        total,
        next_page_url: last.as_ref().filter(|_| more).map(|(added, id)| {
            format!(
                "http://localhost:5058/contacts/?locationId={}\
                 &startAfter={added}&startAfterId={id}&limit={limit}",
                here::account().location
            )
        }),
        start_after_id: last.as_ref().map(|(_, id)| id.clone()),
        start_after: last.as_ref().map(|(added, _)| *added),
        current_page: 1,
        next_page: more.then_some(2),
        prev_page: None,
    };
    Reply::ok(&Page { contacts, count: total, meta: Some(meta) })
}

/// 1 to 100, 20 when absent; beyond is assumed to be refused rather than clamped.
fn limit(query: &Body) -> Result<usize, Refusal> {
    let Some(limit) = query.get("limit").and_then(Value::as_f64) else { return Ok(20) };
    let mut violations = Vec::new();
    if limit > 100.0 {
        violations.push("limit must not be greater than 100".to_owned());
    }
    if limit < 1.0 || limit.fract() != 0.0 {
        violations.push("limit must not be less than 1".to_owned());
    }
    if violations.is_empty() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number between 1 and 100"
        )]
        return Ok(limit as usize);
    }
    Err(Refusal::invalid(&violations))
}

/// Free text: a part of the name, the address or the number.
pub fn mentions(contact: &Contact, needle: &str) -> bool {
    let lower = &contact.lower;
    let phone = contact.phone.as_ref();
    let digits: String = needle.chars().filter(char::is_ascii_digit).collect();
    [&lower.full_name, &lower.email].into_iter().flatten().any(|text| text.contains(needle))
        || phone.is_some_and(|phone| digits.len() > 2 && phone.contains(&digits))
}

/// `GET /contacts/business/{businessId}`: numbers come as strings.
pub fn by_business(fake: &HighLevel, call: &Call) -> Answer {
    const RULES: &[Rule] = &[
        Rule::required("locationId", Kind::Text),
        Rule::optional("limit", Kind::Text),
        Rule::optional("skip", Kind::Text),
        Rule::optional("query", Kind::Text),
    ];
    let query = call.query(RULES, &[])?;
    own_location_of(&query)?;
    let number = |name: &str, default: usize| match query.get(name).and_then(Value::as_str) {
        Some(text) => {
            text.parse().map_err(|_| Refusal::invalid(&[format!("{name} must be a number string")]))
        }
        None => Ok(default),
    };
    let (limit, skip) = (number("limit", 25)?, number("skip", 0)?);
    let needle = query.get("query").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let business = call.param("businessId");
    let directory = fake.read();
    let found: Vec<&Contact> = directory
        .newest()
        .map(AsRef::as_ref)
        .filter(|contact| contact.business_id.as_deref() == Some(business))
        .filter(|contact| needle.is_empty() || mentions(contact, &needle))
        .collect();
    let count = found.len();
    let empty = call.has_fault(fault::Kind::EmptyList);
    let limit = if empty { 0 } else { limit };
    let contacts = found.into_iter().skip(skip).take(limit).map(Item::from).collect();
    Reply::ok(&Page { contacts, count, meta: None })
}
