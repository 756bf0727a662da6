//! How time goes by in a world.
//!
//! Leases run out by the same clock that polls and retries wait on. A test that moved it as fast as it could
//! would, on a slow machine, take their work away from those who are in the middle of it: what it then saw
//! would be a matter of chance. So time passes only while nobody is at work.

use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::sleep;

use crate::world::World;

/// How long anything is waited for before a test gives it up, in real time. Nothing honest takes so long,
/// however busy the machine is.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// How long whoever waited for the clock gets to begin.
const BEGIN: Duration = Duration::from_millis(20);
/// How often it is looked whether somebody is at work.
const LOOK: Duration = Duration::from_millis(5);
/// How often before they are taken to wait for a system that never answers: their leases are to run out.
const MOST_LOOKS: usize = 200;
/// A step that no lease outlasts by much: before a longer one nobody may be at work.
const SHORT: Duration = Duration::from_secs(30);

/// Leases that outlasted a wait: nobody waits for them again.
#[derive(Default)]
pub struct Outlasting(Mutex<HashSet<String>>);

impl World {
    /// Lets time pass, and what is due then be done.
    pub async fn pass(&self, time: Duration) {
        if time > SHORT {
            self.at_rest().await;
        }
        self.clock.advance(time);
        sleep(BEGIN).await;
        self.at_rest().await;
    }

    /// Ends when nobody is at work.
    async fn at_rest(&self) {
        let mut outlasting = self.outlasting.0.lock().await;
        let mut held = Vec::new();
        for _ in 0..MOST_LOOKS {
            held = self.ground.leases(self.clock.now_ms()).await;
            if held.iter().all(|lease| outlasting.contains(lease)) {
                return;
            }
            sleep(LOOK).await;
        }
        outlasting.extend(held);
    }

    /// Waits until `condition` holds, while so much time goes by between two looks.
    pub async fn comes<F: Future<Output = bool>>(
        &self,
        what: &str,
        step: Duration,
        condition: impl Fn() -> F,
    ) {
        let looked = || async {
            self.pass(step).await;
            condition().await
        };
        self.until(what, looked).await;
    }
}
