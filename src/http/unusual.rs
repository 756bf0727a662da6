//! Noticing what is out of a client's pattern: it is counted, and said in the log, and nothing is refused.
//!
//! What is unusual is decided by [`Seen::note`], from what was seen of one client in this window and in
//! those before. A client is who its token says, and where there is none that counts, an address. The
//! log names the client by its token's `sub` and workspace, since two workspaces may have clients of one
//! `sub`, and nothing else.
//!
//! Clients and addresses are remembered apart: whoever has many addresses and no token makes nobody
//! forgotten who has one.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use super::clients::{Name, Who, name};
use super::peer::Peer;
use super::recent::Recent;
use super::settings::UnusualSettings;
use crate::auth::Requester;
use crate::clock::Clock;
use crate::telemetry::names;

/// How many windows a client's pattern is looked at before its rate can be out of it.
const LEARNS: u32 = 5;
/// How many addresses of a client are remembered.
const ADDRESSES: usize = 8;
/// How much the newest window counts in what is usual.
const NEWEST: f64 = 0.2;

/// What somebody did.
#[derive(Clone, Copy, Debug)]
enum Did {
    /// Asked for so many operations.
    Asked(u32),
    /// Was refused.
    Refused,
    /// Came from an address; see [`Peer::network`].
    CameFrom(IpAddr),
}

/// What is unusual about it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Refusals,
    Rate,
    Address,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Refusals => "refusals",
            Self::Rate => "rate",
            Self::Address => "address",
        }
    }
}

/// What was seen of somebody.
#[derive(Debug, Default)]
struct Seen {
    window: i64,
    asked: u32,
    refused: u32,
    /// What is asked for in a window, mostly.
    usual: f64,
    windows: u32,
    /// Whether the rate was told of in this window.
    told_rate: bool,
    addresses: Vec<IpAddr>,
}

impl Seen {
    /// Whether what somebody did in a window is unusual.
    fn note(&mut self, did: Did, window: i64, settings: &UnusualSettings) -> Option<Kind> {
        self.turn_to(window);
        match did {
            Did::Asked(count) => {
                self.asked = self.asked.saturating_add(count);
                let far = self.usual * f64::from(settings.call_factor);
                let out = f64::from(self.asked) > far.max(f64::from(settings.calls_least));
                let tell = out && self.windows >= LEARNS && !self.told_rate;
                self.told_rate |= tell;
                tell.then_some(Kind::Rate)
            }
            Did::Refused => {
                self.refused = self.refused.saturating_add(1);
                (self.refused == settings.refusals).then_some(Kind::Refusals)
            }
            Did::CameFrom(address) if self.addresses.contains(&address) => None,
            Did::CameFrom(address) => {
                let first = self.addresses.is_empty();
                if self.addresses.len() == ADDRESSES {
                    self.addresses.remove(0);
                }
                self.addresses.push(address);
                (!first).then_some(Kind::Address)
            }
        }
    }

    /// Closes the windows before.
    fn turn_to(&mut self, window: i64) {
        if window <= self.window {
            return;
        }
        if self.windows == 0 && self.asked == 0 {
            (self.window, self.refused) = (window, 0);
            return;
        }
        let asked = f64::from(self.asked);
        let newest = if self.windows == 0 { 1.0 } else { NEWEST };
        self.usual += (asked - self.usual) * newest;
        // In those between nothing was asked for.
        let silent = i32::try_from(window - self.window - 1).unwrap_or(i32::MAX);
        self.usual *= (1.0 - NEWEST).powi(silent);
        self.windows = self.windows.saturating_add(1);
        (self.window, self.asked, self.refused, self.told_rate) = (window, 0, 0, false);
    }
}

/// Notices for all clients. Remembers so many of them at most, and as many addresses.
pub(super) struct Unusual {
    settings: Option<UnusualSettings>,
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    clients: Recent<Name, Seen>,
    addresses: Recent<IpAddr, Seen>,
    /// In which window the log last told of each kind.
    told: [i64; 3],
}

