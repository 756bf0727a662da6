//! The composition root: the only place that knows concrete types.
//!
//! [`App::start`] puts a configured gateway together, binds its address and serves;
//! [`App::shutdown`] drains it. [`check`] does as much of it as tells whether it would work.

mod at_work;
#[cfg(test)]
mod killed;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::auth::Requester;
use crate::bus;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::contacts::{self, Contacts, Session, StoredBudget, Wanted};
use crate::graphql::limits::Limits;
use crate::graphql::{self, Gateway, GatewaySettings};
use crate::http::{self, AllowAll, Front, Probe};
use crate::store::{self, Retention, Store};
use crate::tasks::Tasks;
use crate::telemetry::{self, Metrics, names};
use crate::unified::{CreateRule, Mapping, System, TagRepresentation, WorkspaceId};
use crate::upstream::{self, Call, Directory, Priority};
use crate::{doppler, highlevel};
use at_work::AtWork;

/// The one workspace that the config's own sections describe.
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
        let metrics = telemetry::init(&config.telemetry);
        let tasks = Tasks::new();
        let listen = config.server.listen;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}"))?;
        let addr = listener.local_addr()?;
        let store = open_store(&config).await?;
        let workspace = WorkspaceId::from(DEFAULT_WORKSPACE);
        let row = store.workspace(&workspace, DEFAULT_WORKSPACE, clock.now()).await?;
        let requester = Requester::anonymous(workspace);
        let database = config.store.is_postgres().then_some(&*config.store.url);
        let bus = bus::open(&config.bus, database, &tasks).await;
        let crm = highlevel::Client::new(&config.highlevel, &clock)?;
        if config.store.is_postgres() {
            // Others may call the same location.
            let location = config.highlevel.location_id.as_deref().unwrap_or_default();
            let (store, workspace) = (Arc::clone(&store), row.id.clone());
            let budget = StoredBudget::new(store, workspace, (System::HighLevel, location));
            crm.share_budget(Arc::new(budget), &tasks);
        }
        let parts = contacts::Parts {
            workspace: row,
            store: Arc::clone(&store),
            bus: bus.with_context(|| format!("cannot open {}", config.bus.shown()))?,
            mailing: Arc::new(doppler::Client::new(&config.doppler, &clock)?),
            crm: Arc::new(crm),
            mapping: mapping(&config.mapping),
            settings: contacts::Settings {
                scan_up_to: config.doppler.scan_up_to,
                zone: config.highlevel.timezone,
                index_delay: config.highlevel.index_delay,
                sync: config.sync.clone(),
                cache: config.cache.clone(),
            },
            clock: clock.clone(),
        };
        let (mailing, crm) = (Arc::clone(&parts.mailing), Arc::clone(&parts.crm));
        let contacts = Contacts::start(parts, &tasks);
        let at_work = AtWork {
            config: &config,
            contacts: &contacts,
            store: &store,
            clock: &clock,
            tasks: &tasks,
        };
        let webhooks = at_work.start(mailing, crm, &requester.workspace).await?;
        first_look(&contacts, &requester, &clock).await;
        prune(Arc::clone(&store), &config.store, clock.clone(), &tasks);
        measure(metrics.clone(), contacts.clone(), clock.clone(), &tasks);
        let gateway = GatewaySettings {
            limits: Limits::from_config(&config.limits, config.doppler.scan_up_to),
            response_max_bytes: config.cache.response_max_bytes,
            patience: config.server.request_timeout,
        };
        let front = Front::new(http::Parts {
            executor: Gateway::new(contacts.clone(), gateway),
            authenticate: Arc::new(AllowAll(requester)),
            probe: Arc::new(StoreProbe(contacts)),
            webhooks: Some(webhooks),
            metrics: config.telemetry.metrics.then_some(metrics),
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
    /// `store`, `bus`, `doppler` or `highlevel`.
    pub part: &'static str,
    /// What was opened or called, without secrets.
    pub target: String,
    /// What is wrong, if anything is.
    pub fault: Option<String>,
}

/// Opens the store and the bus and calls both systems once.
pub async fn check(config: Config, clock: &Clock) -> Vec<Finding> {
    let store = match open_store(&config).await {
        Ok(store) => {
            let pinged = store.ping().await;
            store.close().await;
            pinged.err().map(|error| chain(&error))
        }
        Err(error) => Some(chain(&*error)),
    };
    let bus = bus::check(&config.bus).await.err().map(|error| chain(&error));
    let (doppler, highlevel) = tokio::join!(
        call_once(doppler::Client::new(&config.doppler, clock)),
        call_once(highlevel::Client::new(&config.highlevel, clock)),
    );
    vec![
        Finding { part: "store", target: config.store.shown(), fault: store },
        Finding { part: "bus", target: bus_target(&config), fault: bus },
        Finding { part: "doppler", target: config.doppler.base_url.to_string(), fault: doppler },
        Finding {
            part: "highlevel",
            target: config.highlevel.base_url.to_string(),
            fault: highlevel,
        },
    ]
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
        Ok(client) => {
            let deadline = Instant::now() + FIRST_LOOK * 5;
            let meter = Arc::default();
            let call = Call { deadline, priority: Priority::Interactive, meter };
            client.check(&call).await.err().map(|error| chain(&error))
        }
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

/// Looks at both systems once, so that their state, their budgets and the account's size are known
/// before the first client asks.
async fn first_look(contacts: &Contacts, requester: &Requester, clock: &Clock) {
    let deadline = Instant::now() + FIRST_LOOK;
    let session = Session::new(requester.clone(), Wanted::default(), clock.now_ms(), deadline);
    let looked = tokio::time::timeout_at(deadline, contacts.look(Arc::new(session))).await;
    for error in looked.into_iter().flatten() {
        tracing::warn!(error = &error as &dyn std::error::Error, "system not reached at start");
    }
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
fn measure(metrics: Metrics, contacts: Contacts, clock: Clock, tasks: &Tasks) {
    let stop = tasks.clone();
    tasks.spawn(async move {
        loop {
            for (system, budget) in contacts.budgets() {
                if let Some(remaining) = budget.remaining {
                    metrics::gauge!(names::UPSTREAM_BUDGET, names::SYSTEM => system.as_str())
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

/// With client authentication off only this machine may be addressed: see
/// [`http::Settings::allowed_hosts`].
fn http_settings(config: &Config) -> http::Settings {
    let mut settings = http::Settings::from_config(&config.server, &config.limits);
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

/// Ready is who can reach the store: a system that is down costs its own fields only.
struct StoreProbe(Contacts);

#[async_trait]
impl Probe for StoreProbe {
    async fn checks(&self) -> Vec<http::Check> {
        vec![http::Check { name: "store", ok: self.0.ready().await.is_ok() }]
    }
}
