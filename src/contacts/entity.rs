//! What is kept between requests, as types: each kind of thing that is read has a row in the table
//! below, which gives it its cache kind, its time to live and its last known copy.
//!
//! To add a kind: a row here, a time to live in `config::cache`, and the read in `reader`.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::cache::{Failure, Value};
use crate::config::cache::Ttl as Settings;
use crate::store::{CONTACT_COPY, SUBSCRIBER_COPY};
use crate::unified::{
    Appointment, Delivery, FieldDefinition, HighLevelContact, HighLevelId, List, Location, Note,
    Subscriber, Task, WorkspaceId,
};
use crate::upstream;

/// Which entity: apart by workspace, by what the credential may see, by kind and by the system's
/// own key.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct EntityKey {
    pub workspace: WorkspaceId,
    pub view: u64,
    pub kind: &'static str,
    pub id: Arc<str>,
}

/// A type that is kept as one kind of entity.
pub trait Kept: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    const KIND: &'static str;
    /// Whether the store keeps a last known copy of it.
    const COPIED: bool;

    fn wrap(self) -> Entity;
    /// `None` cannot happen for an entity found under [`Kept::KIND`].
    fn unwrap(entity: Entity) -> Option<Self>;
}

macro_rules! entities {
    ($($variant:ident($type:ty) $kind:expr, $copied:literal, $weigh:expr;)*) => {
        /// A kept value.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Entity {
            $($variant($type),)*
        }

        $(impl Kept for $type {
            const KIND: &'static str = $kind;
            const COPIED: bool = $copied;

            fn wrap(self) -> Entity {
                Entity::$variant(self)
            }

            fn unwrap(entity: Entity) -> Option<Self> {
                if let Entity::$variant(value) = entity { Some(value) } else { None }
            }
        })*

        impl Value for Entity {
            fn weight(&self) -> u32 {
                let bytes: usize = match self {
                    $(Self::$variant(value) => {
                        let weigh: fn(&$type) -> usize = $weigh;
                        weigh(value)
                    })*
                };
                u32::try_from(bytes).unwrap_or(u32::MAX)
            }
        }
    };
}

entities! {
    Contact(Option<Arc<HighLevelContact>>) CONTACT_COPY, true,
        |contact| contact.as_deref().map_or(0, weigh_contact);
    ContactPage(Arc<ContactRows>) "contacts", false, |page| page.rows.len() * 120;
    Match(Match) "match", false, |_| 100;
    Subscriber(Option<Arc<Subscriber>>) SUBSCRIBER_COPY, true,
        |subscriber| subscriber.as_deref().map_or(0, weigh_subscriber);
    SubscriberPage(Arc<SubscriberRows>) "subscribers", false, |page| page.emails.len() * 60;
    Notes(Option<Arc<Vec<Note>>>) "notes", true,
        |notes| notes.iter().flat_map(|n| n.iter()).map(weigh_note).sum();
    Tasks(Option<Arc<Vec<Task>>>) "tasks", true,
        |tasks| tasks.iter().flat_map(|t| t.iter()).map(weigh_task).sum();
    Idle(Idle) "tasks found", false, |_| 0;
    Appointments(Option<Arc<Vec<Appointment>>>) "appointments", true,
        |all| all.iter().map(|list| list.len() * 400).sum();
    Deliveries(Arc<Vec<Delivery>>) "deliveries", true, |all| all.len() * 200;
    Lists(Arc<Vec<List>>) "lists", true, |all| all.len() * 80;
    Fields(Arc<Vec<FieldDefinition>>) "fields", true, |all| all.len() * 250;
    Tags(Arc<Vec<String>>) "tags", true, |all| all.iter().map(|tag| tag.len() + 24).sum();
    Location(Arc<Location>) "location", true, |_| 300;
}

impl Failure for upstream::Error {
    fn is_haste(&self) -> bool {
        // The budget refuses at once who has not the time to wait for it.
        matches!(self.kind, upstream::Kind::Timeout | upstream::Kind::RateLimited { .. })
    }
}

/// A page of HighLevel's listing: the contacts are entities of their own.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
pub struct ContactRows {
    /// Each contact with the cursor that continues after it.
    pub rows: Vec<(HighLevelId, Vec<Json>)>,
    pub total: Option<u64>,
}

/// A page of Doppler's listing: the subscribers are entities of their own.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
pub struct SubscriberRows {
    /// Normalised.
    pub emails: Vec<Arc<str>>,
    pub size: u32,
    pub pages: u32,
    pub total: u32,
}

/// For whom a search for several contacts' tasks found none, while nothing was known of them, and
/// when it began (epoch milliseconds). The tasks that it found are entities of their own.
pub type Idle = Arc<[(HighLevelId, i64)]>;

/// Which HighLevel contact answers to an e-mail address or phone number.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, serde::Deserialize)]
pub enum Match {
    Nobody,
    One(HighLevelId),
    /// More than one: nobody's until a person decides.
    Several(Vec<HighLevelId>),
}

/// How long an entity may be given out, by kind; what does not exist is believed for less long,
/// because it may come to be at any moment.
pub fn time_to_live(entity: &Entity, settings: &Settings) -> Duration {
    let kind = match entity {
        Entity::Contact(_) | Entity::Match(_) => settings.contact,
        Entity::Subscriber(_) => settings.subscriber,
        Entity::ContactPage(_) | Entity::SubscriberPage(_) => settings.page,
        Entity::Notes(_) => settings.notes,
        Entity::Tasks(_) => settings.tasks,
        // Only those who wait for it share it.
        Entity::Idle(_) => Duration::ZERO,
        Entity::Appointments(_) => settings.appointments,
        Entity::Deliveries(_) => settings.deliveries,
        Entity::Lists(_) | Entity::Fields(_) | Entity::Tags(_) | Entity::Location(_) => {
            settings.definitions
        }
    };
    let absent = matches!(
        entity,
        Entity::Contact(None)
            | Entity::Subscriber(None)
            | Entity::Match(Match::Nobody)
            | Entity::Notes(None)
            | Entity::Tasks(None)
            | Entity::Appointments(None)
    );
    if absent { settings.negative.min(kind) } else { kind }
}

fn text(value: Option<&String>) -> usize {
    value.map_or(0, String::len)
}

fn weigh_contact(contact: &HighLevelContact) -> usize {
    let names = [&contact.email, &contact.phone, &contact.name, &contact.company_name];
    size_of::<HighLevelContact>()
        + names.into_iter().map(|name| text(name.as_ref())).sum::<usize>()
        + contact.tags.iter().map(|tag| tag.len() + 24).sum::<usize>()
        + contact.custom_fields.len() * 140
        + 400
}

fn weigh_subscriber(subscriber: &Subscriber) -> usize {
    let fields = subscriber.fields.iter();
    size_of::<Subscriber>()
        + fields.map(|f| f.name.len() + f.kind.len() + text(f.value.as_ref()) + 120).sum::<usize>()
        + subscriber.lists.len() * 32
}

fn weigh_note(note: &Note) -> usize {
    size_of::<Note>() + text(note.body.as_ref()) + text(note.title.as_ref()) + 80
}

fn weigh_task(task: &Task) -> usize {
    size_of::<Task>() + text(task.body.as_ref()) + text(task.title.as_ref()) + 80
}
