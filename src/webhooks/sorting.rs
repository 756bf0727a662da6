//! Looking at what came in: whom it is about is forgotten and marked.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::Value;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::contacts::{self, Asking, Contacts};
use crate::store::{Arrival, Lease, LookedAt, Mark, Next, Priority, Record, Store, Trace};
use crate::sync::{self, Handler};
use crate::unified::{EventDraft, EventKind, SyncState, System, WorkspaceId, normalize_email};
use crate::upstream::{self, About, Call, Inbound, Notice, Priority as Urgency};

/// What came in, and what it says if it is a notice.
type Read<'a> = (&'a Arrival, Option<Notice>);

/// How many are looked at together.
const AT_ONCE: u32 = 200;
/// How long a person's changes are gathered: one change inside a system is often several events, and
/// what we wrote ourselves comes back as one.
const GATHERED_FOR: TimeDelta = TimeDelta::seconds(1);
/// How long the calls of one batch may take. Shorter than a lease.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long a lease is taken for long enough. Leaves more of it than a batch may take.
const EXTENDED_FOR: TimeDelta = TimeDelta::seconds(10);
/// When a system that could not be asked is asked again.
const AGAIN: TimeDelta = TimeDelta::seconds(10);

/// The work that looks at what came in.
pub struct Sorting {
    pub inbound: Arc<dyn Inbound>,
    pub store: Arc<dyn Store>,
    pub contacts: Contacts,
    pub clock: Clock,
}

#[async_trait]
impl Handler for Sorting {
    /// Goes once through all that waits: first without a call, so that who is known waits for nobody who is
    /// not, then for as long as HighLevel can be asked about the others. What has to wait on is gone past, so
    /// that it holds up nothing.
    async fn handle(&self, lease: Lease) -> Result<(), sync::Error> {
        let mut asking = Asking::default();
        let mut next = Next::Done;
        for may_ask in [false, true] {
            match self.go_through(&lease, may_ask, &mut asking).await? {
                Batch::Looked => break,
                Batch::Lost => return Ok(()),
                Batch::Waits(why) if may_ask => {
                    tracing::info!(
                        error = why,
                        "webhooks wait: HighLevel could not be asked whom they are about"
                    );
                    // No attempt is counted: what came in is looked at for as long as it is kept.
                    next = Next::Again(self.clock.now() + AGAIN);
                }
                Batch::Waits(_) => {}
            }
        }
        self.store.record(&lease, Record { next, ..Record::default() }, self.clock.now()).await?;
        Ok(())
    }
}

enum Batch {
    Looked,
    /// Some of it could not be looked at now. Why.
    Waits(String),
    Lost,
}

impl Sorting {
    /// Looks at all that waits, the oldest first.
    async fn go_through(
        &self,
        lease: &Lease,
        may_ask: bool,
        asking: &mut Asking,
    ) -> Result<Batch, sync::Error> {
        let (mut after, mut waits) = (None, None);
        let mut extended = None;
        while !asking.is_over() {
            let now = self.clock.now();
            if extended.is_none_or(|at| now > at + EXTENDED_FOR) {
                if !self.store.extend(lease, now + sync::LEASE).await? {
                    return Ok(Batch::Lost);
                }
                extended = Some(now);
            }
            let arrivals = self.store.waiting(&lease.workspace, after.as_deref(), AT_ONCE).await?;
            let Some(last) = arrivals.last() else { break };
            after = Some(last.id.clone());
            match self.batch(lease, &arrivals, (may_ask, &mut *asking)).await? {
                Batch::Looked => {}
                Batch::Lost => return Ok(Batch::Lost),
                Batch::Waits(why) => waits = Some(why),
            }
        }
        Ok(waits.map_or(Batch::Looked, Batch::Waits))
    }

    async fn batch(
        &self,
        lease: &Lease,
        arrivals: &[Arrival],
        asking: (bool, &mut Asking),
    ) -> Result<Batch, sync::Error> {
        let read = |one: &Arrival| self.inbound.read(one.body.as_bytes());
        let read = arrivals.iter().map(|one| (one, read(one)));
        let is_of_an_app = |notice: &Option<Notice>| {
            notice.as_ref().is_some_and(|notice| notice.about.is_of_an_app())
        };
        let (of_the_app, others): (Vec<_>, Vec<_>) =
            read.partition(|(_, notice)| is_of_an_app(notice));
        // First: it may be why HighLevel cannot be asked about the others, which may have to wait.
        match self.look_at_app(lease, of_the_app).await? {
            Batch::Looked => self.look_at_people(lease, others, asking).await,
            ended @ (Batch::Waits(_) | Batch::Lost) => Ok(ended),
        }
    }

    async fn look_at_app(&self, lease: &Lease, read: Vec<Read<'_>>) -> Result<Batch, sync::Error> {
        if read.is_empty() {
            return Ok(Batch::Looked);
        }
        let ids: Vec<String> = read.iter().map(|(arrival, _)| arrival.id.clone()).collect();
        let notices: Vec<Notice> = read.into_iter().filter_map(|(_, notice)| notice).collect();
        let events = match self.hear_of_app(&notices).await {
            Ok(events) => events,
            Err(error) => return Ok(Batch::Waits(error.to_string())),
        };
        let looked = LookedAt { ids: &ids, events: &events, ..LookedAt::default() };
        let stored = self.store.looked_at(lease, looked, self.clock.now()).await?;
        Ok(if stored { Batch::Looked } else { Batch::Lost })
    }

