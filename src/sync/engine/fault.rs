//! Places at which a test ends the process, to see that the next run finishes what this one began.

/// A place between two steps of a run. Outside of tests nothing is here.
#[cfg(not(test))]
pub(in crate::sync) const fn point(_: &str) {}

/// Ends the process as `kill -9` does, if the test that started it asked for this place: `called`, or
/// `called:2` for the second time that it is passed. One that is to halt there says so and waits for the
/// signal.
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a child process is told by its environment")]
pub(in crate::sync) fn point(name: &str) {
    use std::io::Write;
    use std::sync::atomic::{AtomicU32, Ordering};
    static PASSED: AtomicU32 = AtomicU32::new(0);

    let Ok(wanted) = std::env::var("TANDEM_TEST_DIE_AT") else { return };
    let (place, time) = wanted.split_once(':').unwrap_or((&wanted, "1"));
    if place == name && time == (PASSED.fetch_add(1, Ordering::Relaxed) + 1).to_string() {
        if std::env::var("TANDEM_TEST_HALT").is_ok() {
            let _ = writeln!(std::io::stdout(), "victim: halted");
            loop {
                std::thread::park();
            }
        }
        std::process::abort();
    }
}
