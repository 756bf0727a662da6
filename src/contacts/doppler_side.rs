//! Doppler's side of people, many at a time.
//!
//! Doppler has no way to ask for several subscribers by address. Where the account is small
//! (`doppler.scan_up_to`), reading all its pages of a hundred costs fewer calls than asking one by
//! one, and finds people by phone number as well; else each is asked for singly.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::{join_all, try_join_all};

use crate::unified::{Sighting, Subscriber, System, subscriber_key};
use crate::upstream::PAGE_SIZE;

use super::core::{Brought, Core, Seen, no_read};
use super::entity::SubscriberRows;
use super::person::Person;
use super::{Error, Session};

/// How many pages one scan may take, whatever the account's size is said to be.
const MOST_PAGES: u32 = 50;

/// Doppler's word on one person: `None` inside when it does not know them.
pub type DopplerSide = Result<Seen<Option<Arc<Subscriber>>>, Error>;

impl Core {
    /// Doppler's side of each person, in the order given.
    pub async fn doppler_sides(
        self: &Arc<Self>,
        session: &Session,
        people: &[Arc<Person>],
    ) -> Vec<DopplerSide> {
        if session.recalls {
            return self.recalled_subscribers(session, people).await;
        }
        let missing = people.iter().filter(|person| !self.has_subscriber(session, person)).count();
        let by_phone_only =
            people.iter().any(|person| address_of(person).is_none() && person.phone.is_some());
        let wanted = count(missing).max(session.people());
        if missing > 0 && wanted > 1 || by_phone_only {
            let worth = if by_phone_only { u32::MAX } else { wanted };
            // A scan that fails is no loss: single reads follow, and say what is wrong.
            if let Ok(Some(fetched_ms)) = self.scan(session, worth).await {
                self.believe_absence(session, people, fetched_ms);
            }
        }
        join_all(people.iter().map(|person| self.doppler_side(session, person))).await
    }

    async fn doppler_side(self: &Arc<Self>, session: &Session, person: &Person) -> DopplerSide {
        let linked = match address_of(person) {
            Some(address) => Some(Arc::clone(address)),
            None => self.linked_since(session, person).await?,
        };
        let Some(address) = linked else {
            return Ok(Seen { value: None, freshness: no_read() });
        };
        let side = self.subscriber(session, &address).await?;
        let Some(subscriber) = &side.value else { return Ok(side) };
        let mapping = self.mapping(&session.requester.workspace);
        let sighting = Sighting::of_subscriber(subscriber, &mapping);
        if self.is_of(session, person.id, sighting).await? {
            Ok(side)
        } else {
            Ok(side.map(|_| None))
        }
    }

    /// One subscriber by normalised address. One call when it is not at hand.
    pub async fn subscriber(self: &Arc<Self>, session: &Session, address: &str) -> DopplerSide {
        let (mailing, wanted) = (Arc::clone(&self.mailing), address.to_owned());
        self.read(session, System::Doppler, address, |call| async move {
            Ok(mailing.subscriber(&call, &wanted).await?.map(Arc::new))
        })
        .await
    }

    /// Reads the whole account when that takes at most `worth` calls and the account is small
    /// enough to be scanned. Everybody found is recognized, so that ties by phone number show.
    ///
    /// The time of a complete scan (epoch milliseconds): whoever was not on it did not exist then.
    /// Pages that shifted under the scan prove nothing, and are none.
    pub async fn scan(
        self: &Arc<Self>,
        session: &Session,
        worth: u32,
    ) -> Result<Option<i64>, Error> {
        let known = self.subscribers.load(Ordering::Relaxed);
        let fits = |total: u32| {
            total <= self.settings.scan_up_to && total.div_ceil(PAGE_SIZE) <= worth.min(MOST_PAGES)
        };
        if known != u32::MAX && !fits(known) {
            return Ok(None);
        }
        let first = self.subscriber_page(session, NonZeroU32::MIN, None).await?;
        // An account does not lose everybody at once: a page that says so proves nothing.
        let emptied = first.value.total == 0 && (1..u32::MAX).contains(&known);
        if emptied || !fits(first.value.total) {
            return Ok(None);
        }
        let numbers = (2..=first.value.pages.min(MOST_PAGES)).filter_map(NonZeroU32::new);
        let rest = numbers.map(|number| self.subscriber_page(session, number, None));
        let pages = [vec![first], try_join_all(rest).await?].concat();
        let total = pages[0].value.total;
        let steady = pages.iter().all(|page| page.value.total == total);
        let seen: usize = pages.iter().map(|page| page.value.emails.len()).sum();
        let oldest = pages.iter().filter_map(|page| page.freshness.fetched_at).min();
        let complete = steady && count(seen) == total;
        Ok(oldest.filter(|_| complete).map(|at| at.timestamp_millis()))
    }

