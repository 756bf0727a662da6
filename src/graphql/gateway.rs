//! The executable schema as the transports see it.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response, ServerError};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, stream};
use tokio::time::Instant;
use tracing::Instrument;

use super::context::Scopes;
use super::cost;
use super::document;
use super::documents::Documents;
use super::error::{ErrorCode, publish, refusal, refuses, unopened};
use super::limits::{Estimate, Known, Limits};
use super::loads::{self, Loads};
use super::nulls;
use super::order::Order;
use super::persisted::Persisted;
use super::policy::Policy;
use super::responses::{ResponseKey, Responses, Share};
use super::schema::{self, TandemSchema};
use super::trusted::Trusted;
use super::typename;
use super::{CachePolicy, Caller};
use crate::auth::Requester;
use crate::contacts::{Contacts, Session, Wanted, Workspaces};
use crate::telemetry::of_workspace;

/// So many of a request's faults are told.
const MOST_FAULTS: usize = 8;
/// What is kept back of a request's time for putting the answer together: upstream calls end this
/// much earlier, so that what did arrive is still answered.
const TO_ANSWER: Duration = Duration::from_millis(200);

/// Runs operations. Cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    schema: TandemSchema,
    workspaces: Workspaces,
    responses: Responses,
    documents: Documents,
    persisted: Persisted,
    policy: Policy,
    keep_responses: bool,
    limits: Limits,
    /// `server.request_timeout`, which each event of a subscription has as well.
    patience: Duration,
}

