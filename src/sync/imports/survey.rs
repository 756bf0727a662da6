//! Looking at many subscribers: the account's pages, each of which shows a hundred, or one by one where
//! that is fewer calls. What is read is kept as a last known copy.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use chrono::{DateTime, Utc};

use crate::store::{Copy, CopyKey, Lease};
use crate::sync::poll::{DopplerPosition, Request, version};
use crate::unified::{Subscriber, System, WorkspaceId, subscriber_key};
use crate::upstream::{Directory, SubscriberPage};

use super::group::Held;
use super::rows::Row;
use super::{Failure, Imports, pace};

/// What was seen just before an import.
#[derive(Default)]
pub(super) struct Seen {
    /// Who is there.
    pub held: Held,
    /// Who opted out.
    pub out: BTreeSet<String>,
}

impl Imports {
    /// Looks at subscribers, and at who opted out since.
    pub(super) async fn survey(
        &self,
        lease: &Lease,
        rows: &[Row],
        since: DateTime<Utc>,
    ) -> Result<Seen, Failure> {
        let wanted: BTreeSet<String> =
            rows.iter().map(|row| subscriber_key(&row.edit.email)).collect();
        let mut seen = Seen::default();
        let mut position = DopplerPosition::since(since, self.clock.now());
        loop {
            let (request, page) = self.page(lease, &position).await?;
            let (next, is_last) = position.after(&page);
            position = next;
            let pages = page.pages;
            let keys = page.items.iter().map(|one| (subscriber_key(&one.email), one));
            match request {
                Request::Account(number) => {
                    let wanted = keys.filter(|(key, _)| wanted.contains(key));
                    seen.held.extend(wanted.map(|(key, one)| (key, one.into())));
                    if number == NonZeroU32::MIN && !pace::by_pages(rows.len(), pages) {
                        self.one_by_one(lease, rows, &mut seen).await?;
                        position = position.without_pages();
                    }
                }
                Request::Unsubscribed { .. } => seen.out.extend(keys.map(|(key, _)| key)),
            }
            if is_last {
                return Ok(seen);
            }
        }
    }

    async fn one_by_one(
        &self,
        lease: &Lease,
        rows: &[Row],
        seen: &mut Seen,
    ) -> Result<(), Failure> {
        for row in rows {
            let (call, read_at) = (self.call(lease).await?, self.clock.now());
            if let Some(one) = self.mailing.subscriber(&call, &row.edit.email).await? {
                self.keep(&lease.workspace, std::slice::from_ref(&one), read_at).await?;
                seen.held.insert(subscriber_key(&one.email), (&one).into());
            }
        }
        Ok(())
    }

    /// Reads what came of writes to subscribers, by their keys, and tells in which version each was read.
    /// Nobody, if it is fewer calls that each of them is asked for.
    pub(super) async fn look_over(
        &self,
        lease: &Lease,
        people: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, String>, Failure> {
        let now = self.clock.now();
        let mut position = DopplerPosition::since(now, now);
        let mut versions = BTreeMap::new();
        while !people.is_empty() && matches!(position.request(), Request::Account(_)) {
            let (_, page) = self.page(lease, &position).await?;
            if !pace::by_pages(people.len(), page.pages) {
                break;
            }
            position = position.after(&page).0;
            let read = page.items.iter().map(|one| (subscriber_key(&one.email), version(one)));
            versions.extend(read.filter(|(key, _)| people.contains(key)));
        }
        Ok(versions)
    }

    /// Reads the page that comes next.
    async fn page(
        &self,
        lease: &Lease,
        position: &DopplerPosition,
    ) -> Result<(Request, SubscriberPage), Failure> {
        let (call, read_at) = (self.call(lease).await?, self.clock.now());
        let request = position.request();
        let page = match request {
            Request::Account(number) => {
                let page = self.mailing.subscribers(&call, number, None).await?;
                self.keep(&lease.workspace, &page.items, read_at).await?;
                page
            }
            Request::Unsubscribed { from, to, number } => {
                self.mailing.unsubscribed(&call, from, to, number).await?
            }
        };
        Ok((request, page))
    }

    async fn keep(
        &self,
        workspace: &WorkspaceId,
        read: &[Subscriber],
        read_at: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let account = Directory::status(&*self.mailing).account.unwrap_or_default();
        let copies: Vec<Copy> = read
            .iter()
            .filter_map(|one| {
                let key = CopyKey::person(System::Doppler, &account, &subscriber_key(&one.email));
                let body = serde_json::to_string(one).ok()?;
                Some(Copy { key, body: Some(body), fetched_at: read_at })
            })
            .collect();
        Ok(self.store.put_copies(workspace, &copies).await?)
    }
}
