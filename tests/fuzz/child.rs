//! The process that may die.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::panic;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use tandem::app::fuzz::Target;

use crate::args::Watched;
use crate::corpus::Corpus;

/// What an input may take. An honest one takes less than a thousandth of it.
pub const LONGEST: Duration = Duration::from_secs(2);
/// The exit code of a child whose input took longer.
pub const SLOW: u8 = 3;
/// As much as the threads have that serve requests.
const STACK_BYTES: usize = 2 * 1024 * 1024;

/// What the last panic said. Some are caught, as they are in the gateway, and say nothing to anybody.
static LAST_WORDS: Mutex<String> = Mutex::new(String::new());

/// Runs inputs until the time is over. The last line it prints is how many.
pub fn run(target: Target, watched: &Watched) -> ExitCode {
    let mut progress = fs::File::create(&watched.progress).unwrap();
    let corpus = Corpus::new(target, watched.seed);
    let time = watched.time;
    on_small_stack(move || {
        let begin = Instant::now();
        let mut number = 0;
        while begin.elapsed() < time {
            progress.seek(SeekFrom::Start(0)).unwrap();
            progress.write_all(&u64::to_le_bytes(number)).unwrap();
            let input = corpus.input(number);
            // Once more, because another program may have had the processor.
            if timed(target, &input) > LONGEST && timed(target, &input) > LONGEST {
                return ExitCode::from(SLOW);
            }
            number += 1;
        }
        println!("{number}");
        ExitCode::SUCCESS
    })
}

/// Runs the input of a file.
pub fn run_one(target: Target, file: &Path) -> ExitCode {
    let input = fs::read(file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    on_small_stack(move || {
        let taken = timed(target, &input);
        println!("{}: {} bytes, {} ms", target.name, input.len(), taken.as_millis());
        if taken > LONGEST { ExitCode::from(SLOW) } else { ExitCode::SUCCESS }
    })
}

/// How long a target takes with an input.
fn timed(target: Target, input: &[u8]) -> Duration {
    let before = Instant::now();
    (target.run)(input);
    before.elapsed()
}

fn on_small_stack(run: impl FnOnce() -> ExitCode + Send + 'static) -> ExitCode {
    panic::set_hook(Box::new(|info| *LAST_WORDS.lock().unwrap() = info.to_string()));
    let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(run).unwrap();
    thread.join().unwrap_or_else(|_| {
        eprintln!("{}", LAST_WORDS.lock().unwrap());
        ExitCode::FAILURE
    })
}
