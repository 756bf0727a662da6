//! Keeps the cache and the last known copies true to what the engine reads and writes.

use std::sync::{Arc, Weak};

use crate::bus::{Changed, What};
use crate::sync::{Attached, Mirror, Seen};
use crate::unified::{
    ContactId, Delivery, HighLevelContact, HighLevelId, Subscriber, System, WorkspaceId,
};

use super::core::{Brought, Core};

/// See the module. Knows the use cases without keeping them alive.
pub(super) struct Keeper(pub Weak<Core>);

impl Mirror for Keeper {
    fn contact(
        &self,
        of: &WorkspaceId,
        (person, id): (ContactId, &HighLevelId),
        seen: Seen<HighLevelContact>,
    ) {
        let Some(core) = self.0.upgrade() else { return };
        let written = seen.written;
        if seen.written {
            core.wrote::<Option<Arc<HighLevelContact>>>(of, System::HighLevel, id.as_str());
            if let Some(contact) = &seen.value {
                core.forget_matches(of, (contact.email.as_deref(), contact.phone.as_deref()));
            }
        }
        let brought = Brought { value: seen.value, fetched_ms: seen.fetched_ms };
        core.replace(of, System::HighLevel, id.as_str(), brought);
        if written {
            let entity = Changed::HighLevel(id.clone());
            core.publish(of, What::Contact { contact: person, entity });
        }
    }

    fn subscriber(&self, of: &WorkspaceId, key: &str, seen: Seen<Subscriber>) {
        let Some(core) = self.0.upgrade() else { return };
        if seen.written {
            core.wrote::<Option<Arc<Subscriber>>>(of, System::Doppler, key);
        }
        let brought = Brought { value: seen.value, fetched_ms: seen.fetched_ms };
        core.replace(of, System::Doppler, key, brought);
    }

    fn attached(&self, of: &WorkspaceId, on: (ContactId, &HighLevelId), what: Attached) {
        let (contact, id) = on;
        let Some(core) = self.0.upgrade() else { return };
        let part = match what {
            Attached::Notes => Changed::Notes(id.clone()),
            Attached::Tasks => Changed::Tasks(id.clone()),
        };
        core.forget_part(of, id, &part);
        core.publish(of, What::Contact { contact, entity: part });
    }

    fn deliveries(
        &self,
        of: &WorkspaceId,
        key: &str,
        (value, fetched_ms): (Arc<Vec<Delivery>>, i64),
    ) {
        let Some(core) = self.0.upgrade() else { return };
        core.forget::<Arc<Vec<Delivery>>>(of, System::Doppler, key);
        core.prime(of, System::Doppler, key, Brought { value, fetched_ms });
    }

    fn engaged(&self, of: &WorkspaceId, contact: ContactId) {
        let Some(core) = self.0.upgrade() else { return };
        core.publish(of, What::Contact { contact, entity: Changed::Deliveries });
    }

    fn changed(&self, of: &WorkspaceId, contact: ContactId) {
        let Some(core) = self.0.upgrade() else { return };
        core.known.invalidate_all();
        core.publish(of, What::Contact { contact, entity: Changed::Sides });
    }
}
