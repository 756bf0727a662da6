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

impl ContactStatus {
    /// All of them, the most restrictive first.
    pub const ALL: [Self; 5] =
        [Self::Bounced, Self::Unsubscribed, Self::Pending, Self::Active, Self::Inactive];

    /// The name in the public schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounced => "BOUNCED",
            Self::Unsubscribed => "UNSUBSCRIBED",
            Self::Pending => "PENDING",
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
        }
    }
}

/// The status of a person by what both systems say; `None` for a side means that the system does
/// not know the person (not that it could not be read: then nothing may be said at all).
///
/// Answers `None` rather than guess: when nobody knows the person, when Doppler's status is a word
/// this program does not know and HighLevel forbids nothing, and when the HighLevel row left its
/// consent out (see [`HighLevelContact::consent_known`]), unless Doppler already says the worst.
pub fn status(
    subscriber: Option<&Subscriber>,
    contact: Option<&HighLevelContact>,
) -> Option<ContactStatus> {
    let doppler = subscriber.and_then(doppler_status);
    let Some(contact) = contact else { return doppler };
    let restriction = highlevel_restriction(contact);
    // Nothing outranks a bounce; anything less may be outranked by what the row left out.
    if !contact.consent_known() {
        return [doppler, restriction].into_iter().flatten().find(|s| *s == ContactStatus::Bounced);
    }
    match (subscriber, restriction) {
        (_, Some(restriction)) => Some(doppler.map_or(restriction, |d| d.min(restriction))),
        (Some(_), None) => doppler,
        (None, None) if contact.email.is_some() => Some(ContactStatus::Active),
        (None, None) => Some(ContactStatus::Inactive),
    }
}

/// Whether Doppler forbids mailing the person; `None` for a status that this program does not know.
pub fn doppler_forbids(subscriber: &Subscriber) -> Option<bool> {
    doppler_status(subscriber).map(|status| status <= ContactStatus::Unsubscribed)
}

/// Whether somebody of that address does not want mail, which an address that bounces does not say.
pub fn is_opt_out(subscriber: &Subscriber) -> bool {
    doppler_status(subscriber) == Some(ContactStatus::Unsubscribed)
}

/// Whether HighLevel forbids mailing the person; `None` when the row does not say.
pub fn highlevel_forbids(contact: &HighLevelContact) -> Option<bool> {
    match highlevel_restriction(contact) {
        Some(_) => Some(true),
        None => contact.consent_known().then_some(false),
    }
}

/// What Doppler says; `None` when it says a word this program does not know.
pub(super) fn doppler_status(subscriber: &Subscriber) -> Option<ContactStatus> {
    Some(match &subscriber.status {
        SubscriberStatus::Unsubscribed => match subscriber.unsubscription_type.as_deref() {
            Some(kind) if kind.eq_ignore_ascii_case("hardBounce") => ContactStatus::Bounced,
            _ => ContactStatus::Unsubscribed,
        },
        SubscriberStatus::Pending | SubscriberStatus::StandBy => ContactStatus::Pending,
        SubscriberStatus::Active if subscriber.lists.is_empty() => ContactStatus::Inactive,
        SubscriberStatus::Active => ContactStatus::Active,
        SubscriberStatus::Other(_) => return None,
    })
}

/// What HighLevel forbids, if anything.
pub(super) fn highlevel_restriction(contact: &HighLevelContact) -> Option<ContactStatus> {
    if contact.bounced || contact.email_dnd == Some(DndStatus::Permanent) {
        return Some(ContactStatus::Bounced);
    }
    let silenced = contact.dnd == Some(true)
        || contact.email_dnd == Some(DndStatus::Active)
        || contact.unsubscribed;
    silenced.then_some(ContactStatus::Unsubscribed)
}

impl HighLevelContact {
    /// Whether the row says what the person agreed to. A listing's row that left `dndSettings` out
    /// does not: the contact must be read singly.
    pub fn consent_known(&self) -> bool {
        self.complete || self.dnd_settings.is_some() || self.email_dnd.is_some()
    }
}

#[cfg(test)]
mod tests {
    use ContactStatus::{Active, Bounced, Inactive, Pending, Unsubscribed};
    use proptest::prelude::*;

    use super::*;
    use crate::unified::fixture::{contact, subscriber};

    fn doppler(status: &str, kind: Option<&str>, lists: usize) -> Subscriber {
        Subscriber {
            status: SubscriberStatus::from(status),
            unsubscription_type: kind.map(str::to_owned),
            lists: vec!["1".to_owned(); lists],
            ..subscriber(&[])
        }
    }

