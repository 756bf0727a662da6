//! How often somebody whom nobody here asked may bring something: by address, because they have no name.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;

use super::peer::Peer;
use super::shares::Shares;
use crate::clock::Clock;

/// So many at once, and one more after each pause.
const AT_ONCE: NonZeroU32 = NonZeroU32::new(5).unwrap();
const PAUSE: Duration = Duration::from_secs(12);
/// After so many, those who have not come for a while are forgotten.
const FORGET_EVERY: u32 = 1_000;

/// What each address has brought.
pub(super) struct Strangers(Shares<IpAddr>);

impl Strangers {
    pub fn new(clock: &Clock) -> Self {
        // The pause is not zero.
        let quota = Quota::with_period(PAUSE).unwrap_or(Quota::per_minute(AT_ONCE));
        Self(Shares::new(quota.allow_burst(AT_ONCE), clock, FORGET_EVERY))
    }

    /// Whether one more is taken from there.
    pub fn admit(&self, from: Peer) -> bool {
        self.0.take(&from.network(), NonZeroU32::MIN).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Peer {
        Peer(address.parse().unwrap())
    }

    #[test]
    fn each_address_has_its_own_share() {
        let clock = Clock::manual("2026-11-24T12:00:00Z".parse().unwrap());
        let strangers = Strangers::new(&clock);
        let (one, other) = (peer("192.0.2.1"), peer("192.0.2.2"));
        assert!((0..5).all(|_| strangers.admit(one)));
        assert!(!strangers.admit(one) && strangers.admit(other));
        clock.advance(PAUSE);
        assert!(strangers.admit(one) && !strangers.admit(one));
    }

    #[test]
    fn a_network_of_ipv6_is_one() {
        let clock = Clock::manual("2026-11-24T12:00:00Z".parse().unwrap());
        let strangers = Strangers::new(&clock);
        let from = |n: u32| peer(&format!("2001:db8::{n:x}"));
        assert!((1..=5).all(|n| strangers.admit(from(n))));
        assert!(!strangers.admit(from(6)));
        assert!(strangers.admit(peer("2001:db8:0:1::1")));
        assert!(strangers.admit(peer("::ffff:192.0.2.1")));
    }
}
