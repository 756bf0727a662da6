//! Whom somebody looks at just now: what Doppler tells of nobody by itself is asked for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::store::{ENGAGEMENT, Mark, Priority, Store};
use crate::tasks::Tasks;
use crate::unified::{ContactId, WorkspaceId};

/// Contacts that are followed by clients of this gateway, and by how many.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched(Arc<Mutex<HashMap<(WorkspaceId, ContactId), usize>>>);

/// Somebody looks at a contact until this is dropped.
#[derive(Debug)]
pub(super) struct Looking {
    watched: Watched,
    at: (WorkspaceId, ContactId),
}

impl Watched {
    /// Somebody begins to look at a contact.
    pub fn look_at(&self, workspace: &WorkspaceId, contact: ContactId) -> Looking {
        let at = (workspace.clone(), contact);
        *self.lock().entry(at.clone()).or_default() += 1;
        Looking { watched: self.clone(), at }
    }

    /// Who is looked at, by workspace.
    fn all(&self) -> HashMap<WorkspaceId, Vec<ContactId>> {
        let mut all: HashMap<WorkspaceId, Vec<ContactId>> = HashMap::new();
        for (workspace, contact) in self.lock().keys() {
            all.entry(workspace.clone()).or_default().push(*contact);
        }
        all
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(WorkspaceId, ContactId), usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Looking {
    /// Whom at.
    pub fn contact(&self) -> ContactId {
        self.at.1
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        let mut watched = self.watched.lock();
        if let Some(count) = watched.get_mut(&self.at) {
            *count -= 1;
            if *count == 0 {
                watched.remove(&self.at);
            }
        }
    }
}

/// How often those who are looked at are asked about.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long after one time comes the next.
    pub every: Duration,
    /// How long after one person comes the next.
    pub apart: Duration,
}

/// Marks those who are looked at, now and then, until the tasks stop.
pub(super) fn mark_them(
    watched: Watched,
    store: Arc<dyn Store>,
    (clock, pace): (Clock, Pace),
    tasks: &Tasks,
) {
    let stop = tasks.clone();
    tasks.spawn(async move {
        loop {
            tokio::select! {
                () = clock.sleep(pace.every) => {}
                () = stop.stopping() => return,
            }
            for (workspace, contacts) in watched.all() {
                let mut due = clock.now();
                let marks = contacts.into_iter().map(|contact| {
                    let key = contact.to_string();
                    let mark = Mark { kind: ENGAGEMENT, key, priority: Priority::Backfill, due };
                    due += pace.apart;
                    mark
                });
                let marks: Vec<Mark> = marks.collect();
                if let Err(error) = store.mark(&workspace, &marks).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "engagement of those who are looked at not asked for");
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_looked_at_by_nobody_any_more_is_forgotten() {
        let (watched, workspace) = (Watched::default(), WorkspaceId::from("w"));
        let contact = ContactId(uuid::Uuid::from_u128(7));
        let looking = [(); 2].map(|()| watched.look_at(&workspace, contact));
        let [first, second] = looking;
        drop(first);
        assert_eq!(watched.all()[&workspace], [contact]);
        drop(second);
        assert!(watched.all().is_empty());
    }
}
