//! A tiny schema behind the real routes, for the unit tests of the transports.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{
    Error, ErrorExtensions, Name, Object, Request, Schema, ServerError, Subscription,
};
use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request as HttpRequest;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::net::TcpListener;

use super::front::Door;
use super::*;
use crate::auth::{Admitted, Authenticate, Denied, Requester};
use crate::clock::Clock;
use crate::graphql::{Answer, Caller};
use crate::tasks::Tasks;

pub(super) struct Query;

#[Object]
impl Query {
    async fn hello(&self, name: Option<String>) -> String {
        format!("hello {}", name.unwrap_or_else(|| "you".to_owned()))
    }

    async fn broken(&self) -> Result<Option<String>, Error> {
        Err(Error::new("upstream is down")
            .extend_with(|_, it| it.set("code", "UPSTREAM_UNAVAILABLE")))
    }

    async fn panics(&self) -> Option<String> {
        std::hint::black_box(None::<Option<String>>).expect("as asked")
    }

    /// Never answers.
    async fn hangs(&self) -> Option<String> {
        std::future::pending().await
    }
}

pub(super) struct Mutation;

#[Object]
impl Mutation {
    async fn write(&self) -> bool {
        true
    }
}

pub(super) struct Events;

#[Subscription]
impl Events {
    async fn count(&self, to: i32) -> impl Stream<Item = i32> {
        stream::iter(1..=to)
    }

    /// Says 1 and then nothing for ever.
    async fn stays(&self) -> impl Stream<Item = i32> {
        stream::iter([1]).chain(stream::pending())
    }

    /// As much as is read.
    async fn floods(&self) -> impl Stream<Item = String> {
        stream::repeat_with(|| "x".repeat(100_000))
    }
}

/// Runs the tiny schema and keeps every executed answer.
#[derive(Clone)]
pub(super) struct Sample {
    schema: Schema<Query, Mutation, Events>,
    kept: Arc<Mutex<HashMap<Vec<u8>, Bytes>>>,
    pub executed: Arc<AtomicUsize>,
}

impl Executor for Sample {
    type Key = Vec<u8>;

    fn key(&self, caller: &Caller, body: &[u8]) -> Option<Vec<u8>> {
        (!caller.cache.no_cache && !caller.wants_cost).then(|| body.to_vec())
    }

    fn recall(&self, key: &Vec<u8>) -> Option<Bytes> {
        self.kept.lock().unwrap().get(key).cloned()
    }

    fn remember(&self, key: Vec<u8>, body: Bytes, answer: Answer) {
        if answer.response.is_ok() {
            self.kept.lock().unwrap().insert(key, body);
        }
    }

    fn operation(&self, request: &mut Request) -> Result<OperationType, ServerError> {
        let name = request.operation_name.clone();
        let document = request.parsed_query()?;
        let operations: Vec<_> = document.operations.iter().collect();
        operations
            .iter()
            .find(|(it, _)| name.is_none() || it.map(Name::as_str) == name.as_deref())
            .map(|(_, operation)| operation.node.ty)
            .ok_or_else(|| ServerError::new("no such operation", None))
    }

    async fn admit_batch(&self, _: &mut [Request], _: &Requester) -> Result<(), ServerError> {
        Ok(())
    }

    async fn execute(&self, request: Request, caller: Caller) -> Answer {
        self.executed.fetch_add(1, Ordering::SeqCst);
        let response = self.schema.execute(request).await;
        let _ = caller;
        let executed = response.errors.iter().all(|it| !it.path.is_empty());
        Answer { response, executed, share: None }
    }

    fn stream(&self, request: Request, _: Caller) -> impl Stream<Item = Answer> + Send + use<> {
        self.schema.execute_stream(request).map(|response| {
            let executed = response.errors.iter().all(|it| !it.path.is_empty());
            Answer { response, executed, share: None }
        })
    }
}

struct Ready;

#[async_trait]
impl Probe for Ready {
    async fn checks(&self) -> Vec<Check> {
        vec![Check { name: "store", ok: true, needed: true }]
    }
}

/// Lets everyone in but the tokens `bad` and `weak`; any other token is its owner's name.
struct Tokens;

#[async_trait]
impl Authenticate for Tokens {
    async fn authenticate(&self, token: Option<&str>) -> Result<Admitted, Denied> {
        match token {
            Some("bad") => Err(Denied::Unauthenticated("bad")),
            Some("weak") => Err(Denied::Forbidden("weak")),
            subject => {
                let nobody = Requester::anonymous("w".into());
                let requester = Requester { subject: subject.map(Into::into), ..nobody };
                Ok(Admitted { requester, until: None })
            }
        }
    }
}

/// Settings with small limits.
pub(super) fn settings() -> Settings {
    const SECOND: Duration = Duration::from_secs(1);
    Settings {
        request_timeout: SECOND * 10,
        drain_timeout: SECOND * 10,
        max_body_bytes: 10_000,
        max_header_bytes: 10_000,
        header_read_timeout: SECOND * 10,
        allowed_origins: vec!["https://app.example".to_owned()],
        allowed_hosts: Vec::new(),
        trusted_proxies: Vec::new(),
        batch: 10,
        connections: 100,
        clients: None,
        unusual: None,
        sockets: 10,
        message_bytes: 10_000,
        operations_per_socket: 10,
        init_timeout: SECOND * 10,
        keep_alive: SECOND * 10,
        send_timeout: SECOND * 10,
    }
}

pub(super) fn front(settings: Settings) -> Front<Sample> {
    Front::new(Parts {
        executor: Sample {
            schema: Schema::new(Query, Mutation, Events),
            kept: Arc::default(),
            executed: Arc::default(),
        },
        authenticate: Arc::new(Tokens),
        probe: Arc::new(Ready),
        webhooks: None,
        consent: None,
        measured: None,
        settings,
        tasks: Tasks::new(),
        clock: Clock::system(),
    })
}

/// The front door with the usual settings.
pub(super) fn door() -> Door<Sample> {
    Door::new(front(settings()))
}

/// A request with these headers, each `name: value`.
pub(super) fn request(method: &str, uri: &str, headers: &[&str], body: &str) -> HttpRequest<Body> {
    let mut request = HttpRequest::builder().method(method).uri(uri);
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

/// The text of an answer.
pub(super) async fn text(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The JSON of an answer.
pub(super) async fn json(response: Response) -> Value {
    serde_json::from_str(&text(response).await).unwrap()
}

/// Serves on a free port: its address, and the front for a look inside.
pub(super) async fn listening(settings: Settings) -> (std::net::SocketAddr, Front<Sample>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let front = front(settings);
    let tasks = front.tasks.clone();
    tasks.spawn(serve(listener, front.clone()));
    (address, front)
}
