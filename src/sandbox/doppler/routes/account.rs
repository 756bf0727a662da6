//! The index and the account's home, which clients use to check their credentials.

use axum::response::Response;

use crate::sandbox::doppler::answer::{Href, Link, content_type, ok};
use crate::sandbox::doppler::call::Call;
use crate::sandbox::doppler::problem::Problem;
use crate::sandbox::here;

#[derive(serde::Serialize)]
struct Home<'a> {
    message: String,
    #[serde(rename = "_links")]
    links: Vec<Link<'a>>,
}

/// `GET /`
#[expect(clippy::unnecessary_wraps, reason = "handlers are alike")]
pub fn index(_: &Call) -> Result<Response, Problem> {
    let index =
        Link { href: Href::Path("/"), description: "Get index.", rel: "/docs/rels/get-index self" };
    let message = "Welcome to Email Marketing Hypermedia API, please follow the links.".to_owned();
    Ok(ok(content_type!("index"), &Home { message, links: vec![index, Link::account_home()] }))
}

/// `GET /accounts/{accountName}`
#[expect(clippy::unnecessary_wraps, reason = "handlers are alike")]
pub fn home(_: &Call) -> Result<Response, Problem> {
    let below = |name, description, rel| Link { href: Href::Below(name), description, rel };
    let links = vec![
        below("lists", "Get lists.", "/docs/rels/get-list-collection"),
        below("subscribers", "Get subscribers.", "/docs/rels/get-subscriber-collection"),
        below("unsubscribed", "Get unsubscribed.", "/docs/rels/get-unsubscribed-collection"),
        below("fields", "Get fields.", "/docs/rels/get-field-collection"),
        below("tasks", "Get tasks.", "/docs/rels/get-task-collection"),
        Link { rel: "/docs/rels/get-account-home self", ..Link::account_home() },
    ];
    let message = format!(
        "Welcome to Email Marketing Hypermedia API {}, please follow the links.",
        here::account().doppler
    );
    Ok(ok(content_type!("account-home"), &Home { message, links }))
}
