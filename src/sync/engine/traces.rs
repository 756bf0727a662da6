//! What may lead to a person: every address and number that is known of them.

use std::collections::BTreeSet;

use crate::store::Sheet;
use crate::sync::plan::Payload;
use crate::unified::{
    Canonical, EditChange, HighLevelContact, PendingWrite, Subscriber, normalize_email,
    normalize_phone,
};

/// What may lead to a person in a system that has no link to them.
#[derive(Default)]
pub(super) struct Traces {
    pub emails: BTreeSet<String>,
    pub phones: BTreeSet<String>,
}

impl Traces {
    pub fn of(sheet: &Sheet) -> Self {
        let mut traces = Self::default();
        for link in &sheet.known.links {
            traces.email(link.email.as_deref());
            traces.phone(link.phone.as_deref());
        }
        let canon = |field: &str| match &sheet.agreement.canon.get(field)?.value {
            Canonical::Text(text) => Some(text.as_str()),
            Canonical::Null | Canonical::Set(_) => None,
        };
        traces.email(canon("email"));
        traces.phone(canon("phone"));
        for edit in &sheet.edits {
            if let EditChange::Upsert { fields, .. } = &edit.change {
                let given = |field: &str| match fields.get(field)? {
                    Canonical::Text(text) => Some(text.as_str()),
                    Canonical::Null | Canonical::Set(_) => None,
                };
                traces.email(given("email"));
                traces.phone(given("phone"));
            }
        }
        for write in &sheet.pending {
            traces.begun(write);
        }
        traces
    }

    /// A write that may have made the person, perhaps under an address that they have no more.
    fn begun(&mut self, write: &PendingWrite) {
        match serde_json::from_str(&write.body) {
            Ok(Payload::CreateContact(draft)) => {
                self.email(draft.email.as_deref());
                self.phone(draft.phone.as_deref());
            }
            Ok(Payload::CreateSubscriber { edit, .. } | Payload::Rename { edit, .. }) => {
                self.email(Some(&edit.email));
            }
            Ok(_) | Err(_) => {}
        }
    }

    pub fn add(&mut self, subscriber: Option<&Subscriber>, contact: Option<&HighLevelContact>) {
        self.email(subscriber.map(|subscriber| subscriber.email.as_str()));
        self.email(contact.and_then(|contact| contact.email.as_deref()));
        self.phone(contact.and_then(|contact| contact.phone.as_deref()));
    }

    fn email(&mut self, raw: Option<&str>) {
        self.emails.extend(raw.and_then(normalize_email));
    }

    fn phone(&mut self, raw: Option<&str>) {
        self.phones.extend(raw.and_then(normalize_phone));
    }

    /// Whether a contact has an address, and not one of these.
    pub fn contradict(&self, contact: &HighLevelContact) -> bool {
        self.contradicts(contact.email.as_deref().and_then(normalize_email).as_deref())
    }

    /// The same of a normalised address.
    pub fn contradicts(&self, theirs: Option<&str>) -> bool {
        !self.emails.is_empty() && theirs.is_some_and(|theirs| !self.emails.contains(theirs))
    }

    pub fn has(&self, email: &str) -> bool {
        self.emails.contains(email)
    }

    pub fn emails(&self) -> &BTreeSet<String> {
        &self.emails
    }

    pub fn phones(&self) -> &BTreeSet<String> {
        &self.phones
    }

    /// The one that tells most: an address if there is one, else a number.
    pub fn foremost(self) -> Self {
        let emails: BTreeSet<String> = self.emails.into_iter().take(1).collect();
        let phones = self.phones.into_iter().take(usize::from(emails.is_empty()));
        Self { phones: phones.collect(), emails }
    }
}
