//! Every API call received, in a ring: tests count calls here, bug reports quote it.
//!
//! An entry is made when the call arrives and completed when it is answered, so a call that hangs
//! is in it too, with no status. Nothing is formatted until somebody asks. With room for no entry
//! the journal is off and costs a comparison. Credentials in a query (`access_token`, `api_key`)
//! and bodies of the token endpoint are never shown.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::extract::MatchedPath;
use axum::http::{Method, Uri};
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat};
use serde::Serialize;

use super::credentials::Account;
use super::shared::System;

/// Bodies of the oldest entries are forgotten beyond this many bytes.
const BODY_BUDGET: usize = 16 * 1024 * 1024;

/// The ring.
#[derive(Debug)]
pub struct Journal {
    size: usize,
    ring: Mutex<Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<Entry>,
    /// The sequence number that the next entry gets; the first one is 1.
    next: u64,
    /// Every entry before this one has lost its bodies.
    bodies_from: u64,
    body_bytes: usize,
}

/// A call as it came in.
#[derive(Debug)]
pub struct Call {
    /// Epoch milliseconds.
    pub at: i64,
    /// Whose API was called.
    pub system: System,
    /// The verb.
    pub method: Method,
    /// The route's template as registered, absent where no route matched.
    pub route: Option<MatchedPath>,
    /// Path and query below the system's prefix.
    pub uri: Uri,
    /// The body as received.
    pub body: Bytes,
}

#[derive(Debug)]
struct Entry {
    call: Call,
    status: Option<u16>,
    account: Option<&'static str>,
    answer: Bytes,
}

/// What `GET /control/journal` answers.
#[derive(Debug, Serialize)]
pub struct Page {
    /// Oldest first.
    pub calls: Vec<Row>,
    /// Ask with `since` set to this for what comes later.
    pub next: u64,
}

/// One call, as shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Rises by one a call, from 1.
    pub seq: u64,
    /// When it arrived.
    pub at: String,
    /// Whose API.
    pub system: System,
    /// The verb.
    pub method: String,
    /// The template without the system's prefix, `null` where no route matched.
    pub route: Option<String>,
    /// The path below the system's prefix, encoded as received.
    pub path: String,
    /// The query without credentials.
    pub query: String,
    /// Whose key or token came along, by Doppler's account or HighLevel's location; absent while
    /// unanswered and where nobody's did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<&'static str>,
    /// `null` while unanswered.
    pub status: Option<u16>,
    /// Only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_body: Option<String>,
    /// Only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_body: Option<String>,
}

impl Journal {
    /// A ring with room for `size` calls.
    pub fn new(size: usize) -> Self {
        let ring = Ring { next: 1, bodies_from: 1, ..Ring::default() };
        Self { size, ring: Mutex::new(ring) }
    }

    /// Whether calls are recorded at all.
    pub fn is_on(&self) -> bool {
        self.size > 0
    }

    /// Records a call's arrival; the number is for [`Journal::answered`].
    pub fn arrived(&self, call: Call) -> u64 {
        let mut guard = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let ring = &mut *guard;
        if ring.entries.len() >= self.size
            && let Some(oldest) = ring.entries.pop_front()
        {
            ring.body_bytes -= oldest.body_bytes();
        }
        let seq = ring.next;
        ring.next += 1;
        ring.body_bytes += call.body.len();
        ring.entries.push_back(Entry { call, status: None, account: None, answer: Bytes::new() });
        ring.drop_bodies();
        seq
    }

    /// Completes an entry, if the ring still holds it.
    pub fn answered(
        &self,
        seq: u64,
        (status, account): (u16, Option<&'static Account>),
        body: Bytes,
    ) {
        let mut guard = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let ring = &mut *guard;
        let first = ring.first();
        let Some(index) = seq.checked_sub(first).and_then(|index| usize::try_from(index).ok())
        else {
            return;
        };
        let keep = seq >= ring.bodies_from;
        if let Some(entry) = ring.entries.get_mut(index) {
            entry.status = Some(status);
            entry.account = account.map(|account| match entry.call.system {
                System::Doppler => account.doppler,
                System::HighLevel => account.location,
            });
            if keep {
                ring.body_bytes += body.len();
                entry.answer = body;
            }
        }
        ring.drop_bodies();
    }

    /// The calls from `since` on.
    pub fn page(&self, since: u64, bodies: bool) -> Page {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let first = ring.first();
        let skip = usize::try_from(since.saturating_sub(first)).unwrap_or(usize::MAX);
        let calls = (first..)
            .zip(&ring.entries)
            .skip(skip)
            .map(|(seq, entry)| entry.row(seq, bodies && seq >= ring.bodies_from))
            .collect();
        Page { calls, next: ring.next }
    }

    /// Forgets everything; the numbers go on.
    pub fn clear(&self) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.entries.clear();
        ring.body_bytes = 0;
        ring.bodies_from = ring.next;
    }
}

