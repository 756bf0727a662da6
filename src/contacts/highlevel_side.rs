//! HighLevel's side of people, many at a time: one search answers for up to fifty.
//!
//! The search index lags writes by seconds, so no linked contact is believed to be gone because a
//! search left it out: it is asked for singly first. Whether somebody unlinked is in HighLevel at
//! all is asked for singly only where it is about that one person: of a page of people, a search is
//! believed for the page's sake, since asking twice for everybody who is in Doppler only would cost
//! more than the page itself. What such a search did not find is kept apart (`unfound`), so that it
//! is never the answer to a question about one person.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::join_all;

use crate::unified::{
    HighLevelContact, HighLevelId, Sighting, System, WorkspaceId, normalize_email, normalize_phone,
};
use crate::upstream::{self, SearchRequest, SearchTerm};

use super::core::{Brought, Core, Seen};
use super::entity::{ContactRows, Match};
use super::person::Person;
use super::{Error, Session};

/// How many terms one search may name. HighLevel states no bound on a filter group; this one keeps
/// the body small.
const TERMS: usize = 50;
/// Rows asked for when searching by term: several people may share an address.
const ROWS: u32 = 100;

/// How many contacts are asked for singly because a search left them out. An index that has lost
/// more of a page is out of order, and no reason to read the whole page one by one; the next
/// request finds these at hand and asks for others.
const SINGLES: usize = 50;

/// HighLevel's word on one person: `None` inside when it does not know them.
pub type HighLevelSide = Result<Seen<Option<Arc<HighLevelContact>>>, Error>;

impl Core {
    /// HighLevel's side of each person, in the order given.
    pub async fn highlevel_sides(
        self: &Arc<Self>,
        session: &Session,
        people: &[Arc<Person>],
    ) -> Vec<HighLevelSide> {
        if session.recalls {
            return self.recalled_contacts(session, people).await;
        }
        let by_id: Vec<&HighLevelId> =
            people.iter().filter_map(|person| person.highlevel.as_ref()).collect();
        let unlinked: Vec<&Person> =
            people.iter().map(|p| &**p).filter(|person| person.highlevel.is_none()).collect();
        let of_many = people.len() > 1 || session.people() > 1;
        let ((), searched) = tokio::join!(
            self.fetch_contacts(session, &by_id),
            self.fetch_matches(session, &unlinked, of_many)
        );
        let search = Search { failure: searched.err(), of_many };
        let mut singles = 0;
        let sides = people.iter().map(|person| {
            let linked = person.highlevel.as_ref().filter(|id| !self.has_contact(session, id));
            singles += usize::from(linked.is_some());
            match linked.filter(|_| singles > SINGLES) {
                Some(id) => self.left_out(session, id).boxed(),
                None => self.highlevel_side(session, person, &search).boxed(),
            }
        });
        join_all(sides).await
    }

    /// What is known of a contact without asking for it.
    async fn left_out(self: &Arc<Self>, session: &Session, id: &HighLevelId) -> HighLevelSide {
        let failure =
            upstream::Error::new(System::HighLevel, "search", upstream::Kind::Unavailable);
        self.read(session, System::HighLevel, id.as_str(), |_| async { Err(failure) }).await
    }

    async fn highlevel_side(
        self: &Arc<Self>,
        session: &Session,
        person: &Person,
        search: &Search,
    ) -> HighLevelSide {
        if let Some(id) = &person.highlevel {
            return self.contact(session, id).await;
        }
        // Only a search tells that an address is not shared, so a single read is no match for it.
        if let Some(error) = &search.failure
            && terms_of(person).any(|term| !self.has_match(session, &term))
        {
            return Err(error.clone());
        }
        let found = self.find_match(session, person, search.of_many).await?;
        let Match::One(id) = &found.value else {
            return Ok(found.map(|_| None));
        };
        let side = self.contact(session, id).await?;
        let Some(contact) = &side.value else { return Ok(side) };
        if self.is_of(session, person.id, Sighting::of_contact(contact)).await? {
            Ok(side)
        } else {
            Ok(side.map(|_| None))
        }
    }

    /// One contact by id. One call when it is not at hand.
    pub async fn contact(self: &Arc<Self>, session: &Session, id: &HighLevelId) -> HighLevelSide {
        let (crm, wanted) = (Arc::clone(&self.crm), id.clone());
        self.read(session, System::HighLevel, id.as_str(), |call| async move {
            Ok(crm.contact(&call, &wanted).await?.map(Arc::new))
        })
        .await
    }

