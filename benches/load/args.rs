//! What the script can be told.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Load test of the gateway against two baselines and the upstream, in interleaved rounds.
#[derive(Clone, Debug, Parser)]
#[command(
    after_help = "Example:\n  cargo bench --bench load -- --seconds 4 --rounds 3 --only list"
)]
pub struct Args {
    /// How long each server is measured in each case and round
    #[arg(long, default_value_t = 4.0)]
    pub seconds: f64,
    /// How many rounds; the table shows medians
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Only these cases: contact, same-contact, list, same-list, constant, constant-live, upstream
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
    /// Only these servers: tandem, unbounded, bounded (the same with 64 permits), batched (the same
    /// with one search for a page's tasks), bare
    #[arg(long, value_delimiter = ',', default_value = "tandem,unbounded,bare")]
    pub servers: Vec<String>,
    /// Measure while the server still writes down whom it has just seen for the first time
    #[arg(long)]
    pub at_once: bool,
    /// Keep-alive connections of the load generator
    #[arg(long, default_value_t = 64)]
    pub connections: usize,
    /// People in the sandbox
    #[arg(long, default_value_t = 20_000)]
    pub contacts: usize,
    /// Instead of the table: how long cold pages take when each upstream call takes so many ms
    #[arg(long, value_name = "MS")]
    pub latency: Option<u64>,
    /// What `cargo bench` passes
    #[arg(long, hide = true)]
    pub bench: bool,
    #[command(subcommand)]
    pub child: Option<Child>,
}

/// The servers that the script runs as processes of its own.
#[derive(Clone, Debug, Subcommand)]
pub enum Child {
    /// Answers every request with the bytes of a file.
    #[command(hide = true)]
    Bare { listen: SocketAddr, answer: PathBuf },
    /// Plain resolvers over the same upstream.
    #[command(hide = true)]
    Plain {
        listen: SocketAddr,
        upstream: String,
        /// Most upstream calls at the same time; 0: as many as there are
        permits: usize,
        /// One search for the tasks of a page
        #[arg(long)]
        batched: bool,
    },
}

impl Args {
    /// Whether a case was asked for.
    pub fn wants(&self, case: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == case)
    }
}
