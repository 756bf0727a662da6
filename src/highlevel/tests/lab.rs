//! A fake to try the client on, which holds each request against the official specification.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use serde_json::Value;

use crate::sandbox::journal::Row;
use crate::sandbox::{Options, Sandbox};
use crate::tasks::Tasks;

use super::openapi::Validator;
use super::*;

/// A fake with its own clock, stopped when dropped.
pub struct Lab {
    pub sandbox: Sandbox,
    pub clock: Clock,
    tasks: Tasks,
}

impl Lab {
    pub async fn start(rate_limit: bool) -> Self {
        let (tasks, clock) =
            (Tasks::new(), Clock::manual(DateTime::UNIX_EPOCH + TimeDelta::days(20_000)));
        let options = Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            index_delay: Duration::ZERO,
            clock: clock.clone(),
            rate_limit,
            ..Options::default()
        };
        let sandbox = Sandbox::start(options, &tasks).await.unwrap();
        Self { sandbox, clock, tasks }
    }

    pub fn client(&self, change: impl FnOnce(&mut HighLevel)) -> Client {
        client(&self.sandbox.highlevel_url(), &self.clock, change)
    }

    /// The calls since the last look, each held against the official specification.
    pub fn journal(&self) -> Vec<Row> {
        let page = self.sandbox.shared().journal.page(0, true);
        self.sandbox.shared().journal.clear();
        for row in &page.calls {
            let route = row.route.as_deref().unwrap();
            let body = row.request_body.as_deref().filter(|body| !body.is_empty());
            let body = body.map(|body| serde_json::from_str(body).unwrap());
            let query: Vec<_> =
                row.query.split('&').filter_map(|pair| pair.split_once('=')).collect();
            let official = Validator::new();
            let mut violations = official.check_request(&row.method, route, body.as_ref());
            violations.extend(official.check_query(&row.method, route, &query));
            assert!(violations.is_empty(), "{violations:?}");
        }
        page.calls
    }

    pub fn fault(&self, fault: Value) {
        self.sandbox.shared().faults.add(serde_json::from_value(fault).unwrap());
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.journal();
        }
        self.tasks.stop();
    }
}
