//! Runs the children, and says what became of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tandem::app::fuzz::Target;

use crate::args::Session;
use crate::child::{LONGEST, SLOW};
use crate::corpus::Corpus;

/// How often a child is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A child that is still with the same input after this long is stopped. More than an input may take:
/// the child is the better judge of that where it ends at all.
const STOPPED_AFTER: Duration = Duration::from_secs(10);

/// How a child ended.
enum End {
    Well,
    /// The input took too long, or did not end.
    Slow,
    /// By a panic, an abort, a signal.
    Badly(ExitStatus),
}

/// Runs all targets of a session.
pub fn run(session: &Session) -> ExitCode {
    let failed = AtomicBool::new(false);
    let waiting = Mutex::new(session.targets.iter());
    thread::scope(|scope| {
        for _ in 0..session.jobs {
            scope.spawn(|| {
                loop {
                    let Some(target) = waiting.lock().unwrap().next() else { return };
                    if !run_target(*target, session) {
                        failed.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    if failed.into_inner() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Whether nothing was found.
fn run_target(target: Target, session: &Session) -> bool {
    let name = target.name;
    let folder = folder();
    let progress = folder.join(format!("{name}-{}.progress", session.seed));
    let log = folder.join(format!("{name}-{}.log", session.seed));
    let begin = Instant::now();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--target", name, "--seed", &session.seed.to_string()])
        .args(["--seconds", &session.time.as_secs().to_string()])
        .arg("--progress")
        .arg(&progress)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let (end, said) = watch(child, || number(&progress));
    if matches!(end, End::Well) {
        let runs: u64 = said.trim().parse().unwrap();
        let each_second = runs * 1000 / u64::try_from(begin.elapsed().as_millis()).unwrap().max(1);
        println!("{name:<18} {runs:>10} runs {each_second:>8} runs/s");
        return true;
    }
    let number = number(&progress).unwrap_or_default();
    let file = folder.join(format!("{name}-{}-{number}.bin", session.seed));
    fs::write(&file, Corpus::new(target, session.seed).input(number)).unwrap();
    if matches!(end, End::Slow) && !is_slow_again(name, &file) {
        // The machine was busy with something else.
        println!("{name:<18} the input {number} was slow once and is not: {}", file.display());
        return true;
    }
    match end {
        End::Badly(status) => println!("{name}: the input {number} ended it: {status}"),
        End::Slow | End::Well => println!("{name}: the input {number} takes too long"),
    }
    print!("{}", fs::read_to_string(&log).unwrap_or_default());
    let file = file.display();
    println!("again: cargo test --features fuzz --test fuzz -- --target {name} --input {file}");
    println!(
        "once it is mended: mkdir -p tests/fuzz/found/{name} && mv {file} tests/fuzz/found/{name}/"
    );
    false
}

/// Waits for a child; what it printed.
fn watch(mut child: Child, number: impl Fn() -> Option<u64>) -> (End, String) {
    let (mut last, mut since) = (number(), Instant::now());
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            let said = std::io::read_to_string(child.stdout.take().unwrap()).unwrap();
            let end = match status.code() {
                Some(0) => End::Well,
                Some(code) if code == i32::from(SLOW) => End::Slow,
                Some(_) | None => End::Badly(status),
            };
            return (end, said);
        }
        let now = number();
        if now != last {
            (last, since) = (now, Instant::now());
        } else if since.elapsed() > STOPPED_AFTER {
            child.kill().unwrap();
            child.wait().unwrap();
            return (End::Slow, String::new());
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Whether an input takes too long by itself.
fn is_slow_again(name: &str, file: &Path) -> bool {
    let begin = Instant::now();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--target", name, "--input"])
        .arg(file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (end, _) = watch(child, || None);
    !matches!(end, End::Well) || begin.elapsed() > LONGEST * 2
}

/// The number that a child wrote down last.
fn number(progress: &Path) -> Option<u64> {
    let bytes = fs::read(progress).ok()?;
    bytes.try_into().ok().map(u64::from_le_bytes)
}

/// Where findings go, beside what Cargo builds.
fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/fuzz");
    fs::create_dir_all(&folder).unwrap();
    folder
}
