//! Messages of a client that start nothing: pings, and ends of what has ended. Each is read, and most are
//! answered, but none is counted as an operation.

use std::time::Duration;

use tokio::time::Instant;

use super::message::Close;

/// So many may come in such a time. Clients ping every few seconds, and what ends on both sides at
/// once is seldom.
pub(super) const MOST: u32 = 1_000;
const WINDOW: Duration = Duration::from_secs(60);

/// How many came on one socket.
pub(super) struct Chatter {
    since: Instant,
    count: u32,
}

impl Chatter {
    pub fn new(since: Instant) -> Self {
        Self { since, count: 0 }
    }

    /// Counts one that came now, or says that it is one too many.
    pub fn one_more(&mut self, now: Instant) -> Result<(), Close> {
        if now - self.since >= WINDOW {
            *self = Self::new(now);
        }
        self.count += 1;
        if self.count > MOST { Err(Close::too_much_chatter()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_minute_begins_anew() {
        let begin = Instant::now();
        let mut chatter = Chatter::new(begin);
        assert!((0..MOST).all(|_| chatter.one_more(begin).is_ok()));
        assert_eq!(chatter.one_more(begin).map_err(|it| it.code), Err(4429));
        let later = begin + WINDOW;
        assert!((0..MOST).all(|_| chatter.one_more(later).is_ok()));
        assert!(chatter.one_more(later).is_err());
    }
}
