//! The composition root: the only place that knows concrete types.
//!
//! [`App::start`] puts a configured gateway together, binds its address and serves;
//! [`App::shutdown`] drains it. [`check`] does as much of it as tells whether it would work.

mod at_work;
mod connecting;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzz;
#[cfg(test)]
mod killed;
mod opening;
#[cfg(test)]
mod renewing;
mod trusted;
mod workspaces;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use tokio::net::TcpListener;

use crate::auth::{self, KeyFile, Requester};
use crate::bus;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::contacts::{self, Access, Contacts, Workspaces};
use crate::graphql::limits::Limits;
use crate::graphql::{self, Gateway, GatewaySettings, Policy};
use crate::http::{self, Front, Probe};
use crate::store::{self, Retention, Store};
use crate::sync::{Crew, Workers};
use crate::tasks::Tasks;
use crate::telemetry::{self, Metrics, names};
use crate::unified::{CreateRule, Mapping, System, TagRepresentation, WorkspaceId};
use crate::upstream::{self, Directory, Inbound, UpstreamState};
use crate::webhooks::{self, Webhooks};
use crate::{doppler, highlevel};
use connecting::Clients;
pub use connecting::rotate;
use opening::Opening;
pub use workspaces::{NotMade, create_workspace, list_workspaces};

/// The operator's own workspace, which the config's own sections describe.
const DEFAULT_WORKSPACE: &str = "default";
/// What the systems are given to show that they are there before the gateway says it is ready. One
/// that takes longer is served as far as that goes.
const FIRST_LOOK: Duration = Duration::from_secs(2);
/// How often outdated rows are pruned.
const PRUNE_EVERY: Duration = Duration::from_hours(1);
/// How often [`measure`] does its work.
const MEASURE_EVERY: Duration = Duration::from_secs(5);
/// How names of this machine itself are written in a `Host` header.
const LOOPBACK_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// What is handed in rather than configured.
pub struct AppOptions {
    /// Time; tests share one with the sandbox.
    pub clock: Clock,
}

/// A running gateway.
pub struct App {
    addr: SocketAddr,
    tasks: Tasks,
    store: Arc<dyn Store>,
    drain_timeout: Duration,
}

