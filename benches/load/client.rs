//! The load generator: HTTP/1.1 over keep-alive connections, one request at a time on each.
//!
//! It shares its CPU with the sandbox, so it does as little as it can: requests are bytes made
//! beforehand, and of an answer only the status and the length are looked at. What is in the answers
//! is checked once for every request, before the clock runs ([`survey`]).

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What one run gave.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// One kept connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(addr: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// The data of a GraphQL answer without errors.
    pub async fn ask(&mut self, query: &str, variables: &Value) -> anyhow::Result<Value> {
        let body = json!({"query": query, "variables": variables}).to_string();
        let answer = self.exchange(&request("POST", "/graphql", &[], &body)).await?;
        let answer: Value = serde_json::from_slice(answer)?;
        ensure!(answer["errors"].is_null(), "{answer}");
        answer.get("data").cloned().with_context(|| answer.to_string())
    }

    /// Sends a request and gives the body of the answer, which must be 200 and state its length.
    pub async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut frame = None;
        loop {
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server hung up");
            if frame.is_none() {
                frame = head(&self.buffer)?;
            }
            if let Some((start, end)) = frame
                && self.buffer.len() >= end
            {
                ensure!(self.buffer.len() == end, "more than one answer");
                return Ok(&self.buffer[start..end]);
            }
        }
    }
}

/// Where the body begins and ends, once the head is there.
fn head(bytes: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let mut lines = bytes[..end].split(|byte| *byte == b'\n');
    let status = lines.next().unwrap_or_default();
    if !status.starts_with(b"HTTP/1.1 200") {
        bail!("answered {}", String::from_utf8_lossy(bytes).chars().take(600).collect::<String>());
    }
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        if line[..colon].eq_ignore_ascii_case(b"content-length") {
            let length: usize = std::str::from_utf8(&line[colon + 1..])?.trim().parse()?;
            return Ok(Some((end + 4, end + 4 + length)));
        }
    }
    bail!("an answer without a length")
}

/// Sends every request once, `inspect`s its answer, and gives the lengths to expect from then on.
pub async fn survey(
    addr: SocketAddr,
    requests: &[Vec<u8>],
    inspect: &dyn Fn(usize, &[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<usize>> {
    let lengths = RefCell::new(vec![0; requests.len()]);
    let answered = |index: usize, body: &[u8]| {
        lengths.borrow_mut()[index] = body.len();
        inspect(index, body)
    };
    burst(addr, 8, requests, &answered).await?;
    Ok(lengths.into_inner())
}

/// Sends every request once on so many connections and `inspect`s its answer.
pub async fn burst(
    addr: SocketAddr,
    connections: usize,
    requests: &[Vec<u8>],
    inspect: &dyn Fn(usize, &[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<Pace> {
    let next = Cell::new(0);
    let take = || {
        let index = next.get();
        next.set(index + 1);
        (index < requests.len()).then_some(index)
    };
    let latencies = RefCell::new(Vec::with_capacity(requests.len()));
    let answered = |index: usize, body: &[u8], sent: Instant| {
        latencies.borrow_mut().push(micros(sent));
        inspect(index, body).with_context(|| String::from_utf8_lossy(body).into_owned())
    };
    let begun = Instant::now();
    drive(addr, connections, requests, &take, &answered).await?;
    pace(latencies.into_inner(), begun.elapsed())
}

/// Sends the requests in turn on all connections for `warm_up` and then `seconds`; only what is
/// answered in the latter counts. `mark` is called when they begin and when they end.
pub async fn load(
    addr: SocketAddr,
    connections: usize,
    requests: &[Vec<u8>],
    lengths: &[usize],
    (warm_up, seconds): (Duration, Duration),
    mark: &dyn Fn(),
) -> anyhow::Result<Pace> {
    let begin = Instant::now() + warm_up;
    let end = begin + seconds;
    let next = Cell::new(0);
    let take = || {
        let index = next.get();
        next.set((index + 1) % requests.len());
        (Instant::now() < end).then_some(index)
    };
    let latencies = RefCell::new(Vec::with_capacity(1 << 20));
    let answered = |index: usize, body: &[u8], sent: Instant| {
        let length = lengths[index];
        ensure!(body.len() == length, "{} bytes instead of {length}", body.len());
        let now = Instant::now();
        if (begin..end).contains(&now) {
            latencies.borrow_mut().push(micros(sent));
        }
        Ok(())
    };
    let marks = async {
        tokio::time::sleep_until(begin.into()).await;
        mark();
        tokio::time::sleep_until(end.into()).await;
        mark();
        Ok(())
    };
    tokio::try_join!(drive(addr, connections, requests, &take, &answered), marks)?;
    pace(latencies.into_inner(), seconds)
}

fn micros(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_micros()).unwrap_or(u32::MAX)
}

/// What latencies in microseconds come to.
fn pace(mut latencies: Vec<u32>, lasted: Duration) -> anyhow::Result<Pace> {
    ensure!(!latencies.is_empty(), "nothing was answered");
    latencies.sort_unstable();
    let millis = |share: f64| f64::from(latencies[place(latencies.len(), share)]) / 1000.0;
    Ok(Pace {
        per_second: count(latencies.len()) / lasted.as_secs_f64(),
        p50_ms: millis(0.5),
        p99_ms: millis(0.99),
    })
}

/// The index below which `share` of `len` sorted values lie.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a length is one"
)]
fn place(len: usize, share: f64) -> usize {
    ((count(len) * share) as usize).min(len - 1)
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

/// Lets every connection `take` requests, one after the other, until there are none.
async fn drive(
    addr: SocketAddr,
    connections: usize,
    requests: &[Vec<u8>],
    take: &dyn Fn() -> Option<usize>,
    answered: &dyn Fn(usize, &[u8], Instant) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let one = async || {
        let mut connection = Connection::open(addr).await?;
        while let Some(index) = take() {
            let sent = Instant::now();
            let body = connection.exchange(&requests[index]).await?;
            answered(index, body, sent)?;
        }
        anyhow::Ok(())
    };
    try_join_all((0..connections).map(|_| one())).await?;
    Ok(())
}

/// A request as it goes over the wire.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        text += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    }
    text += "\r\n";
    text += body;
    text.into_bytes()
}
