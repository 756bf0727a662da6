//! The account's lists and both systems' field definitions, which every plan needs and which hardly
//! ever change: read now and then, at once when an edit names a list that is not known, and again where
//! somebody's field looks emptied and may be one that was deleted since.

use std::sync::Arc;
use std::time::Duration;

use futures_util::join;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::sync::plan::{Defined, UNGRANTED};
use crate::unified::{Definitions, FieldDefinition, List, System};
use crate::upstream::{self, Call, Crm, Mailing};

use super::Parts;

/// How long lies between two readings of a system's fields that plans ask for. A whole account's values may be
/// emptied within minutes: whoever asks meanwhile shares the next reading.
const BETWEEN: Duration = Duration::from_secs(2);

/// What was last read.
#[derive(Clone, Default)]
struct Held {
    /// `None`: never read.
    lists: Option<Arc<Vec<List>>>,
    definitions: Arc<Definitions>,
    fields: [Reading; 2],
    read_ms: i64,
    /// Whether all was read that the credentials may see.
    complete: bool,
    /// What they might see then ([`upstream::Directory::view`]).
    views: [u64; 2],
}

/// The readings of one system's fields.
#[derive(Clone, Copy, Default)]
struct Reading {
    /// When the last one began.
    begun_ms: i64,
    /// When the last one began that succeeded: the definitions are those of then.
    known_ms: i64,
    /// Why the last one failed: the error's name in the public schema.
    failed: Option<&'static str>,
}

/// What a plan is made with.
pub(super) struct Known {
    pub lists: Arc<Vec<List>>,
    pub definitions: Arc<Definitions>,
    /// How old each system's definitions are beside what was read of the person.
    pub defined: [Defined; 2],
}

/// See the module.
pub(super) struct Catalog {
    mailing: Arc<dyn Mailing>,
    crm: Arc<dyn Crm>,
    clock: Clock,
    believed_for: Duration,
    /// Held while all of it is read, so that many runs at once are one reading.
    held: Mutex<Held>,
    /// Held by whoever reads a system's fields again, apart, so that nobody else waits for it.
    again: [Mutex<()>; 2],
}

impl Catalog {
    pub fn new(parts: &Parts) -> Self {
        Self {
            mailing: Arc::clone(&parts.mailing),
            crm: Arc::clone(&parts.crm),
            clock: parts.clock.clone(),
            believed_for: parts.settings.catalog_for,
            held: Mutex::default(),
            again: Default::default(),
        }
    }

    /// Lists and definitions; those that cannot be read are as they were last known. `looked_ms`: when the
    /// person was read. `named`: lists that have to be among them if they exist at all.
    pub async fn get(
        &self,
        call: &Call,
        looked_ms: i64,
        named: impl Iterator<Item = &str>,
    ) -> Known {
        let mut held = self.held.lock().await;
        let age = self.clock.now_ms().saturating_sub(held.read_ms);
        let believed = i64::try_from(self.believed_for.as_millis()).unwrap_or(i64::MAX);
        let known = |id: &str| {
            held.lists.iter().flat_map(|lists| lists.iter()).any(|list| list.id.to_string() == id)
        };
        let missing = { named.into_iter().any(|id| !known(id)) };
        let is_all = held.complete && held.views == self.views();
        if !is_all || age >= believed || missing {
            self.read(&mut held, call).await;
        }
        self.known(&held, looked_ms)
    }

    /// The same, with a system's definitions no older than what was read of the person, if they can be read.
    pub async fn define(&self, call: &Call, looked_ms: i64, system: System) -> Known {
        let _turn = self.again[system as usize].lock().await;
        let held = self.held.lock().await.clone();
        let reading = held.fields[system as usize];
        let known = self.known(&held, looked_ms);
        if known.defined[system as usize] != Defined::Before {
            return known;
        }
        let since = self.clock.now_ms().saturating_sub(reading.begun_ms);
        let since = Duration::from_millis(u64::try_from(since).unwrap_or_default());
        tokio::time::sleep(BETWEEN.saturating_sub(since)).await;
        let begun_ms = self.clock.now_ms();
        let fields = match system {
            System::Doppler => Mailing::fields(&*self.mailing, call).await,
            System::HighLevel => Crm::fields(&*self.crm, call).await,
        };
        let mut held = self.held.lock().await;
        held.keep(system, begun_ms, fields);
        self.known(&held, looked_ms)
    }

    /// A list by its name in any case, which may have been made a moment ago.
    pub async fn list_named(&self, call: &Call, name: &str) -> Option<List> {
        let mut held = self.held.lock().await;
        self.read(&mut held, call).await;
        let wanted = name.to_lowercase();
        let lists = held.lists.iter().flat_map(|lists| lists.iter());
        lists.into_iter().find(|list| list.name.to_lowercase() == wanted).cloned()
    }

    fn views(&self) -> [u64; 2] {
        [self.mailing.view(), self.crm.view()]
    }

    fn known(&self, held: &Held, looked_ms: i64) -> Known {
        let seen_by_same = held.views == self.views();
        Known {
            lists: held.lists.clone().unwrap_or_default(),
            definitions: Arc::clone(&held.definitions),
            defined: held.fields.map(|reading| reading.beside(looked_ms, seen_by_same)),
        }
    }

    async fn read(&self, held: &mut Held, call: &Call) {
        let begun_ms = self.clock.now_ms();
        held.views = self.views();
        let (lists, doppler, highlevel) = join!(
            self.mailing.lists(call),
            Mailing::fields(&*self.mailing, call),
            Crm::fields(&*self.crm, call)
        );
        held.complete = is_all(&lists) && is_all(&doppler) && is_all(&highlevel);
        if let Ok(lists) = lists {
            held.lists = Some(Arc::new(lists));
        }
        held.keep(System::Doppler, begun_ms, doppler);
        held.keep(System::HighLevel, begun_ms, highlevel);
        held.read_ms = self.clock.now_ms();
    }
}

/// Whether reading again would bring no more: what a scope is missing for is not there to be read.
fn is_all<T>(read: &Result<T, upstream::Error>) -> bool {
    read.as_ref().err().is_none_or(|error| error.kind.code() == UNGRANTED)
}

impl Held {
    /// Keeps what a reading of a system's fields brought, unless a later one is known.
    fn keep(
        &mut self,
        system: System,
        begun_ms: i64,
        fields: Result<Vec<FieldDefinition>, upstream::Error>,
    ) {
        let reading = &mut self.fields[system as usize];
        if begun_ms < reading.begun_ms {
            return;
        }
        reading.begun_ms = begun_ms;
        reading.failed = fields.as_ref().err().map(|error| error.kind.code());
        let Ok(fields) = fields else { return };
        reading.known_ms = begun_ms;
        let definitions = Arc::make_mut(&mut self.definitions);
        match system {
            System::Doppler => definitions.doppler = Some(fields),
            System::HighLevel => definitions.highlevel = Some(fields),
        }
    }
}

impl Reading {
    /// How old the definitions are beside what was read of a person by then. What a scope hides is hidden from
    /// the same credential, however long ago it was asked.
    fn beside(self, looked_ms: i64, same_credentials: bool) -> Defined {
        let is_hidden = same_credentials && self.failed == Some(UNGRANTED);
        match self.failed {
            _ if self.known_ms >= looked_ms => Defined::Since,
            Some(code) if is_hidden || self.begun_ms >= looked_ms => Defined::Unread { code },
            Some(_) | None => Defined::Before,
        }
    }
}
