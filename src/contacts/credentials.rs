//! Watching whether the systems still take our credentials.
//!
//! A credential that is refused is nobody's passing trouble: until somebody mends it, work in the
//! background leaves that system alone (`sync::engine` asks for the state before it calls), and what
//! waits is not counted as tried. It is told in the history, in the log and as a metric; one cheap call a
//! minute finds out that it works again, and then everything that waited is due.
//!
//! One of HighLevel's that may only read is told of too: nothing is written to either system until it may.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::store::{
    CONTACT, ENGAGEMENT, FailureFilter, Failures, INBOX, Mark, Priority, ROUND, RUN,
};
use crate::sync;
use crate::tasks::Tasks;
use crate::telemetry::names;
use crate::unified::{EventDraft, EventKind, System};
use crate::upstream::{Call, Directory, Kind, Priority as Urgency, UpstreamState, Writing};

use super::Contacts;
use super::core::Core;
use super::expiring::Announced;

/// How often the states are looked at, without a call.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often a system that refuses the credential is called.
const PROBE_EVERY_MS: i64 = 60_000;
/// How long that call may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// What was last known of one system's credential.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// `None`: not called yet.
    refused: Option<bool>,
    probed_ms: i64,
    /// Whether there was a credential, and since when that one.
    connected: Option<bool>,
    rotated_at: Option<DateTime<Utc>>,
    announced: Announced,
    /// Whether it is known to only read.
    read_only: Option<bool>,
}

impl Contacts {
    /// Watches the credentials until the tasks stop.
    pub fn watch_credentials(&self, tasks: &Tasks) {
        let (core, stop) = (Arc::clone(&self.0), tasks.clone());
        tasks.spawn(async move {
            let mut known = [Known::default(); 2];
            loop {
                for (system, known) in System::ALL.into_iter().zip(&mut known) {
                    core.look_at_credential(system, known).await;
                }
                tokio::select! {
                    () = core.clock.sleep(LOOK_EVERY) => {}
                    () = stop.stopping() => return,
                }
            }
        });
    }

    /// Calls a system once, because its credential may not be what it was. What came of it is in the
    /// system's state.
    pub async fn probe(&self, system: System) {
        self.0.probe(system).await;
    }
}

impl Core {
    pub(super) fn directory(&self, system: System) -> &dyn Directory {
        match system {
            System::Doppler => &*self.mailing,
            System::HighLevel => &*self.crm,
        }
    }

    pub(super) async fn probe(&self, system: System) {
        let deadline = Instant::now() + PATIENCE;
        let call = Call { deadline, priority: Urgency::Background, meter: Arc::default() };
        // Its answer is in the state.
        let _ = self.directory(system).check(&call).await;
    }