impl App {
    /// Opens the store, connects to both systems, binds and serves.
    pub async fn start(config: Config, options: AppOptions) -> anyhow::Result<Self> {
        let AppOptions { clock } = options;
        let gateway = gateway_settings(&config)?;
        let metrics = telemetry::init(&config.telemetry);
        let tasks = Tasks::new();
        let listen = config.server.listen;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}"))?;
        let addr = listener.local_addr()?;
        let store = open_store(&config).await?;
        let keyring = connecting::keyring(&config)?;
        auth::check(&*store, &keyring).await?;
        auth::unlock(&*store, &keyring).await?;
        let database = config.store.is_postgres().then_some(&*config.store.url);
        let bus = bus::open(&config.bus, database, &tasks).await;
        let bus = bus.with_context(|| format!("cannot open {}", config.bus.shown()))?;
        let config = Arc::new(config);
        let crew = Crew::new(Workers {
            store: Arc::clone(&store),
            bus: Arc::clone(&bus),
            clock: clock.clone(),
            at_once: config.sync.workers,
        });
        let inbound: Arc<dyn Inbound> = Arc::new(highlevel::Webhooks::new(&config.highlevel));
        let parts = (Arc::clone(&store), bus);
        let opening = Opening {
            config: Arc::clone(&config),
            store: Arc::clone(&store),
            shared: contacts::Shared::new(parts, &config.cache, crew.clone(), clock.clone()),
            clients: Clients::new(&config, &clock)?,
            keyring: keyring.clone(),
            inbound: Arc::clone(&inbound),
            clock: clock.clone(),
            tasks: tasks.clone(),
            addr,
        };
        let home = opening::home(&opening).await?;
        let workspaces = Workspaces::new(home.clone(), Arc::new(opening));
        let requester = Requester::anonymous(home.workspace().id.clone());
        // Whatever becomes of the others.
        workspaces.open_all().await?;
        crew.start(&tasks);
        workspaces.keep_up(&tasks);
        if let Some(path) = config.vault.keys_file.clone() {
            KeyFile { path, keyring, store: Arc::clone(&store) }.watch(clock.clone(), &tasks);
        }
        opening::first_look(&home, &requester, &clock).await;
        prune(Arc::clone(&store), &config.store, clock.clone(), &tasks);
        measure(metrics.clone(), workspaces.clone(), clock.clone(), &tasks);
        let authenticate =
            auth::open(&config.auth, (&store, &requester.workspace), &clock, &tasks).await?;
        let webhooks = Webhooks::new(webhooks::Parts {
            inbound,
            store: Arc::clone(&store),
            wake: crew.waker(),
            clock: clock.clone(),
            tasks: tasks.clone(),
        });
        let front = Front::new(http::Parts {
            executor: Gateway::new(workspaces.clone(), gateway),
            authenticate,
            consent: Some(workspaces.consent()),
            probe: Arc::new(StoreProbe(workspaces)),
            webhooks: Some(webhooks),
            measured: config
                .telemetry
                .metrics
                .then(|| http::Measured { metrics, operators: requester.workspace }),
            settings: http_settings(&config),
            tasks: tasks.clone(),
            clock,
        });
        tasks.spawn(http::serve(listener, front));
        tracing::info!(server.address = %addr, "gateway ready");
        Ok(Self { addr, tasks, store, drain_timeout: config.server.drain_timeout })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many tasks run; none are left after [`App::shutdown`].
    pub fn running_tasks(&self) -> usize {
        self.tasks.running()
    }

    /// Takes no more requests, lets those under way finish, and closes the store.
    pub async fn shutdown(self) {
        self.tasks.stop();
        if tokio::time::timeout(self.drain_timeout, self.tasks.drained()).await.is_err() {
            tracing::warn!(tasks = self.tasks.running(), "stopped before everything had ended");
        }
        self.store.close().await;
    }
}

/// One thing that [`check`] looked at.
#[derive(Clone, Debug)]
pub struct Finding {
    /// `store`, `vault`, `documents`, `bus`, `doppler` or `highlevel`.
    pub part: &'static str,
    /// What was opened or called, without secrets.
    pub target: String,
    /// What is wrong, if anything is.
    pub fault: Option<String>,
}

/// Opens the store and the bus and calls both systems once.
pub async fn check(config: Config, clock: &Clock) -> Vec<Finding> {
    let tasks = Tasks::new();
    let opened = open_store(&config).await;
    let access = match &opened {
        Ok(store) => Some(access_of_home(&config, store, clock, &tasks).await),
        Err(_) => None,
    };
    let bus = bus::check(&config.bus).await.err().map(|error| chain(&error));
    // What is stored counts before what the config says.
    let vault = access.as_ref().and_then(|access| Some(&access.as_ref().ok()?.vault));
    let credentials = |system, seed| vault.map_or(seed, |vault| vault.credentials(system));
    let key = credentials(System::Doppler, doppler::seed(&config.doppler));
    let token = credentials(System::HighLevel, highlevel::seed(&config.highlevel));
    let (doppler, highlevel) = tokio::join!(
        call_once(doppler::Client::with(&config.doppler, key, clock)),
        call_once(highlevel::Client::with(&config.highlevel, token, clock)),
    );
    let mut findings = vec![Finding {
        part: "store",
        target: config.store.shown(),
        fault: at_store(opened).await,
    }];
    if let Some(Err(error)) = &access {
        let fault = Some(chain(&**error));
        findings.push(Finding { part: "vault", target: "stored credentials".to_owned(), fault });
    }
    tasks.stop();
    if let Some(path) = &config.documents.trusted {
        let fault = trusted::trusted(&config).err().map(|error| chain(&*error));
        findings.push(Finding { part: "documents", target: path.display().to_string(), fault });
    }
    let (doppler_url, highlevel_url) = (&config.doppler.base_url, &config.highlevel.base_url);
    findings.extend([
        Finding { part: "bus", target: bus_target(&config), fault: bus },
        Finding { part: "doppler", target: doppler_url.to_string(), fault: doppler },
        Finding { part: "highlevel", target: highlevel_url.to_string(), fault: highlevel },
    ]);
    findings
}

