//! One event on its way, and the log of what became of the latest.

use std::collections::VecDeque;

use serde::Serialize;

use super::super::when::Millis;

/// How many events the log remembers.
const KEPT: usize = 1000;

/// A signed event.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// `webhookId`, the same in all attempts.
    pub id: String,
    /// The `type`, before any disturbance.
    pub kind: &'static str,
    /// The exact bytes that were signed.
    pub body: String,
    /// The header's value.
    pub signature: String,
    /// Epoch milliseconds before which it is not sent.
    pub not_before: i64,
}

/// The latest events, oldest first.
#[derive(Debug, Default)]
pub struct Log(VecDeque<Delivery>);

/// What became of one event.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    webhook_id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    outcome: Outcome,
    attempts: Vec<Attempt>,
}

/// How it ended, so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Waits for its first attempt.
    Queued,
    /// Lost on purpose.
    Lost,
    /// Answered with 2xx.
    Delivered,
    /// Failed, and will be tried again.
    Retrying,
    /// Failed for good.
    GaveUp,
}

#[derive(Clone, Debug, Serialize)]
struct Attempt {
    at: Millis,
    /// `null`: no HTTP answer.
    status: Option<u16>,
}

impl Log {
    /// An event that waits.
    pub fn queued(&mut self, outgoing: &Outgoing) {
        self.push(outgoing, Outcome::Queued);
    }

    /// An event that never leaves.
    pub fn lost(&mut self, outgoing: &Outgoing) {
        self.push(outgoing, Outcome::Lost);
    }

    fn push(&mut self, outgoing: &Outgoing, outcome: Outcome) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        let (webhook_id, kind) = (outgoing.id.clone(), outgoing.kind);
        self.0.push_back(Delivery { webhook_id, kind, outcome, attempts: Vec::new() });
    }

    /// An attempt and what it led to.
    pub fn attempted(&mut self, id: &str, at: Millis, status: Option<u16>, outcome: Outcome) {
        let delivery = self.0.iter_mut().rev().find(|delivery| delivery.webhook_id == id);
        if let Some(delivery) = delivery {
            delivery.attempts.push(Attempt { at, status });
            delivery.outcome = outcome;
        }
    }

    /// For showing.
    pub fn entries(&self) -> &VecDeque<Delivery> {
        &self.0
    }
}
