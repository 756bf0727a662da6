//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use tandem::app::fuzz::{TARGETS, Target};

const USAGE: &str = "cargo test --features fuzz --test fuzz -- [--seconds N | --minutes N] \
                     [--target NAME] [--seed S] [--jobs N] [--input FILE]";

/// What the other programs of the same `cargo test` are told: nothing to us.
const FLAGS_OF_OTHERS: [&str; 12] = [
    "--nocapture",
    "--no-capture",
    "--exact",
    "--ignored",
    "--include-ignored",
    "--quiet",
    "-q",
    "--show-output",
    "--test",
    "--bench",
    "--shuffle",
    "--fail-fast",
];
/// The same, with a value.
const VALUES_OF_OTHERS: [&str; 6] =
    ["--skip", "--test-threads", "--format", "--color", "--logfile", "--shuffle-seed"];

pub struct Args {
    pub task: Task,
    /// There is one where the task is not a session.
    pub target: Option<Target>,
}

pub enum Task {
    /// Targets for a time, each in a child.
    Session(Session),
    /// One target for a time, watched by a parent.
    Child(Watched),
    /// One input.
    Input(PathBuf),
}

pub struct Session {
    pub targets: Vec<Target>,
    /// For each target.
    pub time: Duration,
    pub seed: u64,
    /// How many targets run side by side.
    pub jobs: usize,
}

/// What a parent tells its child.
pub struct Watched {
    pub time: Duration,
    pub seed: u64,
    /// Where the child writes the number of the input that it runs.
    pub progress: PathBuf,
}

/// What was asked for, or what is wrong with it.
pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Args, String> {
    let (mut time, mut seed, mut jobs) = (Duration::from_secs(2), 0, 2);
    let (mut target, mut input, mut progress) = (None, None, None);
    while let Some(word) = words.next() {
        if FLAGS_OF_OTHERS.contains(&word.as_str()) {
            continue;
        }
        if let Some(name) = VALUES_OF_OTHERS.iter().find(|name| word.starts_with(**name)) {
            // `--skip x` or `--skip=x`.
            if word == *name {
                words.next();
            }
            continue;
        }
        if !word.starts_with("--") {
            // The name of a test: what was asked for is in another program of the same `cargo test`.
            let nothing = Session { targets: Vec::new(), time, seed, jobs };
            return Ok(Args { task: Task::Session(nothing), target });
        }
        let value = words.next().ok_or_else(|| format!("{word} needs a value\n{USAGE}"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{word}: no number: {value}"));
        match word.as_str() {
            "--seconds" => time = Duration::from_secs(number()?),
            "--minutes" => time = Duration::from_secs(60 * number()?),
            "--seed" => seed = number()?,
            "--jobs" => jobs = usize::try_from(number()?).unwrap_or(usize::MAX).max(1),
            "--input" => input = Some(PathBuf::from(&value)),
            "--progress" => progress = Some(PathBuf::from(&value)),
            "--target" => {
                let known = TARGETS.into_iter().find(|target| target.name == value);
                let names = TARGETS.map(|target| target.name).join(", ");
                target =
                    Some(known.ok_or_else(|| format!("no target {value}; there are {names}"))?);
            }
            _ => return Err(format!("{word} is not known here\n{USAGE}")),
        }
    }
    let task = match (input, progress) {
        (Some(_), _) | (_, Some(_)) if target.is_none() => {
            return Err(format!("name the --target\n{USAGE}"));
        }
        (Some(file), _) => Task::Input(file),
        (None, Some(progress)) => Task::Child(Watched { time, seed, progress }),
        (None, None) => {
            let targets = target.map_or_else(|| TARGETS.to_vec(), |one| vec![one]);
            Task::Session(Session { targets, time, seed, jobs })
        }
    };
    Ok(Args { task, target })
}