/// What the operator's own workspace is connected with, as far as that is stored.
async fn access_of_home(
    config: &Config,
    store: &Arc<dyn Store>,
    clock: &Clock,
    tasks: &Tasks,
) -> anyhow::Result<Access> {
    let (workspace, addr) = (&WorkspaceId::from(DEFAULT_WORKSPACE), config.server.listen);
    let keyring = &connecting::keyring(config)?;
    auth::check(&**store, keyring).await?;
    auth::unlock(&**store, keyring).await?;
    let ground = connecting::Ground { config, store, workspace, clock, tasks, keyring, addr };
    let seeds = connecting::seeds(config);
    connecting::access(&ground, seeds, &Clients::new(config, clock)?).await
}

/// What is wrong with the store, if anything is. Closes it.
async fn at_store(opened: anyhow::Result<Arc<dyn Store>>) -> Option<String> {
    match opened {
        Ok(store) => {
            let pinged = store.ping().await;
            store.close().await;
            pinged.err().map(|error| chain(&error))
        }
        Err(error) => Some(chain(&*error)),
    }
}

/// What carries the news, without secrets.
fn bus_target(config: &Config) -> String {
    match (config.bus.is_nats(), config.store.is_postgres()) {
        (true, _) => config.bus.shown(),
        (false, true) => "NOTIFY of the store".to_owned(),
        (false, false) => "inside the process".to_owned(),
    }
}

/// The schema in its own language.
pub fn sdl() -> String {
    graphql::sdl()
}

/// What is wrong with a system, if anything is.
async fn call_once(client: Result<impl Directory, upstream::SetupError>) -> Option<String> {
    match client {
        Ok(client) => upstream::check_once(&client).await.err().map(|error| chain(&error)),
        Err(error) => Some(chain(&error)),
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

async fn open_store(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    let shown = config.store.shown();
    store::open(&config.store).await.with_context(|| format!("cannot open {shown}"))
}

fn prune(
    store: Arc<dyn Store>,
    &config::store::Store { keep_history, keep_edits, .. }: &config::store::Store,
    clock: Clock,
    tasks: &Tasks,
) {
    let stop = tasks.clone();
    tasks.spawn(async move {
        loop {
            let now = clock.now();
            let retention =
                Retention { events_before: now - keep_history, bodies_before: now - keep_edits };
            if let Err(error) = store.prune(now, retention).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "pruning failed");
            }
            tokio::select! {
                () = clock.sleep(PRUNE_EVERY) => {}
                () = stop.stopping() => return,
            }
        }
    });
}

/// Keeps what nobody's call measures up to date, and the memory that samples take small.
fn measure(metrics: Metrics, workspaces: Workspaces, clock: Clock, tasks: &Tasks) {
    let stop = tasks.clone();
    tasks.spawn(async move {
        loop {
            for contacts in workspaces.all() {
                for (system, budget) in contacts.budgets() {
                    let Some(remaining) = budget.remaining else { continue };
                    let workspace = contacts.workspace().id.to_string();
                    metrics::gauge!(
                        names::UPSTREAM_BUDGET,
                        names::SYSTEM => system.as_str(),
                        names::WORKSPACE => workspace
                    )
                    .set(f64::from(remaining));
                }
            }
            metrics.upkeep();
            tokio::select! {
                () = clock.sleep(MEASURE_EVERY) => {}
                () = stop.stopping() => return,
            }
        }
    });
}

