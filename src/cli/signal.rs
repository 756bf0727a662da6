//! Ctrl-C and SIGTERM: the first asks to finish, the second to stop.

use std::future::Future;
use std::io;
use std::process::ExitCode;

use super::complain;

/// What a shell reports for a process that a signal ended (128 + SIGINT).
const INTERRUPTED: u8 = 130;

/// The signals that end a command. Listened for before the command says that it is ready: one that
/// comes earlier ends the process as the system does by itself.
#[cfg(unix)]
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// Waits for a signal, then for `drain`, but no longer than until the next signal.
    pub(super) async fn then(mut self, drain: impl Future<Output = ()>) -> ExitCode {
        self.next().await;
        complain("stopping: what is in flight may finish; press Ctrl-C again to stop now");
        tokio::select! {
            () = drain => ExitCode::SUCCESS,
            () = self.next() => ExitCode::from(INTERRUPTED),
        }
    }
}

#[cfg(unix)]
impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Cancel-safe.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The signals that end a command.
#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "listening can fail elsewhere")]
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        // Without a handler there is no signal to wait for, and the process ends by itself.
        let _ = tokio::signal::ctrl_c().await;
    }
}