    /// One page of the account's subscribers; primes and recognizes them.
    pub async fn subscriber_page(
        self: &Arc<Self>,
        session: &Session,
        number: NonZeroU32,
        keyword: Option<String>,
    ) -> Result<Seen<Arc<SubscriberRows>>, Error> {
        let id = format!("{number}:{}", keyword.as_deref().unwrap_or_default());
        let core = Arc::clone(self);
        let workspace = session.requester.workspace.clone();
        let page = self
            .read::<Arc<SubscriberRows>, _>(session, System::Doppler, &id, |call| async move {
                let fetched_ms = core.clock.now_ms();
                let page = core.mailing.subscribers(&call, number, keyword.as_deref()).await?;
                let mut emails = Vec::with_capacity(page.items.len());
                for subscriber in page.items {
                    let key = subscriber_key(&subscriber.email);
                    let subscriber = Some(Arc::new(subscriber));
                    core.prime(
                        &workspace,
                        System::Doppler,
                        &key,
                        Brought { value: subscriber, fetched_ms },
                    );
                    emails.push(Arc::from(key));
                }
                if keyword.is_none() && page.total > 0 {
                    core.subscribers.store(page.total, Ordering::Relaxed);
                }
                let (size, pages, total) = (page.size, page.pages, page.total);
                Ok(Arc::new(SubscriberRows { emails, size, pages, total }))
            })
            .await?;
        self.recognize_page(session, &page.value).await?;
        Ok(page)
    }

    async fn recognize_page(
        self: &Arc<Self>,
        session: &Session,
        page: &SubscriberRows,
    ) -> Result<(), Error> {
        type Found = Option<Arc<Subscriber>>;
        let mapping = self.mapping(&session.requester.workspace);
        let found = page
            .emails
            .iter()
            .filter_map(|email| self.peek::<Found>(session, System::Doppler, email)?.value);
        let sightings = found.map(|found| Sighting::of_subscriber(&found, &mapping)).collect();
        self.recognize(session, sightings).await?;
        Ok(())
    }

    /// Remembers of those who were on no page of a complete scan that they do not exist.
    fn believe_absence(&self, session: &Session, people: &[Arc<Person>], fetched_ms: i64) {
        for address in people.iter().filter_map(|person| address_of(person)) {
            if !self.has::<Option<Arc<Subscriber>>>(session, System::Doppler, address) {
                let absent: Option<Arc<Subscriber>> = None;
                let workspace = &session.requester.workspace;
                self.prime(
                    workspace,
                    System::Doppler,
                    address,
                    Brought { value: absent, fetched_ms },
                );
            }
        }
    }

    fn has_subscriber(&self, session: &Session, person: &Person) -> bool {
        let Some(address) = address_of(person) else { return true };
        self.has::<Option<Arc<Subscriber>>>(session, System::Doppler, address)
    }

    /// The address that a scan has tied to a person who had none.
    async fn linked_since(
        &self,
        session: &Session,
        person: &Person,
    ) -> Result<Option<Arc<str>>, Error> {
        if person.phone.is_none() {
            return Ok(None);
        }
        let known = self.store.contact(&session.requester.workspace, person.id).await?;
        Ok(known.and_then(|known| known.key(System::Doppler).map(Arc::from)))
    }
}

fn address_of(person: &Person) -> Option<&Arc<str>> {
    person.doppler.as_ref().or(person.email.as_ref())
}

fn count(people: usize) -> u32 {
    u32::try_from(people).unwrap_or(u32::MAX)
}
