//! Renewing a token, once, over all requests and all gateways.
//!
//! A refresh token is good once. Whoever wants to use it takes a lease on the version of the
//! credential that it belongs to; everybody else waits until there is another version. What comes
//! back is stored before it is used, fenced by the lease. Should a process die between the answer and
//! the store, the lease lapses within HighLevel's 30 seconds of grace and the next one gets the same
//! answer again; where there is no grace the credential is lost, and that is said.
//!
//! An agency's answer is stored before it is exchanged for the location's token as well, and as long as
//! that fails the exchange alone is tried again.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::{Instant, sleep};

use crate::clock::new_id;
use crate::store::Turn;
use crate::upstream::{Authorizer, Kind, NotGranted};

use super::held::{Entry, Failed, Held, Inner, MARGIN_MS, held};
use super::secret::{Renewal, Secret};

/// How long somebody may take to renew. Shorter than the grace, longer than the calls' own patience.
const LEASE: TimeDelta = TimeDelta::seconds(20);
/// How long somebody else's renewal is waited for.
const PATIENCE: Duration = Duration::from_secs(25);
/// How often it is looked whether it is over.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// For so long a failure answers for those who come after it.
const FAILED_FOR: Duration = Duration::from_secs(1);
/// How soon a renewal that nobody waits for is tried again, once it failed for as long as the grace.
const EARLY_PAUSE_MS: i64 = 60_000;
/// The same while its answer may have got lost: the refresh token is spent then, and HighLevel answers the same
/// again for 30 seconds only (<https://marketplace.gohighlevel.com/docs/Authorization/OAuth2.0>).
const LOST_PAUSE_MS: i64 = 3_000;
const GRACE_MS: i64 = 30_000;
/// How often storing what came is tried, and the pause between: it is lost otherwise.
const TRIES: u32 = 10;
const TRY_EVERY: Duration = Duration::from_millis(200);

impl Entry {
    /// Ends when there is another version than the one seen. On a task of its own: who asked may go
    /// away, and what was given out must be stored all the same.
    pub async fn renewed(&self, seen: i64) -> Result<(), Kind> {
        let inner = Arc::clone(&self.0);
        let renewal = self.0.shared.tasks.spawn(async move { inner.renew(seen).await });
        renewal.await.unwrap_or(Err(Kind::Unavailable))
    }

    /// Renews a token that ends soon, on a task of its own.
    pub fn renew_early(&self) {
        let current = self.0.current();
        let Held::Secret(secret, _) = &current.held else { return };
        let now = self.0.shared.clock.now_ms();
        let soon = secret.ends_soon(now);
        if self.0.rests(current.version, now) {
            return;
        }
        // Who renews already is left alone.
        let free = self.0.turn.try_lock().is_ok();
        if soon && free && secret.renewal.is_some() && !secret.lost {
            let (inner, seen) = (Arc::clone(&self.0), current.version);
            // Whoever needs it tries again, and says so.
            self.0.shared.tasks.spawn(async move { inner.renew(seen).await });
        }
    }
}

impl Inner {
    async fn renew(&self, seen: i64) -> Result<(), Kind> {
        let _turn = self.turn.lock().await;
        if let Some(kind) = self.failed_within(seen, FAILED_FOR) {
            return Err(kind);
        }
        let renewed = self.renew_in_turn(seen).await;
        if let Err(kind) = &renewed {
            // Half of it may be stored: what failed is then the version that there is now.
            self.remember(self.current().version, kind.clone());
        }
        renewed
    }

