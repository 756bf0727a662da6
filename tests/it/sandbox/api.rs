//! A running sandbox on a clock that stands still, and the calls that tests make to it.

use std::net::{Ipv4Addr, SocketAddr};

use reqwest::{Client, Method, Request, Url};
use serde_json::{Value, json};
use tandem::clock::Clock;
use tandem::sandbox::credentials::{DOPPLER_ACCOUNT, DOPPLER_API_KEY};
use tandem::sandbox::{Options, Sandbox};
use tandem::tasks::Tasks;

use crate::time::PATIENCE;

/// A sandbox and a client of it. Dropping it stops the sandbox.
pub struct Api {
    pub sandbox: Sandbox,
    pub clock: Clock,
    pub tasks: Tasks,
    http: Client,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Api {
    /// 60 people, no rate limit.
    pub async fn start() -> Self {
        Self::with(|options| options).await
    }

    pub async fn with(change: impl FnOnce(Options) -> Options) -> Self {
        let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
        let options = change(Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            contacts: 60,
            rate_limit: false,
            clock: clock.clone(),
            ..Options::default()
        });
        let tasks = Tasks::new();
        let sandbox = Sandbox::start(options, &tasks).await.unwrap();
        let http = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { sandbox, clock, tasks, http }
    }

    pub fn request(method: Method, url: &str) -> Request {
        Request::new(method, Url::parse(url).unwrap())
    }

    pub async fn send(&self, request: Request) -> Answer {
        self.try_send(request).await.unwrap()
    }

    pub async fn try_send(&self, request: Request) -> reqwest::Result<Answer> {
        let answer = self.http.execute(request).await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok(Answer { status, headers, text: answer.text().await? })
    }

    /// Calls Doppler below the account; `path` starts with a slash or is empty.
    pub async fn doppler(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.send(self.doppler_request(method, path, body)).await
    }

    pub fn doppler_request(&self, method: Method, path: &str, body: Option<Value>) -> Request {
        let url = format!("{}/accounts/{DOPPLER_ACCOUNT}{path}", self.sandbox.doppler_url());
        let mut request = Self::request(method, &url);
        let key = format!("token {DOPPLER_API_KEY}");
        request.headers_mut().insert("authorization", key.parse().unwrap());
        if let Some(body) = body {
            *request.body_mut() = Some(body.to_string().into());
        }
        request
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.doppler(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.doppler(Method::POST, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.doppler(Method::DELETE, path, None).await
    }

    /// Calls a control route.
    pub async fn control(&self, method: Method, path: &str, body: Value) -> Answer {
        let mut request = Self::request(method, &format!("{}{path}", self.sandbox.control_url()));
        if !body.is_null() {
            *request.body_mut() = Some(body.to_string().into());
        }
        self.send(request).await
    }

    pub async fn fault(&self, fault: Value) {
        let answer = self.control(Method::POST, "/faults", fault).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// A new list's id.
    pub async fn list(&self, name: &str) -> String {
        let answer = self.post("/lists", json!({"name": name})).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()["createdResourceId"].as_str().unwrap().to_owned()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Status and error code, `400.9`.
    pub fn code(&self) -> String {
        let body = self.json();
        assert_eq!(body["status"], self.status, "{body}");
        format!("{}.{}", self.status, body["errorCode"])
    }

    /// The keys of a validation error.
    pub fn keys(&self) -> Vec<String> {
        assert_eq!(self.code(), "400.1");
        let body = self.json();
        let errors = body["errors"].as_array().unwrap();
        errors.iter().map(|error| error["key"].as_str().unwrap().to_owned()).collect()
    }
}
