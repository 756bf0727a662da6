//! What an answer of Doppler's means that is not a success.
//!
//! An error's `errorCode` is unique only together with the status. The codes are those that
//! Doppler's own clients know (`MakingSense/doppler-for-shopify`, `FromDoppler/doppler-integrations`,
//! `FromDoppler/Wordpress-Plugin-Doppler`).

use reqwest::StatusCode;

use crate::upstream::{Kind, Route};

use super::wire::Problem;

/// The longest field name that is repeated to anybody; Doppler's own limit is 50.
const MAX_FIELD: usize = 64;

pub(super) fn kind(route: &'static Route, status: StatusCode, body: &[u8]) -> Kind {
    let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
        return match status.as_u16() {
            401 => Kind::Unauthorized,
            // Something in between that blocks us, such as a firewall's page.
            403 | 408 | 500.. => Kind::Unavailable,
            _ => Kind::Malformed,
        };
    };
    match (status.as_u16(), problem.error_code) {
        (401 | 403, _) => Kind::Unauthorized,
        // No such route, or a redirect: the base URL leads somewhere else.
        (404, Some(0)) | (300..400, _) => Kind::Malformed,
        (404, _) if is_of_list(route, problem.detail.as_deref()) => Kind::ListGone,
        (404, _) => Kind::NotFound,
        // A list of that name.
        (400, Some(2)) => Kind::Duplicate { id: None, field: Some("name".to_owned()) },
        (400, Some(3)) => Kind::Full,
        // Known from `doppler-integrations`, which takes both for the same; 9 is said to be the
        // person's own doing.
        (400, Some(6)) => Kind::OptedOut { own_will: false },
        (400, Some(9)) => Kind::OptedOut { own_will: true },
        (400, Some(4)) => Kind::Rejected { fields: vec!["email".to_owned()] },
        (400..500, _) if status != StatusCode::REQUEST_TIMEOUT => {
            let keys = problem.errors.into_iter().filter_map(|invalid| invalid.key);
            Kind::Rejected { fields: keys.filter(|key| is_name(key)).collect() }
        }
        _ => Kind::Unavailable,
    }
}

/// Whether it is the path's list that does not exist. Where the path names a subscriber too, only the
/// text tells (`List `id:7` does not exist …`, by the pattern of the one such text that is known).
fn is_of_list(route: &Route, detail: Option<&str>) -> bool {
    let names = |placeholder: &str| route.template.contains(placeholder);
    let says_so = || detail.is_some_and(|detail| detail.trim_start().starts_with("List "));
    names("{listId}") && (!names("{email}") || says_so())
}

/// Whether a text is a field's name and not something a person typed.
fn is_name(key: &str) -> bool {
    let name_like = |c: char| c.is_alphanumeric() || "_.[]".contains(c);
    !key.is_empty() && key.len() <= MAX_FIELD && key.chars().all(name_like)
}
