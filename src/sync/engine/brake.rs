//! Whether so many people were deleted in a system that nothing follows in the other without a decision.
//! A run judges its listings; this is for those whom webhooks, polls and clients tell of one by one.

use chrono::{DateTime, TimeDelta, Utc};

use crate::store::{EventFilter, Events, Sheet, Span};
use crate::sync::plan::{Deleted, WhenUnchanged};
use crate::unified::{EventKind, System, WorkspaceId, most_absent};

use super::look::Looked;
use super::{Error, Inner};

/// How far back deletions count together.
const LATELY: TimeDelta = TimeDelta::days(1);

impl Inner {
    /// How many were deleted lately in the system that a person is gone from.
    pub(super) async fn deleted(
        &self,
        workspace: &WorkspaceId,
        sheet: &Sheet,
        (looked, now): (&Looked, DateTime<Utc>),
    ) -> Result<Deleted, Error> {
        let gone = |system: System| {
            let key = sheet.known.key(system).filter(|_| looked.is_gone(system))?;
            Some((system, key))
        };
        let Some((system, key)) = System::ALL.into_iter().find_map(gone) else {
            return Ok(Deleted::Few);
        };
        if self.parts.settings.deletion.unchanged == WhenUnchanged::Unlink {
            return Ok(Deleted::Few);
        }
        let store = &self.parts.store;
        // What somebody believed is a listing, and so only of those who were not on it.
        if let Some(open) = store.open_run(workspace).await?
            && open.run.believed.contains(&system)
            && !store.was_listed(workspace, open.run.id, (system, key)).await?
        {
            return Ok(Deleted::Waived);
        }
        let most = most_absent(store.counts(workspace).await?.total);
        let filter = EventFilter {
            kinds: Some(vec![EventKind::Unlinked]),
            systems: Some(vec![system]),
            since: Some(now - LATELY),
            ..EventFilter::default()
        };
        let (mut count, mut span) = (0, Span::Before(None));
        while count < most {
            let left = u32::try_from(most - count).unwrap_or(u32::MAX);
            match store.events(workspace, span, &filter, left.min(1000)).await? {
                Events::Found { events, searched, more } => {
                    count += events.len() as u64;
                    if !more {
                        break;
                    }
                    span = Span::Before(Some(searched));
                }
                // What is forgotten is older than lately.
                Events::Expired { .. } => break,
            }
        }
        Ok(if count < most { Deleted::Few } else { Deleted::Many })
    }
}
