//! The executable schema as the transports see it.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response, ServerError};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::time::Instant;

use super::context::Scopes;
use super::cost;
use super::document;
use super::documents::Documents;
use super::error::{ErrorCode, publish, refusal};
use super::limits::{Estimate, Known, Limits};
use super::loads::{self, Loads};
use super::nulls;
use super::order::Order;
use super::responses::{ResponseKey, Responses, Share};
use super::schema::{self, TandemSchema};
use super::{CachePolicy, Caller};
use crate::contacts::{Contacts, Session, Wanted};

/// What is kept back of a request's time for putting the answer together: upstream calls end this
/// much earlier, so that what did arrive is still answered.
const TO_ANSWER: Duration = Duration::from_millis(200);

/// Runs operations. Cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    schema: TandemSchema,
    contacts: Contacts,
    responses: Responses,
    documents: Documents,
    keep_responses: bool,
    limits: Limits,
    /// `server.request_timeout`, which each event of a subscription has as well.
    patience: Duration,
}

/// What can be set about the gateway.
pub struct GatewaySettings {
    pub limits: Limits,
    /// `cache.response_max_bytes`; 0 keeps no answers.
    pub response_max_bytes: u64,
    /// `server.request_timeout`.
    pub patience: Duration,
}

/// An operation that may run: of what kind it is, and in which order its answer is to be.
struct Admitted {
    kind: OperationType,
    order: Order,
    estimate: Estimate,
}

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

impl Gateway {
    /// A gateway over the use cases.
    pub fn new(contacts: Contacts, settings: GatewaySettings) -> Self {
        Self(Arc::new(Inner {
            schema: schema::builder().finish(),
            contacts,
            responses: Responses::new(settings.response_max_bytes),
            documents: Documents::new(),
            keep_responses: settings.response_max_bytes > 0,
            limits: settings.limits,
            patience: settings.patience,
        }))
    }

    /// The key of a request as it came over the wire, or `None` if its answer is never shared (the
    /// caller's cache policy or `wants_cost` forbids it).
    pub fn key(&self, caller: &Caller, body: &[u8]) -> Option<ResponseKey> {
        let shared =
            self.0.keep_responses && !caller.wants_cost && caller.cache == CachePolicy::default();
        let view = self.0.contacts.view();
        shared.then(|| self.0.responses.key(&caller.requester, view, body))
    }

    /// An answer made earlier that is still true: the serialised response.
    pub fn recall(&self, key: &ResponseKey) -> Option<Bytes> {
        self.0.responses.recall(key, self.0.contacts.clock().now_ms())
    }

    /// Keeps a serialised response until something it was made of changes.
    pub fn remember(&self, key: ResponseKey, body: Bytes, share: Share) {
        self.0.responses.remember(key, body, share);
    }

    /// Whether the request's operation (by its `operationName`) is a query, a mutation or a
    /// subscription; parses the document at most once.
    pub fn operation(&self, request: &mut Request) -> Result<OperationType, ServerError> {
        if self.0.documents.recall(request) {
            return document::kind(request);
        }
        let kind = document::operation(request, &self.0.limits)?;
        self.0.documents.keep(request)?;
        Ok(kind)
    }

    /// Refuses a batch whose operations could need too many calls together. One that may not run
    /// by itself costs the others nothing.
    pub fn admit_batch(&self, requests: &mut [Request]) -> Result<(), ServerError> {
        let admitted = requests.iter_mut().filter_map(|request| self.admit(request).ok());
        let estimates: Vec<Estimate> = admitted.map(|admitted| admitted.estimate).collect();
        self.0.limits.check_batch(&estimates)
    }

    /// Runs a query or mutation: limits, validation, execution; ends by the caller's deadline.
    pub async fn execute(&self, mut request: Request, caller: Caller) -> Answer {
        match self.admit(&mut request) {
            Ok(admitted) => self.run(request, admitted, caller).await,
            Err(error) => Answer::refused(error, &caller),
        }
    }

