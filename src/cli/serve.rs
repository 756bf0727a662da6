//! `tandem serve`: the gateway, with `--sandbox` over fakes in the same process.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use super::sandbox::{self, World, table};
use super::signal::Signals;
use super::{Environment, Failure, loader, print};
use crate::app::{App, AppOptions};
use crate::clock::{self, Clock};
use crate::config::Loader;
use crate::config::vault::key_text;
use crate::sandbox::credentials;
use crate::tasks::Tasks;

/// Run the gateway
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tandem serve --sandbox\n  tandem serve --config tandem.toml")]
pub(super) struct Args {
    /// Settings [default: tandem.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the gateway listens, over the settings [default: 127.0.0.1:4000]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Run both fake systems too, and work on them
    #[arg(long)]
    sandbox: bool,
    /// Where the fakes listen [default: 127.0.0.1:4010]
    #[arg(long, value_name = "ADDR", requires = "sandbox")]
    sandbox_listen: Option<SocketAddr>,
    #[command(flatten, next_help_heading = "With --sandbox")]
    world: World,
}

pub(super) async fn run(args: Args, env: Environment) -> Result<ExitCode, Failure> {
    if args.world.is_given() && !args.sandbox {
        return Err(Failure::Usage("options of the sandbox need --sandbox".to_owned()));
    }
    let clock = Clock::system();
    let tasks = Tasks::new();
    let mut settings = loader(args.config.as_deref(), env);
    if let Some(listen) = args.listen {
        settings = settings.set("server.listen", listen.to_string(), "--listen");
    }
    let mut store = None;
    let mut fakes = None;
    if args.sandbox {
        if !settings.is_set("store.url") {
            let folder = TemporaryFolder::create(&clock)?;
            settings = settings.set("store.url", folder.store_url(), "--sandbox");
            if !settings.is_set("vault.keys") && !settings.is_set("vault.keys_file") {
                // What it encrypts does not outlive the process either.
                let key = key_text("sandbox", clock::secret_bytes());
                settings = settings.set("vault.keys", key, "--sandbox");
            }
            store = Some(folder);
        }
        let options = args.world.options(args.sandbox_listen, &clock);
        let sandbox = sandbox::start(options, &tasks).await?;
        settings = led_back_here(settings);
        settings = over_sandbox(settings, sandbox.addr(), args.world.limits_rate()).set(
            "highlevel.webhook_public_key",
            sandbox.highlevel().webhook_public_key_pem(),
            "--sandbox",
        );
        fakes = Some(sandbox);
    }
    let signals = Signals::listen()?;
    let app = App::start(settings.load()?, AppOptions { clock }).await?;
    let on = fakes.as_ref().map_or_else(String::new, |fakes| {
        fakes.send_webhooks_to(format!("http://{}/webhooks/highlevel", app.addr()));
        let facts = sandbox::facts(fakes);
        format!("\nIt works on the sandbox of both systems:\n\n{facts}")
    });
    print(&format!("Tandem is ready.\n\n{}{on}\nCtrl-C stops it.\n", addresses(app.addr())))?;
    let drain = async {
        app.shutdown().await;
        tasks.stop();
        tasks.drained().await;
    };
    let ended = signals.then(drain).await;
    drop(store);
    Ok(ended)
}

/// Points both systems' sections at the fakes, whatever a file says of real accounts.
fn over_sandbox(settings: Loader, sandbox: SocketAddr, limits_rate: bool) -> Loader {
    const SOURCE: &str = "--sandbox";
    let settings = settings
        .forget("doppler.api_key_file")
        .forget("highlevel.token_file")
        .set("doppler.base_url", format!("http://{sandbox}/doppler"), SOURCE)
        .set("doppler.account", credentials::DOPPLER_ACCOUNT, SOURCE)
        .set("doppler.api_key", credentials::DOPPLER_API_KEY, SOURCE)
        .set("highlevel.base_url", format!("http://{sandbox}/highlevel"), SOURCE)
        .set("highlevel.location_id", credentials::HIGHLEVEL_LOCATION, SOURCE)
        .set("highlevel.token", credentials::HIGHLEVEL_TOKEN, SOURCE);
    let settings = if settings.is_set("vault.keys") || settings.is_set("vault.keys_file") {
        settings
            .forget("highlevel.client_secret_file")
            .set("highlevel.client_id", credentials::OAUTH_CLIENT_ID, SOURCE)
            .set("highlevel.client_secret", credentials::OAUTH_CLIENT_SECRET, SOURCE)
            .set("highlevel.version_id", credentials::OAUTH_VERSION_ID, SOURCE)
            .set(
                "highlevel.authorize_url",
                format!("http://{sandbox}/highlevel/v2/oauth/chooselocation"),
                SOURCE,
            )
    } else {
        settings
    };
    // So that there is something to see: nobody has to agree to what is done to people who do not exist.
    let settings = if settings.is_set("sync.first_run") {
        settings
    } else {
        settings.set("sync.first_run", "auto", SOURCE)
    };
    // So that somebody new shows up in both: everybody joins the first list.
    let settings = if settings.is_set("mapping.create_in") {
        settings
    } else {
        let rule =
            BTreeMap::from([("system", "DOPPLER"), ("list", credentials::DOPPLER_FIRST_LIST)]);
        settings.set("mapping.create_in", vec![rule], SOURCE)
    };
    if limits_rate {
        // What the fake Doppler allows, which is known.
        settings.set("doppler.rate", 10.0, SOURCE).set("doppler.burst", 20, SOURCE)
    } else {
        settings.set("doppler.rate", 0.0, SOURCE).set("highlevel.burst", 0, SOURCE)
    }
}

/// The fake's consent page leads back to this machine, also where the gateway listens for others too.
fn led_back_here(settings: Loader) -> Loader {
    let listen = settings.text_of("server.listen").and_then(|it| it.parse::<SocketAddr>().ok());
    match listen {
        Some(listen) if !listen.ip().is_loopback() && !settings.is_set("server.public_url") => {
            let url = format!("http://localhost:{}", listen.port());
            settings.set("server.public_url", url, "--sandbox")
        }
        Some(_) | None => settings,
    }
}

fn addresses(gateway: SocketAddr) -> String {
    table(&[
        ("Playground", format!("http://{gateway}/playground")),
        ("GraphQL", format!("http://{gateway}/graphql")),
        ("Health", format!("http://{gateway}/health/ready")),
        ("Metrics", format!("http://{gateway}/metrics")),
    ])
}

/// A folder for a store that nobody keeps; gone when dropped.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn create(clock: &Clock) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("tandem-{}", clock::new_id(clock)));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    fn store_url(&self) -> String {
        format!("sqlite://{}", self.0.join("sandbox.db").display())
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning of temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}