impl Unusual {
    /// `None`: clients are not told apart, and nothing is noticed.
    pub fn new(settings: Option<UnusualSettings>, clock: &Clock) -> Self {
        let most = settings.as_ref().map_or(0, |settings| settings.clients);
        let (clients, addresses) = (Recent::new(most), Recent::new(most));
        let state = State { clients, addresses, told: [0; 3] };
        Self { settings, clock: clock.clone(), state: Mutex::new(state) }
    }

    /// A client asked for operations.
    pub fn asked(&self, client: &Requester, peer: Option<Peer>, operations: usize) {
        let operations = u32::try_from(operations).unwrap_or(u32::MAX);
        let from = peer.map(|peer| Did::CameFrom(peer.network()));
        let did = [Some(Did::Asked(operations)), from];
        self.note(|| Who::Client(name(client)), did.into_iter().flatten());
    }

    /// A client was refused something.
    pub fn refused(&self, client: &Requester) {
        self.note(|| Who::Client(name(client)), [Did::Refused]);
    }

    /// Somebody was not let in.
    pub fn not_let_in(&self, peer: Option<Peer>) {
        if let Some(peer) = peer {
            self.note(|| Who::Address(peer.network()), [Did::Refused]);
        }
    }

    fn note(&self, who: impl FnOnce() -> Who, did: impl IntoIterator<Item = Did>) {
        let Some(settings) = &self.settings else { return };
        let length = i64::try_from(settings.window.as_millis()).unwrap_or(i64::MAX).max(1);
        // From 1: 0 is what was never told.
        let window = self.clock.now_ms() / length + 1;
        let who = who();
        for (kind, first) in self.decide((&who, did), window, settings) {
            let (client, workspace) = match &who {
                Who::Client(name) => (name.subject.as_deref(), Some(name.workspace.as_str())),
                Who::Address(_) => (None, None),
            };
            let kind = kind.word();
            let whose = workspace.unwrap_or_default().to_owned();
            metrics::counter!(names::UNUSUAL, names::KIND => kind, names::WORKSPACE => whose)
                .increment(1);
            if !first {
                continue;
            }
            tracing::warn!(
                kind,
                client,
                workspace,
                "unusual activity; more of the kind is only counted"
            );
        }
    }

    /// What is unusual of what somebody did, and whether it is the first of its kind in this window.
    fn decide(
        &self,
        (who, did): (&Who, impl IntoIterator<Item = Did>),
        window: i64,
        settings: &UnusualSettings,
    ) -> Vec<(Kind, bool)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { clients, addresses, told } = &mut *state;
        let seen = match who {
            Who::Client(name) => clients.of(name),
            Who::Address(address) => addresses.of(address),
        };
        let unusual = did.into_iter().filter_map(|did| seen.note(did, window, settings));
        unusual
            .map(|kind| (kind, std::mem::replace(&mut told[kind as usize], window) != window))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SETTINGS: UnusualSettings = UnusualSettings {
        window: Duration::from_mins(1),
        refusals: 3,
        call_factor: 10,
        calls_least: 50,
        clients: 2,
    };

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn who(subject: &str) -> Requester {
        Requester { subject: Some(subject.into()), ..Requester::anonymous("default".into()) }
    }

    #[test]
    fn a_burst_of_refusals_is_told_once_a_window() {
        let mut seen = Seen::default();
        let mut told = |window| seen.note(Did::Refused, window, &SETTINGS);
        assert_eq!([told(1), told(1), told(1), told(1)], [None, None, Some(Kind::Refusals), None]);
        assert_eq!([told(2), told(2), told(2)], [None, None, Some(Kind::Refusals)]);
    }

