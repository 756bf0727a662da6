//! Running what was asked: one operation or a batch, as one answer or a stream.

use async_graphql::Request;
use async_graphql::parser::types::OperationType;
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::future::join_all;

use super::super::error::Refusal;
use super::super::executor::Executor;
use super::super::front::Front;
use super::super::record::{self, Outcome, Served};
use super::accept::{Accept, Media};
use super::events;
use super::reply::{self, Shape};
use crate::graphql::{Answer, Caller};
use crate::telemetry::names;

/// How an operation came.
pub(super) struct Way {
    pub accept: Accept,
    /// By `GET`, which must not change anything.
    pub safe: bool,
}

/// What one operation led to.
pub(super) enum Ran {
    Answer(Answer),
    /// An answer that is on its way already.
    Response(Response),
}

/// Runs one operation.
pub(super) async fn one<E: Executor>(
    front: &Front<E>,
    mut caller: Caller,
    mut request: Request,
    way: &Way,
) -> Result<Ran, Refusal> {
    caller.wants_cost |= reply::asks_for_cost(&request);
    let name = request.operation_name.clone();
    let kind = match front.executor.operation(&mut request) {
        Ok(kind) => kind,
        Err(error) => {
            record::operation(None, Outcome::Refused, &caller.requester);
            let answer = reply::refused(error, &caller.request_id);
            if answer.refuses() {
                front.unusual.refused(&caller.requester);
            }
            return Ok(if way.accept.stream_first {
                Ran::Response(events::single(front, answer, &caller.requester.workspace))
            } else {
                Ran::Answer(answer)
            });
        }
    };
    if way.safe && kind == OperationType::Mutation {
        let message = "a mutation needs POST";
        return Err(Refusal { message: message.to_owned(), ..Refusal::method_not_allowed("POST") });
    }
    if way.accept.stream_first || (way.accept.stream && kind == OperationType::Subscription) {
        return Ok(Ran::Response(events::stream(front, request, caller, kind, name)));
    }
    if kind == OperationType::Subscription {
        return Err(Refusal::new(
            StatusCode::NOT_ACCEPTABLE,
            "BAD_USER_INPUT",
            "a subscription needs a WebSocket or Accept: text/event-stream",
        ));
    }
    Ok(Ran::Answer(execute(front, request, caller, kind).await))
}

/// Runs a query or mutation to its end.
async fn execute<E: Executor>(
    front: &Front<E>,
    request: Request,
    caller: Caller,
    kind: OperationType,
) -> Answer {
    let requester = caller.requester.clone();
    let answer = if kind == OperationType::Mutation {
        // A client that goes away ends its own request. A mutation is not to be left half done, so
        // it runs beside the request.
        let executor = front.executor.clone();
        let id = caller.request_id.clone();
        let running = front.tasks.spawn(async move { executor.execute(request, caller).await });
        running.await.unwrap_or_else(|_| {
            let workspace = requester.workspace.as_str();
            tracing::error!({ names::REQUEST_ID } = %id, workspace, "a mutation panicked");
            reply::internal(&id)
        })
    } else {
        front.executor.execute(request, caller).await
    };
    record::operation(Some(kind), reply::outcome(&answer), &requester);
    if answer.refuses() {
        front.unusual.refused(&requester);
    }
    answer
}

/// Runs a batch: queries together, but one after the other as soon as one of them is a mutation.
pub(super) async fn batch<E: Executor>(
    front: &Front<E>,
    caller: &Caller,
    mut requests: Vec<Request>,
    media: Media,
) -> Result<Response, Refusal> {
    front.count(&caller.requester, (None, requests.len() - 1))?;
    let accept = Accept { media: Some(media), stream: false, stream_first: false };
    let way = Way { accept, safe: false };
    let mut writes = false;
    for request in &mut requests {
        let kind = front.executor.operation(request);
        writes |= matches!(kind, Ok(OperationType::Mutation));
        if matches!(kind, Ok(OperationType::Subscription)) {
            return Err(Refusal::bad_input("a batch cannot hold a subscription"));
        }
    }
    let admitted = front.executor.admit_batch(&mut requests, &caller.requester).await;
    admitted.map_err(Refusal::from)?;
    let runs = requests.into_iter().map(|request| one(front, caller.clone(), request, &way));
    let ran = if writes {
        let mut ran = Vec::new();
        for run in runs {
            ran.push(run.await);
        }
        ran
    } else {
        join_all(runs).await
    };
    let mut answers = Vec::with_capacity(ran.len());
    for ran in ran {
        if let Ran::Answer(answer) = ran? {
            answers.push(answer);
        }
    }
    let shapes: Vec<Shape<'_>> = answers.iter().map(Shape).collect();
    Ok(reply::http(
        media,
        StatusCode::OK,
        reply::bytes(&shapes),
        Served::to(&caller.requester.workspace),
    ))
}
