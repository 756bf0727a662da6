//! Waiting for a run.
//!
//! The run is asked for again and again, not subscribed to: a question needs no second transport, gets through
//! any proxy, survives a gateway that is restarted (the run goes on, and so does who watches it), and costs no
//! call to either system.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::answers::Run;
use super::client::{Gateway, Refusal};
use super::progress::Progress;
use crate::clock::Clock;

/// How long after one look comes the next.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long a gateway may be away: long enough to restart one.
const ABSENCE: Duration = Duration::from_secs(60);

/// Shows a run until it ends, is stopped or waits for somebody; how it is then, as JSON and as read.
pub(super) async fn follow(
    gateway: &Gateway,
    id: &str,
    progress: &mut Progress,
) -> Result<(Value, Run), Refusal> {
    let clock = Clock::system();
    let mut away = None;
    loop {
        match gateway.run(id).await {
            Ok((answer, run)) => {
                away = None;
                progress.show(&run);
                if !run.goes_on() {
                    progress.clear();
                    return Ok((answer, run));
                }
            }
            Err(refusal @ Refusal::Silent(_)) => {
                let since = *away.get_or_insert_with(Instant::now);
                if since.elapsed() > ABSENCE {
                    return Err(refusal);
                }
            }
            Err(refusal) => return Err(refusal),
        }
        clock.sleep(LOOK_AGAIN).await;
    }
}
