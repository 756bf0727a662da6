//! How fast webhooks are taken in: `cargo bench --bench webhooks`.
//!
//! A burst of events, each with an id of its own, is posted on many connections. Each answer of the
//! gateway must say that the event is stored; then the gateway is killed and started again, and must
//! know every one of them. The baseline in the same run is an axum handler that verifies the signature
//! and does nothing else. `docs/benchmarks.md` has the last figures.
//!
//! The server under test runs alone on CPU 0, everything else on CPU 1.
#![expect(clippy::print_stdout, reason = "its table is what it is for")]
#![expect(
    clippy::format_push_string,
    clippy::too_many_arguments,
    clippy::type_complexity,
    reason = "a script that is read from top to bottom"
)]

#[path = "../load/client.rs"]
#[expect(dead_code, reason = "load puts load; here every request is sent once")]
mod client;
#[path = "../sync/gateway.rs"]
#[expect(dead_code, reason = "here neither calls nor memory are counted")]
mod gateway;
#[path = "../load/process.rs"]
#[expect(dead_code, reason = "load looks at peaks")]
mod process;

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, ensure};
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clap::{Parser, Subcommand};
use ed25519_dalek::pkcs8::EncodePublicKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde_json::{Value, json};
use tandem::sandbox::credentials::HIGHLEVEL_LOCATION;
use tempfile::TempDir;
use tokio::net::TcpListener;

use client::{Connection, Pace, burst, request};
use gateway::Upstream;
use process::{SERVER, Server};

const ROUTE: &str = "/webhooks/highlevel";
const STORED: &[u8] = br#"{"status":"stored"}"#;

/// Webhooks in a burst, against a handler that only verifies the signature
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Example:\n  cargo bench --bench webhooks -- --events 5000 --rounds 3")]
struct Args {
    /// Events in a burst
    #[arg(long, default_value_t = 5_000)]
    events: usize,
    /// Connections
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// How many rounds; each server is fresh in each
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// What `cargo bench` passes
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    child: Option<Child>,
}

/// The baseline, as a process of its own.
#[derive(Clone, Debug, Subcommand)]
enum Child {
    /// Verifies the signature and answers.
    #[command(hide = true)]
    Bare { listen: SocketAddr, key: String },
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if let Some(Child::Bare { listen, key }) = args.child {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        return runtime.block_on(serve(listen, &key));
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(&args))
}

/// The baseline.
async fn serve(listen: SocketAddr, key: &str) -> anyhow::Result<()> {
    let bytes: [u8; 32] = STANDARD.decode(key)?.try_into().ok().context("32 bytes")?;
    let key = VerifyingKey::from_bytes(&bytes)?;
    let verify = move |headers: HeaderMap, body: Bytes| async move {
        let signature = headers.get("x-ghl-signature").and_then(|value| value.to_str().ok());
        let signature = signature.and_then(|text| STANDARD.decode(text).ok());
        let signature = signature.and_then(|bytes| Signature::from_slice(&bytes).ok());
        match signature.map(|signature| key.verify_strict(&body, &signature)) {
            Some(Ok(())) => Ok(STORED),
            Some(Err(_)) | None => Err(StatusCode::UNAUTHORIZED),
        }
    };
    let router = Router::new().route(ROUTE, post(verify)).route("/ready", get(async || "ready"));
    axum::serve(TcpListener::bind(listen).await?, router).await?;
    Ok(())
}

async fn run(args: &Args) -> anyhow::Result<()> {
    let key = SigningKey::from_bytes(&[7; 32]);
    let mut upstream = Upstream::start(300).await?;
    let pem = key.verifying_key().to_public_key_pem(LineEnding::LF)?;
    upstream.highlevel = format!("webhook_public_key = '''{pem}'''");
    println!(
        "{} events on {} connections, {} rounds, {}\n",
        args.events,
        args.connections,
        args.rounds,
        if upstream.pinned { "server alone on CPU 0, the rest on CPU 1" } else { "NOT PINNED" }
    );
    println!("{:<28} {:>10} {:>9} {:>9}", "", "answers/s", "p50 ms", "p99 ms");
    let people = people(&upstream).await?;
    for _ in 0..args.rounds {
        let requests = events(args.events, &people, &key);
        print("only verified", baseline(args, &upstream, &key, &requests).await?);
        print("stored by the gateway", stored(args, &upstream, &requests).await?);
    }
    println!("\nEach was still known after the gateway was killed.");
    Ok(())
}

fn print(name: &str, pace: Pace) {
    println!("{name:<28} {:>10.0} {:>9.2} {:>9.2}", pace.per_second, pace.p50_ms, pace.p99_ms);
}

/// The ids of HighLevel's contacts.
async fn people(upstream: &Upstream) -> anyhow::Result<Vec<Value>> {
    let mut connection = Connection::open(upstream.sandbox.addr).await?;
    let state = connection.exchange(&request("GET", "/control/state", &[], "")).await?;
    let state: Value = serde_json::from_slice(state)?;
    let contacts = state["highlevel"]["contacts"].as_array().context("no contacts")?;
    Ok(contacts.iter().map(|contact| contact["id"].clone()).collect())
}

/// Signed events about these people in turn.
#[expect(clippy::disallowed_methods, reason = "they are sent now")]
fn events(count: usize, people: &[Value], key: &SigningKey) -> Vec<Vec<u8>> {
    let now = chrono::Utc::now().to_rfc3339();
    let one = |number: usize| {
        let event = json!({"type": "ContactUpdate", "locationId": HIGHLEVEL_LOCATION,
            "id": people[number % people.len()], "webhookId": format!("event-{number}"),
            "timestamp": now});
        let body = event.to_string();
        let signature = STANDARD.encode(key.sign(body.as_bytes()).to_bytes());
        request("POST", ROUTE, &[("x-ghl-signature", &signature)], &body)
    };
    (0..count).map(one).collect()
}

async fn baseline(
    args: &Args,
    upstream: &Upstream,
    key: &SigningKey,
    requests: &[Vec<u8>],
) -> anyhow::Result<Pace> {
    let key = STANDARD.encode(key.verifying_key().to_bytes());
    let arguments = |addr: SocketAddr| vec!["bare".to_owned(), addr.to_string(), key.clone()];
    let cpu = upstream.pinned.then_some(SERVER);
    let program = std::env::current_exe()?;
    let server = Server::start(cpu, Path::new(&program), arguments, "/ready").await?;
    burst(server.addr, args.connections, requests, &|_, body| says(body, STORED)).await
}

async fn stored(args: &Args, upstream: &Upstream, requests: &[Vec<u8>]) -> anyhow::Result<Pace> {
    let folder = TempDir::new()?;
    let store = format!("[store]\nurl = \"sqlite://{}/tandem.db\"\n", folder.path().display());
    let gateway = upstream.gateway(&store).await?;
    let stored = |_: usize, body: &[u8]| says(body, STORED);
    let pace = burst(gateway.addr, args.connections, requests, &stored).await?;
    // Killed, not stopped: what it answered for must be there.
    drop(gateway);
    let gateway = upstream.gateway(&store).await?;
    let seen = |_: usize, body: &[u8]| says(body, br#"{"status":"seen"}"#);
    burst(gateway.addr, args.connections, requests, &seen).await?;
    Ok(pace)
}

fn says(body: &[u8], expected: &[u8]) -> anyhow::Result<()> {
    ensure!(body == expected, "it should say {}", String::from_utf8_lossy(expected));
    Ok(())
}