    fn silenced(by: DndStatus) -> HighLevelContact {
        HighLevelContact { email_dnd: Some(by), ..contact() }
    }

    #[test]
    fn doppler_alone() {
        for (status_text, kind, lists, expected) in [
            ("unsubscribed", Some("hardBounce"), 0, Some(Bounced)),
            ("unsubscribed", Some("softBounce"), 0, Some(Unsubscribed)),
            ("unsubscribed", Some("neverOpen"), 0, Some(Unsubscribed)),
            ("unsubscribed", Some("manual"), 0, Some(Unsubscribed)),
            ("unsubscribed", Some("abuseLink"), 0, Some(Unsubscribed)),
            ("unsubscribed", Some("somethingNew"), 0, Some(Unsubscribed)),
            ("unsubscribed", None, 1, Some(Unsubscribed)),
            ("pending", None, 1, Some(Pending)),
            ("standBy", None, 0, Some(Pending)),
            ("active", Some("hardBounce"), 1, Some(Active)),
            ("active", None, 0, Some(Inactive)),
            ("mystery", None, 1, None),
        ] {
            let person = doppler(status_text, kind, lists);
            assert_eq!(status(Some(&person), None), expected, "{status_text} {kind:?} {lists}");
        }
    }

    #[test]
    fn highlevel_alone() {
        let without_email = HighLevelContact { email: None, ..contact() };
        for (person, expected) in [
            (contact(), Active),
            (without_email, Inactive),
            (silenced(DndStatus::Inactive), Active),
            (silenced(DndStatus::Active), Unsubscribed),
            (silenced(DndStatus::Permanent), Bounced),
            (HighLevelContact { dnd: Some(true), ..contact() }, Unsubscribed),
            (HighLevelContact { dnd: None, ..contact() }, Active),
            (HighLevelContact { unsubscribed: true, ..contact() }, Unsubscribed),
            (HighLevelContact { bounced: true, dnd: Some(true), ..contact() }, Bounced),
        ] {
            assert_eq!(status(None, Some(&person)), Some(expected), "{person:?}");
        }
    }

    #[test]
    fn both_the_most_restrictive_counts() {
        let bounced = HighLevelContact { bounced: true, ..contact() };
        for (subscriber, contact, expected) in [
            (doppler("active", None, 1), contact(), Some(Active)),
            (doppler("active", None, 0), contact(), Some(Inactive)),
            (doppler("pending", None, 1), contact(), Some(Pending)),
            (doppler("pending", None, 1), silenced(DndStatus::Active), Some(Unsubscribed)),
            (doppler("unsubscribed", None, 0), contact(), Some(Unsubscribed)),
            (doppler("unsubscribed", None, 0), bounced.clone(), Some(Bounced)),
            (doppler("active", None, 1), bounced, Some(Bounced)),
            (doppler("mystery", None, 1), contact(), None),
            (doppler("mystery", None, 1), silenced(DndStatus::Active), Some(Unsubscribed)),
        ] {
            assert_eq!(status(Some(&subscriber), Some(&contact)), expected, "{subscriber:?}");
        }
        assert_eq!(status(None, None), None);
    }

    #[test]
    fn what_a_listing_left_out_is_never_guessed() {
        let row = HighLevelContact { complete: false, dnd: None, ..contact() };
        assert_eq!(status(None, Some(&row)), None);
        assert_eq!(status(Some(&doppler("active", None, 1)), Some(&row)), None);
        let bounced = doppler("unsubscribed", Some("hardBounce"), 0);
        assert_eq!(status(Some(&bounced), Some(&row)), Some(Bounced));

        let settings =
            HighLevelContact { dnd_settings: Some((&serde_json::json!({})).into()), ..row };
        assert_eq!(status(None, Some(&settings)), Some(Active));
    }

    proptest! {
        #[test]
        fn a_second_opinion_never_loosens(
            word in "active|pending|standBy|unsubscribed",
            lists in 0usize..2,
            dnd in any::<bool>(),
            unsubscribed in any::<bool>(),
            bounced in any::<bool>(),
        ) {
            let subscriber = doppler(&word, None, lists);
            let contact = HighLevelContact { dnd: Some(dnd), unsubscribed, bounced, ..contact() };
            let both = status(Some(&subscriber), Some(&contact)).unwrap();
            let alone = [status(Some(&subscriber), None), status(None, Some(&contact))];
            let forbidden = alone.iter().flatten().any(|one| *one <= Unsubscribed);
            prop_assert_eq!(both <= Unsubscribed, forbidden);
            prop_assert!(both <= alone[0].unwrap());
        }
    }
}
