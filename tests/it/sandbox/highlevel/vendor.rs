//! A HighLevel fake without a socket. Every call and answer passes the official specification.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use chrono::DateTime;
use serde_json::{Value, json};
use tandem::clock::Clock;
use tandem::sandbox::fault::Fault;
use tandem::sandbox::highlevel::HighLevel;
use tandem::sandbox::highlevel::seed::SeedContact;
use tandem::sandbox::shared::{Shared, System};
use tandem::sandbox::{Options, gate};
use tandem::tasks::Tasks;
use tower::ServiceExt;

use crate::openapi::{Exchange, Validator};

pub const LOCATION: &str = "sandboxLocation00001";
pub const TOKEN: &str = "pit-00000000-0000-4000-8000-000000000001";
pub const READ_ONLY: &str = "pit-00000000-0000-4000-8000-000000000002";
pub const AGENCY: &str = "pit-00000000-0000-4000-8000-000000000003";

pub struct Vendor {
    pub fake: Arc<HighLevel>,
    pub shared: Arc<Shared>,
    pub tasks: Tasks,
    router: Router,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Vendor {
    /// A location with nobody in it, on a clock that stands still, without rate limits.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Options)) -> Self {
        let start = DateTime::from_timestamp_millis(1_780_000_000_000).unwrap();
        let mut options = Options {
            clock: Clock::manual(start),
            index_delay: Duration::ZERO,
            rate_limit: false,
            ..Options::default()
        };
        change(&mut options);
        let tasks = Tasks::new();
        let shared = Shared::new(&options, &tasks);
        let fake = HighLevel::new(Arc::clone(&shared));
        let router = gate::guard(fake.router(), System::HighLevel, Arc::clone(&shared));
        Self { fake, shared, tasks, router }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None).await
    }

    /// A read whose answer needs not fit the specification.
    pub async fn get_raw(&self, path: &str) -> Answer {
        let request = Request::builder()
            .uri(path)
            .header("version", "2021-07-28")
            .header("authorization", format!("Bearer {TOKEN}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call("PUT", path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, None).await
    }

    /// A call with the private token.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.call_as(TOKEN, method, path, body).await
    }

    /// A call that must fit the specification, as must its answer.
    pub async fn call_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("version", "2021-07-28")
            .header("authorization", format!("Bearer {token}"));
        let bytes = body.as_ref().map(Value::to_string);
        if bytes.is_some() {
            request = request.header("content-type", "application/json");
        }
        let answer =
            self.send(request.body(bytes.map_or(Body::empty(), Body::from)).unwrap()).await;
        self.hold(method, path, body.as_ref(), &answer);
        answer
    }

    fn hold(&self, method: &str, path: &str, request: Option<&Value>, answer: &Answer) {
        let page = self.shared.journal.page(0, false);
        let route = page.calls.last().unwrap().route.clone();
        let Some(route) = route.filter(|_| answer.status != 404) else { return };
        let exchange = Exchange {
            method,
            route: &route,
            request,
            status: answer.status,
            answer: &answer.body,
        };
        let mut violations = Validator::new().check(&exchange);
        if answer.status < 300 {
            let query = path.split_once('?').map_or("", |(_, query)| query);
            let pairs: Vec<_> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
            violations.extend(Validator::new().check_query(method, &route, &pairs));
        }
        assert!(violations.is_empty(), "{method} {path}: {violations:#?}\n{}", answer.body);
        let trace = answer.body["traceId"].as_str().unwrap();
        assert_eq!(trace.len(), 36, "a traceId is a UUID");
    }

    /// Any request, unchecked.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { status, headers, body }
    }

    /// A form to a token endpoint.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        let answer = self.send(request).await;
        if answer.body.is_object() {
            let sent: Value = fields.iter().map(|(n, v)| ((*n).to_owned(), json!(v))).collect();
            self.hold("POST", path, Some(&sent), &answer);
        }
        answer
    }

    pub fn advance(&self, seconds: u64) {
        self.shared.clock.advance(Duration::from_secs(seconds));
    }

    pub fn fault(&self, fault: Value) {
        let fault: Fault = serde_json::from_value(fault).unwrap();
        fault.check().unwrap();
        self.shared.faults.add(fault);
    }

    pub fn settings(&self, change: Value) {
        self.shared.switches.change(serde_json::from_value(change).unwrap());
    }

    /// Somebody with an address.
    pub fn person(&self, email: &str) -> String {
        self.fake.seed(SeedContact { email: Some(email.to_owned()), ..SeedContact::default() })
    }

    /// The id of a standard field.
    pub async fn field(&self, key: &str) -> String {
        let answer = self.get(&format!("/locations/{LOCATION}/customFields")).await;
        let fields = answer.body["customFields"].as_array().unwrap().clone();
        let field = fields.iter().find(|field| field["fieldKey"] == key).unwrap();
        field["id"].as_str().unwrap().to_owned()
    }
}

impl Answer {
    /// The body without its trace id.
    pub fn plain(&self) -> Value {
        let mut body = self.body.clone();
        body.as_object_mut().unwrap().remove("traceId").unwrap();
        body
    }

    pub fn text(&self, pointer: &str) -> String {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}
