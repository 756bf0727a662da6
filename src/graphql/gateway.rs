//! The executable schema as the transports see it.

use std::sync::Arc;

use async_graphql::{Request, Response};
use bytes::Bytes;
use futures_util::Stream;

use super::Caller;

/// Runs operations. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<()>,
}

/// What identifies an answer that may be shared: who may see it and the exact request body.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ResponseKey(u128);

/// One executed operation.
#[derive(Debug)]
pub struct Answer {
    pub response: Response,
    /// Whether the operation reached execution. Errors of a request that did not (parsing,
    /// validation, limits) are request errors: 400 under `application/graphql-response+json`.
    pub executed: bool,
    /// Given back to [`Gateway::remember`] with the serialised response if it may be shared.
    pub share: Option<Share>,
}

/// What an answer was made of.
#[derive(Debug)]
pub struct Share(());

impl Gateway {
    /// The key of a request as it came over the wire, or `None` if its answer is never shared (the
    /// caller's cache policy or `wants_cost` forbids it).
    pub fn key(&self, caller: &Caller, body: &[u8]) -> Option<ResponseKey> {
        let _ = (caller, body, &self.inner);
        None
    }

    /// An answer made earlier that is still true: the serialised response.
    pub fn recall(&self, key: &ResponseKey) -> Option<Bytes> {
        let _ = key;
        None
    }

    /// Keeps a serialised response until something it was made of changes.
    pub fn remember(&self, key: ResponseKey, body: Bytes, share: Share) {
        let _ = (key, body, share);
    }

    /// Whether the request's operation (by its `operationName`) is a query, a mutation or a
    /// subscription; parses the document at most once (`request.set_parsed_query`).
    pub fn operation(
        &self,
        request: &mut Request,
    ) -> Result<async_graphql::parser::types::OperationType, async_graphql::ServerError> {
        let _ = request;
        Ok(async_graphql::parser::types::OperationType::Query)
    }

    /// Runs a query or mutation: limits, validation, execution; ends by the caller's deadline.
    pub async fn execute(&self, request: Request, caller: Caller) -> Answer {
        let _ = (request, caller);
        Answer { response: Response::default(), executed: true, share: None }
    }

    /// Runs any operation as a stream of responses: a subscription's events, or the one answer of
    /// a query or mutation. Request errors arrive as one response.
    pub fn stream(
        &self,
        request: Request,
        caller: Caller,
    ) -> impl Stream<Item = Answer> + Send + use<> {
        let this = self.clone();
        futures_util::stream::once(async move { this.execute(request, caller).await })
    }
}
