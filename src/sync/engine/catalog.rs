//! The account's lists and both systems' field definitions, which every plan needs and which hardly
//! ever change: read now and then, and at once when an edit names a list that is not known.

use std::sync::Arc;
use std::time::Duration;

use futures_util::join;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::unified::{Definitions, List};
use crate::upstream::{Call, Crm, Mailing};

use super::Parts;

/// What was last read.
#[derive(Clone, Default)]
struct Held {
    /// `None`: never read.
    lists: Option<Arc<Vec<List>>>,
    definitions: Arc<Definitions>,
    read_ms: i64,
    complete: bool,
}

/// See the module.
pub(super) struct Catalog {
    mailing: Arc<dyn Mailing>,
    crm: Arc<dyn Crm>,
    clock: Clock,
    believed_for: Duration,
    /// Held while it is read, so that many runs at once are one reading.
    held: Mutex<Held>,
}

impl Catalog {
    pub fn new(parts: &Parts) -> Self {
        Self {
            mailing: Arc::clone(&parts.mailing),
            crm: Arc::clone(&parts.crm),
            clock: parts.clock.clone(),
            believed_for: parts.settings.catalog_for,
            held: Mutex::default(),
        }
    }

    /// Lists and definitions; those that cannot be read are as they were last known. `named`: lists
    /// that have to be among them if they exist at all.
    pub async fn get(
        &self,
        call: &Call,
        named: impl Iterator<Item = &str>,
    ) -> (Arc<Vec<List>>, Arc<Definitions>) {
        let mut held = self.held.lock().await;
        let age = self.clock.now_ms().saturating_sub(held.read_ms);
        let believed = i64::try_from(self.believed_for.as_millis()).unwrap_or(i64::MAX);
        let known = |id: &str| {
            held.lists.iter().flat_map(|lists| lists.iter()).any(|list| list.id.to_string() == id)
        };
        let missing = { named.into_iter().any(|id| !known(id)) };
        if !held.complete || age >= believed || missing {
            self.read(&mut held, call).await;
        }
        (held.lists.clone().unwrap_or_default(), Arc::clone(&held.definitions))
    }

    /// A list by its name in any case, which may have been made a moment ago.
    pub async fn list_named(&self, call: &Call, name: &str) -> Option<List> {
        let mut held = self.held.lock().await;
        self.read(&mut held, call).await;
        let wanted = name.to_lowercase();
        let lists = held.lists.iter().flat_map(|lists| lists.iter());
        lists.into_iter().find(|list| list.name.to_lowercase() == wanted).cloned()
    }

    async fn read(&self, held: &mut Held, call: &Call) {
        let (lists, doppler, highlevel) = join!(
            self.mailing.lists(call),
            Mailing::fields(&*self.mailing, call),
            Crm::fields(&*self.crm, call)
        );
        held.complete = lists.is_ok() && doppler.is_ok() && highlevel.is_ok();
        if let Ok(lists) = lists {
            held.lists = Some(Arc::new(lists));
        }
        let old = Arc::clone(&held.definitions);
        held.definitions = Arc::new(Definitions {
            doppler: doppler.ok().or_else(|| old.doppler.clone()),
            highlevel: highlevel.ok().or_else(|| old.highlevel.clone()),
        });
        held.read_ms = self.clock.now_ms();
    }
}
