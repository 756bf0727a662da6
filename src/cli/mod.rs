//! The commands. Only this module reads the process's arguments and environment, writes to standard
//! output and decides the exit code.
//!
//! A bad argument or setting is one line a fault on standard error and exit code 2, a failure while
//! running is one line and exit code 1; a reader that closes the pipe early is neither. To add a
//! command: a file with its arguments (an example in `after_help`) and a `run`, and a variant of
//! [`Command`].

mod check;
mod health;
mod sandbox;
mod schema;
mod serve;
mod signal;
mod sync;
mod token;
mod vault;
mod workspace;

use std::ffi::OsString;
use std::future::Future;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::config::{Faults, Loader};

/// For settings, arguments and checks that are at fault.
const FAULTY: u8 = 2;

/// How long what still runs may hold up the end of the process.
const LAST_MOMENTS: Duration = Duration::from_millis(200);

/// One GraphQL API over Doppler and HighLevel.
#[derive(Debug, Parser)]
#[command(name = "tandem", version, about, after_help = "Example:\n  tandem serve --sandbox")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Sandbox(sandbox::Args),
    Check(check::Args),
    Schema(schema::Args),
    Token(token::Args),
    Vault(vault::Args),
    Health(health::Args),
    Sync(sync::Args),
    Workspace(workspace::Args),
}

/// What ends a command before its work is done.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Config(#[from] Faults),
    #[error(transparent)]
    Output(#[from] io::Error),
    #[error("{0:#}")]
    Running(#[from] anyhow::Error),
}

/// The variables of the environment, as the loader wants them.
type Environment = Vec<(String, String)>;

/// Runs the command that `args` (with the program's name first) ask for.
pub fn run(
    args: impl IntoIterator<Item = OsString>,
    env: impl IntoIterator<Item = (OsString, OsString)>,
) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    let text = |(name, text): (OsString, OsString)| {
        Some((name.into_string().ok()?, text.into_string().ok()?))
    };
    let env: Environment = env.into_iter().filter_map(text).collect();
    let done = match cli.command {
        Command::Serve(args) => block_on(serve::run(args, env)),
        Command::Sandbox(args) => block_on(sandbox::run(args)),
        Command::Check(args) => block_on(check::run(args, env)),
        Command::Schema(args) => schema::run(&args),
        Command::Token(args) => token::run(&args, env),
        Command::Vault(args) => block_on(vault::run(args, env)),
        Command::Health(args) => health::run(&args, env),
        Command::Sync(args) => block_on(sync::run(args, env)),
        Command::Workspace(args) => block_on(workspace::run(args, env)),
    };
    done.unwrap_or_else(|failure| report(&failure))
}

fn block_on(command: impl Future<Output = Result<ExitCode, Failure>>) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(command);
    runtime.shutdown_timeout(LAST_MOMENTS);
    done
}

/// Says what failed, a line a fault, and how the process ends.
fn report(failure: &Failure) -> ExitCode {
    let code = match failure {
        Failure::Usage(_) | Failure::Config(_) => ExitCode::from(FAULTY),
        Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            return ExitCode::SUCCESS;
        }
        Failure::Output(_) | Failure::Running(_) => ExitCode::FAILURE,
    };
    for line in failure.to_string().lines() {
        complain(line);
    }
    code
}

/// One line on standard error. That nobody reads it is no reason to fail.
fn complain(line: &str) {
    tell(&format!("tandem: {line}"));
}

/// The same without whose it is: news, and no complaint.
fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints help that was asked for; makes one line of what clap says of a mistake.
fn explain(error: &clap::Error) -> ExitCode {
    let is_help = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if is_help {
        // Asked for, it goes to standard output; shown instead of a command, it is a complaint.
        let _ = error.print();
        return if error.use_stderr() { ExitCode::from(FAULTY) } else { ExitCode::SUCCESS };
    }
    let text = error.to_string();
    let mut paragraphs = text
        .split("\n\n")
        .map(|paragraph| paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" "));
    let what = paragraphs.next().unwrap_or_default();
    let tip = paragraphs.next().filter(|paragraph| paragraph.starts_with("tip:"));
    let tip = tip.map(|tip| format!(" ({tip})")).unwrap_or_default();
    complain(&format!("{}{tip}", what.trim_start_matches("error: ")));
    ExitCode::from(FAULTY)
}

/// The settings that `--config` and the environment make.
fn loader(config: Option<&Path>, env: Environment) -> Loader {
    Loader::new().file(config).env(env)
}

/// Writes to standard output at once.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
