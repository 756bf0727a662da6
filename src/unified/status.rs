//! Whether a person may be mailed: the most restrictive of what both systems say.

use serde::{Deserialize, Serialize};

use super::{DndStatus, HighLevelContact, Subscriber, SubscriberStatus};

/// The unified status, the most restrictive first.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum ContactStatus {
    Bounced,
    Unsubscribed,
    Pending,
    Active,
    Inactive,
}

/// The status of a person by what both systems say; `None` for a side means that the system does
/// not know the person (not that it could not be read: then nothing may be said at all).
pub fn status(
    subscriber: Option<&Subscriber>,
    contact: Option<&HighLevelContact>,
) -> Option<ContactStatus> {
    let doppler = subscriber.map(doppler_status);
    let highlevel = contact.and_then(|contact| highlevel_status(contact, subscriber.is_some()));
    match (doppler, highlevel) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn doppler_status(subscriber: &Subscriber) -> ContactStatus {
    match &subscriber.status {
        SubscriberStatus::Unsubscribed => {
            if subscriber.unsubscription_type.as_deref() == Some("hardBounce") {
                ContactStatus::Bounced
            } else {
                ContactStatus::Unsubscribed
            }
        }
        SubscriberStatus::Pending | SubscriberStatus::StandBy => ContactStatus::Pending,
        SubscriberStatus::Active if !subscriber.lists.is_empty() => ContactStatus::Active,
        SubscriberStatus::Active | SubscriberStatus::Other(_) => ContactStatus::Inactive,
    }
}

/// HighLevel's restriction; without one it has a say only where no subscriber exists.
fn highlevel_status(contact: &HighLevelContact, subscribed: bool) -> Option<ContactStatus> {
    if contact.bounced || contact.email_dnd == Some(DndStatus::Permanent) {
        return Some(ContactStatus::Bounced);
    }
    let silenced = contact.dnd == Some(true)
        || contact.email_dnd == Some(DndStatus::Active)
        || contact.unsubscribed;
    if silenced {
        return Some(ContactStatus::Unsubscribed);
    }
    match (subscribed, contact.email.is_some()) {
        (true, _) => None,
        (false, true) => Some(ContactStatus::Active),
        (false, false) => Some(ContactStatus::Inactive),
    }
}
