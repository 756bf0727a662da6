//! `tandem health`: asks a gateway on this machine whether it can serve. For container images,
//! which have no other program to ask with.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

use super::{Environment, Failure, complain, loader};

/// Where a gateway listens unless its settings say otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4000);
/// Container engines ask every few seconds; an answer later than this counts as none.
const PATIENCE: Duration = Duration::from_secs(3);

/// Ask a gateway on this machine whether it is ready
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tandem health --listen 127.0.0.1:4000")]
pub(super) struct Args {
    /// Where the gateway listens [default: as its settings say, else 127.0.0.1:4000]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Settings of the gateway [default: tandem.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(args: &Args, env: Environment) -> Result<ExitCode, Failure> {
    // A sandbox's settings are not whole, and it listens there unless it is told otherwise.
    let of_settings =
        || loader(args.config.as_deref(), env).load().map_or(LISTEN, |config| config.server.listen);
    let listen = reachable(args.listen.unwrap_or_else(of_settings));
    let status = ask(listen).with_context(|| format!("no answer from {listen}"))?;
    if status == "200" {
        return Ok(ExitCode::SUCCESS);
    }
    complain(&format!("not ready: {listen} answered {status}"));
    Ok(ExitCode::FAILURE)
}

/// Who listens on every address is asked on this machine's own.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    listen
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
