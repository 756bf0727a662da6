//! What a workspace does when nobody asks: carrying out what was accepted, looking for changes, and
//! looking at what systems sent.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::Config;
use crate::config::sync::FirstRun;
use crate::contacts::{Contacts, Pace};
use crate::http::IMPORT_CALLBACK;
use crate::store::{ENGAGEMENT, IMPORT, INBOX, POLL, RUN, Store};
use crate::sync::{
    COMPARE, Compare, Engagement, EngagementSettings, Handler, Handlers, ImportSettings, Imports,
    Pages, Poll, PollSettings, Rates, Runner,
};
use crate::tasks::Tasks;
use crate::upstream::{Crm, DOCUMENTED_INTERVAL_MS, Inbound, Mailing, below};
use crate::webhooks;

/// What it is done with.
pub(super) struct AtWork<'a> {
    pub config: &'a Config,
    pub contacts: &'a Contacts,
    pub store: &'a Arc<dyn Store>,
    pub clock: &'a Clock,
    pub tasks: &'a Tasks,
    pub inbound: &'a Arc<dyn Inbound>,
    /// Whether it is the operator's own workspace.
    pub is_home: bool,
}

impl AtWork<'_> {
    /// Sets everybody to work.
    pub async fn start(self, mailing: Arc<dyn Mailing>, crm: Arc<dyn Crm>) -> anyhow::Result<()> {
        // Elsewhere somebody who manages the workspace begins it, once it is connected.
        if self.is_home && self.config.sync.first_run == FirstRun::Auto {
            self.contacts.begin_sync().await?;
        }
        self.contacts.schedule_looks().await?;
        let sorting = webhooks::Sorting {
            inbound: Arc::clone(self.inbound),
            store: Arc::clone(self.store),
            contacts: self.contacts.clone(),
            clock: self.clock.clone(),
        };
        let engagement = self.engagement(Arc::clone(&mailing));
        let imports = self.imports(Arc::clone(&mailing), Arc::clone(&crm));
        let pages = Pages {
            mailing,
            crm,
            mappings: self.contacts.mappings(),
            clock: self.clock.clone(),
            index_delay: self.config.highlevel.index_delay,
        };
        let mut handlers: Handlers = Handlers::new();
        handlers.insert(INBOX, Arc::new(sorting));
        let runner = Arc::new(self.runner(pages));
        handlers.insert(RUN, Arc::clone(&runner) as Arc<dyn Handler>);
        handlers.insert(POLL, Arc::new(self.poll(runner)));
        handlers.insert(COMPARE, Arc::new(self.compare()));
        handlers.insert(IMPORT, Arc::new(imports));
        // Without its handler the work rests.
        if let Some(engagement) = engagement {
            let EngagementSettings { every, .. } = engagement.settings;
            let pace = Pace { every, apart: engagement.settings.pause(1) };
            self.contacts.schedule_engagement(pace, self.tasks).await?;
            handlers.insert(ENGAGEMENT, Arc::new(engagement));
        }
        self.contacts.work(handlers);
        self.contacts.watch_credentials(self.tasks);
        Ok(())
    }

    /// What looks for opens and clicks, unless that is switched off.
    fn engagement(&self, mailing: Arc<dyn Mailing>) -> Option<Engagement> {
        let settings = EngagementSettings {
            every: self.config.doppler.engagement_interval,
            days: self.config.sync.engagement_days,
            rate: self.config.doppler.rate,
        };
        (!settings.every.is_zero()).then(|| Engagement {
            store: Arc::clone(self.store),
            bus: self.contacts.bus(),
            mailing,
            mirror: self.contacts.mirror(),
            mappings: self.contacts.mappings(),
            clock: self.clock.clone(),
            tasks: self.tasks.clone(),
            settings,
        })
    }

    /// What sends to Doppler together what runs have to write.
    fn imports(&self, mailing: Arc<dyn Mailing>, crm: Arc<dyn Crm>) -> Imports {
        let (sync, public) = (&self.config.sync, self.config.server.public_url.as_ref());
        let settings = ImportSettings {
            least: sync.import_from,
            quiet: sync.import_wait,
            // Where nobody can reach us Doppler is only asked.
            callback: public.map(|url| below(url, IMPORT_CALLBACK)),
        };
        Imports {
            store: Arc::clone(self.store),
            mailing,
            crm,
            mappings: self.contacts.mappings(),
            wake: self.contacts.waker(),
            clock: self.clock.clone(),
            tasks: self.tasks.clone(),
            settings,
        }
    }

    fn runner(&self, pages: Pages) -> Runner {
        let window = Duration::from_millis(DOCUMENTED_INTERVAL_MS.unsigned_abs());
        let highlevel = f64::from(self.config.highlevel.burst) / window.as_secs_f64();
        Runner {
            engine: self.contacts.engine(),
            store: Arc::clone(self.store),
            bus: self.contacts.bus(),
            pages,
            clock: self.clock.clone(),
            tasks: self.tasks.clone(),
            rates: Rates([self.config.doppler.rate, highlevel]),
            import_from: self.config.sync.import_from,
        }
    }

    fn compare(&self) -> Compare {
        Compare {
            store: Arc::clone(self.store),
            clock: self.clock.clone(),
            wake: self.contacts.waker(),
            every: self.config.sync.compare_every,
            index_delay: self.config.highlevel.index_delay,
        }
    }

    fn poll(&self, runner: Arc<Runner>) -> Poll {
        Poll {
            runner,
            settings: PollSettings {
                doppler_every: self.config.doppler.poll_interval,
                highlevel_every: self.config.highlevel.poll_interval,
            },
        }
    }
}
