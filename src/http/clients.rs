//! How much of the gateway one client may take: operations over time, open subscriptions and sockets.
//!
//! A client is who its token says (`sub` and workspace). While client authentication is off there is
//! nobody to tell apart, and nothing is limited here.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use async_graphql::ServerError;
use governor::Quota;

use super::places::{Full, Place, Places};
use super::settings::ClientLimits;
use super::shares::Shares;
use crate::auth::{Requester, Scopes};
use crate::clock::Clock;
use crate::graphql::{ErrorCode, extend, refusal};

/// After so many operations, those who have not asked for a while are forgotten.
const FORGET_EVERY: u32 = 10_000;

/// A client, whatever it may do.
pub(super) type Name = Requester;

/// Who it is, as far as it is known.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Who {
    Client(Name),
    /// Somebody without a token that counts.
    Address(IpAddr),
}

/// What each client has taken.
pub(super) struct Clients(Option<Limited>);

struct Limited {
    rate: Shares<Name>,
    subscriptions: Places<Name>,
    sockets: Places<Who>,
}

/// A client that asks for more than its share, and when it may ask again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct TooFast(pub Duration);

impl TooFast {
    pub const MESSAGE: &'static str = "too many operations; ask again after retryAfterMs";

    /// The wait as clients are told it, in milliseconds; never 0.
    pub fn retry_after_ms(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX).max(1)
    }
}

impl From<TooFast> for ServerError {
    fn from(too_fast: TooFast) -> Self {
        let mut error = refusal(TooFast::MESSAGE, ErrorCode::RateLimited);
        extend(&mut error, "retryAfterMs", too_fast.retry_after_ms());
        error
    }
}

impl Clients {
    /// Nobody has asked for anything yet. `None`: nothing is limited.
    pub fn new(limits: Option<&ClientLimits>, clock: &Clock) -> Self {
        Self(limits.map(|limits| Limited {
            rate: Shares::new(quota(limits), clock, FORGET_EVERY),
            subscriptions: Places::new(limits.subscriptions),
            sockets: Places::new(limits.sockets),
        }))
    }

    /// Takes what so many operations need of the client's share.
    pub fn admit(&self, requester: &Requester, operations: usize) -> Result<(), TooFast> {
        let count = u32::try_from(operations).unwrap_or(u32::MAX);
        let (Some(limited), Some(count)) = (&self.0, NonZeroU32::new(count)) else { return Ok(()) };
        limited.rate.take(&name(requester), count).map_err(TooFast)
    }

    /// Counts one more open subscription of the client; `Ok(None)` where none are counted.
    pub fn open(&self, requester: &Requester) -> Result<Option<Place<Name>>, ServerError> {
        let Some(limited) = &self.0 else { return Ok(None) };
        let place = limited.subscriptions.take(name(requester)).map_err(|Full { most }| {
            let message =
                format!("{most} subscriptions of this client are open; that is the limit");
            let mut error = refusal(message, ErrorCode::RateLimited);
            extend(&mut error, "limit", most);
            error
        });
        place.map(Some)
    }

    /// Counts one more open WebSocket of somebody; `Ok(None)` where none are counted.
    pub fn socket(&self, who: Who) -> Result<Option<Place<Who>>, Full> {
        let Some(limited) = &self.0 else { return Ok(None) };
        limited.sockets.take(who).map(Some)
    }
}

pub(super) fn name(requester: &Requester) -> Name {
    Requester { scopes: Scopes::default(), ..requester.clone() }
}

fn quota(limits: &ClientLimits) -> Quota {
    // The settings' check sees to it that neither is 0.
    let or_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(or_one(limits.operations_per_second)).allow_burst(or_one(limits.burst))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ClientLimits =
        ClientLimits { operations_per_second: 2, burst: 5, subscriptions: 2, sockets: 2 };

    fn who(subject: &str) -> Requester {
        let nobody = Requester::anonymous("default".into());
        Requester { subject: Some(subject.into()), ..nobody }
    }

    fn clock() -> Clock {
        Clock::manual("2026-11-24T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn each_client_has_its_own_share() {
        let clock = clock();
        let clients = Clients::new(Some(&LIMITS), &clock);
        assert_eq!(clients.admit(&who("a"), 5), Ok(()));
        assert_eq!(clients.admit(&who("a"), 1), Err(TooFast(Duration::from_millis(500))));
        assert_eq!(clients.admit(&who("b"), 5), Ok(()));
        clock.advance(Duration::from_millis(500));
        assert_eq!(clients.admit(&who("a"), 1), Ok(()));
        assert!(clients.admit(&who("a"), 1).is_err());
        assert!(clients.admit(&who("c"), 6).is_err(), "more than there ever is");
    }

    #[test]
    fn a_subscription_that_ended_makes_room() {
        let clients = Clients::new(Some(&LIMITS), &clock());
        let held = [clients.open(&who("a")).unwrap(), clients.open(&who("a")).unwrap()];
        assert!(clients.open(&who("a")).is_err());
        assert!(clients.open(&who("b")).is_ok());
        drop(held);
        assert!(clients.open(&who("a")).is_ok());
    }

    #[test]
    fn nobody_is_limited_where_nobody_is_told_apart() {
        let clients = Clients::new(None, &clock());
        assert_eq!(clients.admit(&who("a"), 1_000_000), Ok(()));
        assert!((0..1000).all(|_| matches!(clients.open(&who("a")), Ok(None))));
        assert!((0..1000).all(|_| matches!(clients.socket(Who::Client(who("a"))), Ok(None))));
    }
}
