//! `tandem health`: asks a gateway on this machine whether it can serve. For container images,
//! which have no other program to ask with.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

use super::{Failure, complain};

/// Container engines ask every few seconds; an answer later than this counts as none.
const PATIENCE: Duration = Duration::from_secs(3);

/// Ask a gateway on this machine whether it is ready
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tandem health --listen 127.0.0.1:4000")]
pub(super) struct Args {
    /// Where the gateway listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let status = ask(args.listen).with_context(|| format!("no answer from {}", args.listen))?;
    if status == "200" {
        return Ok(ExitCode::SUCCESS);
    }
    complain(&format!("not ready: {} answered {status}", args.listen));
    Ok(ExitCode::FAILURE)
}

/// The status code of `GET /health/ready`.
fn ask(gateway: SocketAddr) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect_timeout(&gateway, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /health/ready HTTP/1.1\r\nhost: {gateway}\r\nconnection: close\r\n\r\n")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let is_http = words.next().is_some_and(|version| version.starts_with("HTTP/1."));
    words.next().filter(|_| is_http).map(str::to_owned).context("not an HTTP server")
}
