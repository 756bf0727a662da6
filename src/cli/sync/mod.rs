//! `tandem sync`: previewing, starting and watching runs from a terminal. A client of a running gateway's
//! GraphQL API, as any other: it knows nothing that the schema does not show.
//!
//! [`client`] asks and says what a refusal means, [`answers`] are the documents and what comes back,
//! [`follow`] waits for a run, [`progress`] shows how far it is, [`table`] makes text of the rest. To add a
//! command: a file with its arguments and a `run`, and a variant of [`Command`].

mod answers;
mod client;
mod follow;
mod preview;
mod progress;
mod start;
mod status;
mod table;

use std::process::ExitCode;

use clap::Subcommand;
use secrecy::SecretString;
use serde_json::Value;

use super::{Environment, Failure, complain, print, tell};
use client::Gateway;

/// What a shell reports for a process that a signal ended (128 + SIGINT).
const INTERRUPTED: u8 = 130;

/// Preview, start and watch runs of a running gateway
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tandem sync preview\n  tandem sync start --approve\n  \
                        tandem sync status --json\n\nIt asks a gateway that runs: start one with \
                        `tandem serve`.")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Preview(preview::Args),
    Start(start::Args),
    Status(status::Args),
}

/// Which gateway, and how to talk with it.
#[derive(Debug, clap::Args)]
struct Connection {
    /// Where the gateway is; `TANDEM_URL` says the same
    #[arg(long, value_name = "URL", default_value = DEFAULT_URL, hide_default_value = true)]
    url: String,
    /// A client's token, where the gateway wants one. `TANDEM_TOKEN` says the same, and nobody sees it
    /// in a list of processes
    #[arg(long, value_name = "TOKEN", value_parser = secret)]
    token: Option<SecretString>,
    /// Print JSON for scripts
    #[arg(long)]
    json: bool,
}

const DEFAULT_URL: &str = "http://127.0.0.1:4000";

#[expect(clippy::unnecessary_wraps, reason = "the form that clap wants")]
fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(text.into())
}

impl Connection {
    /// The command line counts over the environment.
    fn open(self, env: Environment) -> Result<Gateway, Failure> {
        let mut url = self.url;
        let mut token = self.token;
        for (name, text) in env {
            match name.as_str() {
                "TANDEM_URL" if url == DEFAULT_URL => url = text,
                "TANDEM_TOKEN" if token.is_none() && !text.is_empty() => token = Some(text.into()),
                _ => {}
            }
        }
        Ok(Gateway::new(&url, token)?)
    }
}

pub(super) async fn run(args: Args, env: Environment) -> Result<ExitCode, Failure> {
    let work = async {
        match args.command {
            Command::Preview(args) => preview::run(args, env).await,
            Command::Start(args) => start::run(args, env).await,
            Command::Status(args) => status::run(args, env).await,
        }
    };
    tokio::select! {
        done = work => done,
        _ = tokio::signal::ctrl_c() => {
            complain("nobody watches any more; a run that began goes on: `tandem sync status` shows \
                      it, `tandem sync start` follows it again");
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

/// Prints an answer as it came.
fn print_json(answer: &Value) -> Result<(), Failure> {
    print(&format!("{answer:#}\n"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        connection: Connection,
    }

    #[test]
    fn a_token_is_not_shown_and_the_command_line_counts_over_the_environment() {
        let args = ["x", "--url", "http://here:1", "--token", "of-the-line"];
        let line = Line::parse_from(args);
        assert!(!format!("{line:?}").contains("of-the-line"));
        let env = || {
            vec![
                ("TANDEM_URL".to_owned(), "http://there:2".to_owned()),
                ("TANDEM_TOKEN".to_owned(), "of-the-environment".to_owned()),
            ]
        };
        let gateway = line.connection.open(env()).unwrap();
        assert!(gateway.is_at("http://here:1/graphql", Some("of-the-line")));
        let gateway = Line::parse_from(["x"]).connection.open(env()).unwrap();
        assert!(gateway.is_at("http://there:2/graphql", Some("of-the-environment")));
    }
}
