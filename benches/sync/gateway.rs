//! The sandbox and gateways over it, each a process of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use tandem::sandbox::credentials::{
    DOPPLER_ACCOUNT, DOPPLER_API_KEY, HIGHLEVEL_LOCATION, HIGHLEVEL_TOKEN,
};
use tempfile::TempDir;

use crate::client::{Connection, request};
use crate::process::{self, REST, SERVER, Server};

/// The program under test, as `cargo bench` built it.
const TANDEM: &str = env!("CARGO_BIN_EXE_tandem");

/// Both systems without limits, and a folder for gateways.
pub struct Upstream {
    pub sandbox: Server,
    pub pinned: bool,
    pub folder: TempDir,
    /// More of the gateway's settings of HighLevel.
    pub highlevel: String,
}

impl Upstream {
    /// So many people.
    pub async fn start(contacts: usize) -> anyhow::Result<Self> {
        let pinned = process::can_pin();
        if pinned {
            process::move_to(REST)?;
        }
        let arguments = |addr: SocketAddr| {
            let text = format!(
                "sandbox --listen {addr} --contacts {contacts} --index-delay 0 --rate-limit off \
                 --journal 0"
            );
            text.split_whitespace().map(str::to_owned).collect()
        };
        let rest = pinned.then_some(REST);
        let sandbox =
            Server::start(rest, Path::new(TANDEM), arguments, "/control/settings").await?;
        Ok(Self { sandbox, pinned, folder: TempDir::new()?, highlevel: String::new() })
    }

    /// A gateway over a fresh store, unless `settings` names one.
    pub async fn gateway(&self, settings: &str) -> anyhow::Result<Server> {
        let folder = TempDir::new_in(self.folder.path())?.keep();
        let config = folder.join("tandem.toml");
        let upstream = self.sandbox.addr;
        let store = if settings.contains("[store]") {
            String::new()
        } else {
            format!("[store]\nurl = \"sqlite://{}/tandem.db\"\n", folder.display())
        };
        let text = format!(
            r#"
            {store}
            {settings}
            [doppler]
            base_url = "http://{upstream}/doppler"
            account = "{DOPPLER_ACCOUNT}"
            api_key = "{DOPPLER_API_KEY}"
            rate = 0.0
            [highlevel]
            base_url = "http://{upstream}/highlevel"
            location_id = "{HIGHLEVEL_LOCATION}"
            token = "{HIGHLEVEL_TOKEN}"
            burst = 0
            {}
            "#,
            self.highlevel
        );
        fs::write(&config, text)?;
        let arguments = |addr: SocketAddr| {
            let text = format!("serve --config {} --listen {addr}", config.display());
            text.split_whitespace().map(str::to_owned).collect()
        };
        let cpu = self.pinned.then_some(SERVER);
        Server::start(cpu, Path::new(TANDEM), arguments, "/health/ready").await
    }
}

/// Calls that a gateway has made to both systems.
pub async fn calls_made(gateway: SocketAddr) -> anyhow::Result<f64> {
    let mut connection = Connection::open(gateway).await?;
    let text = connection.exchange(&request("GET", "/metrics", &[], "")).await?;
    let text = String::from_utf8_lossy(text);
    let lines = text.lines().filter(|line| line.starts_with("tandem_upstream_calls_total"));
    Ok(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
}
