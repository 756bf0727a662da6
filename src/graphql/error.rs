//! Errors as clients see them: a message that is safe to show and a code of the closed list.
//!
//! Resolvers use `?`: async-graphql keeps the error as the source, and [`publish`], which every
//! answer passes on its way out, puts it into words. What it does not know becomes `INTERNAL`, so
//! that nothing of a system's own text can slip through.

use std::time::Duration;

use async_graphql::resolver_utils::EnumType;
use async_graphql::{Enum, ErrorExtensionValues, Response, ServerError, Value};

use crate::contacts::{Error, Retry, UpstreamError, UpstreamKind as Kind};

use super::ids::GlobalId;

/// Why a field is null or a request was refused (`extensions.code`). New codes may come.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub enum ErrorCode {
    /// No valid token came with the request.
    Unauthenticated,
    /// The token does not allow this.
    Forbidden,
    /// An argument cannot be served; the message says which and why.
    BadUserInput,
    /// The document is not GraphQL.
    GraphqlParseFailed,
    /// The document does not fit the schema.
    GraphqlValidationFailed,
    /// The selection is nested deeper than allowed.
    QueryTooDeep,
    /// The query asks for more fields, aliases or directives than allowed.
    QueryTooComplex,
    /// The query could need more upstream calls than allowed; nothing was called.
    QueryTooExpensive,
    /// No document is known by that hash or id; send its text along.
    PersistedQueryNotFound,
    /// Only documents that the operator lists are run.
    PersistedQueryRequired,
    /// Too many requests; try again after `retryAfterMs`.
    RateLimited,
    /// The answer was not ready in time; where `retryAfterMs` is given, not before that.
    RequestTimeout,
    /// Several people match; `contacts` holds their ids.
    Conflict,
    /// The idempotency key was used with other input.
    IdempotencyKeyReused,
    /// `only-if-cached` was asked for and it is not.
    NotCached,
    /// The system has no credential.
    NotConnected,
    /// The system's credential lacks a scope, named in `scope`.
    ScopeMissing,
    /// HighLevel's credential lacks `contacts.write`, so nothing is written.
    ReadOnly,
    /// Events after this cursor are no longer kept; `oldest` is the cursor to begin from.
    CursorExpired,
    /// The subscription was slower than the events; `cursor` is where to resume.
    SubscriptionLagged,
    /// The system does not answer.
    UpstreamUnavailable,
    /// The system did not answer in time; whether a write took effect is unknown.
    UpstreamTimeout,
    /// The system's rate limit is reached; try again after `retryAfterMs`.
    UpstreamRateLimited,
    /// The system refused the input.
    UpstreamRejected,
    /// The system refused its credential.
    UpstreamUnauthorized,
    /// The token's workspace cannot be opened; the operator's log says why.
    WorkspaceUnavailable,
    /// A fault of the gateway; `requestId` leads to the log.
    Internal,
}

impl ErrorCode {
    /// The code as it stands in `extensions.code`.
    pub fn as_str(self) -> &'static str {
        let items = <Self as EnumType>::items().iter();
        items.clone().find(|item| item.value == self).map_or("INTERNAL", |item| item.name)
    }

    /// Whether the client was denied what it asked for, by its rights, by a limit or because it cannot be
    /// asked for. The others are about what there is, or a fault of ours or of a system.
    fn is_refusal(self) -> bool {
        match self {
            Self::Unauthenticated
            | Self::Forbidden
            | Self::BadUserInput
            | Self::GraphqlParseFailed
            | Self::GraphqlValidationFailed
            | Self::QueryTooDeep
            | Self::QueryTooComplex
            | Self::QueryTooExpensive
            | Self::PersistedQueryRequired
            | Self::RateLimited => true,
            // Clients ask for every document that way first.
            Self::PersistedQueryNotFound
            | Self::RequestTimeout
            | Self::Conflict
            | Self::IdempotencyKeyReused
            | Self::NotCached
            | Self::NotConnected
            | Self::ScopeMissing
            | Self::ReadOnly
            | Self::CursorExpired
            | Self::SubscriptionLagged
            | Self::UpstreamUnavailable
            | Self::UpstreamTimeout
            | Self::UpstreamRateLimited
            | Self::UpstreamRejected
            | Self::UpstreamUnauthorized
            | Self::WorkspaceUnavailable
            | Self::Internal => false,
        }
    }

    /// The code with a name as the store keeps it.
    pub fn named(name: &str) -> Option<Self> {
        <Self as EnumType>::items().iter().find(|item| item.name == name).map(|item| item.value)
    }
}

/// Gives every error of an answer its public form.
pub fn publish(response: &mut Response, executed: bool, request_id: &str) {
    for error in &mut response.errors {
        if let Some(source) = error.source::<Error>().cloned() {
            log(&source, request_id);
            put_into_words(error, &source);
        } else if error.extensions.as_ref().is_none_or(|ext| ext.get("code").is_none()) {
            let code = match (executed, error.source.is_some()) {
                (false, _) => ErrorCode::GraphqlValidationFailed,
                // The library's own refusals of an argument carry no source.
                (true, false) => ErrorCode::BadUserInput,
                (true, true) => {
                    tracing::error!(request.id = request_id, "unexpected resolver error");
                    "internal error".clone_into(&mut error.message);
                    ErrorCode::Internal
                }
            };
            extend(error, "code", code.as_str());
        }
        error.source = None;
        extend(error, "requestId", request_id);
    }
}

