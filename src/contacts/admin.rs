//! Running sync: the handle that a client with `sync.manage` holds.

use std::sync::Arc;

use uuid::Uuid;

use crate::auth::Scope;
use crate::store::{CONTACT, FailureFilter, FailureKey, Failures, Resolution, Resolved};
use crate::unified::{
    ContactId, EventDraft, EventKind, Failure, Hold, HoldDecision, MappingDirection, RunKind,
    SyncSettings, SyncState, System, UserError, UserErrorCode,
};

use super::core::Core;
use super::runs::TRIES;
use super::status::Status;
use super::{Error, Session};

/// The right to run sync, for one request.
pub struct Admin {
    pub(super) core: Arc<Core>,
    pub(super) session: Arc<Session>,
}

/// What became of an administrative mutation: its result, or why the input was not taken.
pub type Managed<T> = Result<T, Vec<UserError>>;

/// What is paused or goes on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PauseTarget {
    Everything,
    Direction(MappingDirection),
    Field(String),
    /// A direction and a field at once, which cannot be told apart.
    Both,
}

impl PauseTarget {
    /// By what a client gave.
    pub fn new(direction: Option<MappingDirection>, field: Option<String>) -> Self {
        match (direction, field) {
            (None, None) => Self::Everything,
            (Some(direction), None) => Self::Direction(direction),
            (None, Some(field)) => Self::Field(field),
            (Some(_), Some(_)) => Self::Both,
        }
    }
}

impl Admin {
    pub(super) fn new(core: Arc<Core>, session: Arc<Session>) -> Result<Self, Error> {
        if session.requester.scopes.has(Scope::SyncManage) {
            Ok(Self { core, session })
        } else {
            Err(Error::Denied(Scope::SyncManage))
        }
    }

    /// Pauses sync, a direction of it, or a field.
    pub async fn pause(&self, target: PauseTarget) -> Result<Managed<Status>, Error> {
        self.change(target, true).await
    }

    /// Goes on with what was paused.
    pub async fn resume(&self, target: PauseTarget) -> Result<Managed<Status>, Error> {
        self.change(target, false).await
    }

    async fn change(&self, target: PauseTarget, pause: bool) -> Result<Managed<Status>, Error> {
        let workspace = &self.session.requester.workspace;
        let now = self.core.clock.now();
        let mut settings = self.core.store.sync_settings(workspace).await?;
        let before = settings.clone();
        let mapping = self.core.mapping(workspace);
        let message = match apply(&mut settings, target, pause, |field| {
            field == "tags" || field == "email" || mapping.field(field).is_some()
        }) {
            Ok(message) => message,
            Err(refusal) => return Ok(Err(vec![refusal])),
        };
        if settings != before {
            if !pause && settings.state == SyncState::Running {
                self.core.reread_credentials().await?;
                if self.core.is_read_only() {
                    return Err(Error::ReadOnly);
                }
            }
            settings.changed_at = Some(now);
            let event = settings_changed(message);
            self.core.store.put_sync_settings(workspace, &settings, &event, now).await?;
        }
        // Also where nothing changed: whoever asks again may have been cut off in between.
        if !pause {
            self.core.store.hasten(workspace, CONTACT, now).await?;
        }
        self.core.engine.wake();
        Ok(Ok(self.core.status(workspace).await?))
    }

    /// Decides about a hold.
    pub async fn resolve(
        &self,
        hold: Uuid,
        choice: String,
        candidate: Option<String>,
        remember: bool,
    ) -> Result<Managed<Hold>, Error> {
        let workspace = &self.session.requester.workspace;
        let Some(found) = self.core.store.hold(workspace, hold).await? else {
            return Ok(Err(vec![refused(UserErrorCode::NotFound, "no such hold", "hold")]));
        };
        if !found.resolutions.iter().any(|resolution| resolution.choice == choice) {
            let choices: Vec<&str> = found.resolutions.iter().map(|one| &*one.choice).collect();
            let message = format!("choose one of {}", choices.join(", "));
            return Ok(Err(vec![refused(UserErrorCode::Invalid, &message, "choice")]));
        }
        if remember && !found.kind.remembers(&choice) {
            let message = "this is decided for one person at a time";
            return Ok(Err(vec![refused(UserErrorCode::NotSupported, message, "remember")]));
        }
        let names = |id: &String| found.candidates.iter().any(|candidate| candidate.id == *id);
        if candidate.as_ref().is_some_and(|id| !names(id)) {
            let message = "not one of the hold's candidates";
            return Ok(Err(vec![refused(UserErrorCode::Invalid, message, "candidate")]));
        }
        let by = self.session.requester.subject.as_deref().map(str::to_owned);
        let at = self.core.clock.now();
        let decision = HoldDecision { choice, candidate, remember, at, by };
        let event = EventDraft {
            contact: found.contact,
            system: found.system,
            run: found.run,
            fields: found.field.clone().into_iter().collect(),
            ..EventDraft::new(EventKind::Resolved, format!("Somebody decided: {}", decision.choice))
        };
        for _ in 0..TRIES {
            let change = self.obeying(&found, &decision.choice).await?;
            let run = change.as_ref().map(|(change, revision)| change.step(*revision, at));
            let resolution = Resolution { decision: &decision, event: &event, run };
            let refusal = match self.core.store.resolve(workspace, hold, resolution).await? {
                Resolved::Now(hold) => {
                    self.core.recent.invalidate(workspace);
                    self.core.engine.wake();
                    return Ok(Ok(hold));
                }
                Resolved::Stale => continue,
                Resolved::Before(_) => (UserErrorCode::Stale, "it was resolved before"),
                Resolved::Unknown => (UserErrorCode::NotFound, "no such hold"),
            };
            return Ok(Err(vec![refused(refusal.0, refusal.1, "hold")]));
        }
        Ok(Err(vec![refused(
            UserErrorCode::Stale,
            "the run changes all the time; try again",
            "hold",
        )]))
    }

