//! Installations that nobody here asked for: what they brought waits, sealed, until somebody confirms it.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::store::{Kept, Placed, StoredInstall};
use crate::unified::{EventDraft, System, WorkspaceId};
use crate::upstream::{Granted, Owner};

use super::keyring::Unopened;
use super::secret::{Secret, exposed};
use super::{Shared, Vault, VaultError, about};

/// An agency may have thousands of locations, and they are kept to be shown.
const MOST_LOCATIONS: usize = 100;

/// What an installation brought. Debug shows no secret.
#[derive(Clone, Debug)]
pub enum Brought {
    /// A location's credential.
    Credential(Secret),
    /// What an agency's is made of, once it is known for which location.
    Agency(AgencyGrant),
}

/// An agency's own tokens. They are good for no call but the exchange for a location's, so this is no
/// [`Secret`] until that is done.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AgencyGrant {
    company: String,
    #[serde(serialize_with = "exposed")]
    token: SecretString,
    /// Good once, so of the one credential that is made of this.
    #[serde(serialize_with = "exposed")]
    refresh: SecretString,
    scopes: Vec<String>,
    locations: Vec<String>,
    /// When the token ends (epoch milliseconds).
    expires_ms: i64,
    /// When it was granted (epoch milliseconds).
    since_ms: i64,
}

impl AgencyGrant {
    /// What an authorization server gave to a company; `None`: it gave it to nobody of the kind, or
    /// nothing that lasts.
    pub fn new(granted: Granted, now: DateTime<Utc>) -> Option<Self> {
        let Granted { access, refresh, expires_in, scopes, owner, locations: told } = granted;
        let Owner::Company(company) = owner else { return None };
        let mut locations: Vec<String> = Vec::new();
        for location in told {
            if locations.len() < MOST_LOCATIONS && !locations.contains(&location) {
                locations.push(location);
            }
        }
        let (expires_ms, since_ms) =
            ((now + expires_in).timestamp_millis(), now.timestamp_millis());
        let refresh = refresh.filter(|_| expires_ms > since_ms)?;
        Some(Self { company, token: access, refresh, scopes, locations, expires_ms, since_ms })
    }

    /// The agency's id.
    pub fn company(&self) -> &str {
        &self.company
    }

    /// What is exchanged for a location's token: the agency and its own.
    pub fn as_shown(&self) -> (&str, &SecretString) {
        (&self.company, &self.token)
    }

    /// For which locations the agency granted it, as far as that was said.
    pub fn locations(&self) -> &[String] {
        &self.locations
    }

    /// Whether it is known to be for no other location.
    pub fn is_only_for(&self, location: &str) -> bool {
        matches!(&*self.locations, [only] if only == location)
    }

    /// Until when it can be exchanged. It is not renewed before: what it is renewed with is good once,
    /// and there is no lease on what waits.
    pub fn ends_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.expires_ms).unwrap_or_default()
    }

    /// Whether it was there before a time; without a time it was.
    pub fn is_from_before(&self, end: Option<DateTime<Utc>>) -> bool {
        end.is_none_or(|end| self.since_ms <= end.timestamp_millis())
    }

    /// The credential for a location, by the token that it was exchanged for. It is there since the
    /// agency granted it: what ended between then and now ended this as well.
    pub fn credential(&self, local: Granted, location: &str, now: DateTime<Utc>) -> Secret {
        let granted = Granted { owner: Owner::Company(self.company.clone()), ..local };
        let secret = Secret::renewable(granted, self.refresh.clone(), (location, now));
        Secret { since_ms: self.since_ms, ..secret }
    }
}

impl Brought {
    /// What was granted, as far as that was said.
    pub fn granted_scopes(&self) -> Vec<String> {
        match self {
            Self::Credential(secret) => secret.granted_scopes(),
            Self::Agency(grant) => grant.scopes.clone(),
        }
    }

    /// Whether it was there before a time; without a time it was.
    pub fn is_from_before(&self, end: Option<DateTime<Utc>>) -> bool {
        match self {
            Self::Credential(secret) => secret.is_from_before(end),
            Self::Agency(grant) => grant.is_from_before(end),
        }
    }

    fn encoded(&self) -> Option<SecretString> {
        match self {
            Self::Credential(secret) => secret.encoded(),
            Self::Agency(grant) => serde_json::to_string(grant).ok().map(SecretString::from),
        }
    }

    /// The two have no member of which the other must have it.
    fn decoded(plain: &[u8]) -> Option<Self> {
        let credential = serde_json::from_slice(plain).map(Self::Credential);
        credential.or_else(|_| serde_json::from_slice(plain).map(Self::Agency)).ok()
    }
}

impl Vault {
    /// Keeps what an installation brought for an account until somebody confirms it or a time has come.
    pub async fn hold(
        &self,
        brought: &Brought,
        (account, until): (&str, DateTime<Utc>),
    ) -> Result<(), VaultError> {
        let Shared { store, workspace, clock, keyring, .. } = &*self.shared;
        let plain = brought.encoded().ok_or(VaultError::NoKeys)?;
        let sealed = keyring
            .seal(&about(workspace, Kept::Install), plain.expose_secret().as_bytes())
            .ok_or(VaultError::NoKeys)?;
        let install = StoredInstall {
            id: crate::clock::new_id(clock),
            account: account.to_owned(),
            sealed,
            expires_at: until,
        };
        Ok(store.hold_install(workspace, &install).await?)
    }

