//! Random work against a model of the table in plain Rust.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use super::{POLL, Place, a_claim, at, open, run_sync};
use crate::store::{
    Backlog, Claim, ClaimKey, ClaimOne, Lease, MOST_RETRIES, Mark, Next, Priority, Record,
    Recorded, Store,
};
use crate::unified::{SyncState, WorkspaceId};

#[derive(Clone, Debug)]
enum Step {
    Pass(i64),
    Mark {
        key: usize,
        priority: usize,
        delay: i64,
    },
    Claim {
        limit: u32,
    },
    ClaimOne {
        key: usize,
    },
    /// The lease, of those ever given, that ends, and how.
    End {
        lease: usize,
        how: usize,
    },
    GiveBack {
        lease: usize,
    },
    Extend {
        lease: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1i64..40).prop_map(Step::Pass),
        4 => (0usize..5, 0usize..3, 0i64..30)
            .prop_map(|(key, priority, delay)| Step::Mark { key, priority, delay }),
        4 => (1u32..4).prop_map(|limit| Step::Claim { limit }),
        2 => (0usize..5).prop_map(|key| Step::ClaimOne { key }),
        5 => (0usize..8, 0usize..5).prop_map(|(lease, how)| Step::End { lease, how }),
        1 => (0usize..8).prop_map(|lease| Step::GiveBack { lease }),
        1 => (0usize..8).prop_map(|lease| Step::Extend { lease }),
    ]
}

/// A row as it should be; times in seconds.
#[derive(Clone, Debug, Default)]
struct Row {
    priority: Priority,
    marks: i64,
    done: i64,
    due: i64,
    attempt: u32,
    lease: Option<(Uuid, i64)>,
    dead: bool,
}

impl Row {
    fn is_open(&self) -> bool {
        self.marks > self.done && !self.dead
    }

    fn is_free(&self, now: i64) -> bool {
        self.lease.is_none_or(|(_, until)| until < now)
    }

    fn is_claimable(&self, now: i64) -> bool {
        self.is_open() && self.due <= now && self.is_free(now)
    }

    fn mark(&mut self, priority: Priority, due: i64) {
        let waits = self.marks > self.done;
        if !waits || self.dead {
            self.due = due;
        } else if self.attempt == 0 {
            self.due = self.due.min(due);
        }
        self.priority = if waits { self.priority.min(priority) } else { priority };
        if self.dead {
            (self.attempt, self.dead) = (0, false);
        }
        self.marks += 1;
    }

    fn end(&mut self, generation: i64, next: &Next, now: i64) {
        self.lease = None;
        let later = self.marks > generation;
        match next {
            Next::Done => (self.done, self.attempt) = (generation, 0),
            Next::Again(_) | Next::Paused { .. } => {
                self.due = if later { self.due.min(now + 20) } else { now + 20 };
                self.marks += 1;
                (self.done, self.attempt) = (generation, 0);
            }
            Next::Retry { .. } => {
                (self.due, self.attempt) = (now + 15, self.attempt.min(MOST_RETRIES));
            }
            Next::Dead { .. } if later => self.attempt = 0,
            Next::Dead { .. } => self.dead = true,
        }
    }
}

const KEYS: [&str; 5] = ["a", "b", "c", "d", "e"];
const PRIORITIES: [Priority; 3] = [Priority::Client, Priority::Live, Priority::Backfill];
/// For how long `a_claim` leases.
const LEASE: i64 = 30;

pub async fn the_queue_does_as_its_model_says(place: &impl Place) {
    let (store, _) = open(place).await;
    let mut runner = TestRunner::default();
    for case in 0..30 {
        let w = WorkspaceId::from(format!("w{case}"));
        store.workspace(&w, w.as_str(), at(0)).await.unwrap();
        run_sync(&store, &w, SyncState::Running).await;
        let steps = prop::collection::vec(step(), 1..40).new_tree(&mut runner).unwrap().current();
        let mut world = World { rows: BTreeMap::new(), leases: Vec::new(), now: 0 };
        for (n, step) in steps.iter().enumerate() {
            let told = format!("step {n} of {steps:?}\n{:?}", world.rows);
            world.step(&*store, &w, step, &told).await;
        }
        let open = world.rows.values().filter(|row| row.is_open());
        let backlog = Backlog {
            open: open.clone().count() as u64,
            leased: open.clone().filter(|row| row.lease.is_some()).count() as u64,
            dead: world.rows.values().filter(|row| row.dead).count() as u64,
            oldest_due: open.map(|row| at(row.due)).min(),
        };
        assert_eq!(store.backlog(&w, POLL).await.unwrap(), backlog, "{steps:?}");
        run_sync(&store, &w, SyncState::Paused).await;
        world.now += 1_000;
        world.finish(&*store, &w).await;
    }
}

struct World {
    rows: BTreeMap<&'static str, Row>,
    leases: Vec<Lease>,
    now: i64,
}

