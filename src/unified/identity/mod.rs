//! The identity ladder: whether a person seen in a system is somebody already known.
//!
//! First hit wins: the very record, then the e-mail address, then the telephone number. A rung with
//! more than one hit decides nothing and ends the climb: the person is kept apart, never guessed,
//! because two people made one is harm that cannot be undone, and one kept as two is only untidy.
//! Ids never change, so what was once joined stays joined.
//!
//! [`identify`] decides about one sighting; [`Recognition`] runs a batch, each sighting seeing what
//! those before it changed, and says what the store has to write.

use super::{ContactId, Former, Link, Reservation, Sighting};

/// What the ladder says of a sighting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Match {
    /// The record is linked to this contact.
    Known(ContactId),
    /// The record is new and belongs to this contact.
    Join(ContactId),
    /// The record's contact and another one are the same person; the older survives.
    Merge { survivor: ContactId, gone: ContactId },
    /// Nobody known, or no telling who.
    Mint,
}

/// Decides about one sighting.
///
/// `links` must hold every link of the workspace that shares the sighting's key, e-mail address or
/// telephone number, and all other links of those links' contacts; `reserved` whoever reserved one of
/// them. More do no harm.
///
/// A record that says nothing new is [`Match::Known`] without a climb: what it could prove was
/// decided when it was first said.
pub fn identify(sighting: &Sighting, links: &[Link], reserved: &[Reservation]) -> Match {
    let own = links.iter().find(|link| link.is_of(sighting));
    let unmatched = own.map_or(Match::Mint, |link| Match::Known(link.contact));
    if let Some(own) = own {
        let paired = links.iter().any(|l| l.contact == own.contact && l.system != own.system);
        if paired || own.is_current(sighting) {
            return unmatched;
        }
    }
    let people = People { links, reserved };
    let by_email = people.rung(sighting, sighting.email.as_deref(), |email, _| email);
    let candidate = match by_email {
        Rung::Only(id) => Some(id),
        Rung::Undecided => None,
        Rung::Nobody => match people.rung(sighting, sighting.phone.as_deref(), |_, phone| phone) {
            Rung::Only(id) if !people.emails_contradict(sighting, own, id) => Some(id),
            Rung::Only(_) | Rung::Undecided | Rung::Nobody => None,
        },
    };
    match (own, candidate) {
        (_, None) => unmatched,
        (None, Some(id)) => Match::Join(id),
        (Some(own), Some(id)) => {
            Match::Merge { survivor: own.contact.min(id), gone: own.contact.max(id) }
        }
    }
}

enum Rung {
    Nobody,
    Only(ContactId),
    Undecided,
}

#[derive(Clone, Copy)]
struct People<'a> {
    links: &'a [Link],
    reserved: &'a [Reservation],
}

impl People<'_> {
    /// The one contact that shares a value, if the value is unique on both sides and that contact
    /// is not yet somebody else in the sighting's system.
    ///
    /// `of` chooses the value among a link's or a reservation's e-mail address and phone number.
    fn rung(
        self,
        sighting: &Sighting,
        value: Option<&str>,
        of: impl for<'v> Fn(Option<&'v str>, Option<&'v str>) -> Option<&'v str>,
    ) -> Rung {
        if value.is_none() {
            return Rung::Nobody;
        }
        let own = self.links.iter().find(|link| link.is_of(sighting)).map(|link| link.contact);
        let sharing = self.links.iter().filter(|link| {
            of(link.email.as_deref(), link.phone.as_deref()) == value && !link.is_of(sighting)
        });
        let mut hits: Vec<ContactId> = sharing.map(|link| link.contact).collect();
        for reservation in self.reserved {
            let id = reservation.contact;
            let held = of(reservation.email.as_deref(), reservation.phone.as_deref()) == value;
            if held && own != Some(id) && !hits.contains(&id) {
                hits.push(id);
            }
        }
        let [only] = hits[..] else {
            return if hits.is_empty() { Rung::Nobody } else { Rung::Undecided };
        };
        let taken = self.links.iter().any(|l| l.contact == only && l.system == sighting.system);
        if taken { Rung::Undecided } else { Rung::Only(only) }
    }

    /// Whether both people have an e-mail address; the same one would have been a hit before.
    fn emails_contradict(
        self,
        sighting: &Sighting,
        own: Option<&Link>,
        candidate: ContactId,
    ) -> bool {
        let has_email = |id: ContactId| {
            self.links.iter().any(|link| link.contact == id && link.email.is_some())
                || self.reserved.iter().any(|r| r.contact == id && r.email.is_some())
        };
        let ours = sighting.email.is_some() || own.is_some_and(|own| has_email(own.contact));
        ours && has_email(candidate)
    }
}

