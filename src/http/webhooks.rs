//! What systems send us. Answered when it is stored, and before anything is done about it.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::json;
use tokio::time::Instant;

use crate::auth::WorkspaceId;
use crate::webhooks::{Post, Verdict};

use super::error::Refusal;
use super::executor::Executor;
use super::front::{Front, RequestId};
use super::read_body;
use super::record::Served;

/// A webhook of HighLevel. What is stored, known or of no use is 200, or HighLevel would send it
/// again and, after many, stop sending at all; 503 asks it to.
pub(super) async fn highlevel<E: Executor>(
    State(front): State<Front<E>>,
    Extension(id): Extension<RequestId>,
    request: Request<Body>,
) -> Response {
    match receive(&front, request).await {
        Ok((word, workspace)) => {
            let served = Served { workspace, ..Served::default() };
            (Extension(served), Json(json!({"status": word}))).into_response()
        }
        Err(refusal) => refusal.about(&id.0).into_response(),
    }
}

/// Doppler says that an import is over: a hint to whoever waits for it. 200 whatever it is, since Doppler
/// signs nothing, what the body holds is not documented, and nobody is to learn which tokens there are.
pub(super) async fn import_over<E: Executor>(
    State(front): State<Front<E>>,
    Path(token): Path<String>,
) -> impl IntoResponse {
    let workspace = match &front.webhooks {
        Some(webhooks) => webhooks.import_over(&token).await,
        None => None,
    };
    (StatusCode::OK, Extension(Served { workspace, ..Served::default() }))
}

async fn receive<E>(
    front: &Front<E>,
    request: Request<Body>,
) -> Result<(&'static str, Option<WorkspaceId>), Refusal> {
    let Some(webhooks) = &front.webhooks else { return Err(Refusal::not_found()) };
    let deadline = Instant::now() + front.settings.request_timeout;
    let (head, body) = request.into_parts();
    let body = read_body(body, front.settings.max_body_bytes, deadline).await?;
    let post = Post {
        signature: text(&head.headers, "x-ghl-signature"),
        legacy_signature: text(&head.headers, "x-wh-signature"),
        body: &body,
    };
    let (verdict, workspace) = webhooks.receive(post).await;
    let to = |refusal: Refusal| match &workspace {
        Some(workspace) => refusal.to(workspace),
        None => refusal,
    };
    match verdict {
        Verdict::Stored => Ok(("stored", workspace)),
        Verdict::Seen => Ok(("seen", workspace)),
        Verdict::Ignored(_) => Ok(("ignored", workspace)),
        // Not why: whoever forges would learn from it.
        Verdict::Refused(_) => {
            let status = StatusCode::UNAUTHORIZED;
            Err(to(Refusal::new(status, "UNAUTHENTICATED", "this needs a valid signature")))
        }
        Verdict::NotStored => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Err(to(Refusal::new(status, "INTERNAL", "it could not be stored; send it again")))
        }
    }
}

/// A header's text. What is no text is no signature, and there all the same: nothing else counts then.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}