impl World {
    async fn step(&mut self, store: &dyn Store, w: &WorkspaceId, step: &Step, told: &str) {
        let now = self.now;
        match *step {
            Step::Pass(seconds) => self.now += seconds,
            Step::Mark { key, priority, delay } => {
                let (key, priority) = (KEYS[key], PRIORITIES[priority]);
                let mark = Mark { kind: POLL, key: key.to_owned(), priority, due: at(now + delay) };
                store.mark(w, &[mark]).await.unwrap();
                self.rows.entry(key).or_default().mark(priority, now + delay);
            }
            Step::Claim { limit } => {
                let claimed = store.claim(&a_claim(now, limit)).await.unwrap().leases;
                let free = |row: &&Row| row.is_claimable(now);
                let mut waiting: Vec<_> =
                    self.rows.values().filter(free).map(|row| (row.priority, row.due)).collect();
                waiting.sort_unstable();
                waiting.truncate(limit as usize);
                let got = claimed.iter().map(|lease| {
                    let row = &self.rows[lease.key.as_str()];
                    assert!(row.is_claimable(now), "{lease:?} at {told}");
                    (row.priority, row.due)
                });
                assert_eq!(got.collect::<Vec<_>>(), waiting, "{told}");
                for lease in claimed {
                    self.claimed(lease, told);
                }
            }
            Step::ClaimOne { key } => self.claim_one(store, w, KEYS[key], told).await,
            Step::End { lease, how } => {
                let Some(lease) = self.leases.get(lease).cloned() else { return };
                let next = match how {
                    0 | 1 => Next::Done,
                    2 => Next::Again(at(now + 20)),
                    3 => Next::Retry { at: at(now + 15), error: "down".to_owned() },
                    _ => Next::Dead { error: "no".to_owned() },
                };
                let record = Record { next: next.clone(), ..Record::default() };
                let stored = store.record(&lease, record, at(now)).await.unwrap();
                let held = self.held(&lease);
                assert_eq!(stored == Recorded::Lost, held.is_none(), "{told}");
                if let Some(row) = held {
                    row.end(lease.generation, &next, now);
                }
            }
            Step::GiveBack { lease } => {
                let Some(lease) = self.leases.get(lease).cloned() else { return };
                let held = self.held(&lease);
                assert_eq!(store.give_back(&lease).await.unwrap(), held.is_some(), "{told}");
                if let Some(row) = held {
                    row.lease = None;
                    row.attempt -= 1;
                }
            }
            Step::Extend { lease } => {
                let Some(lease) = self.leases.get(lease).cloned() else { return };
                let held = self.held(&lease);
                let extended = store.extend(&lease, at(now + LEASE)).await.unwrap();
                assert_eq!(extended, held.is_some(), "{told}");
                if let Some(row) = held {
                    row.lease = Some((lease.token, now + LEASE));
                }
            }
        }
    }

    async fn claim_one(
        &mut self,
        store: &dyn Store,
        w: &WorkspaceId,
        key: &'static str,
        told: &str,
    ) {
        let now = self.now;
        let token = Uuid::from_u128(rand::random());
        let (now_at, until) = (at(now), at(now + LEASE));
        let wanted = ClaimKey { kind: POLL, key, token, now: now_at, until };
        let claim = store.claim_one(w, wanted);
        let row = self.rows.get(key).cloned().unwrap_or_default();
        match claim.await.unwrap() {
            ClaimOne::Busy { until } => {
                assert!(!row.is_free(now) && until >= at(now), "{told}");
            }
            ClaimOne::Idle => assert!(row.is_free(now) && row.marks == row.done, "{told}"),
            ClaimOne::Claimed(lease) => {
                assert!(row.is_free(now) && row.marks > row.done, "{told}");
                self.claimed(lease, told);
            }
        }
    }

    fn claimed(&mut self, lease: Lease, told: &str) {
        let row = self.rows.get_mut(lease.key.as_str()).unwrap();
        row.lease = Some((lease.token, self.now + LEASE));
        row.attempt += 1;
        row.dead = false;
        assert_eq!((lease.generation, lease.attempt), (row.marks, row.attempt), "{told}");
        assert_eq!(lease.priority, row.priority, "{told}");
        self.leases.insert(0, lease);
    }

    fn held(&mut self, lease: &Lease) -> Option<&mut Row> {
        let row = self.rows.get_mut(lease.key.as_str())?;
        row.lease.is_some_and(|(token, _)| token == lease.token).then_some(row)
    }

    /// Takes the case's clients' work out of the way of the next one.
    async fn finish(&mut self, store: &dyn Store, w: &WorkspaceId) {
        let claim = Claim { until: at(self.now + 1), ..a_claim(self.now, 99) };
        for lease in store.claim(&claim).await.unwrap().leases {
            assert_eq!(&lease.workspace, w);
            store.record(&lease, Record::default(), at(self.now)).await.unwrap();
        }
    }
}