/// One thing to write down.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    Minted(ContactId),
    /// A link is new, or its e-mail address or telephone number is.
    Linked(Link),
    /// Every link of `gone` is now of `survivor`.
    Merged {
        survivor: ContactId,
        gone: ContactId,
    },
}

/// A batch of sightings against the links that concern them.
#[derive(Clone, Debug)]
pub struct Recognition {
    links: Vec<Link>,
    reserved: Vec<Reservation>,
    former: Vec<Former>,
    ids: Vec<ContactId>,
    changes: Vec<Change>,
}

impl Recognition {
    /// Starts with the links that [`identify`] needs for every sighting to come.
    pub fn new(links: Vec<Link>) -> Self {
        let (reserved, former) = (Vec::new(), Vec::new());
        Self { links, reserved, former, ids: Vec::new(), changes: Vec::new() }
    }

    /// The same with whoever reserved an address or a number of the sightings to come.
    #[must_use]
    pub fn with_reserved(self, reserved: Vec<Reservation>) -> Self {
        Self { reserved, ..self }
    }

    /// The same with whose the records of the sightings to come were before.
    #[must_use]
    pub fn with_former(self, former: Vec<Former>) -> Self {
        Self { former, ..self }
    }

    /// Takes in one sighting; `mint` makes an id should the person be new.
    ///
    /// A record that was somebody's before still is: it is not linked, and nobody climbs from it.
    pub fn see(&mut self, sighting: &Sighting, mint: impl FnOnce() -> ContactId) {
        let is_linked = self.links.iter().any(|link| link.is_of(sighting));
        let former = self.former.iter().find(|former| former.is_of(sighting));
        if let Some(former) = former.filter(|_| !is_linked) {
            self.ids.push(former.contact);
            return;
        }
        let contact = match identify(sighting, &self.links, &self.reserved) {
            Match::Known(id) | Match::Join(id) => id,
            Match::Merge { survivor, gone } => {
                self.merge(survivor, gone);
                survivor
            }
            Match::Mint => {
                let id = mint();
                self.changes.push(Change::Minted(id));
                id
            }
        };
        self.remember(sighting, contact);
        self.ids.push(contact);
    }

    /// The contacts in the order of the sightings, every link as it is in the end, and what has
    /// changed, in the order in which it did.
    pub fn finish(self) -> (Vec<ContactId>, Vec<Link>, Vec<Change>) {
        (self.ids, self.links, self.changes)
    }

    fn merge(&mut self, survivor: ContactId, gone: ContactId) {
        let links = self.links.iter_mut().map(|link| &mut link.contact);
        let reserved = self.reserved.iter_mut().map(|reserved| &mut reserved.contact);
        let former = self.former.iter_mut().map(|former| &mut former.contact);
        for id in links.chain(reserved).chain(former).chain(&mut self.ids).filter(|id| **id == gone)
        {
            *id = survivor;
        }
        self.changes.push(Change::Merged { survivor, gone });
    }

    fn remember(&mut self, sighting: &Sighting, contact: ContactId) {
        let known = self.links.iter().position(|link| link.is_of(sighting));
        if known.is_some_and(|at| self.links[at].is_current(sighting)) {
            return;
        }
        let link = Link {
            system: sighting.system,
            key: sighting.key.clone(),
            contact,
            email: sighting.email.clone(),
            phone: sighting.phone.clone(),
        };
        self.changes.push(Change::Linked(link.clone()));
        match known {
            Some(at) => self.links[at] = link,
            None => self.links.push(link),
        }
    }
}

#[cfg(test)]
mod tests;
