//! `POST /graphql`.

use super::super::body::read_body;
use super::super::error::Refusal;
use super::super::executor::Executor;
use super::super::front::Front;
use super::super::record::{self, Outcome, Served};
use super::accept::{Accept, Media, check_content_type};
use super::ask;
use super::envelope::{self, Envelope};
use super::reply::{self, Shape};
use super::run::{self, Ran, Way};
use async_graphql::parser::types::OperationType;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::graphql::Caller;

/// Runs the operation or the batch in the body.
pub(in crate::http) async fn post<E: Executor>(
    State(front): State<Front<E>>,
    request: Request,
) -> Response {
    let id = ask::request_id(&request);
    match Accept::of(request.headers()) {
        Err(refusal) => refusal.about(&id).into_response(),
        Ok(accept) => answer(&front, request, accept).await.unwrap_or_else(|refusal| {
            let media = accept.media.unwrap_or(Media::Json);
            refusal.about(&id).labelled(media).into_response()
        }),
    }
}

async fn answer<E: Executor>(
    front: &Front<E>,
    request: Request,
    accept: Accept,
) -> Result<Response, Refusal> {
    check_content_type(request.headers())?;
    let id = ask::request_id(&request);
    let caller = ask::caller(front, request.headers(), (&id, ask::peer(&request))).await?;
    let requester = caller.requester.clone();
    let answered = answer_to(front, request, caller, accept).await;
    answered.map_err(|why| ask::refused(front, &requester, why))
}

async fn answer_to<E: Executor>(
    front: &Front<E>,
    request: Request,
    caller: Caller,
    accept: Accept,
) -> Result<Response, Refusal> {
    let body =
        read_body(request.into_body(), front.settings.max_body_bytes, caller.deadline).await?;
    let media = accept.media.unwrap_or(Media::Json);

    // The short way: an answer to this very body that is still true.
    let key = if accept.stream_first { None } else { front.executor.key(&caller, &body) };
    if let Some(known) = key.as_ref().and_then(|key| front.executor.recall(key)) {
        record::operation(Some(OperationType::Query), Outcome::Ok, &caller.requester);
        let served = Served { recalled: true, ..Served::to(&caller.requester.workspace) };
        return Ok(reply::http(media, StatusCode::OK, known, served));
    }

    let request = match envelope::parse(&body, front.settings.batch)? {
        Envelope::One(request) => *request,
        Envelope::Batch(requests) if accept.media.is_some() => {
            return run::batch(front, &caller, requests, media).await;
        }
        Envelope::Batch(_) => return Err(Refusal::bad_input("a batch cannot be streamed")),
    };
    let operation = request.operation_name.clone();
    let served = Served { operation, ..Served::to(&caller.requester.workspace) };
    let asks_for_cost = reply::asks_for_cost(&request);
    match run::one(front, caller, request, &Way { accept, safe: false }).await? {
        Ran::Response(response) => Ok(response),
        Ran::Answer(answer) => {
            let bytes = reply::bytes(&Shape(&answer));
            let status = reply::status(media, answer.executed);
            if let Some(key) = key.filter(|_| answer.executed && !asks_for_cost) {
                front.executor.remember(key, bytes.clone(), answer);
            }
            Ok(reply::http(media, status, bytes, served))
        }
    }
}
