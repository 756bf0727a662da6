//! A system that answers by a script: for tests of what a faithful fake never does.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::time::Instant;
use url::Url;

use crate::tasks::Tasks;

use super::{Call, Meter, Priority};

/// A call with plenty of time.
pub fn call() -> Call {
    call_within(Duration::from_secs(20))
}

/// A call that must be over soon.
pub fn call_within(time: Duration) -> Call {
    Call {
        deadline: Instant::now() + time,
        priority: Priority::Interactive,
        meter: Arc::new(Meter::default()),
    }
}

/// One line of the script.
#[derive(Clone, Debug)]
pub enum Line {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Bytes,
    },
    /// Nothing for so long, then an empty object.
    Silence(Duration),
    /// The connection breaks in the middle of the answer.
    Break,
}

impl Line {
    /// A JSON answer.
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::of(status, "application/json", body)
    }

    /// A page of something between us and the system.
    pub fn html(status: u16) -> Self {
        Self::of(status, "text/html", "<html><body>sorry, ana@example.com</body></html>")
    }

    fn of(status: u16, kind: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type", kind.to_owned())];
        Self::Answer { status, headers, body: body.into() }
    }

    /// The same with a header.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

/// A request as it arrived.
#[derive(Debug)]
pub struct Seen {
    pub method: String,
    /// Path and query.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The system. It answers with the lines in turn, and with the last one for ever.
pub struct Script {
    pub url: Url,
    stage: Arc<Stage>,
    tasks: Tasks,
}

struct Stage {
    lines: Mutex<VecDeque<Line>>,
    seen: Mutex<Vec<Seen>>,
    busy: AtomicUsize,
    busiest: AtomicUsize,
}

impl Script {
    /// Serves until dropped.
    pub async fn start(lines: impl IntoIterator<Item = Line>) -> Self {
        let stage = Arc::new(Stage {
            lines: Mutex::new(lines.into_iter().collect()),
            seen: Mutex::default(),
            busy: AtomicUsize::new(0),
            busiest: AtomicUsize::new(0),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&stage));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/base/", listener.local_addr().unwrap()).parse().unwrap();
        let tasks = Tasks::new();
        let stop = tasks.clone();
        tasks.spawn(async move {
            tokio::select! {
                served = axum::serve(listener, router).into_future() => served.unwrap(),
                () = stop.stopping() => {}
            }
        });
        Self { url, stage, tasks }
    }

    /// What has arrived since this was last asked.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.stage.seen.lock().unwrap())
    }

    /// How many calls have arrived since they were last looked at.
    pub fn count(&self) -> usize {
        self.stage.seen.lock().unwrap().len()
    }

    /// The most calls that were under way at the same time.
    pub fn busiest(&self) -> usize {
        self.stage.busiest.load(Ordering::SeqCst)
    }

    /// Replaces what is left of the script.
    pub fn rewrite(&self, lines: impl IntoIterator<Item = Line>) {
        *self.stage.lines.lock().unwrap() = lines.into_iter().collect();
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

async fn answer(State(stage): State<Arc<Stage>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    stage.seen.lock().unwrap().push(Seen {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: parts.headers,
        body,
    });
    let line = {
        let mut lines = stage.lines.lock().unwrap();
        if lines.len() > 1 { lines.pop_front().unwrap() } else { lines[0].clone() }
    };
    stage.busiest.fetch_max(stage.busy.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    let response = play(line).await;
    stage.busy.fetch_sub(1, Ordering::SeqCst);
    response
}

async fn play(line: Line) -> Response {
    match line {
        Line::Answer { status, headers, body } => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            for (name, value) in headers {
                let value = HeaderValue::try_from(value).unwrap();
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
            response
        }
        Line::Silence(time) => {
            tokio::time::sleep(time).await;
            Response::new(Body::from("{}"))
        }
        Line::Break => {
            let broken = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
            let chunks = [Ok(Bytes::from_static(b"{")), Err(broken)];
            Response::new(Body::from_stream(futures_util::stream::iter(chunks)))
        }
    }
}
