//! What an answer of HighLevel's means that is not a success.
//!
//! The status says little: a missing contact is 400, a missing scope 401 and a duplicate 400 again,
//! so the message decides. The messages are those observed in the wild; the fixtures of the tests
//! name where.

use reqwest::StatusCode;

use crate::upstream::{Kind, Route};

use super::wire::Problem;

/// The longest member name that is repeated to anybody.
const MAX_FIELD: usize = 64;

pub(super) fn kind(route: &'static Route, status: StatusCode, body: &[u8]) -> Kind {
    let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
        return match status.as_u16() {
            // Cloudflare's page in front of HighLevel, seen for some user agents.
            403 | 408 | 500.. => Kind::Unavailable,
            _ => Kind::Malformed,
        };
    };
    let messages: Vec<String> = problem
        .messages
        .iter()
        .chain(&problem.error)
        .map(|message| message.to_ascii_lowercase())
        .collect();
    let says = |words: &str| messages.iter().any(|message| message.contains(words));
    let (existing, matching) =
        problem.meta.map_or((None, None), |meta| (meta.contact_id, meta.matching_field));
    match status.as_u16() {
        // Not the contact that was addressed, but a field that a write of it named.
        400 | 404 | 422 if says("custom field with id ") && says(" not found") => Kind::Rejected {
            fields: problem.messages.iter().filter_map(|text| gone(text)).collect(),
        },
        400 | 404 if says(" not found") => Kind::NotFound,
        // No such route: the base URL leads somewhere else.
        404 if says("cannot ") => Kind::Malformed,
        404 => Kind::NotFound,
        400 | 409 | 422 if says("duplicated contacts") || existing.is_some() => {
            Kind::Duplicate { id: existing, field: matching.filter(|field| is_name(field)) }
        }
        // Do-not-disturb that no update lifts.
        400 | 422 if says("permanent dnd") => Kind::OptedOut { own_will: false },
        401 => unauthorized(route, &says),
        403 => Kind::Unauthorized,
        408 | 500.. => Kind::Unavailable,
        300..400 => Kind::Malformed,
        _ => Kind::Rejected { fields: fields(&problem.messages) },
    }
}

/// Only a refused token is a matter of the credential: a wrong version is our own mistake, and a
/// missing scope is mended by granting it.
fn unauthorized(route: &'static Route, says: &dyn Fn(&str) -> bool) -> Kind {
    if says("version header") {
        Kind::Rejected { fields: Vec::new() }
    } else if says("not authorized for this scope") {
        Kind::ScopeMissing(route.scope)
    } else {
        Kind::Unauthorized
    }
}

/// The names of the refused members: `property NAME should not exist`, `NAME must be a string`,
/// `Invalid field NAME`. The values are in the messages too, so nothing else is taken.
fn fields(messages: &[String]) -> Vec<String> {
    let mut fields: Vec<String> = messages.iter().filter_map(|message| field(message)).collect();
    fields.dedup();
    fields
}

fn field(message: &str) -> Option<String> {
    let named = message
        .strip_prefix("property ")
        .and_then(|rest| rest.strip_suffix(" should not exist"))
        .or_else(|| message.strip_prefix("Invalid field "))
        .or_else(|| Some(message.split_once(" must ")?.0))
        .or_else(|| Some(message.split_once(" should ")?.0));
    named.filter(|name| is_name(name)).map(str::to_owned)
}

/// The id in `Custom field with id ID not found`.
fn gone(message: &str) -> Option<String> {
    let (_, id) = message.strip_suffix(" not found")?.rsplit_once(' ')?;
    is_name(id).then(|| id.to_owned())
}

fn is_name(text: &str) -> bool {
    let name_like = |c: char| c.is_ascii_alphanumeric() || "_.[]-".contains(c);
    !text.is_empty() && text.len() <= MAX_FIELD && text.chars().all(name_like)
}
