//! Engagement: what people did with the mails that they got, which only Doppler knows and tells of by
//! no event.
//!
//! Deliveries are one call a person, so only people in scope are asked about ([`round`]): one row of
//! work goes through them and marks itself again, and each person whom somebody looks at just now is a
//! row of their own. What is not as it was the last time ([`change`]) becomes an event and marks the
//! contact, whose reconcile writes the note where the mapping asks for one.
//!
//! The two together take at most a tenth of the calls that the settings allow Doppler: after its calls
//! a turn waits twenty times as long as they would take at the full rate, and so do the rows of those
//! who are looked at, one after the other.

mod change;
mod round;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::bus::{Bus, News, What};
use crate::clock::Clock;
use crate::store::{ENGAGEMENT, Engaged, Lease, Mark, Next, Priority, ROUND, Record, Store};
use crate::tasks::Tasks;
use crate::unified::{
    ContactId, EventDraft, EventKind, SubscriberStatus, System, WorkspaceId, subscriber_key,
};
use crate::upstream::{self, Call, Kind, Mailing, Priority as Urgency, SubscriberPage};

use super::Error;
use super::backoff;
use super::engine::{LEASE, Mirror};
use super::error::Failure;
use super::mappings::Mappings;
use super::work::Handler;
use change::{Ground, compare};
use round::{Round, Task};

/// How long one turn's calls may take. Shorter than a lease.
const PATIENCE: Duration = Duration::from_secs(40);
/// How many calls a turn makes before others have theirs.
const CALLS_A_TURN: u32 = 10;
/// What part of Doppler's rate the round may use, and those who are looked at the same again.
const PART: f64 = 20.0;

/// Looks for engagement.
pub struct Engagement {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub mailing: Arc<dyn Mailing>,
    pub mirror: Arc<dyn Mirror>,
    pub mappings: Mappings,
    pub clock: Clock,
    pub tasks: Tasks,
    pub settings: EngagementSettings,
}

/// What can be set about it.
#[derive(Clone, Copy, Debug)]
pub struct EngagementSettings {
    /// From the end of one round to the next.
    pub every: Duration,
    /// For how long after it went out a campaign counts.
    pub days: u32,
    /// Doppler's calls a second; 0: without limit.
    pub rate: f64,
}

impl EngagementSettings {
    /// How long after a number of calls the next may be made.
    pub fn pause(&self, calls: u32) -> Duration {
        if self.rate <= 0.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(f64::from(calls) * PART / self.rate).unwrap_or(self.every)
    }

    fn span(&self) -> TimeDelta {
        TimeDelta::days(self.days.into())
    }
}

/// The row of work that goes through everybody in scope.
pub fn schedule_round(now: DateTime<Utc>) -> Mark {
    Mark { kind: ENGAGEMENT, key: ROUND.to_owned(), priority: Priority::Backfill, due: now }
}

#[async_trait]
impl Handler for Engagement {
    async fn handle(&self, lease: Lease) -> Result<(), Error> {
        if !self.store.extend(&lease, self.clock.now() + LEASE).await? {
            return Ok(());
        }
        let deadline = Instant::now() + PATIENCE;
        let call = Call { deadline, priority: Urgency::Background, meter: Arc::default() };
        let done = match lease.key.parse::<ContactId>() {
            Ok(contact) => self.looked_at(&lease, contact, &call).await,
            Err(_) => self.turn(&lease, &call).await,
        };
        let next = match done {
            Ok(next) => next,
            Err(Failure::Stop) => return Ok(()),
            Err(Failure::Sync(error)) => return Err(error),
            Err(Failure::Upstream(error)) => {
                let wait = backoff::until_retry(&error, lease.attempt);
                let calls = call.meter.calls(System::Doppler);
                let wait = wait.max(self.settings.pause(calls));
                Next::Retry { at: self.clock.now() + wait, error: error.to_string() }
            }
        };
        self.store.record(&lease, Record { next, ..Record::default() }, self.clock.now()).await?;
        Ok(())
    }
}

impl Engagement {
    /// Some steps of the round.
    async fn turn(&self, lease: &Lease, call: &Call) -> Result<Next, Failure> {
        let held = self.store.round(&lease.workspace).await?;
        let mut round = Round::at(held.as_deref(), self.clock.now(), self.settings.span());
        // What was stored otherwise is not left to a call that may never succeed.
        let begun = round.to_json();
        if held.as_deref() != Some(&*begun) && !self.store.put_round(lease, &begun).await? {
            return Err(Failure::Stop);
        }
        let calls = || call.meter.calls(System::Doppler);
        while calls() < CALLS_A_TURN && !self.tasks.is_stopping() {
            let Some(task) = round.next() else { break };
            // A step that fails is still the next one in what is stored.
            self.step(lease, &mut round, task, call).await?;
            if !self.store.put_round(lease, &round.to_json()).await? {
                return Err(Failure::Stop);
            }
        }
        let pause = self.settings.pause(calls());
        let wait = if round.is_over() { pause.max(self.settings.every) } else { pause };
        Ok(Next::Again(self.clock.now() + wait))
    }