    async fn look_at_people(
        &self,
        lease: &Lease,
        read: Vec<Read<'_>>,
        (may_ask, asking): (bool, &mut Asking),
    ) -> Result<Batch, sync::Error> {
        if read.is_empty() {
            return Ok(Batch::Looked);
        }
        let workspace = &lease.workspace;
        let (arrivals, notices): (Vec<&Arrival>, Vec<Option<Notice>>) = read.into_iter().unzip();
        let hint = |notice: Option<Notice>| notice.map_or(About::Other, |notice| notice.about);
        let hints: Vec<About> = notices.into_iter().map(hint).collect();
        let deadline = Instant::now() + PATIENCE;
        let call = Call { deadline, priority: Urgency::Background, meter: Arc::default() };
        let asking = (may_ask.then_some(&call), asking);
        let heard = match self.contacts.hear(workspace, &hints, asking).await {
            Ok(heard) => heard,
            Err(error) => return Ok(Batch::Waits(error.to_string())),
        };
        let due = self.clock.now() + GATHERED_FOR;
        let marks: Vec<Mark> = match self.store.sync_settings(workspace).await?.state {
            // The first run sees everybody.
            SyncState::NotSetUp | SyncState::Preview => Vec::new(),
            SyncState::Running | SyncState::Paused => {
                heard.marked.into_iter().map(|id| Mark::contact(id, Priority::Live, due)).collect()
            }
        };
        let places = |wanted: &dyn Fn(usize) -> bool| -> Vec<&Arrival> {
            let all = arrivals.iter().enumerate().filter(|(place, _)| wanted(*place));
            all.map(|(_, arrival)| *arrival).collect()
        };
        let id = |arrival: &&Arrival| arrival.id.clone();
        let looked_at = places(&|place| !heard.later.contains(&place));
        let of_erased = places(&|place| heard.of_erased.contains(&place));
        let mut forget: Vec<String> = of_erased.iter().map(id).collect();
        forget.extend(self.naming_erased(workspace, &looked_at).await?);
        if !forget.is_empty() {
            let (count, why) = (forget.len(), "the person was erased");
            tracing::info!(count, why, "webhooks ignored");
        }
        let ids: Vec<String> = looked_at.iter().map(id).collect();
        if ids.is_empty() {
            return Ok(Batch::Waits(in_words(heard.trouble)));
        }
        let looked = LookedAt { ids: &ids, forget: &forget, marks: &marks, events: &[] };
        let stored = self.store.looked_at(lease, looked, self.clock.now()).await?;
        Ok(match (stored, heard.later.is_empty()) {
            (false, _) => Batch::Lost,
            (true, true) => Batch::Looked,
            (true, false) => Batch::Waits(in_words(heard.trouble)),
        })
    }

    /// What befell the app itself may have ended a credential, or what waits. What the history says of it.
    async fn hear_of_app(&self, notices: &[Notice]) -> Result<Vec<EventDraft>, contacts::Error> {
        let mut events = Vec::new();
        for Notice { about, account, at, .. } in notices {
            let is_told = match about {
                About::Uninstalled => {
                    let location = account.as_deref().unwrap_or_default();
                    self.contacts.app_removed(location, *at).await?
                }
                About::TakenBack(agency) => {
                    self.contacts.app_taken_back(agency, *at).await?;
                    false
                }
                About::Installed => true,
                About::Contact(_)
                | About::Notes(_)
                | About::Tasks(_)
                | About::Task { .. }
                | About::Appointments(_)
                | About::Other => false,
            };
            events.extend(app_event(about).filter(|_| is_told));
        }
        // With the app its tokens go, and with a new one they may work again.
        self.contacts.probe(System::HighLevel).await;
        Ok(events)
    }

    /// The ids of those that name an erased person's address, whomever they are about.
    async fn naming_erased(
        &self,
        workspace: &WorkspaceId,
        arrivals: &[&Arrival],
    ) -> Result<Vec<String>, sync::Error> {
        let (mut ids, mut traces) = (Vec::new(), Vec::new());
        for arrival in arrivals {
            for address in addresses(&arrival.body) {
                ids.push(&arrival.id);
                traces.push(Trace::Email(address));
            }
        }
        let erased = self.store.erased(workspace, &traces).await?;
        let named = ids.into_iter().zip(erased).filter(|(_, erased)| erased.is_some());
        Ok(named.map(|(id, _)| id.clone()).collect())
    }
}

fn in_words(trouble: Option<upstream::Error>) -> String {
    trouble.map_or_else(|| "it was not asked".to_owned(), |error| error.to_string())
}

/// Every address in a body, normalised.
fn addresses(body: &str) -> Vec<String> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) => found.extend(normalize_email(text)),
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            Value::Object(members) => members.values().for_each(|member| collect(member, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut found = Vec::new();
    if let Ok(value) = serde_json::from_str(body) {
        collect(&value, &mut found);
    }
    found
}

/// What the history says of the app itself.
fn app_event(hint: &About) -> Option<EventDraft> {
    let message = match hint {
        About::Installed => "The app was installed in HighLevel",
        About::Uninstalled => "The app was taken off HighLevel: it sends no changes any more",
        // Whom an agency's news are about is told when they are disconnected.
        About::TakenBack(_)
        | About::Contact(_)
        | About::Notes(_)
        | About::Tasks(_)
        | About::Task { .. }
        | About::Appointments(_)
        | About::Other => return None,
    };
    let draft = EventDraft::new(EventKind::UpstreamChanged, message);
    Some(EventDraft { system: Some(System::HighLevel), ..draft })
}
