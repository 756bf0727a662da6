//! A stream of answers as server-sent events.
//!
//! By the protocol, what is wrong with an operation arrives as an event too: a browser's
//! `EventSource` cannot read the body of a refused request.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_graphql::Request;
use async_graphql::parser::types::OperationType;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures_util::future::Either;
use futures_util::{Stream, StreamExt, future, stream};

use super::super::access::ending;
use super::super::executor::Executor;
use super::super::front::Front;
use super::super::record::{self, Counted, Outcome, Served};
use super::reply::{self, Shape};
use crate::auth::WorkspaceId;
use crate::graphql::{Answer, Caller, ErrorCode, refusal};
use crate::telemetry::names;

/// A subscription lasts as long as the client likes.
const NO_DEADLINE: Duration = Duration::from_hours(30 * 365 * 24);

/// Runs an operation as a stream of events. The client ends it by going away.
pub(super) fn stream<E: Executor>(
    front: &Front<E>,
    request: Request,
    caller: Caller,
    kind: OperationType,
    operation: Option<String>,
) -> Response {
    let (id, until) = (Arc::clone(&caller.request_id), caller.until);
    let served = Served { operation, ..Served::to(&caller.requester.workspace) };
    let answers = answers(front, request, caller, kind);
    events(front, while_admitted(front, answers, (until, id)), served)
}

/// The answers that come before the client's token ends, and then that it did.
fn while_admitted<E: Executor>(
    front: &Front<E>,
    answers: impl Stream<Item = Answer> + Send + 'static,
    (until, id): (Option<DateTime<Utc>>, Arc<str>),
) -> impl Stream<Item = Answer> + Send + 'static {
    let clock = front.clock.clone();
    let expired = refusal("the token has expired", ErrorCode::Unauthenticated);
    let ended = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&ended);
    let end = async move {
        ending(&clock, until).await;
        over.store(true, Ordering::Release);
    };
    let told = async move { ended.load(Ordering::Acquire).then(|| reply::refused(expired, &id)) };
    answers.take_until(end).chain(stream::once(told).filter_map(future::ready))
}

/// One answer as a stream.
pub(super) fn single<E: Executor>(
    front: &Front<E>,
    answer: Answer,
    whose: &WorkspaceId,
) -> Response {
    events(front, stream::iter([answer]), Served::to(whose))
}

/// The answers of an operation, counted and with a panic turned into one of them.
pub(in crate::http) fn answers<E: Executor>(
    front: &Front<E>,
    request: Request,
    mut caller: Caller,
    kind: OperationType,
) -> impl Stream<Item = Answer> + Send + 'static {
    let subscribes = kind == OperationType::Subscription;
    if subscribes {
        caller.deadline += NO_DEADLINE;
    }
    let open = if subscribes { front.clients.open(&caller.requester) } else { Ok(None) };
    let open = match open {
        Ok(open) => open,
        Err(error) => {
            record::operation(Some(kind), Outcome::Refused, &caller.requester);
            front.unusual.refused(&caller.requester);
            return Either::Left(stream::iter([reply::refused(error, &caller.request_id)]));
        }
    };
    let counted = subscribes.then(|| Counted::subscription(&caller.requester));
    let id = caller.request_id.clone();
    let front = front.clone();
    let requester = caller.requester.clone();
    let answers = front.executor.stream(request, caller);
    let mut is_noted = false;
    Either::Right(AssertUnwindSafe(answers).catch_unwind().map(move |answer| {
        let _counted = (&counted, &open);
        let answer = answer.unwrap_or_else(|_| {
            let workspace = requester.workspace.as_str();
            tracing::error!({ names::REQUEST_ID } = %id, workspace, "an operation panicked");
            reply::internal(&id)
        });
        record::operation(Some(kind), reply::outcome(&answer), &requester);
        // Each event of a subscription may lack the same field: that is one refusal.
        if answer.refuses() && !is_noted {
            is_noted = true;
            front.unusual.refused(&requester);
        }
        answer
    }))
}

fn events<E: Executor>(
    front: &Front<E>,
    answers: impl Stream<Item = Answer> + Send + 'static,
    served: Served,
) -> Response {
    let tasks = front.tasks.clone();
    let next = |answer: Answer| {
        let json = reply::bytes(&Shape(&answer));
        Event::default().event("next").data(String::from_utf8_lossy(&json))
    };
    // A browser's `EventSource` drops an event without data, so the last one has some.
    let complete = stream::once(async { Event::default().event("complete").data("{}") });
    let events = answers
        .map(next)
        .chain(complete)
        .map(Ok::<_, Infallible>)
        .take_until(async move { tasks.stopping().await });
    let keep_alive = KeepAlive::new().interval(front.settings.keep_alive);
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(served);
    response
}