    fn remember(&self, version: i64, kind: Kind) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let before = failed.as_ref().filter(|before| before.version == version);
        let now = self.shared.clock.now_ms();
        let first_ms = before.map_or(now, |before| before.first_ms);
        *failed = Some(Failed { version, first_ms, last_ms: now, at: Instant::now(), kind });
    }

    /// Whether it is too early to renew a version again that nobody waits for.
    fn rests(&self, version: i64, now: i64) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(failed) = failed.as_ref().filter(|failed| failed.version == version) else {
            return false;
        };
        let lost = now - failed.first_ms < GRACE_MS;
        now - failed.last_ms < if lost { LOST_PAUSE_MS } else { EARLY_PAUSE_MS }
    }

    /// How the renewal of a version failed, if it did so in the last `time`.
    fn failed_within(&self, seen: i64, time: Duration) -> Option<Kind> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = failed.as_ref()?;
        (failed.version == seen && failed.at.elapsed() < time).then(|| failed.kind.clone())
    }

    async fn renew_in_turn(&self, seen: i64) -> Result<(), Kind> {
        let shared = &self.shared;
        let began = Instant::now();
        loop {
            self.reread().await.map_err(|_| Kind::Unavailable)?;
            let current = self.current();
            let secret = match &current.held {
                Held::Seed | Held::Forgotten => return Err(Kind::NotConnected),
                Held::Unreadable => return Err(Kind::Unauthorized),
                Held::Secret(secret, _) if secret.lost => return Err(Kind::Unauthorized),
                Held::Secret(secret, _) => secret,
            };
            if current.version != seen {
                return Ok(());
            }
            let (Some(renewal), Some(authorizer)) = (&secret.renewal, &shared.authorizer) else {
                let system = self.system.as_str();
                tracing::error!(
                    system,
                    "the token has ended, and the settings name no app to renew it"
                );
                return Err(Kind::Unauthorized);
            };
            let now = shared.clock.now();
            let turn = Turn { lease: new_id(&shared.clock), version: seen };
            let (store, workspace) = (&shared.store, &shared.workspace);
            let leased = store.lease_secret(workspace, self.system, turn, (now, now + LEASE)).await;
            if leased.map_err(|_| Kind::Unavailable)? {
                let renewed = self.renew_leased(turn, (secret, renewal), &**authorizer).await;
                // Or it lapses.
                let _ = store.unlease_secret(workspace, self.system, turn.lease).await;
                return renewed;
            }
            if began.elapsed() > PATIENCE {
                return Err(Kind::Unavailable);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn renew_leased(
        &self,
        turn: Turn,
        (secret, renewal): (&Secret, &Renewal),
        authorizer: &dyn Authorizer,
    ) -> Result<(), Kind> {
        let good = self.shared.clock.now_ms() + MARGIN_MS;
        if renewal.owed.as_ref().is_some_and(|owed| owed.expires_ms > good) {
            match self.exchange(turn, secret, authorizer).await? {
                Ok(()) => return Ok(()),
                // Perhaps the agency's token has ended early, and its next one is taken.
                Err(NotGranted::Gone) => {}
                Err(why) => return Err(self.not_granted(turn, secret, why).await),
            }
        }
        let granted = match authorizer.refresh(&renewal.token).await {
            Ok(granted) => granted,
            Err(why) => return Err(self.not_granted(turn, secret, why).await),
        };
        let next = secret.clone().renewed(&granted, self.shared.clock.now());
        let Some(version) = self.store(turn, &next).await? else { return Ok(()) };
        let turn = Turn { version, ..turn };
        match self.exchange(turn, &next, authorizer).await? {
            Ok(()) => Ok(()),
            Err(why) => Err(self.not_granted(turn, &next, why).await),
        }
    }

    /// Exchanges what an agency was granted for the location's token, if that is yet to be done.
    async fn exchange(
        &self,
        turn: Turn,
        secret: &Secret,
        authorizer: &dyn Authorizer,
    ) -> Result<Result<(), NotGranted>, Kind> {
        if let Some(Renewal { location, company: Some(company), owed: Some(owed), .. }) =
            &secret.renewal
        {
            let granted = match authorizer.for_location((company, &owed.token), location).await {
                Ok(granted) => granted,
                Err(why) => return Ok(Err(why)),
            };
            let next = secret.clone().with_token(&granted, self.shared.clock.now());
            if self.store(turn, &next).await?.is_none() {
                return Ok(Ok(()));
            }
        }
        tracing::info!(system = self.system.as_str(), "the token was renewed");
        Ok(Ok(()))
    }

    /// Stores what came, then uses it. `None`: it was replaced meanwhile, and the other counts.
    async fn store(&self, turn: Turn, secret: &Secret) -> Result<Option<i64>, Kind> {
        let shared = &self.shared;
        let system = self.system.as_str();
        let Some(sealed) = shared.seal(self.system, secret) else {
            return Err(Kind::Unauthorized);
        };
        for _ in 0..TRIES {
            let kept = shared.store.renew_secret(&shared.workspace, self.system, turn, &sealed);
            match kept.await {
                Ok(Some(version)) => {
                    self.adopt(version, held(secret.clone()));
                    return Ok(Some(version));
                }
                Ok(None) => {
                    let _ = self.reread().await;
                    return Ok(None);
                }
                Err(error) => {
                    tracing::warn!(
                        system,
                        error = &error as &dyn std::error::Error,
                        "the renewed token could not be stored"
                    );
                    sleep(TRY_EVERY).await;
                }
            }
        }
        tracing::error!(system, "the renewed token was not stored, so it is not used");
        Err(Kind::Unavailable)
    }

    /// What a refusal means for those who wait.
    async fn not_granted(&self, turn: Turn, secret: &Secret, why: NotGranted) -> Kind {
        let system = self.system.as_str();
        match why {
            NotGranted::Gone => {
                tracing::error!(
                    system,
                    "the token cannot be renewed: somebody has to connect anew"
                );
                let lost = Secret { lost: true, ..secret.clone() };
                match self.store(turn, &lost).await {
                    // Another was stored meanwhile, which may be good.
                    Ok(None) => Kind::Unavailable,
                    Ok(Some(_)) => Kind::Unauthorized,
                    Err(kind) => kind,
                }
            }
            NotGranted::Client => {
                tracing::error!(system, "the app's id or secret was refused: see the settings");
                Kind::Unauthorized
            }
            NotGranted::Declined => {
                tracing::warn!(system, "no token is given out for the location now");
                Kind::Unavailable
            }
            NotGranted::Later(error) => {
                let kind = error.kind.clone();
                let error = &error as &dyn std::error::Error;
                tracing::warn!(system, error, "the token could not be renewed now");
                kind
            }
        }
    }
}
