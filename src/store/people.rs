//! Who is who: workspaces, links, reservations.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Error;
use crate::unified::{ContactId, Link, Sighting, System, WorkspaceId};

/// A workspace's row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub name: String,
    pub created_at: DateTime<Utc>,
}

/// A contact and where it is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Known {
    pub id: ContactId,
    /// None for a person who is reserved and not yet in either system, or gone from both.
    pub links: Vec<Link>,
    /// The person was erased: there is nothing to be done about them, and nothing of them is kept.
    pub erased: bool,
}

impl Known {
    /// The contact's key in one system.
    pub fn key(&self, system: System) -> Option<&str> {
        self.links.iter().find(|link| link.system == system).map(|link| link.key.as_str())
    }
}

/// Who has an e-mail address or a telephone number, after asking for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reserved {
    /// Nobody had it; this contact was made for it.
    Minted(ContactId),
    /// This contact had it already.
    Known(ContactId),
    /// Several contacts have it, the oldest first: nothing was reserved.
    Ambiguous(Vec<ContactId>),
    /// The address is that of somebody who was erased: nothing was reserved.
    Erased,
}

/// Who is who.
#[async_trait]
pub trait People: Send + Sync {
    /// The workspace with this id, made if it does not exist yet.
    async fn workspace(
        &self,
        id: &WorkspaceId,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<Workspace, Error>;

    /// Who people are whom a system shows, in the order given, with all their links: found by
    /// link, else joined to a known person by the identity ladder (`unified::identity`) or to the
    /// contact that reserved their address, else newly minted from `now`. Also refreshes the
    /// stored e-mail address and phone number of each link.
    ///
    /// When a sighting proves that two known contacts are one person, the older survives and the
    /// other id answers it from then on. All that was the other's is the survivor's, its edits,
    /// holds, failures and open writes included; the survivor is marked, and the history says so.
    ///
    /// Somebody who was erased is told as such ([`Known::erased`]), and nothing of them is stored.
    async fn recognize(
        &self,
        workspace: &WorkspaceId,
        sightings: &[Sighting],
        now: DateTime<Utc>,
    ) -> Result<Vec<Known>, Error>;

    /// The contact behind an id (the survivor after a merge) and its links; `None` for one who was
    /// erased.
    async fn contact(&self, workspace: &WorkspaceId, id: ContactId)
    -> Result<Option<Known>, Error>;

    /// Whose a system's records are, in the order given; `None`: nobody's that is known.
    async fn linked(
        &self,
        workspace: &WorkspaceId,
        system: System,
        keys: &[&str],
    ) -> Result<Vec<Option<ContactId>>, Error>;

    /// Every contact known under a normalised e-mail address, by link or reservation, oldest first.
    async fn contacts_by_email(
        &self,
        workspace: &WorkspaceId,
        email: &str,
    ) -> Result<Vec<ContactId>, Error>;

    /// Every contact known under an E.164 phone number, by link or reservation, oldest first.
    async fn contacts_by_phone(
        &self,
        workspace: &WorkspaceId,
        phone: &str,
    ) -> Result<Vec<ContactId>, Error>;

    /// Finds or makes the contact of a person who may be in neither system yet. The e-mail address
    /// decides; the phone number only where the address is nobody's and does not contradict.
    ///
    /// However many ask at once, they get one contact. Normalised as in [`Sighting`]; without
    /// either, a new contact is made each time.
    async fn reserve(
        &self,
        workspace: &WorkspaceId,
        email: Option<&str>,
        phone: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Reserved, Error>;

    /// Says whose a record will be that is about to be made beside another one of the same person: who
    /// sees it before its link is stored takes it for nobody new. Nothing if it is linked already.
    async fn foresee(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        system: System,
        key: &str,
    ) -> Result<(), Error>;

    /// When each campaign's delivery to a contact was first seen, in the order given; those never
    /// seen before are remembered as seen `now`.
    async fn deliveries_seen(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        campaigns: &[String],
        now: DateTime<Utc>,
    ) -> Result<Vec<DateTime<Utc>>, Error>;
}