fn gateway_settings(config: &Config) -> anyhow::Result<GatewaySettings> {
    Ok(GatewaySettings {
        limits: Limits::from_config(&config.limits, config.doppler.scan_up_to),
        trusted: trusted::trusted(config)?,
        automatic: config.documents.automatic,
        policy: Policy::from_config(&config.documents),
        response_max_bytes: config.cache.response_max_bytes,
        patience: config.server.request_timeout,
    })
}

/// With client authentication off only this machine may be addressed: see
/// [`http::Settings::allowed_hosts`].
fn http_settings(config: &Config) -> http::Settings {
    let mut settings = http::Settings::from_config(&config.server, &config.limits);
    if config.auth.mode == config::auth::Mode::Jwt {
        return settings;
    }
    (settings.clients, settings.unusual) = (None, None);
    settings.allowed_hosts = LOOPBACK_HOSTS.map(str::to_owned).to_vec();
    let public = config.server.public_url.as_ref().and_then(|url| url.host_str());
    settings.allowed_hosts.extend(public.map(str::to_owned));
    settings
}

/// The default mapping with the names that the config gives.
fn mapping(config: &config::mapping::Mapping) -> Mapping {
    use config::mapping::TagsAs;
    let named = config.fields.named();
    let tags = &config.tags;
    let mut mapping = Mapping::default();
    mapping.fields.retain_mut(|row| {
        let key = config_key(&row.field);
        let name = named.iter().find(|(named, _)| *named == key).map_or("", |(_, name)| name);
        row.doppler = Some(name.to_owned()).filter(|name| !name.is_empty());
        row.doppler.is_some()
    });
    mapping.tags = match tags.representation {
        TagsAs::Field => TagRepresentation::Field {
            field: tags.field.clone(),
            separator: tags.separator.clone(),
        },
        TagsAs::Lists => TagRepresentation::Lists { prefix: tags.prefix.clone() },
        TagsAs::Off => TagRepresentation::Off,
    };
    mapping.create_in = config.create_in.iter().cloned().map(create_rule).collect();
    mapping
}

fn create_rule(rule: config::mapping::CreateRule) -> CreateRule {
    use config::mapping::CreateIn;
    let system = match rule.system {
        CreateIn::Doppler => System::Doppler,
        CreateIn::HighLevel => System::HighLevel,
    };
    CreateRule { system, when: rule.when, list: rule.list }
}

/// A unified field's key in `[mapping.fields]`.
fn config_key(field: &str) -> &str {
    match field {
        "firstName" => "first_name",
        "lastName" => "last_name",
        "companyName" => "company_name",
        "address.city" => "city",
        "address.state" => "state",
        "address.line1" => "address_line1",
        "address.postalCode" => "postal_code",
        same => same,
    }
}

/// Ready is who can reach the store: a system that is down costs its own fields only. A credential that
/// is refused is told of whichever workspace; one that is not there, of the operator's own.
struct StoreProbe(Workspaces);

#[async_trait]
impl Probe for StoreProbe {
    async fn checks(&self) -> Vec<http::Check> {
        let home = self.0.home();
        let ok = home.ready().await.is_ok();
        let all: Vec<_> = self.0.all().iter().map(Contacts::states).collect();
        let mut checks = vec![http::Check { name: "store", ok, needed: true }];
        for (place, (system, state)) in home.states().into_iter().enumerate() {
            let name = match system {
                System::Doppler => "doppler credential",
                System::HighLevel => "highlevel credential",
            };
            let refused = |states: &[(System, UpstreamState); 2]| {
                states[place].1 == UpstreamState::NeedsReauthorization
            };
            let ok = state != UpstreamState::NotConnected && !all.iter().any(refused);
            checks.push(http::Check { name, ok, needed: false });
        }
        checks
    }
}