/// What can be set about the gateway.
pub struct GatewaySettings {
    pub limits: Limits,
    /// The documents that the operator lists.
    pub trusted: Trusted,
    /// `documents.automatic`.
    pub automatic: bool,
    pub policy: Policy,
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
    pub fn new(workspaces: Workspaces, settings: GatewaySettings) -> Self {
        Self(Arc::new(Inner {
            schema: schema::builder().finish(),
            workspaces,
            responses: Responses::new(settings.response_max_bytes),
            documents: Documents::new(),
            persisted: Persisted::new(settings.trusted, settings.automatic),
            policy: settings.policy,
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
        // Of one that is yet to be opened nothing is kept.
        let contacts = self.0.workspaces.running(&caller.requester.workspace).filter(|_| shared)?;
        Some(self.0.responses.key(&caller.requester, contacts.view(), body))
    }

    /// An answer made earlier that is still true: the serialised response.
    pub fn recall(&self, key: &ResponseKey) -> Option<Bytes> {
        self.0.responses.recall(key, self.0.workspaces.clock().now_ms())
    }

    /// Keeps a serialised response until something it was made of changes.
    pub fn remember(&self, key: ResponseKey, body: Bytes, share: Share) {
        self.0.responses.remember(key, body, share);
    }

    /// Whether the request's operation (by its `operationName`) is a query, a mutation or a
    /// subscription; parses the document at most once. A document that is named only is looked up.
    pub fn operation(&self, request: &mut Request) -> Result<OperationType, ServerError> {
        self.0.persisted.resolve(request)?;
        if self.0.documents.recall(request) {
            return document::kind(request);
        }
        let kind = document::operation(request, &self.0.limits)?;
        self.0.documents.keep(request)?;
        Ok(kind)
    }

    /// Refuses a batch whose operations could need too many calls together. One that may not run
    /// by itself costs the others nothing.
    pub async fn admit_batch(
        &self,
        requests: &mut [Request],
        requester: &Requester,
    ) -> Result<(), ServerError> {
        // Where there is no workspace, each says so by itself.
        let opened =
            self.contacts(requester).instrument(of_workspace(requester.workspace.as_str()));
        let Ok(contacts) = opened.await else { return Ok(()) };
        let admitted = requests
            .iter_mut()
            .filter_map(|request| self.admit(request, requester, &contacts).ok());
        let estimates: Vec<Estimate> = admitted.map(|admitted| admitted.estimate).collect();
        self.0.limits.check_batch(&estimates)
    }

    /// Runs a query or mutation: limits, validation, execution; ends by the caller's deadline.
    pub async fn execute(&self, mut request: Request, caller: Caller) -> Answer {
        let span = of_workspace(caller.workspace());
        let answered = async move {
            match self.begin(&mut request, &caller.requester).await {
                Ok(begun) => self.run(request, begun, caller).await,
                Err(error) => Answer::refused(error, &caller),
            }
        };
        answered.instrument(span).await
    }

    /// The use cases of a requester's workspace, which is opened if nobody has asked for it yet.
    async fn contacts(&self, requester: &Requester) -> Result<Contacts, ServerError> {
        match self.0.workspaces.of(&requester.workspace).await {
            Ok(contacts) => Ok(contacts),
            Err(error) => Err(unopened(&error)),
        }
    }

    async fn begin(
        &self,
        request: &mut Request,
        requester: &Requester,
    ) -> Result<(Contacts, Admitted), ServerError> {
        let contacts = self.contacts(requester).await?;
        let admitted = self.admit(request, requester, &contacts)?;
        Ok((contacts, admitted))
    }

    /// Runs any operation as a stream of answers: a subscription's events, or the one answer of a
    /// query or mutation. Request errors arrive as one answer.
    pub fn stream(
        &self,
        request: Request,
        caller: Caller,
    ) -> impl Stream<Item = Answer> + Send + use<> {
        let this = self.clone();
        let span = of_workspace(caller.workspace());
        let answers = stream::once(async move { this.begin_stream(request, caller).await });
        let mut answers = answers.flatten().boxed();
        stream::poll_fn(move |context| span.in_scope(|| answers.poll_next_unpin(context)))
    }

    async fn begin_stream(
        &self,
        mut request: Request,
        caller: Caller,
    ) -> BoxStream<'static, Answer> {
        let (contacts, admitted) = match self.begin(&mut request, &caller.requester).await {
            Ok(begun) => begun,
            Err(error) => return stream::iter([Answer::refused(error, &caller)]).boxed(),
        };
        let Admitted { kind: OperationType::Subscription, order, .. } = admitted else {
            let answer = self.run(request, (contacts, admitted), caller).await;
            return stream::iter([answer]).boxed();
        };
        if let Err(error) = typename::complete(&mut request) {
            return stream::iter([Answer::refused(error, &caller)]).boxed();
        }
        let (loads, queue) = loads::channel();
        let scopes = self.scopes(contacts, &self.session(&caller), loads);
        let events = self.0.schema.execute_stream(request.data(scopes));
        let events = loads::beside(events.boxed(), queue);
        let policy = self.0.policy;
        events.map(move |response| Answer::of(response, &order, (&caller, policy))).boxed()
    }

    async fn run(
        &self,
        mut request: Request,
        (contacts, mut admitted): (Contacts, Admitted),
        caller: Caller,
    ) -> Answer {
        let session = self.session(&caller);
        if admitted.estimate.by_tag && contacts.tag_count().is_none() {
            // What hangs on every tag can be weighed only when it is known how many there are. If
            // they cannot be read, the field itself will say so.
            if let Ok(reader) = contacts.reader(Arc::clone(&session)) {
                let _ = reader.tags().await;
            }
            match self.admit(&mut request, &caller.requester, &contacts) {
                Ok(weighed) => admitted = weighed,
                Err(error) => return Answer::refused(error, &caller),
            }
        }
        if let Err(error) = typename::complete(&mut request) {
            return Answer::refused(error, &caller);
        }
        let (loads, queue) = loads::channel();
        let scopes = self.scopes(contacts.clone(), &session, loads);
        let execution = stream::once(self.0.schema.execute(request.data(scopes)));
        let mut execution = loads::beside(execution.boxed(), queue);
        let answered = tokio::time::timeout_at(caller.deadline, execution.next()).await;
        let Ok(Some(response)) = answered else {
            let error = refusal("the answer was not ready in time", ErrorCode::RequestTimeout);
            return Answer { executed: true, ..Answer::refused(error, &caller) };
        };
        let mut answer = Answer::of(response, &admitted.order, (&caller, self.0.policy));
        if caller.wants_cost {
            let estimated = admitted.estimate.calls;
            cost::report(&mut answer.response, &session, &contacts, estimated);
        } else if admitted.kind == OperationType::Query && answer.response.is_ok() {
            let now_ms = self.0.workspaces.clock().now_ms();
            answer.share = Share::of(session.take_used(), now_ms);
        }
        answer
    }

    /// Refuses what is too much or not for this client, before anything is validated or called.
    fn admit(
        &self,
        request: &mut Request,
        requester: &Requester,
        contacts: &Contacts,
    ) -> Result<Admitted, ServerError> {
        let kind = document::operation(request, &self.0.limits)?;
        let policy = self.0.policy;
        policy.check_trust(requester, || self.0.persisted.trusts(&request.query))?;
        let name = request.operation_name.clone();
        // Taken out while the request lends its document.
        let variables = std::mem::take(&mut request.variables);
        let known = Known {
            subscribers: contacts.account_size(),
            tags: contacts.tag_count(),
            searches_tasks: contacts.searches_tasks(),
        };
        let checked = request.parsed_query().and_then(|document| {
            let estimate = self.0.limits.check(document, name.as_deref(), &variables, known)?;
            // Only now: what has not passed may be a bomb.
            policy.check_introspection(requester, document)?;
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
        let now_ms = self.0.workspaces.clock().now_ms();
        let deadline = caller.deadline.checked_sub(TO_ANSWER).unwrap_or(caller.deadline);
        let deadline = deadline.max(Instant::now());
        Arc::new(Session::new(caller.requester.clone(), wanted, now_ms, deadline))
    }

    fn scopes(&self, contacts: Contacts, session: &Arc<Session>, loads: Loads) -> Arc<Scopes> {
        let realm = self.0.workspaces.realm(session);
        let of = (contacts, realm);
        Arc::new(Scopes::new(of, Arc::clone(session), loads, self.0.patience))
    }
}

impl Answer {
    /// Whether the client was denied something of what it asked for.
    pub fn refuses(&self) -> bool {
        refuses(&self.response)
    }

    fn of(mut response: Response, order: &Order, (caller, policy): (&Caller, Policy)) -> Self {
        let executed = response.data != async_graphql::Value::Null
            || response.errors.is_empty()
            || response.errors.iter().any(|error| !error.path.is_empty());
        if !executed {
            shorten(&mut response.errors);
        }
        nulls::fill(&mut response);
        order.apply(&mut response.data);
        policy.hide_hints(&caller.requester, &mut response);
        publish(&mut response, executed, &caller.request_id);
        Self { response, executed, share: None }
    }

    fn refused(error: ServerError, caller: &Caller) -> Self {
        let mut response = Response::from_errors(vec![error]);
        publish(&mut response, false, &caller.request_id);
        Self { response, executed: false, share: None }
    }
}

/// Leaves out of a request's faults all but the first ones: each is longer than what it is about.
fn shorten(errors: &mut Vec<ServerError>) {
    let left_out = errors.len().saturating_sub(MOST_FAULTS);
    if left_out > 0 {
        errors.truncate(MOST_FAULTS);
        errors.push(ServerError::new(format!("{left_out} more are left out"), None));
    }
}