    /// The contact with the members that a listing may have left out. No call when it has them.
    pub async fn whole_contact(
        self: &Arc<Self>,
        session: &Session,
        contact: Arc<HighLevelContact>,
    ) -> HighLevelSide {
        if contact.complete {
            return Ok(Seen { value: Some(contact), freshness: super::core::no_read() });
        }
        let (crm, id) = (Arc::clone(&self.crm), contact.id.clone());
        // Kept apart from the row, which the next listing brings again.
        let key = format!("whole:{id}");
        self.read(session, System::HighLevel, &key, |call| async move {
            Ok(crm.contact(&call, &id).await?.map(Arc::new))
        })
        .await
    }

    /// Brings those contacts into the cache that are not there, by search. Failures are left to
    /// the single reads, which know what to do about them.
    pub async fn fetch_contacts(self: &Arc<Self>, session: &Session, ids: &[&HighLevelId]) {
        let missing: Vec<SearchTerm> = ids
            .iter()
            .filter(|id| !self.has_contact(session, id))
            .map(|id| SearchTerm::Id((*id).clone()))
            .collect();
        if missing.len() > 1 {
            join_all(missing.chunks(TERMS).map(|terms| self.search_terms(session, terms))).await;
        }
    }

    fn has_contact(&self, session: &Session, id: &HighLevelId) -> bool {
        type Contact = Option<Arc<HighLevelContact>>;
        self.has::<Contact>(session, System::HighLevel, id.as_str())
    }

    /// Finds out which contacts answer to the addresses and numbers of people without a link.
    async fn fetch_matches(
        self: &Arc<Self>,
        session: &Session,
        people: &[&Person],
        of_many: bool,
    ) -> Result<(), Error> {
        let mut terms = Vec::new();
        for person in people {
            for term in terms_of(person) {
                let known = self.has_match(session, &term)
                    || of_many && self.unfound(session, &term).is_some();
                if !known && !terms.contains(&term) {
                    terms.push(term);
                }
            }
        }
        let chunks = terms.chunks(TERMS).map(|terms| async move {
            let rows = self.search_terms(session, terms).await?;
            self.prime_matches(session, terms, &rows);
            Ok(())
        });
        join_all(chunks).await.into_iter().collect()
    }

    fn has_match(&self, session: &Session, term: &SearchTerm) -> bool {
        self.has::<Match>(session, System::HighLevel, &match_id(term))
    }

    /// Whether a search for several people did not find this term lately.
    fn unfound(self: &Arc<Self>, session: &Session, term: &SearchTerm) -> Option<Seen<Match>> {
        if self.has_match(session, term) {
            return None;
        }
        self.peek::<Match>(session, System::HighLevel, &unfound_id(term))
    }

    /// Which contact is this person by address, else by number; asks singly where the search did
    /// not find anybody.
    async fn find_match(
        self: &Arc<Self>,
        session: &Session,
        person: &Person,
        of_many: bool,
    ) -> Result<Seen<Match>, Error> {
        if let Some(email) = &person.email {
            let term = SearchTerm::Email(email.to_string());
            let found = self.matching_of(session, term, of_many).await?;
            if found.value != Match::Nobody || person.phone.is_none() {
                return Ok(found);
            }
        }
        let Some(phone) = &person.phone else {
            return Ok(Seen { value: Match::Nobody, freshness: super::core::no_read() });
        };
        let term = SearchTerm::Phone(phone.to_string());
        let found = self.matching_of(session, term, of_many).await?;
        let Match::One(id) = &found.value else { return Ok(found) };
        // A shared number ties two people only where their addresses do not speak against it.
        let contact = self.contact(session, id).await?.value;
        let contradicts = person.email.is_some()
            && contact.is_some_and(|contact| contact.email.as_deref().is_some());
        Ok(if contradicts { found.map(|_| Match::Nobody) } else { found })
    }

    /// The contact that answers to one term, of a person alone or of one of many.
    async fn matching_of(
        self: &Arc<Self>,
        session: &Session,
        term: SearchTerm,
        of_many: bool,
    ) -> Result<Seen<Match>, Error> {
        match self.unfound(session, &term).filter(|_| of_many) {
            Some(nobody) => Ok(nobody),
            None => self.matching(session, term).await,
        }
    }

    /// The contact that answers to one term.
    pub async fn matching(
        self: &Arc<Self>,
        session: &Session,
        term: SearchTerm,
    ) -> Result<Seen<Match>, Error> {
        let id = match_id(&term);
        let crm = Arc::clone(&self.crm);
        let asked = term.clone();
        let found = self
            .read(session, System::HighLevel, &id, |call| async move {
                let found = crm.duplicate(&call, &asked).await?;
                Ok(found.map_or(Match::Nobody, |contact| Match::One(contact.id)))
            })
            .await?;
        Ok(found)
    }

