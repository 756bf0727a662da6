//! How far a run is: a bar where a person looks, lines where the error output is a file or a pipe.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::answers::Run;
use super::table::plain;
use crate::cli::tell;

/// How finely the bar is divided.
const WHOLE: u64 = 1_000;
const KNOWN: &str = "{bar:30} {percent:>3}%  {wide_msg}";
const UNKNOWN: &str = "{spinner} {wide_msg}";

/// Shows how far a run is, on standard error.
pub(super) struct Progress {
    show: Show,
    /// What was last shown, so that nothing is said twice.
    last: Option<(String, u64)>,
}

enum Show {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

/// What there is to show of a run.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    message: String,
    /// Of [`WHOLE`]; `None`: nobody knows how much there is.
    done: Option<u64>,
}

impl Progress {
    /// Lines are for people and say nothing to a script that asked for JSON.
    pub fn new(json: bool) -> Self {
        let show = if std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            Show::Bar(bar)
        } else if json {
            Show::Nothing
        } else {
            Show::Lines
        };
        Self { show, last: None }
    }

    /// Shows a run as it is now.
    pub fn show(&mut self, run: &Run) {
        let Shown { message, done } = shown(run);
        match &self.show {
            Show::Nothing => {}
            Show::Bar(bar) => {
                let template = if done.is_some() { KNOWN } else { UNKNOWN };
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style);
                }
                match done {
                    Some(_) => bar.set_length(WHOLE),
                    None => bar.unset_length(),
                }
                bar.set_position(done.unwrap_or_default());
                bar.set_message(message);
                bar.tick();
            }
            Show::Lines => {
                // One for each tenth of each thing that it does.
                let doing = run.error.as_ref().unwrap_or(&run.state).clone();
                let tenth = (doing, done.map_or(0, |done| done * 10 / WHOLE));
                if self.last.as_ref() != Some(&tenth) {
                    let percent = done.map(|done| format!("{}%, ", done * 100 / WHOLE));
                    tell(&format!("{}{message}", percent.unwrap_or_default()));
                    self.last = Some(tenth);
                }
            }
        }
    }

    /// Takes the bar away, for what is printed next.
    pub fn clear(&self) {
        if let Show::Bar(bar) = &self.show {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn shown(run: &Run) -> Shown {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a thousand"
    )]
    let done = run.progress.map(|share| (share.clamp(0.0, 1.0) * WHOLE as f64) as u64);
    let left = run.eta_seconds.filter(|seconds| *seconds > 0);
    let left = left.map(|seconds| format!(", about {} left", super::table::lasting(seconds)));
    let left = left.unwrap_or_default();
    if let Some(why) = run.error.as_ref().filter(|_| run.goes_on()) {
        return Shown { message: format!("the run waits: {}", plain(why)), done };
    }
    let message = match (run.state.as_str(), done) {
        ("PREVIEWING", None) => format!("both systems are read: {} records so far", run.seen),
        ("PREVIEWING", Some(_)) => "everybody is planned".to_owned(),
        ("RUNNING", None) => format!("changes are looked for: {} records so far", run.seen),
        ("RUNNING", Some(_)) => format!("{}{left}", super::table::tally(run)),
        (other, _) => plain(other),
    };
    Shown { message, done }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::answers::read;
    use super::*;

    fn run(state: &str, progress: Option<f64>) -> Run {
        let run = json!({"id": "r", "kind": "BACKFILL", "state": state, "progress": progress,
            "startedAt": "2026-11-24T19:00:00Z", "finishedAt": null, "seen": 512, "matched": 0,
            "created": 3, "updated": 2, "unchanged": 120, "held": 1, "failed": 0,
            "estimatedCalls": 40, "etaSeconds": 75, "error": null});
        read(&run).unwrap()
    }

    #[test]
    fn each_thing_that_a_run_does_is_shown_in_words() {
        let shown = [("PREVIEWING", None), ("PREVIEWING", Some(0.25)), ("RUNNING", Some(0.5))]
            .map(|(state, progress)| shown(&run(state, progress)));
        let lines = shown.map(|one| format!("{:?} {}", one.done, one.message)).join("\n");
        let why = Some("HighLevel is not connected".to_owned());
        let waits = super::shown(&Run { error: why, ..run("PREVIEWING", None) });
        assert_eq!(waits.message, "the run waits: HighLevel is not connected");
        insta::assert_snapshot!(lines, @r"
        None both systems are read: 512 records so far
        Some(250) everybody is planned
        Some(500) 3 created, 2 updated, 120 unchanged, 1 wait for a decision, 0 failed, about 1m 15s left
        ");
    }
}