impl Ring {
    fn first(&self) -> u64 {
        self.next - self.entries.len() as u64
    }

    fn drop_bodies(&mut self) {
        let first = self.first();
        self.bodies_from = self.bodies_from.max(first);
        while self.body_bytes > BODY_BUDGET && self.bodies_from < self.next {
            let index = usize::try_from(self.bodies_from - first).unwrap_or(usize::MAX);
            if let Some(entry) = self.entries.get_mut(index) {
                self.body_bytes -= entry.body_bytes();
                entry.call.body = Bytes::new();
                entry.answer = Bytes::new();
            }
            self.bodies_from += 1;
        }
    }
}

impl Entry {
    fn body_bytes(&self) -> usize {
        self.call.body.len() + self.answer.len()
    }

    fn row(&self, seq: u64, bodies: bool) -> Row {
        let path = self.call.uri.path().to_owned();
        let show = bodies && !path.starts_with("/oauth/");
        let text = |body: &Bytes| show.then(|| String::from_utf8_lossy(body).into_owned());
        Row {
            seq,
            at: DateTime::from_timestamp_millis(self.call.at)
                .unwrap_or_default()
                .to_rfc3339_opts(SecondsFormat::Millis, true),
            system: self.call.system,
            method: self.call.method.to_string(),
            route: self.call.route.as_ref().map(|route| template(route, self.call.system)),
            query: without_credentials(self.call.uri.query().unwrap_or_default()),
            path,
            account: self.account,
            status: self.status,
            request_body: text(&self.call.body),
            response_body: text(&self.answer),
        }
    }
}

/// The route's template below the system's prefix. Doppler takes every path with and without a slash
/// at its end, which is one route.
pub fn template(route: &MatchedPath, system: System) -> String {
    let route = route.as_str();
    let route = route.strip_prefix(system.prefix()).unwrap_or(route);
    match system {
        System::Doppler if route.len() > 1 => route.trim_end_matches('/').to_owned(),
        System::Doppler | System::HighLevel => route.to_owned(),
    }
}

fn without_credentials(query: &str) -> String {
    let kept = query.split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        name != "access_token" && name != "api_key"
    });
    kept.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(path: &'static str) -> Call {
        Call {
            at: 0,
            system: System::Doppler,
            method: Method::GET,
            route: None,
            uri: Uri::from_static(path),
            body: Bytes::from_static(b"{}"),
        }
    }

    #[test]
    fn the_ring_keeps_the_newest_and_numbers_go_on() {
        let journal = Journal::new(2);
        for path in ["/a", "/b", "/c"] {
            let seq = journal.arrived(call(path));
            journal.answered(seq, (200, None), Bytes::from_static(b"[]"));
        }
        let page = journal.page(0, true);
        let seen: Vec<_> = page.calls.iter().map(|row| (row.seq, row.path.as_str())).collect();
        assert_eq!(seen, [(2, "/b"), (3, "/c")]);
        assert_eq!(page.next, 4);
        assert_eq!(page.calls[0].response_body.as_deref(), Some("[]"));
        assert_eq!(journal.page(3, false).calls.len(), 1);
        journal.clear();
        assert_eq!((journal.page(0, false).calls.len(), journal.arrived(call("/d"))), (0, 4));
    }

    #[test]
    fn an_unanswered_call_is_there_and_a_forgotten_one_is_not_revived() {
        let journal = Journal::new(1);
        let first = journal.arrived(call("/a"));
        assert_eq!(journal.page(0, false).calls[0].status, None);
        journal.arrived(call("/b"));
        journal.answered(first, (200, None), Bytes::new());
        assert_eq!(journal.page(0, false).calls[0].status, None);
    }

    #[test]
    fn credentials_are_not_shown() {
        let journal = Journal::new(9);
        journal.arrived(call("/a?page=1&access_token=secret&API_KEY=secret"));
        journal.arrived(call("/oauth/token"));
        let page = journal.page(0, true);
        assert_eq!(page.calls[0].query, "page=1");
        assert_eq!(page.calls[1].request_body, None);
    }

    #[test]
    fn old_bodies_give_way() {
        let journal = Journal::new(9);
        for _ in 0..3 {
            let seq = journal.arrived(call("/a"));
            journal.answered(seq, (200, None), Bytes::from(vec![b'x'; BODY_BUDGET / 2]));
        }
        let page = journal.page(0, true);
        let has: Vec<_> = page.calls.iter().map(|row| row.response_body.is_some()).collect();
        assert_eq!(has, [false, false, true]);
    }
}
