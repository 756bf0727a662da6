//! A page of either system's people, as polls and runs read it: who is on it, what is remembered of
//! each, the rows that are whole records, and where to go on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::clock::Clock;
use crate::store::{Copy, CopyKey, OPT_OUT_COPY, Version};
use crate::sync::mappings::Mappings;
use crate::unified::{Sighting, System, WorkspaceId, is_opt_out};
use crate::upstream::{self, Call, Crm, Directory, Mailing};

use super::{doppler, highlevel};

/// Reads pages. Cheap to clone.
#[derive(Clone)]
pub struct Pages {
    pub mailing: Arc<dyn Mailing>,
    pub crm: Arc<dyn Crm>,
    pub mappings: Mappings,
    pub clock: Clock,
    /// How late HighLevel's search may hear of a change.
    pub index_delay: Duration,
}

/// A page as either system gave it.
pub(in crate::sync) struct Page {
    /// Who is on it, each with what is remembered of it.
    pub people: Vec<(Sighting, Version)>,
    /// Rows that are whole records.
    pub copies: Vec<Copy>,
    /// Keys of subscribers on it who opted out.
    pub opted_out: BTreeSet<String>,
    /// Where to go on, as JSON.
    pub position: String,
    pub is_last: bool,
    /// Whether it is one of the account's of Doppler, and not one of those who opted out.
    pub is_of_account: bool,
    /// Whether nobody was seen before it, so that nothing on it is urgent.
    pub is_first_run: bool,
}

impl Pages {
    /// Reads the page that comes at `held`, where an earlier one ended; `None`: the first of all.
    pub(in crate::sync) async fn next(
        &self,
        of: &WorkspaceId,
        system: System,
        held: Option<&str>,
        call: &Call,
    ) -> Result<Page, upstream::Error> {
        match system {
            System::Doppler => self.of_doppler(of, held, call).await,
            System::HighLevel => self.of_highlevel(held, call).await,
        }
    }

    /// Whether nothing may be written, because HighLevel's credential is known to only read.
    pub(in crate::sync) fn is_read_only(&self) -> bool {
        Directory::status(&*self.crm).writing.is_read_only()
    }

    /// The Doppler account or the HighLevel location.
    pub(in crate::sync) fn account(&self, system: System) -> String {
        account(match system {
            System::Doppler => &*self.mailing,
            System::HighLevel => &*self.crm,
        })
    }

    /// Who opted out in Doppler since a moment, as its rows of opt-outs show them.
    pub(in crate::sync) async fn opt_outs(
        &self,
        of: &WorkspaceId,
        since: DateTime<Utc>,
        call: &Call,
    ) -> Result<Vec<Copy>, upstream::Error> {
        let position = doppler::Position::since(since, self.clock.now()).without_pages();
        let mut held = position.to_json();
        let mut copies = Vec::new();
        loop {
            let page = self.of_doppler(of, Some(&held), call).await?;
            copies.extend(page.copies);
            if page.is_last {
                return Ok(copies);
            }
            held = page.position;
        }
    }

    async fn of_highlevel(&self, held: Option<&str>, call: &Call) -> Result<Page, upstream::Error> {
        let read_at = self.clock.now();
        let position = highlevel::Position::at(held, read_at);
        let request = position.request(self.index_delay);
        let rows = self.crm.search(call, &request).await?.rows;
        let is_first_run = position.is_first_run();
        let (next, is_last) = position.after(&rows);
        let people =
            rows.iter().map(|row| (Sighting::of_contact(&row.contact), highlevel::seen(row)));
        // The index shows what was so some time before.
        let said_at = read_at - self.index_delay;
        let account = self.account(System::HighLevel);
        let copies = rows.iter().filter_map(|row| {
            let key = CopyKey::person(System::HighLevel, &account, row.contact.id.as_str());
            copy(key, &row.contact, said_at)
        });
        Ok(Page {
            opted_out: BTreeSet::new(),
            people: people.collect(),
            copies: copies.collect(),
            position: next.to_json(),
            is_last,
            is_of_account: false,
            is_first_run,
        })
    }

    async fn of_doppler(
        &self,
        of: &WorkspaceId,
        held: Option<&str>,
        call: &Call,
    ) -> Result<Page, upstream::Error> {
        let read_at = self.clock.now();
        let position = doppler::Position::at(held, read_at);
        let request = position.request();
        let page = match request {
            doppler::Request::Account(number) => {
                self.mailing.subscribers(call, number, None).await?
            }
            doppler::Request::Unsubscribed { from, to, number } => {
                self.mailing.unsubscribed(call, from, to, number).await?
            }
        };
        let is_first_run = position.is_first_run();
        let (next, is_last) = position.after(&page);
        let mapping = self.mappings.of(of);
        let account = self.account(System::Doppler);
        let (mut people, mut copies) = (Vec::new(), Vec::new());
        let mut opted_out = BTreeSet::new();
        for subscriber in &page.items {
            let sighting = Sighting::of_subscriber(subscriber, &mapping);
            let seen = doppler::seen(request, &sighting.key, subscriber);
            let key = match request {
                doppler::Request::Account(_) => {
                    CopyKey::person(System::Doppler, &account, &sighting.key)
                }
                // Its row tells less.
                doppler::Request::Unsubscribed { .. } => {
                    CopyKey::new(System::Doppler, OPT_OUT_COPY, &account, &sighting.key)
                }
            };
            copies.extend(copy(key, subscriber, read_at));
            opted_out.extend(is_opt_out(subscriber).then(|| sighting.key.clone()));
            people.push((sighting, seen));
        }
        let is_of_account = matches!(request, doppler::Request::Account(_));
        let position = next.to_json();
        Ok(Page { people, copies, opted_out, position, is_last, is_of_account, is_first_run })
    }
}

fn account(directory: &dyn Directory) -> String {
    directory.status().account.unwrap_or_default()
}

fn copy(key: CopyKey, record: &impl Serialize, fetched_at: DateTime<Utc>) -> Option<Copy> {
    let body = serde_json::to_string(record).ok()?;
    Some(Copy { key, body: Some(body), fetched_at })
}