    /// Tries failures again at once; how many.
    pub async fn retry(
        &self,
        these: Option<Vec<FailureKey>>,
        filter: FailureFilter,
    ) -> Result<u32, Error> {
        let workspace = &self.session.requester.workspace;
        let which = match &these {
            Some(keys) => Failures::These(keys),
            None => Failures::All(&filter),
        };
        let found = self.core.store.retry(workspace, which, self.core.clock.now()).await?;
        self.core.engine.wake();
        Ok(u32::try_from(found.len()).unwrap_or(u32::MAX))
    }

    /// Forgets a failure and the write that failed.
    pub async fn discard(
        &self,
        contact: ContactId,
        system: System,
    ) -> Result<Managed<Failure>, Error> {
        let workspace = &self.session.requester.workspace;
        let event = EventDraft {
            contact: Some(contact),
            system: Some(system),
            ..EventDraft::new(EventKind::Resolved, "A failed write was given up by hand")
        };
        let now = self.core.clock.now();
        let gone = self.core.store.discard(workspace, (contact, system), &event, now).await?;
        self.core.engine.wake();
        Ok(gone.ok_or_else(|| vec![refused(UserErrorCode::NotFound, "no such failure", "failure")]))
    }
}

impl Core {
    /// See [`Contacts::begin_sync`](super::Contacts::begin_sync).
    pub(super) async fn begin_sync(&self) -> Result<(), Error> {
        let settings = self.store.sync_settings(&self.workspace.id).await?;
        if settings.state == SyncState::NotSetUp {
            // Where several gateways start at once, one of them begins it.
            self.begin_run((RunKind::Backfill, false, true), None, &settings).await?;
        }
        Ok(())
    }
}

pub(super) fn refused(code: UserErrorCode, message: &str, field: &str) -> UserError {
    UserError::new(code, message, [field])
}

/// An event about the workspace's settings.
pub(super) fn settings_changed(message: String) -> EventDraft {
    EventDraft::new(EventKind::SettingsChanged, message)
}

/// Pauses or goes on; what happened in words.
fn apply(
    settings: &mut SyncSettings,
    target: PauseTarget,
    pause: bool,
    known: impl Fn(&str) -> bool,
) -> Result<String, UserError> {
    let verb = if pause { "paused" } else { "resumed" };
    match target {
        PauseTarget::Everything => {
            settings.state = match (settings.state, pause) {
                (SyncState::Running | SyncState::Paused, true) => SyncState::Paused,
                (SyncState::Running | SyncState::Paused, false) => SyncState::Running,
                (SyncState::NotSetUp | SyncState::Preview, _) => {
                    let message = "no first sync was approved, so nothing is written by itself";
                    return Err(refused(UserErrorCode::NotSupported, message, "direction"));
                }
            };
            Ok(format!("Sync was {verb}"))
        }
        PauseTarget::Direction(direction) => {
            let (to_doppler, to_highlevel) =
                (direction.leads_to(System::Doppler), direction.leads_to(System::HighLevel));
            if to_doppler {
                settings.paused_to_doppler = pause;
            }
            if to_highlevel {
                settings.paused_to_highlevel = pause;
            }
            match (to_doppler, to_highlevel) {
                (true, true) => Ok(format!("Both directions were {verb}")),
                (true, false) => Ok(format!("Changes to Doppler were {verb}")),
                (false, true) => Ok(format!("Changes to HighLevel were {verb}")),
                (false, false) => {
                    let message = "OFF is no direction that could be paused";
                    Err(refused(UserErrorCode::Invalid, message, "direction"))
                }
            }
        }
        PauseTarget::Field(field) if !known(&field) => {
            Err(refused(UserErrorCode::NotFound, "the mapping has no such field", "field"))
        }
        PauseTarget::Field(field) => {
            settings.paused_fields.retain(|paused| *paused != field);
            let message = format!("The field {field} was {verb}");
            if pause {
                settings.paused_fields.push(field);
                settings.paused_fields.sort();
            }
            Ok(message)
        }
        PauseTarget::Both => {
            let message = "give a direction or a field, not both";
            Err(refused(UserErrorCode::Invalid, message, "field"))
        }
    }
}
