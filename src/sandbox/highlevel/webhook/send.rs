//! The worker that sends what is queued, in order, and the retries, which do not hold up the rest.

use std::sync::Arc;
use std::time::Duration;

use super::Webhooks;
use super::delivery::{Outcome, Outgoing};
use super::settings::Retry;
use crate::sandbox::shared::Shared;

use super::super::when::Millis;

/// How long an event that was to come late waits for a later one, in real time.
const PATIENCE: Duration = Duration::from_millis(100);
/// The first pause of the guide's "exponential backoff", which has no numbers; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// The longest pause of it.
const LONGEST_PAUSE: Duration = Duration::from_hours(6);
/// The help article's "10 minutes apart".
const TEN_MINUTES: Duration = Duration::from_mins(10);

/// What the worker does next.
enum Next {
    Due(Outgoing),
    /// Nothing for so long.
    Late(Duration),
    Nothing,
}

impl Webhooks {
    pub(super) async fn work(&self, shared: &Arc<Shared>) {
        loop {
            let outgoing = match self.next(shared) {
                Next::Due(outgoing) => outgoing,
                Next::Late(wait) => {
                    tokio::select! {
                        () = shared.clock.sleep(wait) => {}
                        () = self.0.more.notified() => {}
                        () = shared.tasks.stopping() => return,
                    }
                    continue;
                }
                Next::Nothing => {
                    if self.lock().held.is_some() {
                        tokio::time::sleep(PATIENCE).await;
                    }
                    let mut state = self.lock();
                    let held = state.held.take();
                    state.queue.extend(held);
                    if state.queue.is_empty() {
                        state.working = false;
                        return;
                    }
                    continue;
                }
            };
            if let Some(pause) = self.attempt(shared, &outgoing, 1).await {
                let (sender, shared) = (self.clone(), Arc::clone(shared));
                let tasks = shared.tasks.clone();
                tasks.spawn(async move { sender.retry(&shared, outgoing, pause).await });
            }
        }
    }

    /// The first that is due: who is late is passed by the others.
    fn next(&self, shared: &Shared) -> Next {
        let now = shared.clock.now_ms();
        let queue = &mut self.lock().queue;
        let due = queue.iter().position(|outgoing| outgoing.not_before <= now);
        if let Some(outgoing) = due.and_then(|place| queue.remove(place)) {
            return Next::Due(outgoing);
        }
        let first = queue.iter().map(|outgoing| outgoing.not_before).min();
        first.map_or(Next::Nothing, |first| {
            Next::Late(Duration::from_millis(u64::try_from(first - now).unwrap_or_default()))
        })
    }

    async fn retry(&self, shared: &Shared, outgoing: Outgoing, mut pause: Duration) {
        for number in 2.. {
            tokio::select! {
                () = shared.clock.sleep(pause) => {}
                () = shared.tasks.stopping() => return,
            }
            match self.attempt(shared, &outgoing, number).await {
                Some(next) => pause = next,
                None => return,
            }
        }
    }

    /// One attempt; the pause before the next one, if there is to be one.
    async fn attempt(&self, shared: &Shared, outgoing: &Outgoing, number: u32) -> Option<Duration> {
        let (url, policy) = {
            let state = self.lock();
            (state.settings.url.clone(), state.settings.retry)
        };
        let at = Millis(shared.clock.now_ms());
        let status = match url {
            Some(url) => tokio::select! {
                status = self.post(&url, outgoing) => status,
                () = shared.tasks.stopping() => return None,
            },
            None => None,
        };
        let delivered = status.is_some_and(|status| (200..300).contains(&status));
        let pause = if delivered { None } else { pause(policy, status, number) };
        let jittered = pause.map(|pause| {
            // Up to a quarter more, from the seed.
            pause + pause * u32::try_from(shared.ids.below(26)).unwrap_or_default() / 100
        });
        let outcome = match (delivered, jittered) {
            (true, _) => Outcome::Delivered,
            (false, Some(_)) => Outcome::Retrying,
            (false, None) => Outcome::GaveUp,
        };
        self.lock().log.attempted(&outgoing.id, at, status, outcome);
        jittered
    }

    /// The status of the answer, `None` without one.
    async fn post(&self, url: &str, outgoing: &Outgoing) -> Option<u16> {
        let headers = [("X-GHL-Signature", outgoing.signature.clone())];
        let body = outgoing.body.clone().into_bytes();
        self.0.outbound.post(url::Url::parse(url).ok()?, &headers, body).await
    }
}

fn pause(policy: Retry, status: Option<u16>, number: u32) -> Option<Duration> {
    match policy {
        // Twelve retries after the first attempt.
        Retry::Any => (number <= 12).then(|| {
            LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.saturating_pow(number.saturating_sub(1)))
        }),
        Retry::TooManyRequests => (number <= 6 && status == Some(429)).then_some(TEN_MINUTES),
        Retry::Never => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guides_policy_ends_after_twelve_retries() {
        let pauses: Vec<_> = (1..=13).map(|number| pause(Retry::Any, Some(500), number)).collect();
        assert_eq!(pauses.iter().flatten().count(), 12);
        assert_eq!((pauses[0], pauses[1]), (Some(FIRST_PAUSE), Some(2 * FIRST_PAUSE)));
        assert_eq!(pauses[11], Some(LONGEST_PAUSE));
    }

    #[test]
    fn the_articles_policy_retries_429_only() {
        assert_eq!(pause(Retry::TooManyRequests, Some(500), 1), None);
        assert_eq!(pause(Retry::TooManyRequests, None, 1), None);
        assert_eq!(pause(Retry::TooManyRequests, Some(429), 6), Some(TEN_MINUTES));
        assert_eq!(pause(Retry::TooManyRequests, Some(429), 7), None);
    }
}
