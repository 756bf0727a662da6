//! Taking in what a system sends, up to the answer.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;
use crate::store::{self, Arrival, Imports, Kept, Owner, Store};
use crate::sync::{Wake, import_hint};
use crate::tasks::Tasks;
use crate::telemetry::names;
use crate::unified::{System, WorkspaceId};
use crate::upstream::{About, Inbound, Notice, Post};

use super::together::Together;

/// How far ahead of our clock a sender's may be.
const AHEAD: TimeDelta = TimeDelta::minutes(5);
/// After how long something that comes counts as late: it is one of the repetitions.
const LATE: TimeDelta = TimeDelta::minutes(5);

/// What becomes of something that came in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It is stored and will be looked at.
    Stored,
    /// It came before.
    Seen,
    /// It is the system's own, and nothing to us. Why.
    Ignored(&'static str),
    /// It is not the system's. Why.
    Refused(&'static str),
    /// It could not be stored: the system should send it again.
    NotStored,
}

impl Verdict {
    /// Its name among the metric's outcomes.
    fn outcome(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Seen => "seen",
            Self::Ignored(_) => "ignored",
            Self::Refused(_) => "refused",
            Self::NotStored => "failed",
        }
    }
}

/// What something that came in is.
struct Judged {
    kind: &'static str,
    /// Whose it is, as far as that is known.
    workspace: Option<WorkspaceId>,
    verdict: Verdict,
}

impl Judged {
    /// What is nobody's, or not known to be somebody's.
    fn nobodys(kind: &'static str, verdict: Verdict) -> Self {
        Self { kind, workspace: None, verdict }
    }
}

/// What [`Webhooks`] are made of.
pub struct Parts {
    pub inbound: Arc<dyn Inbound>,
    pub store: Arc<dyn Store>,
    pub wake: Wake,
    pub clock: Clock,
    pub tasks: Tasks,
}

/// Takes in what one system sends.
pub struct Webhooks {
    inbound: Arc<dyn Inbound>,
    store: Arc<dyn Store>,
    together: Arc<Together>,
    wake: Wake,
    clock: Clock,
    tasks: Tasks,
}

impl Webhooks {
    /// Ready to take in.
    pub fn new(parts: Parts) -> Self {
        let Parts { inbound, store, wake, clock, tasks } = parts;
        let together = Arc::new(Together::new(Arc::clone(&store), clock.clone()));
        Self { inbound, store, together, wake, clock, tasks }
    }

    /// Takes one in, and whose it is, as far as that is known. It is stored when this says so, also if the
    /// caller goes away meanwhile.
    pub async fn receive(&self, post: Post<'_>) -> (Verdict, Option<WorkspaceId>) {
        let Judged { kind, workspace: whose, verdict } = self.judge(post).await;
        let workspace = whose.as_ref().map(WorkspaceId::as_str);
        metrics::counter!(
            names::WEBHOOKS,
            names::KIND => kind,
            names::OUTCOME => verdict.outcome(),
            names::WORKSPACE => workspace.unwrap_or_default().to_owned()
        )
        .increment(1);
        match verdict {
            Verdict::Refused(why) => tracing::warn!(workspace, why, "webhook refused"),
            Verdict::Ignored(why) => tracing::info!(kind, workspace, why, "webhook ignored"),
            Verdict::Seen => {
                tracing::info!(kind, workspace, why = "it came before", "webhook ignored");
            }
            Verdict::Stored => self.wake.now(),
            Verdict::NotStored => {}
        }
        (verdict, whose)
    }

    /// Somebody says that an import is over: Doppler is asked at once whether it is. Nothing else of it is
    /// believed. Whose import it is, if anybody's.
    pub async fn import_over(&self, token: &str) -> Option<WorkspaceId> {
        let lost = |workspace: Option<&WorkspaceId>, error: &store::Error| {
            let workspace = workspace.map(WorkspaceId::as_str);
            let error = error as &dyn std::error::Error;
            tracing::warn!(workspace, error, "a hint was lost");
        };
        let known = Imports::import_named(&*self.store, token).await;
        let workspace = known.inspect_err(|error| lost(None, error)).ok().flatten()?;
        match self.store.mark(&workspace, &[import_hint(self.clock.now())]).await {
            Ok(()) => self.wake.now(),
            Err(error) => lost(Some(&workspace), &error),
        }
        Some(workspace)
    }

    /// Whose it is: the workspace's that is connected to the account now, which it may have been for a
    /// moment only, and by another gateway. Of an agency's news all with a credential: by whose consent
    /// they have it is sealed, so each sees for itself whether it is meant. The same with what waits.
    async fn whose(&self, notice: &Notice) -> Result<Whose, store::Error> {
        let mut all = match (&notice.account, &notice.about) {
            (Some(account), about) => {
                let owner = self.store.whose_account(System::HighLevel, account).await?;
                match meant(owner, about) {
                    Whose::Of(workspaces) => workspaces,
                    Whose::Nobodys => Vec::new(),
                    disconnected @ Whose::Disconnected(_) => return Ok(disconnected),
                }
            }
            (None, About::TakenBack(_)) => {
                let all = self.store.versions().await?.into_iter();
                let all = all.filter(|(_, system, _)| *system == System::HighLevel);
                all.map(|(workspace, ..)| workspace).collect()
            }
            (None, _) => return Ok(Whose::Nobodys),
        };
        if matches!(notice.about, About::Uninstalled | About::TakenBack(_)) {
            let sealed = self.store.all_sealed().await?.into_iter();
            for waits in sealed.filter(|one| one.kept == Kept::Install) {
                if !all.contains(&waits.workspace) {
                    all.push(waits.workspace);
                }
            }
        }
        Ok(if all.is_empty() { Whose::Nobodys } else { Whose::Of(all) })
    }

