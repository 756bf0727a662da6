//! What the gateway does when nobody asks: carrying out what was accepted, looking for changes, and
//! looking at what systems sent.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Config;
use crate::config::sync::FirstRun;
use crate::contacts::Contacts;
use crate::highlevel;
use crate::store::{INBOX, POLL, Store};
use crate::sync::{Handler, Handlers, Poll, PollSettings};
use crate::tasks::Tasks;
use crate::unified::WorkspaceId;
use crate::upstream::{Crm, Inbound, Mailing};
use crate::webhooks::{self, Accounts, Webhooks};

/// What it is done with.
pub(super) struct AtWork<'a> {
    pub config: &'a Config,
    pub contacts: &'a Contacts,
    pub store: &'a Arc<dyn Store>,
    pub clock: &'a Clock,
    pub tasks: &'a Tasks,
}

impl AtWork<'_> {
    /// Sets everybody to work; what takes webhooks in.
    pub async fn start(
        self,
        mailing: Arc<dyn Mailing>,
        crm: Arc<dyn Crm>,
        workspace: &WorkspaceId,
    ) -> anyhow::Result<Webhooks> {
        if self.config.sync.first_run == FirstRun::Auto {
            self.contacts.begin_sync().await?;
        }
        self.contacts.schedule_polls().await?;
        let inbound: Arc<dyn Inbound> = Arc::new(highlevel::Webhooks::new(&self.config.highlevel));
        let sorting = webhooks::Sorting {
            inbound: Arc::clone(&inbound),
            store: Arc::clone(self.store),
            contacts: self.contacts.clone(),
            clock: self.clock.clone(),
        };
        let handlers: [(&'static str, Arc<dyn Handler>); 2] =
            [(INBOX, Arc::new(sorting)), (POLL, Arc::new(self.poll(mailing, crm)))];
        self.contacts.work(Handlers::from(handlers));
        Ok(Webhooks::new(webhooks::Parts {
            inbound,
            store: Arc::clone(self.store),
            accounts: accounts(self.config, workspace),
            wake: self.contacts.waker(),
            clock: self.clock.clone(),
            tasks: self.tasks.clone(),
        }))
    }

    fn poll(&self, mailing: Arc<dyn Mailing>, crm: Arc<dyn Crm>) -> Poll {
        Poll {
            store: Arc::clone(self.store),
            mailing,
            crm,
            mappings: self.contacts.mappings(),
            clock: self.clock.clone(),
            tasks: self.tasks.clone(),
            settings: PollSettings {
                doppler_every: self.config.doppler.poll_interval,
                highlevel_every: self.config.highlevel.poll_interval,
                index_delay: self.config.highlevel.index_delay,
            },
        }
    }
}

/// Whose news HighLevel's webhooks bring, by location.
fn accounts(config: &Config, workspace: &WorkspaceId) -> Accounts {
    config.highlevel.location_id.iter().map(|id| (id.clone(), workspace.clone())).collect()
}
