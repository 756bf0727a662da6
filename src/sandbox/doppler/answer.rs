//! What every answer of Doppler's has in common: links, content type, message and creation bodies.
//!
//! The live system indents its JSON; no client can tell, so ours is compact.

use std::fmt;

use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Serialize, Serializer};

use crate::sandbox::here;

/// The content type of a schema: JSON with the schema's address as its profile.
macro_rules! content_type {
    ($schema:literal) => {
        concat!("application/json; charset=utf-8; profile=\"/schemas/", $schema, ".json\"")
    };
}
pub(super) use content_type;

/// The server writes `@` and `:` plainly in links.
const IN_SEGMENT: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'/').add(b'<').add(b'>').add(b'?');

/// A link's target, relative to the server.
#[derive(Clone, Copy, Debug)]
pub enum Href<'a> {
    /// As it is.
    Path(&'a str),
    /// The account.
    Account,
    /// Something right below the account.
    Below(&'static str),
    /// A list.
    List(u64),
    /// A list's subscribers.
    ListSubscribers(u64),
    /// A subscriber.
    Subscriber(&'a str),
    /// A subscriber's deliveries.
    Deliveries(&'a str),
    /// All changes of a subscriber's permissions.
    PermissionsCsv(&'a str),
    /// A field's definition.
    Field(&'a str),
    /// A task.
    Task(u64),
    /// A campaign.
    Campaign(u64),
    /// A campaign's picture.
    Preview(u64),
}

impl fmt::Display for Href<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Path(path) = self {
            return f.write_str(path);
        }
        write!(f, "/accounts/{}", here::account().doppler)?;
        let segment = |text| utf8_percent_encode(text, IN_SEGMENT);
        match self {
            Self::Path(_) | Self::Account => Ok(()),
            Self::Below(name) => write!(f, "/{name}"),
            Self::List(id) => write!(f, "/lists/{id}"),
            Self::ListSubscribers(id) => write!(f, "/lists/{id}/subscribers"),
            Self::Subscriber(email) => write!(f, "/subscribers/{}", segment(email)),
            Self::Deliveries(email) => write!(f, "/subscribers/{}/deliveries", segment(email)),
            Self::PermissionsCsv(email) => {
                write!(f, "/subscribers/{}/permissions-history.csv", segment(email))
            }
            Self::Field(name) => write!(f, "/fields/{}", segment(name)),
            Self::Task(number) => write!(f, "/tasks/import-{number}"),
            Self::Campaign(id) => write!(f, "/campaigns/{id}"),
            Self::Preview(id) => write!(f, "/campaigns/{id}/preview"),
        }
    }
}

impl Serialize for Href<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// A link.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Link<'a> {
    /// Where to.
    pub href: Href<'a>,
    /// What it is, for people.
    pub description: &'static str,
    /// Relations, separated by spaces and sorted; clients look for one, never compare all.
    pub rel: &'static str,
}

impl Link<'static> {
    /// The link that nearly every object has.
    pub fn account_home() -> Self {
        Self {
            href: Href::Account,
            description: "Get account home.",
            rel: "/docs/rels/get-account-home",
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    created_resource_id: Option<&'a str>,
    message: &'a str,
    #[serde(rename = "_links")]
    links: [Link<'a>; 1],
}

/// 200 with a body of the given content type.
pub fn ok(kind: &'static str, body: &impl Serialize) -> Response {
    json(StatusCode::OK, kind, body)
}

/// 200 with a message.
pub fn message(text: &str) -> Response {
    let body = Outcome { created_resource_id: None, message: text, links: [Link::account_home()] };
    ok(content_type!("message-result"), &body)
}

/// 201 or 202: the new thing's id, which is always a text, and where it is.
pub fn created(status: StatusCode, id: &str, text: &str, link: Link<'_>) -> Response {
    let body = Outcome { created_resource_id: Some(id), message: text, links: [link] };
    let mut response = json(status, content_type!("creation-result"), &body);
    if let Ok(place) = HeaderValue::try_from(link.href.to_string()) {
        response.headers_mut().insert(LOCATION, place);
    }
    response
}

fn json(status: StatusCode, kind: &'static str, body: &impl Serialize) -> Response {
    let mut text = Vec::with_capacity(1024);
    if serde_json::to_writer(&mut text, body).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let mut response = (status, text).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_a_link_is_one_segment() {
        let href = Href::Deliveries("a/b?c%d+e@f.co").to_string();
        assert_eq!(
            href,
            "/accounts/sandbox@tandem.test/subscribers/a%2Fb%3Fc%25d+e@f.co/deliveries"
        );
    }
}
