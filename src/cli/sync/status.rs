//! `tandem sync status`: how sync stands, at one moment.

use std::process::ExitCode;

use super::answers::read;
use super::{Connection, Environment, Failure, print, print_json, table};

/// Show how sync stands: runs, what waits for a decision, what failed, calls left
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tandem sync status\n  tandem sync status --json | jq \
                        .syncStatus.state\n\nIt needs the scope sync.readonly.")]
pub(super) struct Args {
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(args: Args, env: Environment) -> Result<ExitCode, Failure> {
    let json = args.connection.json;
    let standing = args.connection.open(env)?.standing().await?;
    if json {
        print_json(&standing)?;
    } else {
        print(&table::standing(&read(&standing)?))?;
    }
    Ok(ExitCode::SUCCESS)
}