    #[test]
    fn a_rate_is_measured_by_the_clients_own() {
        let mut seen = Seen::default();
        // What is asked for in its first windows is how it is.
        for window in 1..=6 {
            assert_eq!(seen.note(Did::Asked(100), window, &SETTINGS), None);
        }
        assert_eq!(seen.note(Did::Asked(900), 7, &SETTINGS), None, "ten times would be");
        assert_eq!(seen.note(Did::Asked(200), 7, &SETTINGS), Some(Kind::Rate));
        assert_eq!(seen.note(Did::Asked(200), 7, &SETTINGS), None, "once a window");
        // Whoever asks for little may ask for some more.
        let mut quiet = Seen::default();
        for window in 1..=6 {
            quiet.note(Did::Asked(1), window, &SETTINGS);
        }
        assert_eq!(quiet.note(Did::Asked(50), 7, &SETTINGS), None);
        assert_eq!(quiet.note(Did::Asked(1), 7, &SETTINGS), Some(Kind::Rate));
        // And a busy one that was silent for long is not busy any more.
        seen.note(Did::Asked(1), 60, &SETTINGS);
        assert_eq!(seen.note(Did::Asked(60), 60, &SETTINGS), Some(Kind::Rate));
    }

    #[test]
    fn an_address_is_new_once_and_the_first_is_not() {
        let mut seen = Seen::default();
        let mut told = |last| seen.note(Did::CameFrom(address(last)), 1, &SETTINGS);
        assert_eq!(
            [told(1), told(1), told(2), told(1), told(2)],
            [None, None, Some(Kind::Address), None, None]
        );
        for last in 3..=9 {
            assert_eq!(told(last), Some(Kind::Address));
        }
        assert_eq!(told(1), Some(Kind::Address), "only so many are remembered");
    }

    fn noticing() -> (Unusual, impl Fn(&Unusual, &Who) -> Option<(Kind, bool)>) {
        let clock = Clock::manual("2026-11-24T12:00:00Z".parse().unwrap());
        let refuse = |unusual: &Unusual, who: &Who| {
            unusual.decide((who, [Did::Refused]), 1, &SETTINGS).pop()
        };
        (Unusual::new(Some(SETTINGS), &clock), refuse)
    }

    #[test]
    fn one_line_is_said_for_all_of_a_kind_and_window() {
        let (unusual, refuse) = noticing();
        let (a, b) = (Who::Client(who("a")), Who::Client(who("b")));
        for who in [&a, &b] {
            assert_eq!([refuse(&unusual, who), refuse(&unusual, who)], [None, None]);
        }
        assert_eq!(refuse(&unusual, &a), Some((Kind::Refusals, true)));
        assert_eq!(refuse(&unusual, &b), Some((Kind::Refusals, false)));
    }

    #[test]
    fn whoever_has_many_addresses_makes_no_client_forgotten() {
        let (unusual, refuse) = noticing();
        let client = Who::Client(who("a"));
        assert_eq!([refuse(&unusual, &client), refuse(&unusual, &client)], [None, None]);
        for n in 0..1_000_u32 {
            assert_eq!(refuse(&unusual, &Who::Address(IpAddr::V4(n.into()))), None);
        }
        assert_eq!(refuse(&unusual, &client), Some((Kind::Refusals, true)));
        // And who comes only now is watched too.
        let late = Who::Client(who("b"));
        assert_eq!([refuse(&unusual, &late), refuse(&unusual, &late)], [None, None]);
        assert_eq!(refuse(&unusual, &late), Some((Kind::Refusals, false)));
    }

    #[test]
    fn the_addresses_of_one_network_are_somebody() {
        let (unusual, _) = noticing();
        let told = || unusual.state.lock().unwrap().told[Kind::Refusals as usize];
        let come = |address: &str| unusual.not_let_in(Some(Peer(address.parse().unwrap())));
        for address in ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"] {
            come(address);
        }
        assert_eq!(told(), 0);
        come("2001:db8::3");
        assert_ne!(told(), 0);
    }
}
