//! A person of the workspace, before either system was asked about them.

use std::sync::Arc;

use crate::store::{Known, Sighting};
use crate::unified::{
    ContactId, HighLevelContact, HighLevelId, Mapping, Subscriber, System, normalize_email,
    normalize_phone,
};

/// Who a contact is: its id and what leads to it in both systems.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: ContactId,
    /// Its HighLevel contact, when the link is known.
    pub highlevel: Option<HighLevelId>,
    /// Its Doppler subscriber's normalised address, when the link is known.
    pub doppler: Option<Arc<str>>,
    /// A normalised address by which to look for it in the system that has no link.
    pub email: Option<Arc<str>>,
    /// An E.164 number to the same end.
    pub phone: Option<Arc<str>>,
}

impl From<&Known> for Person {
    fn from(known: &Known) -> Self {
        let first = |part: fn(&crate::store::Link) -> Option<&String>| {
            known.links.iter().find_map(part).map(|text| Arc::from(text.as_str()))
        };
        Self {
            id: known.id,
            highlevel: known.key(System::HighLevel).map(HighLevelId::from),
            doppler: known.key(System::Doppler).map(Arc::from),
            email: first(|link| link.email.as_ref()),
            phone: first(|link| link.phone.as_ref()),
        }
    }
}

/// A HighLevel contact as a sighting.
pub fn sight_contact(contact: &HighLevelContact) -> Sighting {
    Sighting {
        system: System::HighLevel,
        key: contact.id.as_str().to_owned(),
        email: contact.email.as_deref().and_then(normalize_email),
        phone: contact.phone.as_deref().and_then(normalize_phone),
    }
}

/// A Doppler subscriber as a sighting. An address that does not normalise still is its key.
pub fn sight_subscriber(subscriber: &Subscriber, mapping: &Mapping) -> Sighting {
    let email = normalize_email(&subscriber.email);
    let phone = mapping.doppler_field("phone").and_then(|name| subscriber.field(name));
    Sighting {
        system: System::Doppler,
        key: subscriber_key(&subscriber.email),
        email,
        phone: phone.and_then(normalize_phone),
    }
}

/// The key of a subscriber in the cache and the store: the normalised address.
pub fn subscriber_key(email: &str) -> String {
    normalize_email(email).unwrap_or_else(|| email.trim().to_lowercase())
}