    async fn judge(&self, post: Post<'_>) -> Judged {
        /// The kind of what nobody vouches for.
        const UNKNOWN: &str = "unknown";
        if let Err(why) = self.inbound.verify(post) {
            return Judged::nobodys(UNKNOWN, Verdict::Refused(why.in_words()));
        }
        let Some(notice) = self.inbound.read(post.body) else {
            return Judged::nobodys(UNKNOWN, Verdict::Ignored("it is no event"));
        };
        let kind = notice.kind;
        let late = match time(notice.at, self.clock.now()) {
            Time::Ahead => {
                let workspace = self.whose(&notice).await.ok().and_then(Whose::only);
                let verdict = Verdict::Refused("it was sent in the future");
                return Judged { kind, workspace, verdict };
            }
            Time::Late => true,
            Time::Fine => false,
        };
        let workspaces = match self.whose(&notice).await {
            Ok(Whose::Of(workspaces)) => workspaces,
            Ok(Whose::Disconnected(workspace)) => {
                let why = "its workspace is not connected to the account any more";
                let workspace = Some(workspace);
                return Judged { kind, workspace, verdict: Verdict::Ignored(why) };
            }
            Ok(Whose::Nobodys) => {
                let why = "it is about an account that is not served here";
                return Judged::nobodys(kind, Verdict::Ignored(why));
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "whose a webhook is could not be looked up");
                return Judged::nobodys(kind, Verdict::NotStored);
            }
        };
        let body = String::from_utf8_lossy(post.body).into_owned();
        let Notice { id, about, .. } = notice;
        let arrival = Arrival { id, kind: kind.to_owned(), body, late };
        let mut verdict = Verdict::Seen;
        for workspace in &workspaces {
            match self.keep(workspace, arrival.clone()).await {
                Some(true) => verdict = Verdict::Stored,
                Some(false) => {}
                // Those that have it have seen it when it comes again.
                None => {
                    return Judged {
                        kind,
                        workspace: only(workspaces),
                        verdict: Verdict::NotStored,
                    };
                }
            }
        }
        let workspace = only(workspaces);
        if verdict == Verdict::Stored && about == About::Other {
            let workspace = workspace.as_ref().map(WorkspaceId::as_str);
            let why = "it is about nothing that we keep";
            tracing::info!(kind, workspace, why, "webhook kept");
        }
        Judged { kind, workspace, verdict }
    }

    /// Stores it, and whether it is new; `None`: it could not be stored.
    async fn keep(&self, workspace: &WorkspaceId, arrival: Arrival) -> Option<bool> {
        let (together, whose) = (Arc::clone(&self.together), workspace.clone());
        // On its own task: who stores for many must not end with one of them.
        let stored = self.tasks.spawn(async move { together.store(whose, arrival).await });
        stored.await.ok().flatten()
    }
}

/// Whose something is.
#[derive(Debug, Eq, PartialEq)]
enum Whose {
    Of(Vec<WorkspaceId>),
    /// It is about people of an account that this workspace was connected to.
    Disconnected(WorkspaceId),
    Nobodys,
}

impl Whose {
    /// The one workspace that it is about, if it is one.
    fn only(self) -> Option<WorkspaceId> {
        match self {
            Self::Of(workspaces) => only(workspaces),
            Self::Disconnected(workspace) => Some(workspace),
            Self::Nobodys => None,
        }
    }
}

/// Whose something is that is about an account. Nobody could be read while it is not connected, and who
/// connects it again polls it: of its people nothing is stored. What befell the app may be about an
/// installation that waits.
fn meant(owner: Option<Owner>, about: &About) -> Whose {
    match owner {
        Some(Owner { workspace, is_connected }) if is_connected || about.is_of_an_app() => {
            Whose::Of(vec![workspace])
        }
        Some(Owner { workspace, .. }) => Whose::Disconnected(workspace),
        None => Whose::Nobodys,
    }
}

/// The one there is, if there is one.
fn only(mut workspaces: Vec<WorkspaceId>) -> Option<WorkspaceId> {
    let last = workspaces.pop();
    last.filter(|_| workspaces.is_empty())
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Time {
    Fine,
    /// Repetitions come hours later with their first time: their id tells whether they are new.
    Late,
    /// No clock is that wrong: it was signed to be used later.
    Ahead,
}

fn time(at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Time {
    match at {
        Some(at) if at > now + AHEAD => Time::Ahead,
        Some(at) if at < now - LATE => Time::Late,
        Some(_) | None => Time::Fine,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_far_ahead_is_refused_for_its_time() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        for (minutes, expected) in
            [(6, Time::Ahead), (5, Time::Fine), (-5, Time::Fine), (-6, Time::Late)]
        {
            assert_eq!(time(Some(now + TimeDelta::minutes(minutes)), now), expected, "{minutes}");
        }
        assert_eq!(time(None, now), Time::Fine);
    }
}
