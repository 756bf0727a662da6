//! `GET /graphql`: a query in the address, a stream of events, or the upgrade to a WebSocket.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::super::cors;
use super::super::error::Refusal;
use super::super::executor::Executor;
use super::super::front::Front;
use super::super::record::Served;
use super::super::socket;
use super::accept::{Accept, Media};
use super::reply::{self, Shape};
use super::run::{self, Ran, Way};
use super::{ask, envelope};
use crate::graphql::Caller;

/// Runs the query in the address, or upgrades.
pub(in crate::http) async fn get<E: Executor>(
    State(front): State<Front<E>>,
    request: Request,
) -> Response {
    let id = ask::request_id(&request);
    if ask::wants_socket(request.headers()) {
        let upgraded = socket::upgrade(front, request).await;
        return upgraded.unwrap_or_else(|refusal| refusal.about(&id).into_response());
    }
    let (parts, _) = request.into_parts();
    match Accept::of(&parts.headers) {
        Err(refusal) => refusal.about(&id).into_response(),
        Ok(accept) => answer(&front, &parts, &id, accept).await.unwrap_or_else(|refusal| {
            let media = accept.media.unwrap_or(Media::Json);
            refusal.about(&id).labelled(media).into_response()
        }),
    }
}

async fn answer<E: Executor>(
    front: &Front<E>,
    parts: &Parts,
    request_id: &Arc<str>,
    accept: Accept,
) -> Result<Response, Refusal> {
    let headers = &parts.headers;
    let from = cors::origin(headers, &front.settings.allowed_origins);
    cors::check_get(headers, from)?;
    let caller = ask::caller(front, headers, (request_id, parts.extensions.get().copied())).await?;
    let requester = caller.requester.clone();
    let answered = answer_to(front, parts, caller, accept).await;
    answered.map_err(|why| ask::refused(front, &requester, why))
}

async fn answer_to<E: Executor>(
    front: &Front<E>,
    parts: &Parts,
    caller: Caller,
    accept: Accept,
) -> Result<Response, Refusal> {
    let members = members(parts.uri.query().unwrap_or_default())?;
    let request = envelope::request(members)?;
    let operation = request.operation_name.clone();
    let served = Served { operation, ..Served::to(&caller.requester.workspace) };
    match run::one(front, caller, request, &Way { accept, safe: true }).await? {
        Ran::Response(response) => Ok(response),
        Ran::Answer(answer) => {
            let media = accept.media.unwrap_or(Media::Json);
            let status = reply::status(media, answer.executed);
            Ok(reply::http(media, status, reply::bytes(&Shape(&answer)), served))
        }
    }
}

/// The parameters of the address as the members of an envelope.
fn members(query: &str) -> Result<Map<String, Value>, Refusal> {
    let mut members = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = match &*name {
            "query" | "operationName" | "documentId" => Value::String(value.into_owned()),
            "variables" | "extensions" if value.is_empty() => Value::Null,
            "variables" | "extensions" => serde_json::from_str(&value)
                .map_err(|_| Refusal::bad_input(format!("{name} is not valid JSON")))?,
            _ => continue,
        };
        if members.insert(name.clone().into_owned(), value).is_some() {
            return Err(Refusal::bad_input(format!("{name} is there twice")));
        }
    }
    Ok(members)
}
