//! What the transports need of the schema. A trait, so that they are tested with a tiny one.

use std::future::Future;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, ServerError};
use bytes::Bytes;
use futures_util::Stream;

use crate::auth::Requester;
use crate::graphql::{Answer, Caller, Gateway, ResponseKey};

/// See [`Gateway`], whose methods these are.
pub(super) trait Executor: Clone + Send + Sync + 'static {
    type Key: Send;

    fn key(&self, caller: &Caller, body: &[u8]) -> Option<Self::Key>;
    fn recall(&self, key: &Self::Key) -> Option<Bytes>;
    /// Keeps the serialised `answer` if the answer may be shared.
    fn remember(&self, key: Self::Key, body: Bytes, answer: Answer);
    fn operation(&self, request: &mut Request) -> Result<OperationType, ServerError>;
    /// Refuses operations that ask for too much together.
    fn admit_batch(
        &self,
        requests: &mut [Request],
        requester: &Requester,
    ) -> impl Future<Output = Result<(), ServerError>> + Send;
    fn execute(&self, request: Request, caller: Caller) -> impl Future<Output = Answer> + Send;
    fn stream(
        &self,
        request: Request,
        caller: Caller,
    ) -> impl Stream<Item = Answer> + Send + use<Self>;
}

impl Executor for Gateway {
    type Key = ResponseKey;

    fn key(&self, caller: &Caller, body: &[u8]) -> Option<ResponseKey> {
        Self::key(self, caller, body)
    }

    fn recall(&self, key: &ResponseKey) -> Option<Bytes> {
        Self::recall(self, key)
    }

    fn remember(&self, key: ResponseKey, body: Bytes, answer: Answer) {
        if let Some(share) = answer.share {
            Self::remember(self, key, body, share);
        }
    }

    fn operation(&self, request: &mut Request) -> Result<OperationType, ServerError> {
        Self::operation(self, request)
    }

    fn admit_batch(
        &self,
        requests: &mut [Request],
        requester: &Requester,
    ) -> impl Future<Output = Result<(), ServerError>> + Send {
        Self::admit_batch(self, requests, requester)
    }

    fn execute(&self, request: Request, caller: Caller) -> impl Future<Output = Answer> + Send {
        Self::execute(self, request, caller)
    }

    fn stream(
        &self,
        request: Request,
        caller: Caller,
    ) -> impl Stream<Item = Answer> + Send + use<> {
        Self::stream(self, request, caller)
    }
}