    async fn look_at_credential(&self, system: System, known: &mut Known) {
        let status = self.directory(system).status();
        if let Err(error) = self.announce_end(system, status.ends_at, &mut known.announced).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the end of a credential was not told of");
        }
        let refused = status.state == UpstreamState::NeedsReauthorization;
        if status.last_call_at.is_none() && !refused {
            return;
        }
        let now_ms = self.clock.now_ms();
        let connected = Some(status.credential.is_some());
        let back = known.connected == Some(false) && connected == Some(true);
        let rotated = known.rotated_at != status.rotated_at;
        (known.connected, known.rotated_at) = (connected, status.rotated_at);
        if known.refused != Some(refused) || back {
            let told = self.credential_is(system, refused, known.refused.is_some()).await;
            if let Err(error) = told {
                // The next look tells.
                tracing::warn!(error = &error as &dyn std::error::Error, "credential not told of");
                return;
            }
            (known.refused, known.probed_ms) = (Some(refused), now_ms);
        } else if refused && (rotated || now_ms - known.probed_ms >= PROBE_EVERY_MS) {
            known.probed_ms = now_ms;
            self.probe(system).await;
        }
        if status.writing == Writing::Doubted {
            // Nothing new is known before a write is tried.
            return;
        }
        let read_only = status.writing.is_read_only();
        if status.credential.is_some() && known.read_only != Some(read_only) {
            match self.rights_are(system, read_only, known.read_only.is_some()).await {
                Ok(()) => known.read_only = Some(read_only),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "what a credential may do was not told of");
                }
            }
        }
    }

    /// Tells that a credential may only read, or that it may write; what waited for it is due then.
    async fn rights_are(
        &self,
        system: System,
        read_only: bool,
        was_known: bool,
    ) -> Result<(), super::Error> {
        let (workspace, now) = (&self.workspace.id, self.clock.now());
        let name = system.name();
        let message = if read_only {
            tracing::warn!(system = system.as_str(), "the credential may only read");
            format!(
                "{name}'s credential may only read: nothing is written to either system by itself until \
                 somebody grants contacts.write"
            )
        } else {
            format!("{name}'s credential is not read-only any more: what waited goes on")
        };
        if read_only || was_known {
            self.tell_of(system, message).await?;
        }
        if read_only {
            return Ok(());
        }
        // Also what another process left.
        let codes = Some(vec![Kind::ScopeMissing("").code().to_owned()]);
        let filter = FailureFilter { codes, ..FailureFilter::default() };
        self.store.retry(workspace, Failures::All(&filter), now).await?;
        if was_known {
            self.store.hasten(workspace, CONTACT, now).await?;
        }
        self.engine.wake();
        Ok(())
    }

    /// Tells the history of a connection.
    async fn tell_of(&self, system: System, message: String) -> Result<(), super::Error> {
        let draft = EventDraft::new(EventKind::UpstreamChanged, message);
        let event = EventDraft { system: Some(system), ..draft };
        let workspace = &self.workspace.id;
        let cursor = self.store.append(workspace, &[event], self.clock.now()).await?;
        self.publish(workspace, crate::bus::What::Events(cursor));
        Ok(())
    }

    /// Tells that a credential is refused, or that it works again; what waited for it is due then.
    async fn credential_is(
        &self,
        system: System,
        refused: bool,
        was_known: bool,
    ) -> Result<(), super::Error> {
        let (workspace, now) = (&self.workspace.id, self.clock.now());
        let labels = [(names::SYSTEM, system.as_str()), (names::WORKSPACE, workspace.as_str())];
        let labels = labels.map(|(name, value)| metrics::Label::new(name, value.to_owned()));
        let gauge = metrics::gauge!(names::CREDENTIAL_REFUSED, labels.to_vec());
        gauge.set(if refused { 1.0 } else { 0.0 });
        let name = system.name();
        let message = if refused {
            tracing::error!(system = system.as_str(), "the credential is refused");
            format!(
                "{name} refuses the credential: nothing is read or written there by itself until \
                 somebody mends it"
            )
        } else {
            if was_known {
                tracing::info!(system = system.as_str(), "the credential works again");
            }
            format!("{name} takes the credential again: what waited goes on")
        };
        if refused || was_known {
            self.tell_of(system, message).await?;
        }
        if refused {
            return Ok(());
        }
        // Also those that another process left.
        let codes = [Kind::Unauthorized, Kind::NotConnected].map(|kind| kind.code().to_owned());
        let filter = FailureFilter {
            systems: Some(vec![system]),
            codes: Some(codes.to_vec()),
            ..FailureFilter::default()
        };
        self.store.retry(workspace, Failures::All(&filter), now).await?;
        self.store.hasten(workspace, RUN, now).await?;
        if was_known {
            let row = |kind, key: &str| Mark {
                kind,
                key: key.to_owned(),
                priority: Priority::Live,
                due: now,
            };
            let mut marks = sync::schedule(now).to_vec();
            marks.push(sync::import_hint(now));
            marks.push(row(INBOX, System::HighLevel.as_str()));
            marks.push(Mark { priority: Priority::Backfill, ..row(ENGAGEMENT, ROUND) });
            self.store.mark(workspace, &marks).await?;
        }
        self.engine.wake();
        Ok(())
    }
}
