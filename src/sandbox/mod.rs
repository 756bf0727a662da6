//! Strict fakes of both systems in one server, for the first minute, for tests and for bug reports.
//!
//! The fakes are written from the vendors' documents and share no types with our clients: a mistake
//! in a shared type would agree with itself. What a vendor leaves open is decided where it is used,
//! with the reason. Everything is in memory and follows from a seed.
//!
//! [`shared`] is what both fakes stand on, [`gate`] what happens to every call, `control` the routes
//! for looking in and making things happen.

pub mod control;
pub mod credentials;
pub mod doppler;
pub mod fault;
pub mod gate;
pub mod here;
pub mod highlevel;
pub mod ids;
pub mod journal;
pub mod outbound;
pub mod seed;
pub mod settings;
pub mod shared;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use self::control::Control;
use self::doppler::Doppler;
use self::highlevel::{HighLevel, webhook};
use self::shared::{Shared, System};
use crate::clock::Clock;
use crate::tasks::Tasks;

/// How a sandbox is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// How many accounts and locations there are, see [`credentials::ACCOUNTS`].
    pub accounts: usize,
    /// How many people there are in each.
    pub contacts: usize,
    /// The same seed and size give the same people.
    pub seed: u64,
    /// Added to each API call.
    pub latency: Duration,
    /// How late HighLevel's search sees a write.
    pub index_delay: Duration,
    /// Whether the documented rate limits hold.
    pub rate_limit: bool,
    /// How many calls the journal remembers; 0 turns it off.
    pub journal: usize,
    /// Where HighLevel's webhooks go.
    pub webhook_url: Option<String>,
    /// Time.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4010)),
            accounts: 1,
            contacts: 300,
            seed: 1,
            latency: Duration::ZERO,
            index_delay: Duration::from_secs(2),
            rate_limit: true,
            journal: 100_000,
            webhook_url: None,
            clock: Clock::system(),
        }
    }
}

/// Both fakes, serving.
#[derive(Clone, Debug)]
pub struct Sandbox {
    addr: SocketAddr,
    control: Arc<Control>,
}

impl Sandbox {
    /// Binds, fills both systems with people, and serves until `tasks` are stopped. When it returns
    /// it answers.
    pub async fn start(options: Options, tasks: &Tasks) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let addr = listener.local_addr()?;
        let shared = Shared::new(&options, tasks);
        let doppler = Doppler::new(Arc::clone(&shared));
        let highlevel = HighLevel::new(Arc::clone(&shared));
        let mut worlds = vec![(Arc::clone(&doppler), Arc::clone(&highlevel))];
        let further = credentials::ACCOUNTS.iter().take(options.accounts).skip(1);
        worlds.extend(further.map(|one| (doppler.beside(one), highlevel.beside(one))));
        for (seed, ((doppler, highlevel), account)) in
            (options.seed..).zip(worlds.iter().zip(&credentials::ACCOUNTS))
        {
            let people = seed::people(seed, options.contacts);
            here::within(account, || {
                doppler.seed(people.subscribers, seed::today().timestamp_millis());
                for contact in people.contacts {
                    highlevel.seed(contact);
                }
            });
        }
        if options.webhook_url.is_some() {
            highlevel.webhooks().change(webhook::Change::url(options.webhook_url));
        }
        let guarded = |router, system| gate::guard(router, system, Arc::clone(&shared));
        let router = Router::new()
            .nest(System::Doppler.prefix(), guarded(doppler.router(), System::Doppler))
            .nest("/doppler/", guarded(doppler.index(), System::Doppler))
            .nest(System::HighLevel.prefix(), guarded(highlevel.router(), System::HighLevel));
        let control = Arc::new(Control { shared, worlds });
        let router = router.merge(control::router(Arc::clone(&control)));
        let listener = listener.tap_io(|connection| {
            // An answer is one small write: waiting to fill a packet would only delay it.
            let _ = connection.set_nodelay(true);
        });
        let stop = tasks.clone();
        tasks.spawn(async move {
            let stopping = async move { stop.stopping().await };
            let served = axum::serve(listener, router).with_graceful_shutdown(stopping).await;
            if let Err(error) = served {
                tracing::error!(error = &error as &dyn std::error::Error, "sandbox stopped");
            }
        });
        Ok(Self { addr, control })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many accounts and locations there are.
    pub fn accounts(&self) -> usize {
        self.control.worlds.len()
    }

    /// The base URL of the Doppler API.
    pub fn doppler_url(&self) -> String {
        format!("http://{}{}", self.addr, System::Doppler.prefix())
    }

    /// The base URL of the HighLevel API.
    pub fn highlevel_url(&self) -> String {
        format!("http://{}{}", self.addr, System::HighLevel.prefix())
    }

    /// The base URL of the control routes.
    pub fn control_url(&self) -> String {
        format!("http://{}/control", self.addr)
    }

    /// Sends HighLevel's webhooks there, unless they are sent somewhere already.
    pub fn send_webhooks_to(&self, url: String) {
        let webhooks = self.highlevel().webhooks();
        if !webhooks.are_sent() {
            webhooks.change(webhook::Change::url(Some(url)));
        }
    }

    /// The HighLevel fake, for tests in the same process.
    pub fn highlevel(&self) -> &Arc<HighLevel> {
        &self.control.worlds[0].1
    }

    /// The ground of both fakes, for tests in the same process.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.control.shared
    }
}
