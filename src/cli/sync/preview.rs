//! `tandem sync preview`: what a first run would do, or what the run that goes on does.

use std::process::ExitCode;

use serde_json::json;

use super::answers::{Run, Sample, read};
use super::client::{Gateway, Refusal};
use super::follow::follow;
use super::progress::Progress;
use super::{Connection, Environment, Failure, complain, print, print_json, table};

/// Show what a first run would do, or what the run that goes on does
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tandem sync preview\n  tandem sync preview --samples 20\n  \
                        tandem sync preview --json | jq '.run.preview.counts'\n\nWrites nothing: \
                        where no run goes on, both systems are read through in a dry run. It needs \
                        the scopes sync.readonly and sync.manage, examples contacts.readonly.")]
pub(super) struct Args {
    /// How many examples are shown, at most 100
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=100))]
    samples: u32,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(args: Args, env: Environment) -> Result<ExitCode, Failure> {
    let json = args.connection.json;
    let gateway = args.connection.open(env)?;
    let begun = match gateway.current_run().await? {
        Some(run) => run,
        None => gateway.start("BACKFILL", true).await?,
    };
    let (mut answer, run) = planned(&gateway, &begun.id, &mut Progress::new(json)).await?;
    let samples = samples(&gateway, &run, args.samples).await?;
    if json {
        if let Some(samples) = samples {
            answer["preview"]["samples"] = samples;
        }
        print_json(&json!({"run": answer}))?;
    } else if let Some(preview) = &run.preview {
        print(&table::preview(&run, preview))?;
        if let Some(samples) = samples {
            print(&table::samples(&read::<Vec<Sample>>(&samples)?))?;
        }
        if run.waits() {
            print("\n`tandem sync start` does it.\n")?;
        }
    }
    if run.preview.is_some() {
        return Ok(ExitCode::SUCCESS);
    }
    super::start::explain(&gateway, &run).await?;
    Ok(ExitCode::FAILURE)
}

/// Follows a run until it is known what it would do, or no more is to come.
async fn planned(
    gateway: &Gateway,
    id: &str,
    progress: &mut Progress,
) -> Result<(serde_json::Value, Run), Refusal> {
    let (answer, run) = gateway.run(id).await?;
    if run.preview.is_some() && run.state != "PREVIEWING" {
        return Ok((answer, run));
    }
    follow(gateway, id, progress).await
}

/// Examples, unless there are none or they are not for this token.
async fn samples(
    gateway: &Gateway,
    run: &Run,
    first: u32,
) -> Result<Option<serde_json::Value>, Refusal> {
    if first == 0 || run.preview.is_none() {
        return Ok(None);
    }
    match gateway.samples(&run.id, first).await {
        Ok(samples) => Ok(Some(samples)),
        // The numbers are worth showing without them.
        Err(Refusal::Wrong(line)) => {
            complain(&format!("no examples: {line}"));
            Ok(None)
        }
        Err(refusal) => Err(refusal),
    }
}