    /// One step of the round.
    async fn step(
        &self,
        lease: &Lease,
        round: &mut Round,
        task: Task,
        call: &Call,
    ) -> Result<(), Failure> {
        let (mailing, workspace) = (&self.mailing, &lease.workspace);
        match task {
            Task::Campaigns(number) => {
                let (found, is_last) = mailing.campaigns(call, page(number)).await?;
                round.campaigns((number, is_last), &found, self.settings.span());
            }
            Task::Results(campaign) => {
                if let Some(results) = there(mailing.results(call, &campaign).await)? {
                    round.results(campaign, results);
                }
            }
            Task::Recipients(campaign) => {
                round.recipients(
                    there(mailing.recipients(call, &campaign).await)?.unwrap_or_default(),
                );
            }
            Task::Members(list, number) => {
                let read = mailing.list_subscribers(call, &list, page(number)).await;
                let Some(found) = there(read)? else { return Ok(()) };
                let more = found.number < found.pages && !found.items.is_empty();
                let next = more.then(|| Task::Members(list, number.saturating_add(1)));
                round.people(next, self.in_scope(workspace, round, &found).await?);
            }
            Task::Left(number) => {
                let Some(from) = round.since() else { return Ok(()) };
                // Up to now, because numbers that changed after the round began were counted, too.
                let to = self.clock.now();
                let found = mailing.unsubscribed(call, from, to, page(number)).await?;
                let more = found.number < found.pages && !found.items.is_empty();
                let next = more.then(|| Task::Left(number.saturating_add(1)));
                round.people(next, self.in_scope(workspace, round, &found).await?);
            }
            Task::Person(contact) => {
                // Whoever was erased or lost their subscriber meanwhile is not found.
                let known = self.store.contact(workspace, contact).await?;
                let email = known.as_ref().and_then(|known| known.key(System::Doppler));
                if let (Some(known), Some(email)) = (&known, email) {
                    self.read(lease, (known.id, email), round, call).await?;
                }
            }
        }
        Ok(())
    }

    /// Whom of a page to ask about: those who are contacts and were not asked about in this round.
    async fn in_scope(
        &self,
        workspace: &WorkspaceId,
        round: &Round,
        found: &SubscriberPage,
    ) -> Result<Vec<ContactId>, Failure> {
        // Who has not confirmed yet was sent nothing.
        let mailed = found.items.iter().filter(|one| one.status != SubscriberStatus::Pending);
        let emails: Vec<String> = mailed.map(|one| subscriber_key(&one.email)).collect();
        let keys: Vec<&str> = emails.iter().map(String::as_str).collect();
        let linked = self.store.linked(workspace, System::Doppler, &keys).await?;
        let contacts: Vec<ContactId> = linked.into_iter().flatten().collect();
        let began = DateTime::from_timestamp_millis(round.began).unwrap_or_default();
        let read = self.store.read_since(workspace, &contacts, began).await?;
        let of_all = contacts.into_iter().zip(read);
        Ok(of_all.filter_map(|(contact, read)| (!read).then_some(contact)).collect())
    }

    /// Reads a person whom somebody looks at.
    async fn looked_at(
        &self,
        lease: &Lease,
        contact: ContactId,
        call: &Call,
    ) -> Result<Next, Failure> {
        let workspace = &lease.workspace;
        let known = self.store.contact(workspace, contact).await?;
        let email = known.as_ref().and_then(|known| known.key(System::Doppler));
        let (Some(known), Some(email)) = (&known, email) else { return Ok(Next::Done) };
        let since = self.clock.now() - self.settings.every / 2;
        if self.store.read_since(workspace, &[known.id], since).await? == [false] {
            let round = Round::stored(self.store.round(workspace).await?.as_deref());
            self.read(lease, (known.id, email), &round, call).await?;
        }
        Ok(Next::Done)
    }

    /// Reads a person's deliveries and remembers what happened.
    async fn read(
        &self,
        lease: &Lease,
        (contact, email): (ContactId, &str),
        round: &Round,
        call: &Call,
    ) -> Result<(), Failure> {
        let workspace = &lease.workspace;
        let fetched_ms = self.clock.now_ms();
        let deliveries = self.mailing.deliveries(call, email).await?;
        let before = self.store.reading(workspace, contact).await?;
        let notes = self.mappings.of(workspace).notes.engagement_notes;
        let ground = Ground { campaigns: &round.campaigns, before: before.as_ref(), notes };
        let happened = compare(&ground, &deliveries);
        let event = |message: &String| EventDraft {
            contact: Some(contact),
            system: Some(System::Doppler),
            fields: vec!["deliveries".to_owned()],
            ..EventDraft::new(EventKind::Engagement, message.clone())
        };
        let events: Vec<EventDraft> = happened.messages.iter().map(event).collect();
        let now = self.clock.now();
        // A bounce is an opt-out, which the other system is to hear of soon.
        let priority = if happened.bounced { Priority::Live } else { Priority::Backfill };
        let mark = (happened.bounced || (notes && !events.is_empty()))
            .then(|| Mark::contact(contact, priority, now));
        let engaged = Engaged {
            contact,
            engagements: &happened.engagements,
            events: &events,
            marks: mark.as_slice(),
        };
        let cursor = self.store.engage(lease, engaged, now).await?.ok_or(Failure::Stop)?;
        let campaigns: Vec<String> = deliveries.iter().map(|one| one.campaign_id.clone()).collect();
        self.store.deliveries_seen(workspace, contact, &campaigns, now).await?;
        self.mirror.deliveries(workspace, email, (Arc::new(deliveries), fetched_ms));
        if let Some(cursor) = cursor {
            self.mirror.engaged(workspace, contact);
            self.bus.publish(News { workspace: workspace.clone(), what: What::Events(cursor) });
        }
        Ok(())
    }
}

fn page(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

/// What is not there any more is left out.
fn there<T>(read: Result<T, upstream::Error>) -> Result<Option<T>, upstream::Error> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind, Kind::NotFound | Kind::ListGone) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_together_take_a_tenth_of_the_rate() {
        let settings =
            |rate| EngagementSettings { every: Duration::from_secs(900), days: 14, rate };
        assert_eq!(settings(5.0).pause(10), Duration::from_secs(40));
        assert_eq!(settings(5.0).pause(0), Duration::ZERO);
        assert_eq!(settings(0.0).pause(10), Duration::ZERO);
    }
}
