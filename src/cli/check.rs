//! `tandem check`: reads the settings, opens the store, calls both systems once, and says what is
//! wrong and where. For people a table, for scripts `--json`.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{Environment, FAULTY, Failure, loader, print};
use crate::app::{self, Finding};
use crate::clock::Clock;
use crate::config::Faults;

/// Check the settings, the store and the access to both systems
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tandem check --config tandem.toml\n\n\
                        Exit code 0: everything holds. 2: something does not.")]
pub(super) struct Args {
    /// Settings [default: tandem.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, env: Environment) -> Result<ExitCode, Failure> {
    let loader = loader(args.config.as_deref(), env);
    let given = loader.given().join(", ");
    let config = match loader.load() {
        Ok(config) => config,
        Err(faults) if args.json => {
            print(&format!("{:#}\n", faulty_settings(&faults)))?;
            return Ok(ExitCode::from(FAULTY));
        }
        Err(faults) => return Err(faults.into()),
    };
    let findings = app::check(config, &Clock::system()).await;
    let holds = findings.iter().all(|finding| finding.fault.is_none());
    if args.json {
        print(&format!("{:#}\n", report(&findings)))?;
    } else {
        print(&table(&given, &findings))?;
    }
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::from(FAULTY) })
}

fn table(given: &str, findings: &[Finding]) -> String {
    let mut text = format!("config      ok     {given}\n");
    for Finding { part, target, fault } in findings {
        let _ = match fault {
            None => writeln!(text, "{part:<12}ok     {target}"),
            Some(fault) => writeln!(text, "{part:<12}FAULT  {target}: {fault}"),
        };
    }
    text
}

fn report(findings: &[Finding]) -> Value {
    let checks: Vec<Value> = findings
        .iter()
        .map(|found| json!({"part": found.part, "target": found.target, "fault": found.fault}))
        .collect();
    let holds = findings.iter().all(|finding| finding.fault.is_none());
    json!({"ok": holds, "faults": [], "checks": checks})
}

fn faulty_settings(faults: &Faults) -> Value {
    let faults: Vec<Value> = faults
        .iter()
        .map(|fault| json!({"key": fault.key, "message": fault.message, "source": fault.source}))
        .collect();
    json!({"ok": false, "faults": faults, "checks": []})
}
