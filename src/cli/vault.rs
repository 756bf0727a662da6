//! `tandem vault`: keys of stored credentials.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{Environment, Failure, loader, print};
use crate::app;
use crate::clock::{Clock, secret_bytes};
use crate::config::vault::key_text;

/// Make a key for stored credentials, or move them to another
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  tandem vault key >> vault.keys\n\nTo change the key: put a new \
                        one after the old in the file of vault.keys_file, which running gateways read \
                        again; put it first; `tandem vault rotate`; then the old one can go. Keys that \
                        are not in a file need a restart of every gateway at each step."
)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Key(Key),
    Rotate(Rotate),
}

/// Print a new key, as vault.keys wants it
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tandem vault key >> vault.keys")]
struct Key {
    /// What the key is called [default: the present day and time]
    #[arg(long, value_name = "ID", value_parser = id)]
    id: Option<String>,
}

/// Encrypt everything stored with the first key of vault.keys; gateways may run meanwhile
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tandem vault rotate --config tandem.toml")]
struct Rotate {
    /// Settings [default: tandem.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

fn id(text: &str) -> Result<String, String> {
    let sane = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=32).contains(&text.len()) && text.bytes().all(sane) {
        Ok(text.to_owned())
    } else {
        Err("1 to 32 letters, digits, dots and dashes".to_owned())
    }
}

pub(super) async fn run(args: Args, env: Environment) -> Result<ExitCode, Failure> {
    match args.action {
        Action::Key(Key { id }) => {
            let now = || Clock::system().now().format("%Y%m%dT%H%M%S").to_string();
            print(&format!("{}\n", key_text(&id.unwrap_or_else(now), secret_bytes())))?;
        }
        Action::Rotate(Rotate { config }) => {
            let config = loader(config.as_deref(), env).load()?;
            if !config.vault.is_set() {
                return Err(Failure::Usage("vault.keys is not set".to_owned()));
            }
            let done = app::rotate(&config).await?;
            let what = if done == 1 { "secret" } else { "secrets" };
            print(&format!("{done} {what} moved to the first key\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
