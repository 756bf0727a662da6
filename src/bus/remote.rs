//! What the carriers between gateways share: packets, and a queue so that nobody waits for a line.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::{Bus, Heard, Listener, Local, News};

/// How many packets may wait for the line before news are lost, which everybody is told.
const QUEUED: usize = 1024;
/// How many packets are sent at once.
const AT_ONCE: usize = 64;
/// The largest packet: PostgreSQL's NOTIFY takes less than 8,000 bytes. Ours have some hundred.
const LARGEST: usize = 7_900;

/// What goes over the line.
#[derive(Debug, Deserialize, Serialize)]
struct Packet {
    /// Which gateway sent it: it knows already.
    from: u64,
    /// `None`: some news of this gateway were lost.
    news: Option<News>,
}

/// A bus with a line to other gateways.
#[derive(Debug)]
pub struct Remote {
    local: Local,
    queue: mpsc::Sender<Packet>,
    lost: Arc<AtomicBool>,
    from: u64,
}

/// The end of the line that sends.
pub(super) struct Outbox {
    queue: mpsc::Receiver<Packet>,
    lost: Arc<AtomicBool>,
    from: u64,
}

/// The end of the line that receives.
#[derive(Clone, Debug)]
pub(super) struct Inbox {
    local: Local,
    from: u64,
}

/// A bus and both ends of its line.
pub(super) fn new() -> (Remote, Outbox, Inbox) {
    let (local, from) = (Local::new(), rand::random());
    let (sender, queue) = mpsc::channel(QUEUED);
    let lost = Arc::new(AtomicBool::new(false));
    let inbox = Inbox { local: local.clone(), from };
    let outbox = Outbox { queue, lost: Arc::clone(&lost), from };
    (Remote { local, queue: sender, lost, from }, outbox, inbox)
}

impl Bus for Remote {
    fn publish(&self, news: News) {
        self.local.publish(news.clone());
        if self.queue.try_send(Packet { from: self.from, news: Some(news) }).is_err() {
            self.lost.store(true, Ordering::Relaxed);
        }
    }

    fn listen(&self) -> Listener {
        self.local.listen()
    }

    fn reaches_others(&self) -> bool {
        true
    }
}

impl Outbox {
    /// The next packets to be sent, at least one; `None` when the bus is gone. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Vec<String>> {
        let mut packets = Vec::with_capacity(1);
        if self.queue.recv_many(&mut packets, AT_ONCE).await == 0 {
            return None;
        }
        if self.lost.swap(false, Ordering::Relaxed) {
            packets.push(Packet { from: self.from, news: None });
        }
        Some(packets.iter().map(|packet| self.encode(packet)).collect())
    }

    /// Notes that packets did not get through: the next that do say so.
    pub(super) fn failed(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    fn encode(&self, packet: &Packet) -> String {
        let encoded = serde_json::to_string(packet).unwrap_or_default();
        if encoded.is_empty() || encoded.len() > LARGEST {
            return format!(r#"{{"from":{},"news":null}}"#, self.from);
        }
        encoded
    }
}

impl Inbox {
    /// Passes a packet on to the listeners, unless it is this gateway's own.
    pub(super) fn receive(&self, packet: &[u8]) {
        match serde_json::from_slice(packet) {
            Ok(Packet { from, .. }) if from == self.from => {}
            Ok(Packet { news: Some(news), .. }) => {
                self.local.tell(Heard::News { news, ours: false });
            }
            // From a newer gateway, or from somebody who should not be on this line.
            Ok(Packet { news: None, .. }) | Err(_) => self.missed(),
        }
    }

    /// Tells the listeners that something may have been lost.
    pub(super) fn missed(&self) {
        self.local.tell(Heard::Missed);
    }
}