    /// Puts what an installation brought, that waits in a workspace, in the place of the credential there
    /// is, and it waits no longer; `None`: it did not.
    pub async fn keep_install(
        &self,
        (secret, account): (Secret, &str),
        waits: (&WorkspaceId, Uuid),
        event: &EventDraft,
    ) -> Result<Option<Placed>, VaultError> {
        let Shared { store, workspace, clock, .. } = &*self.shared;
        let system = System::HighLevel;
        let sealed = self.shared.seal(system, &secret).ok_or(VaultError::NoKeys)?;
        let told = (event, clock.now());
        let placed = store.use_install(workspace, (&sealed, account), waits, told).await?;
        if let Some(placed) = placed {
            self.adopt(system, placed, (secret, account));
        }
        Ok(placed)
    }

    /// The installations that wait, until when, and what they brought. One that cannot be read is left out.
    pub async fn waiting(&self) -> Result<Vec<(StoredInstall, Brought)>, VaultError> {
        let Shared { store, workspace, clock, .. } = &*self.shared;
        let mut waiting = Vec::new();
        for mut install in store.held_installs(workspace, clock.now()).await? {
            match self.shared.open_install(&mut install) {
                Ok(brought) => waiting.push((install, brought)),
                Err(why) => tracing::error!(%why, "an installation that waits cannot be read"),
            }
        }
        Ok(waiting)
    }

    /// Forgets the installations that wait and are gone, by their account and by what they brought as far
    /// as that can be read.
    pub async fn unhold(
        &self,
        is_gone: impl Fn(&str, Option<&Brought>) -> bool + Send,
    ) -> Result<(), VaultError> {
        let Shared { store, workspace, clock, .. } = &*self.shared;
        for mut install in store.held_installs(workspace, clock.now()).await? {
            let brought = self.shared.open_install(&mut install).ok();
            if is_gone(&install.account, brought.as_ref()) {
                store.drop_install(workspace, install.id).await?;
            }
        }
        Ok(())
    }
}

impl Shared {
    /// What an installation brought. Those from before accounts were stored beside them say it themselves.
    fn open_install(&self, install: &mut StoredInstall) -> Result<Brought, Unopened> {
        let about = about(&self.workspace, Kept::Install);
        let plain = self.keyring.open(&about, &install.sealed)?;
        let brought = Brought::decoded(&plain).ok_or(Unopened::Odd)?;
        if let Brought::Credential(secret) = &brought
            && let Some(location) = secret.location().filter(|_| install.account.is_empty())
        {
            location.clone_into(&mut install.account);
        }
        Ok(brought)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn granted(locations: &[&str]) -> Granted {
        Granted {
            access: "the agency's".into(),
            refresh: Some("the next".into()),
            expires_in: Duration::from_hours(1),
            scopes: vec!["contacts.readonly".to_owned()],
            owner: Owner::Company("c".to_owned()),
            locations: locations.iter().map(|&location| location.to_owned()).collect(),
        }
    }

    fn grant(locations: &[&str]) -> AgencyGrant {
        AgencyGrant::new(granted(locations), DateTime::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn what_waits_is_read_as_what_it_is() {
        let agencys = Brought::Agency(grant(&["l"]));
        let local = Granted { owner: Owner::Location("l".to_owned()), ..granted(&[]) };
        let secret = Secret::granted(local, "l", DateTime::UNIX_EPOCH).unwrap();
        let again = |brought: &Brought| {
            Brought::decoded(brought.encoded().unwrap().expose_secret().as_bytes())
        };
        assert!(matches!(again(&agencys), Some(Brought::Agency(grant)) if grant.company == "c"));
        assert!(matches!(
            again(&Brought::Credential(secret)),
            Some(Brought::Credential(secret)) if secret.location() == Some("l")
        ));
        assert!(Brought::decoded(b"{}").is_none());
        let shown = format!("{agencys:?}");
        assert!(!shown.contains("the agency's") && !shown.contains("the next"), "{shown}");
    }

    #[test]
    fn what_does_not_last_is_no_grant() {
        for odd in [
            Granted { refresh: None, ..granted(&[]) },
            Granted { expires_in: Duration::ZERO, ..granted(&[]) },
            Granted { owner: Owner::Unknown, ..granted(&[]) },
        ] {
            assert!(AgencyGrant::new(odd, DateTime::UNIX_EPOCH).is_none());
        }
    }

    #[test]
    fn locations_are_counted_once_and_some_are_kept() {
        assert!(grant(&["l", "l"]).is_only_for("l"));
        assert!(!grant(&["l", "m"]).is_only_for("l") && !grant(&[]).is_only_for("l"));
        let many: Vec<String> = (0..500).map(|number| format!("l{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(grant(&many).locations().len(), MOST_LOCATIONS);
    }

    #[test]
    fn a_credential_is_as_old_as_what_was_granted() {
        let local = Granted { refresh: None, owner: Owner::Unknown, ..granted(&[]) };
        let later = DateTime::UNIX_EPOCH + Duration::from_secs(60);
        let secret = grant(&["l"]).credential(local, "l", later);
        assert_eq!((secret.location(), secret.granted_by()), (Some("l"), Some("c")));
        assert!(secret.is_from_before(Some(DateTime::UNIX_EPOCH)));
    }
}