/// Whether an answer's errors say that the client was denied something.
pub fn refuses(response: &Response) -> bool {
    let mut codes = response.errors.iter().filter_map(|error| {
        let Value::String(code) = error.extensions.as_ref()?.get("code")? else { return None };
        ErrorCode::named(code)
    });
    codes.any(ErrorCode::is_refusal)
}

/// An error with a code, of a request that was not executed.
pub fn refusal(message: impl Into<String>, code: ErrorCode) -> ServerError {
    let mut error = ServerError::new(message, None);
    extend(&mut error, "code", code.as_str());
    error
}

/// The same, where a workspace could not be opened.
pub fn unopened(error: &Error) -> ServerError {
    if matches!(error, Error::Unopened) {
        return refusal(UNOPENED, ErrorCode::WorkspaceUnavailable);
    }
    let error = error as &dyn std::error::Error;
    tracing::error!(error, "the workspace could not be looked up");
    refusal("internal error; the request id leads to the log", ErrorCode::Internal)
}

const UNOPENED: &str = "the workspace cannot be used now; its operator has to look why";

/// Puts one more value into an error's extensions.
pub fn extend(error: &mut ServerError, name: &str, value: impl Into<Value>) {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set(name, value);
}

fn put_into_words(error: &mut ServerError, source: &Error) {
    let (code, message) = match source {
        Error::Denied(scope) => {
            extend(error, "scope", scope.as_str());
            (ErrorCode::Forbidden, format!("this needs the scope {}", scope.as_str()))
        }
        Error::NotOperator => {
            let message = "only those who manage the workspace default make others";
            (ErrorCode::Forbidden, message.to_owned())
        }
        Error::Unopened => (ErrorCode::WorkspaceUnavailable, UNOPENED.to_owned()),
        Error::ReadOnly => {
            let message = "HighLevel's credential lacks contacts.write, so nothing is written to either \
                           system: it takes a second consent, by connectHighLevel with that scope";
            (ErrorCode::ReadOnly, message.to_owned())
        }
        Error::Invalid { argument, message } => {
            extend(error, "field", *argument);
            (ErrorCode::BadUserInput, format!("{argument}: {message}"))
        }
        Error::Ambiguous(candidates) => {
            let ids = candidates.iter().map(|id| GlobalId::Contact(*id).encode().0);
            let ids: Vec<Value> = ids.map(Value::from).collect();
            let message = format!("{} contacts match; ask for one of them by id", ids.len());
            extend(error, "contacts", Value::List(ids));
            (ErrorCode::Conflict, message)
        }
        Error::NotCached => {
            (ErrorCode::NotCached, "this is not in the cache, and nothing else was allowed".into())
        }
        Error::KeyReused => {
            let message = "this idempotency key was used with other input; take a new one";
            (ErrorCode::IdempotencyKeyReused, message.to_owned())
        }
        Error::CursorExpired { oldest } => {
            extend(error, "oldest", oldest.to_string());
            let message = "events after this cursor are no longer kept";
            (ErrorCode::CursorExpired, message.to_owned())
        }
        Error::Lagged { cursor } => {
            extend(error, "cursor", cursor.to_string());
            let message = "the events were faster than this subscription; resume from the cursor";
            (ErrorCode::SubscriptionLagged, message.to_owned())
        }
        Error::KeyInUse { left } => {
            extend(error, "retryAfterMs", millis(*left));
            let message = "the first use of this idempotency key has not ended; try again later";
            (ErrorCode::RequestTimeout, message.to_owned())
        }
        Error::Upstream(upstream) => return put_upstream_into_words(error, upstream),
        Error::Store(_) | Error::Internal(_) => {
            (ErrorCode::Internal, "internal error; the request id leads to the log".into())
        }
    };
    error.message = message;
    extend(error, "code", code.as_str());
}

fn put_upstream_into_words(error: &mut ServerError, upstream: &UpstreamError) {
    error.message = upstream.in_words();
    if let Kind::ScopeMissing(scope) = &upstream.kind {
        extend(error, "scope", *scope);
    }
    if let Retry::After(wait) = upstream.retry() {
        extend(error, "retryAfterMs", millis(wait));
    }
    extend(error, "code", upstream.kind.code());
    extend(error, "system", upstream.system.as_str());
}

fn millis(wait: Duration) -> i64 {
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
}

/// The public code of an upstream failure.
pub fn upstream_code(kind: &Kind) -> ErrorCode {
    ErrorCode::named(kind.code()).unwrap_or(ErrorCode::Internal)
}

/// Faults are logged once, here; refusals of input are the client's to see.
fn log(error: &Error, request_id: &str) {
    match error {
        Error::Upstream(upstream) => tracing::warn!(
            request.id = request_id,
            upstream.name = upstream.system.as_str(),
            upstream.route = upstream.route,
            error = upstream as &dyn std::error::Error,
            "upstream failed"
        ),
        Error::Store(_) | Error::Internal(_) => tracing::error!(
            request.id = request_id,
            error = error as &dyn std::error::Error,
            "request failed"
        ),
        Error::Denied(_)
        | Error::NotOperator
        | Error::Unopened
        | Error::ReadOnly
        | Error::Invalid { .. }
        | Error::Ambiguous(_)
        | Error::NotCached
        | Error::KeyReused
        | Error::CursorExpired { .. }
        | Error::Lagged { .. }
        | Error::KeyInUse { .. } => {}
    }
}