    /// One search for contacts that answer to any of the terms; primes them. Shared by equal
    /// searches under way.
    pub async fn search_terms(
        self: &Arc<Self>,
        session: &Session,
        terms: &[SearchTerm],
    ) -> Result<Vec<Arc<HighLevelContact>>, Error> {
        let request = SearchRequest { any_of: terms.to_vec(), limit: ROWS, ..Default::default() };
        let page = self.search(session, request).await?;
        let ids: Vec<&HighLevelId> = page.value.rows.iter().map(|(id, _)| id).collect();
        let contacts = join_all(ids.into_iter().map(|id| self.contact(session, id))).await;
        contacts.into_iter().filter_map(|side| side.map(|seen| seen.value).transpose()).collect()
    }

    /// One page of a search; primes its contacts.
    pub async fn search(
        self: &Arc<Self>,
        session: &Session,
        request: SearchRequest,
    ) -> Result<Seen<Arc<ContactRows>>, Error> {
        let id = format!("{request:?}");
        let core = Arc::clone(self);
        let workspace = session.requester.workspace.clone();
        self.read(session, System::HighLevel, &id, |call| async move {
            let fetched_ms = core.clock.now_ms();
            let page = core.crm.search(&call, &request).await?;
            let mut rows = Vec::with_capacity(page.rows.len());
            for row in page.rows {
                let id = row.contact.id.clone();
                let contact = Some(Arc::new(row.contact));
                core.prime(
                    &workspace,
                    System::HighLevel,
                    id.as_str(),
                    Brought { value: contact, fetched_ms },
                );
                rows.push((id, row.cursor));
            }
            Ok(Arc::new(ContactRows { rows, total: page.total }))
        })
        .await
    }

    fn prime_matches(
        self: &Arc<Self>,
        session: &Session,
        terms: &[SearchTerm],
        contacts: &[Arc<HighLevelContact>],
    ) {
        let mut found: HashMap<SearchTerm, Vec<HighLevelId>> = HashMap::new();
        for contact in contacts {
            let email = contact.email.as_deref().and_then(normalize_email).map(SearchTerm::Email);
            let phone = contact.phone.as_deref().and_then(normalize_phone).map(SearchTerm::Phone);
            for term in [email, phone].into_iter().flatten() {
                found.entry(term).or_default().push(contact.id.clone());
            }
        }
        // A full page may have left others out.
        let complete = contacts.len() < ROWS as usize;
        for term in terms {
            let now_ms = self.clock.now_ms();
            let workspace = &session.requester.workspace;
            let Some(mut ids) = found.remove(term) else {
                if complete && was_asked(term) {
                    let nobody = Brought { value: Match::Nobody, fetched_ms: now_ms };
                    self.prime(workspace, System::HighLevel, &unfound_id(term), nobody);
                }
                continue;
            };
            let found = match (ids.pop(), ids.is_empty()) {
                (Some(id), true) => Match::One(id),
                (Some(id), false) => {
                    ids.push(id);
                    Match::Several(ids)
                }
                (None, _) => continue,
            };
            let found = Brought { value: found, fetched_ms: now_ms };
            self.prime(workspace, System::HighLevel, &match_id(term), found);
        }
    }

    /// Forgets who answered to the address and number of a contact that was written: a moment ago
    /// that may have been nobody.
    pub fn forget_matches(
        &self,
        workspace: &WorkspaceId,
        (email, phone): (Option<&str>, Option<&str>),
    ) {
        let email = email.and_then(normalize_email).map(SearchTerm::Email);
        let phone = phone.and_then(normalize_phone).map(SearchTerm::Phone);
        for term in [email, phone].into_iter().flatten() {
            self.forget::<Match>(workspace, System::HighLevel, &match_id(&term));
            self.forget::<Match>(workspace, System::HighLevel, &unfound_id(&term));
        }
    }
}

/// What a search for the people without a link came to.
struct Search {
    failure: Option<Error>,
    /// Whether it was for more than one person.
    of_many: bool,
}

/// Whether a search carries a term: HighLevel refuses longer values of filters, so they are left
/// out.
fn was_asked(term: &SearchTerm) -> bool {
    const LONGEST: usize = 75;
    match term {
        SearchTerm::Id(id) => id.as_str().chars().count() <= LONGEST,
        SearchTerm::Email(text) | SearchTerm::Phone(text) => text.chars().count() <= LONGEST,
    }
}

fn unfound_id(term: &SearchTerm) -> String {
    format!("unfound:{}", match_id(term))
}

/// The terms by which to look for a person without a link.
fn terms_of(person: &Person) -> impl Iterator<Item = SearchTerm> {
    let email = person.email.as_ref().map(|email| SearchTerm::Email(email.to_string()));
    let phone = person.phone.as_ref().map(|phone| SearchTerm::Phone(phone.to_string()));
    email.into_iter().chain(phone)
}

fn match_id(term: &SearchTerm) -> String {
    match term {
        SearchTerm::Id(id) => format!("id:{id}"),
        SearchTerm::Email(email) => format!("email:{email}"),
        SearchTerm::Phone(phone) => format!("phone:{phone}"),
    }
}
