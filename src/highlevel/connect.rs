//! Setting a client up: for the config's own location, and for others over the same connections.

use std::sync::Arc;

use reqwest::header::HeaderMap;

use crate::clock::Clock;
use crate::config::highlevel::HighLevel;
use crate::tasks::Tasks;
use crate::unified::System;
use crate::upstream::{
    Allowance, CredentialKind, Credentials, Setup, SetupError, SharedBudget, Token, Transport,
};

use super::client::{Client, VERSION, VERSION_HEADER};
use super::{refusal, routes};

impl Client {
    /// Sets up the connection with the config's own token; makes no call.
    #[cfg(test)]
    pub fn new(config: &HighLevel, clock: &Clock) -> Result<Self, SetupError> {
        Self::with(config, seed(config), clock)
    }

    /// Sets up the connection to the config's own location; makes no call.
    pub fn with(
        config: &HighLevel,
        credentials: Arc<dyn Credentials>,
        clock: &Clock,
    ) -> Result<Self, SetupError> {
        Self::set_up((config, clock), credentials, (config.location_id.as_deref(), None))
    }

    /// The same over the connections of this one, to another location: the one that is given, else
    /// that of the credential.
    pub fn beside(
        &self,
        (config, clock): (&HighLevel, &Clock),
        location: Option<&str>,
        credentials: Arc<dyn Credentials>,
    ) -> Result<Self, SetupError> {
        Self::set_up((config, clock), credentials, (location, Some(&self.transport)))
    }

    fn set_up(
        (config, clock): (&HighLevel, &Clock),
        credentials: Arc<dyn Credentials>,
        (location, beside): (Option<&str>, Option<&Transport>),
    ) -> Result<Self, SetupError> {
        let location = location.filter(|location| !location.is_empty());
        let transport = Transport::new(Setup {
            system: System::HighLevel,
            base_url: &config.base_url,
            account: location,
            beside,
            connections: config.connections,
            connect_timeout: config.connect_timeout,
            timeout: config.timeout,
            headers: HeaderMap::from_iter([(VERSION_HEADER, VERSION)]),
            credentials,
            allowance: Allowance::stated_by_provider(clock.clone(), config.burst),
            refusal: refusal::kind,
            scopes: &config.scopes,
            write_scope: Some(routes::WRITE_SCOPE),
            clock: clock.clone(),
        })?;
        Ok(Self { transport })
    }

    /// The location that is called.
    pub(super) fn here(&self) -> Arc<str> {
        self.transport.account().unwrap_or_default()
    }

    /// Shares the call budget with other gateways from now on.
    pub fn share_budget(&self, shared: Arc<dyn SharedBudget>, tasks: &Tasks) {
        self.transport.share_budget(shared, tasks);
    }
}

/// What the config itself proves us with.
pub fn seed(config: &HighLevel) -> Arc<dyn Credentials> {
    let token = config.token.as_ref().filter(|_| config.location_id.is_some());
    let token = Token::new("Bearer", token, CredentialKind::PrivateIntegrationToken);
    Arc::new(token.until(config.token_expires))
}
