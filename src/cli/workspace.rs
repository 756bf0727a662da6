//! `tandem workspace`: the workspaces of a store.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{Environment, Failure, loader, print};
use crate::app::{self, NotMade};
use crate::clock::Clock;
use crate::config::Config;
use crate::contacts::Workspace;

/// Make or list workspaces, in the store itself; gateways that run on it serve them at once
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  tandem workspace create \"Sunny Bakery\"\n\nThe id that is printed is \
                        what a client's token names: tandem token --workspace ID"
)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Create(Create),
    List(List),
}

/// Make a workspace and print its id
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tandem workspace create \"Sunny Bakery\" --config tandem.toml")]
struct Create {
    /// What people call it
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    common: Common,
}

/// List the workspaces, the oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tandem workspace list --json")]
struct List {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Common {
    /// Settings [default: tandem.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

impl Common {
    /// Only where the store is matters.
    fn load(&self, env: Environment) -> Result<Config, Failure> {
        Ok(loader(self.config.as_deref(), env).load_section("store")?)
    }
}

pub(super) async fn run(args: Args, env: Environment) -> Result<ExitCode, Failure> {
    match args.action {
        Action::Create(Create { name, common }) => {
            let config = common.load(env)?;
            let made = app::create_workspace(&config, &name, &Clock::system()).await;
            let workspace = made.map_err(|why| match why {
                NotMade::Name(why) => Failure::Usage(format!("NAME: {why}")),
                NotMade::Failed(error) => Failure::Running(error),
            })?;
            if common.json {
                print(&format!("{:#}\n", shown(&workspace)))?;
            } else {
                print(&format!("{}\n", workspace.id))?;
            }
        }
        Action::List(List { common }) => {
            let all = app::list_workspaces(&common.load(env)?).await?;
            if common.json {
                let all: Vec<Value> = all.iter().map(shown).collect();
                print(&format!("{:#}\n", json!({"workspaces": all})))?;
            } else {
                print(&table(&all))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(workspace: &Workspace) -> Value {
    let made = workspace.created_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    json!({"id": workspace.id.as_str(), "name": workspace.name, "createdAt": made})
}

fn table(all: &[Workspace]) -> String {
    let width = all.iter().map(|one| one.id.as_str().len()).max().unwrap_or_default();
    let mut text = String::new();
    for Workspace { id, name, created_at } in all {
        let made = created_at.format("%Y-%m-%d");
        let _ = writeln!(text, "{:<width$}  {made}  {name}", id.as_str());
    }
    text
}
