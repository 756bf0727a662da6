//! `tandem sync start`: begins a run or takes up the one that there is, asks whether to do what it shows, and
//! follows it to its end.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::answers::Run;
use super::client::{Gateway, Refusal};
use super::follow::follow;
use super::progress::Progress;
use super::{Connection, Environment, Failure, complain, print, print_json, table, tell};

/// Start a run, or approve the one that waits, and follow it to its end
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tandem sync start\n  tandem sync start --approve --json\n  \
                        tandem sync start --kind compare\n\nA first run is a BACKFILL: it shows what \
                        it would do and asks. Ctrl-C leaves a run going. It needs the scopes \
                        sync.readonly and sync.manage.\n\nExit code 0: the run is finished. 1: it \
                        failed, was stopped, waits for a decision or was not approved. 2: the gateway \
                        or its rights are not there.")]
pub(super) struct Args {
    /// What to start [default: backfill, or the run that there is]
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,
    /// Only show what it would do
    #[arg(long)]
    dry_run: bool,
    /// Do what it shows without asking
    #[arg(long, visible_alias = "yes")]
    approve: bool,
    #[command(flatten)]
    connection: Connection,
}

/// What kind of run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Everybody is brought into agreement
    Backfill,
    /// Everybody is looked at again, and whoever differs is brought into agreement
    Compare,
    /// What changed since the last look
    Poll,
}

impl Kind {
    /// As the schema names it.
    const fn name(self) -> &'static str {
        match self {
            Self::Backfill => "BACKFILL",
            Self::Compare => "FULL_COMPARE",
            Self::Poll => "POLL",
        }
    }
}

/// What is done first.
#[derive(Debug, PartialEq)]
enum First {
    Begin(&'static str),
    TakeUp(String),
}

/// What is done first, by the run that there is; an error says why nothing is.
fn first(current: Option<&Run>, kind: Option<Kind>, dry: bool) -> Result<First, String> {
    let Some(run) = current else {
        return Ok(First::Begin(kind.unwrap_or(Kind::Backfill).name()));
    };
    if dry || kind.is_some_and(|kind| kind.name() != run.kind) {
        return Err(format!(
            "a {} is not over yet ({}), and one goes on at a time: `tandem sync preview` shows it, `tandem \
             sync start` takes it up, the mutation cancelSync stops it",
            run.kind, run.state
        ));
    }
    Ok(First::TakeUp(run.id.clone()))
}

pub(super) async fn run(args: Args, env: Environment) -> Result<ExitCode, Failure> {
    let Args { kind, dry_run, approve, connection } = args;
    let json = connection.json;
    // The other kinds need no consent.
    let asks = !approve && !dry_run && kind.is_none_or(|kind| kind == Kind::Backfill);
    if json && asks {
        return Err(Failure::Usage(
            "with --json nobody is asked: add --approve or --dry-run".to_owned(),
        ));
    }
    let gateway = connection.open(env)?;
    let current = gateway.current_run().await?;
    let id = match first(current.as_ref(), kind, dry_run).map_err(|line| anyhow::anyhow!(line))? {
        First::Begin(kind) => gateway.start(kind, dry_run).await?.id,
        First::TakeUp(id) => id,
    };
    let mut progress = Progress::new(json);
    let (mut answer, mut run) = follow(&gateway, &id, &mut progress).await?;
    if run.waits() {
        if !json && let Some(preview) = &run.preview {
            print(&table::preview(&run, preview))?;
        }
        if !approve && !agreed().await? {
            complain(
                "not approved, so nothing was written; the run waits: `tandem sync start --approve` \
                      does what it shows",
            );
            return Ok(ExitCode::FAILURE);
        }
        gateway.approve(&id).await?;
        // A bar that came to its end shows nothing more.
        progress = Progress::new(json);
        (answer, run) = follow(&gateway, &id, &mut progress).await?;
    }
    drop(progress);
    end(&gateway, (answer, run), json, dry_run).await
}

/// Shows how it ended, and says it by the exit code.
async fn end(
    gateway: &Gateway,
    (answer, run): (Value, Run),
    json: bool,
    dry: bool,
) -> Result<ExitCode, Failure> {
    if json {
        print_json(&json!({"run": answer}))?;
    } else if let Some(preview) = run.preview.as_ref().filter(|_| dry) {
        print(&table::preview(&run, preview))?;
    } else {
        print(&table::outcome(&run))?;
    }
    if run.state == "FINISHED" {
        if !json && run.held + run.failed > 0 {
            print("`tandem sync status` shows what waits and what failed.\n")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    explain(gateway, &run).await?;
    Ok(ExitCode::FAILURE)
}

/// Says in one line why a run did not get to its end.
pub(super) async fn explain(gateway: &Gateway, run: &Run) -> Result<(), Refusal> {
    let line = match run.state.as_str() {
        "FAILED" => {
            let why = run.error.as_deref().unwrap_or("the gateway did not say why");
            format!("the run failed: {}", table::plain(why))
        }
        "CANCELLED" => "somebody stopped the run".to_owned(),
        "PAUSED" => match gateway.stopped_by(&run.id).await? {
            Some(hold) => format!(
                "the run is stopped by the hold {}: {} (decide with the mutation resolveHold)",
                table::plain(&hold.kind),
                table::plain(&hold.reason)
            ),
            None => "sync is paused, and the run with it: the mutation resumeSync lets it go on"
                .to_owned(),
        },
        other => format!("the run is {}", table::plain(other)),
    };
    complain(&line);
    Ok(())
}

/// Asks on the terminal; nothing to read is a no.
async fn agreed() -> Result<bool, Failure> {
    let mut error = io::stderr().lock();
    // Who does not see the question answers no.
    let _ = write!(error, "\nDo it? Both systems will be written to. [y/N] ");
    let _ = error.flush();
    drop(error);
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|_| line)
    });
    let line = read.await.map_err(anyhow::Error::from)??;
    if !io::stdin().is_terminal() {
        // Nobody typed the end of the line.
        tell("");
    }
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::super::answers::read;
    use super::*;

    fn waiting(kind: &str) -> Run {
        let run = json!({"id": "r", "kind": kind, "state": "AWAITING_APPROVAL", "progress": 1.0,
            "startedAt": "2026-11-24T19:00:00Z", "finishedAt": null, "seen": 1, "matched": 1,
            "created": 0, "updated": 0, "unchanged": 0, "held": 0, "failed": 0,
            "estimatedCalls": 1, "etaSeconds": 1, "error": null});
        read(&run).unwrap()
    }

    #[test]
    fn a_run_that_there_is_is_taken_up_unless_another_is_wanted() {
        assert_eq!(first(None, None, false), Ok(First::Begin("BACKFILL")));
        assert_eq!(first(None, Some(Kind::Compare), true), Ok(First::Begin("FULL_COMPARE")));
        let run = waiting("BACKFILL");
        assert_eq!(first(Some(&run), None, false), Ok(First::TakeUp("r".to_owned())));
        let same = first(Some(&run), Some(Kind::Backfill), false);
        assert_eq!(same, Ok(First::TakeUp("r".to_owned())));
        let line = first(Some(&run), Some(Kind::Poll), false).unwrap_err();
        assert!(line.contains("a BACKFILL is not over yet (AWAITING_APPROVAL)"), "{line}");
        assert!(first(Some(&run), None, true).is_err(), "what goes on is no dry run");
    }
}
