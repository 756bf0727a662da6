//! Places at which a test ends the process, to see that the next run finishes what this one began.

/// A place between two steps of a run. Outside of tests nothing is here.
#[cfg(not(test))]
pub(super) const fn point(_: &str) {}

/// Ends the process as `kill -9` does, if the test that started it asked for this place.
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a child process is told by its environment")]
pub(super) fn point(name: &str) {
    if std::env::var("TANDEM_TEST_DIE_AT").is_ok_and(|place| place == name) {
        std::process::abort();
    }
}
