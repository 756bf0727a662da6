//! Finding one person by what a client knows of them.
//!
//! Whoever shares an address or number with somebody else is never guessed at: the candidates are
//! named instead ([`Error::Ambiguous`]).

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::store::Sighting;
use crate::unified::{
    ContactId, HighLevelId, System, normalize_email, normalize_phone, subscriber_key,
};
use crate::upstream::SearchTerm;

use super::entity::Match;
use super::person::Person;
use super::{Error, Reader, Session};

/// What a client knows of a person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum By {
    Id(ContactId),
    Email(String),
    Phone(String),
    HighLevelId(HighLevelId),
}

/// Tells one addressee from another, in the hash of an input.
impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "id:{id}"),
            Self::Email(email) => write!(f, "email:{email}"),
            Self::Phone(phone) => write!(f, "phone:{phone}"),
            Self::HighLevelId(id) => write!(f, "highlevelId:{id}"),
        }
    }
}

impl Reader {
    /// The person, or `None` if neither system knows them. By id: no call. By HighLevel id: one.
    /// By address: one to Doppler, one or two to HighLevel. By number: one or two to HighLevel,
    /// and a scan of a small Doppler account if HighLevel knows nobody.
    pub async fn find(&self, by: By) -> Result<Option<Arc<Person>>, Error> {
        let blame = |argument| move |error: Error| error.blamed_on(argument);
        match by {
            By::Id(id) => self.person(id).await,
            By::HighLevelId(id) => {
                self.find_by_highlevel_id(&id).await.map_err(blame("highlevelId"))
            }
            By::Email(email) => self.find_by_email(&email).await.map_err(blame("email")),
            By::Phone(phone) => self.find_by_phone(&phone).await.map_err(blame("phone")),
        }
    }

    /// The person behind a HighLevel contact.
    pub async fn find_by_highlevel_id(
        &self,
        id: &HighLevelId,
    ) -> Result<Option<Arc<Person>>, Error> {
        let side = self.core.contact(&self.session, id).await?;
        let Some(contact) = side.value else { return Ok(None) };
        let known =
            self.core.recognize(&self.session, vec![Sighting::of_contact(&contact)]).await?;
        Ok(known.into_iter().next().filter(|person| !person.erased))
    }

    async fn find_by_email(&self, email: &str) -> Result<Option<Arc<Person>>, Error> {
        let Some(email) = normalize_email(email) else {
            return Err(Error::invalid("email", "not an e-mail address"));
        };
        let key = subscriber_key(&email);
        let session = self.session.in_half_the_time();
        let (in_doppler, in_highlevel) = tokio::join!(
            self.core.subscriber(&session, &key),
            self.contacts_matching(&session, SearchTerm::Email(email.clone())),
        );
        let mut failure = None;
        let mut sightings = in_highlevel.unwrap_or_else(|error| {
            failure = Some(error);
            Vec::new()
        });
        match in_doppler {
            Ok(side) => {
                let mapping = self.mapping();
                sightings.extend(side.value.map(|found| Sighting::of_subscriber(&found, &mapping)));
            }
            Err(error) => failure = Some(error),
        }
        let workspace = &self.session.requester.workspace;
        let known = match failure {
            // Who was known before cannot be asked about now, but is no less known.
            Some(_) => self.core.store.contacts_by_email(workspace, &email).await?,
            None => Vec::new(),
        };
        self.only_one(sightings, known, failure).await
    }

    async fn find_by_phone(&self, phone: &str) -> Result<Option<Arc<Person>>, Error> {
        let Some(phone) = normalize_phone(phone) else {
            return Err(Error::invalid(
                "phone",
                "not an international phone number; write it as +54 11 5555 0199",
            ));
        };
        let session = self.session.in_half_the_time();
        let (sightings, mut failure) =
            match self.contacts_matching(&session, SearchTerm::Phone(phone.clone())).await {
                Ok(sightings) => (sightings, None),
                Err(error) => (Vec::new(), Some(error)),
            };
        if sightings.is_empty()
            && let Err(error) = self.core.scan(&self.session.in_half_the_time(), u32::MAX).await
        {
            failure = failure.or(Some(error));
        }
        let workspace = &self.session.requester.workspace;
        let known = self.core.store.contacts_by_phone(workspace, &phone).await?;
        self.only_one(sightings, known, failure).await
    }

    /// HighLevel contacts that answer to a term: by search, and where that finds nobody, without
    /// the index's delay.
    async fn contacts_matching(
        &self,
        session: &Session,
        term: SearchTerm,
    ) -> Result<Vec<Sighting>, Error> {
        let core = &self.core;
        let found = core.search_terms(session, std::slice::from_ref(&term)).await?;
        let mut sightings: Vec<Sighting> = found
            .iter()
            .map(|contact| Sighting::of_contact(contact))
            .filter(|sighting| answers(sighting, &term))
            .collect();
        if sightings.is_empty()
            && let Match::One(id) = core.matching(session, term).await?.value
            && let Some(contact) = core.contact(session, &id).await?.value
        {
            sightings.push(Sighting::of_contact(&contact));
        }
        Ok(sightings)
    }

    async fn only_one(
        &self,
        sightings: Vec<Sighting>,
        known: Vec<ContactId>,
        failure: Option<Error>,
    ) -> Result<Option<Arc<Person>>, Error> {
        if failure.is_some() {
            // The system that could not be asked may know of others.
            self.session.keep_private();
        }
        let recognized = self.core.recognize(&self.session, sightings).await?;
        let living = recognized.iter().filter(|known| !known.erased);
        let mut ids: BTreeSet<ContactId> = living.map(|known| known.id).collect();
        ids.extend(known);
        match (ids.len(), failure) {
            (0, Some(failure)) => Err(failure),
            (0, None) => Ok(None),
            (1, _) => match ids.pop_first() {
                Some(id) => self.person(id).await,
                None => Ok(None),
            },
            _ => Err(Error::Ambiguous(ids.into_iter().collect())),
        }
    }
}

/// Whether a sighting really carries the term; a search may be more generous than an identity.
fn answers(sighting: &Sighting, term: &SearchTerm) -> bool {
    debug_assert_eq!(sighting.system, System::HighLevel);
    match term {
        SearchTerm::Id(id) => sighting.key == id.as_str(),
        SearchTerm::Email(email) => sighting.email.as_ref() == Some(email),
        SearchTerm::Phone(phone) => sighting.phone.as_ref() == Some(phone),
    }
}
