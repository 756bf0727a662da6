//! For `tests/fuzz`: what answers of both systems have in common.

use reqwest::StatusCode;
use serde::de::DeserializeOwned;

use super::{Kind, Route};

/// Reads bytes as one kind of answer and converts what was read.
pub(crate) fn each<T: DeserializeOwned, R>(body: &[u8], convert: impl FnOnce(T) -> R) {
    if let Ok(read) = serde_json::from_slice(body) {
        drop(convert(read));
    }
}

/// Reads bytes as every error of the routes: a refusal tells names of fields and nothing else.
pub(crate) fn refusals(
    body: &[u8],
    routes: &[&'static Route],
    kind: fn(&'static Route, StatusCode, &[u8]) -> Kind,
) {
    for status in [301, 400, 401, 403, 404, 408, 409, 422, 429, 500, 503] {
        let Ok(status) = StatusCode::from_u16(status) else { continue };
        for route in routes {
            if let Kind::Rejected { fields } = kind(route, status, body) {
                let names = fields.iter().all(|name| !name.contains(['@', ' ', '\n']));
                assert!(names, "a refusal tells more than names: {fields:?}");
            }
        }
    }
}