    /// Runs any operation as a stream of answers: a subscription's events, or the one answer of a
    /// query or mutation. Request errors arrive as one answer.
    pub fn stream(
        &self,
        mut request: Request,
        caller: Caller,
    ) -> impl Stream<Item = Answer> + Send + use<> {
        let admitted = match self.admit(&mut request) {
            Ok(admitted) => admitted,
            Err(error) => return stream::iter([Answer::refused(error, &caller)]).boxed(),
        };
        let Admitted { kind: OperationType::Subscription, order, .. } = admitted else {
            let this = self.clone();
            return stream::once(async move { this.run(request, admitted, caller).await }).boxed();
        };
        let (loads, queue) = loads::channel();
        let scopes = self.scopes(&self.session(&caller), loads);
        let events = self.0.schema.execute_stream(request.data(scopes));
        let events = loads::beside(events.boxed(), queue);
        events.map(move |response| Answer::of(response, &order, &caller)).boxed()
    }

    async fn run(&self, mut request: Request, mut admitted: Admitted, caller: Caller) -> Answer {
        let session = self.session(&caller);
        if admitted.estimate.by_tag && self.0.contacts.tag_count().is_none() {
            // What hangs on every tag can be weighed only when it is known how many there are. If
            // they cannot be read, the field itself will say so.
            if let Ok(reader) = self.0.contacts.reader(Arc::clone(&session)) {
                let _ = reader.tags().await;
            }
            match self.admit(&mut request) {
                Ok(weighed) => admitted = weighed,
                Err(error) => return Answer::refused(error, &caller),
            }
        }
        let (loads, queue) = loads::channel();
        let scopes = self.scopes(&session, loads);
        let execution = stream::once(self.0.schema.execute(request.data(scopes)));
        let mut execution = loads::beside(execution.boxed(), queue);
        let answered = tokio::time::timeout_at(caller.deadline, execution.next()).await;
        let Ok(Some(response)) = answered else {
            let error = refusal("the answer was not ready in time", ErrorCode::RequestTimeout);
            return Answer { executed: true, ..Answer::refused(error, &caller) };
        };
        let mut answer = Answer::of(response, &admitted.order, &caller);
        if caller.wants_cost {
            let estimated = admitted.estimate.calls;
            cost::report(&mut answer.response, &session, &self.0.contacts, estimated);
        } else if admitted.kind == OperationType::Query && answer.response.is_ok() {
            let now_ms = self.0.contacts.clock().now_ms();
            answer.share = Share::of(session.take_used(), now_ms);
        }
        answer
    }

    /// Refuses what is too much, before anything is validated or called.
    fn admit(&self, request: &mut Request) -> Result<Admitted, ServerError> {
        let kind = document::operation(request, &self.0.limits)?;
        let name = request.operation_name.clone();
        // Taken out while the request lends its document.
        let variables = std::mem::take(&mut request.variables);
        let contacts = &self.0.contacts;
        let known = Known {
            subscribers: contacts.account_size(),
            tags: contacts.tag_count(),
            searches_tasks: contacts.searches_tasks(),
        };
        let checked = request.parsed_query().and_then(|document| {
            let estimate = self.0.limits.check(document, name.as_deref(), &variables, known)?;
            // Only now: what has not passed may be a bomb.
            Ok((estimate, Order::of(document, name.as_deref())))
        });
        request.variables = variables;
        let (estimate, order) = checked?;
        Ok(Admitted { kind, order, estimate })
    }

    fn session(&self, caller: &Caller) -> Arc<Session> {
        let wanted = Wanted {
            no_cache: caller.cache.no_cache,
            max_age: caller.cache.max_age,
            only_cached: caller.cache.only_if_cached,
        };
        let now_ms = self.0.contacts.clock().now_ms();
        let deadline = caller.deadline.checked_sub(TO_ANSWER).unwrap_or(caller.deadline);
        let deadline = deadline.max(Instant::now());
        Arc::new(Session::new(caller.requester.clone(), wanted, now_ms, deadline))
    }

    fn scopes(&self, session: &Arc<Session>, loads: Loads) -> Arc<Scopes> {
        let inner = &self.0;
        Arc::new(Scopes::new(inner.contacts.clone(), Arc::clone(session), loads, inner.patience))
    }
}

impl Answer {
    fn of(mut response: Response, order: &Order, caller: &Caller) -> Self {
        let executed = response.data != async_graphql::Value::Null
            || response.errors.is_empty()
            || response.errors.iter().any(|error| !error.path.is_empty());
        nulls::fill(&mut response);
        order.apply(&mut response.data);
        publish(&mut response, executed, &caller.request_id);
        Self { response, executed, share: None }
    }

    fn refused(error: ServerError, caller: &Caller) -> Self {
        let mut response = Response::from_errors(vec![error]);
        publish(&mut response, false, &caller.request_id);
        Self { response, executed: false, share: None }
    }
}
