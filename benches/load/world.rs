//! The sandbox, and servers over it, each fresh.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tandem::sandbox::credentials::{
    DOPPLER_ACCOUNT, DOPPLER_API_KEY, HIGHLEVEL_LOCATION, HIGHLEVEL_TOKEN,
};
use tempfile::TempDir;

use crate::args::Args;
use crate::catalog::Catalog;
use crate::client::Connection;
use crate::process::{self, REST, SERVER, Server};

/// The program under test, as `cargo bench` built it.
const TANDEM: &str = env!("CARGO_BIN_EXE_tandem");

/// The upstream and what is in it.
pub struct World {
    pub sandbox: Server,
    pub catalog: Catalog,
    pub pinned: bool,
    ground: Ground,
}

/// What servers are started from.
struct Ground {
    folder: TempDir,
    upstream: String,
    cpu: Option<usize>,
}

/// A server under test.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Tandem,
    /// [`crate::plain`].
    Unbounded,
    Bounded,
    Batched,
    Bare,
}

impl Kind {
    /// What it is called on the command line and in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tandem => "tandem",
            Self::Unbounded => "unbounded",
            Self::Bounded => "bounded",
            Self::Batched => "batched",
            Self::Bare => "bare",
        }
    }

    /// The servers that were asked for.
    pub fn wanted(args: &Args) -> Vec<Self> {
        let all = [Self::Tandem, Self::Unbounded, Self::Bounded, Self::Batched, Self::Bare];
        all.into_iter().filter(|kind| args.servers.iter().any(|name| name == kind.name())).collect()
    }
}

impl World {
    /// Starts the sandbox on the load generator's CPU and looks around in it.
    pub async fn start(args: &Args) -> anyhow::Result<Self> {
        let pinned = process::can_pin();
        if pinned {
            process::move_to(REST)?;
        }
        let latency = args.latency.unwrap_or(0);
        let contacts = args.contacts;
        let options =
            format!("--contacts {contacts} --latency {latency} --rate-limit off --journal 0");
        let arguments = |addr: std::net::SocketAddr| {
            let text = format!("sandbox --listen {addr} {options}");
            text.split(' ').map(str::to_owned).collect()
        };
        let rest = pinned.then_some(REST);
        let sandbox =
            Server::start(rest, Path::new(TANDEM), arguments, "/control/settings").await?;
        let folder = TempDir::new()?;
        let upstream = format!("http://{}", sandbox.addr);
        let ground = Ground { folder, upstream, cpu: pinned.then_some(SERVER) };
        let guide = ground.gateway().await?;
        let catalog = Catalog::read(sandbox.addr, guide.addr).await?;
        drop(guide);
        Ok(Self { sandbox, catalog, pinned, ground })
    }

    /// A fresh server; `requests` are those that it will get, of which `bare` answers the first as
    /// the gateway does.
    pub async fn server(&self, kind: Kind, requests: &[Vec<u8>]) -> anyhow::Result<Server> {
        let upstream = format!("{}/highlevel", self.ground.upstream);
        match kind {
            Kind::Tandem => self.ground.gateway().await,
            Kind::Unbounded => self.child(&["plain", "ADDR", &upstream, "0"]).await,
            Kind::Bounded => self.child(&["plain", "ADDR", &upstream, "64"]).await,
            Kind::Batched => self.child(&["plain", "ADDR", &upstream, "64", "--batched"]).await,
            Kind::Bare => {
                let answer = self.ground.folder.path().join("answer.json");
                let gateway = self.ground.gateway().await?;
                let first = requests.first().context("no requests")?;
                let mut connection = Connection::open(gateway.addr).await?;
                fs::write(&answer, connection.exchange(first).await?)?;
                self.child(&["bare", "ADDR", &answer.to_string_lossy()]).await
            }
        }
    }

    /// A process of this very program.
    async fn child(&self, words: &[&str]) -> anyhow::Result<Server> {
        let program: PathBuf = std::env::current_exe()?;
        let arguments = |addr: std::net::SocketAddr| {
            let word =
                |word: &&str| if *word == "ADDR" { addr.to_string() } else { (*word).to_owned() };
            words.iter().map(word).collect()
        };
        Server::start(self.ground.cpu, &program, arguments, "/ready").await
    }
}

impl Ground {
    /// A gateway over an empty store, with its default settings but for limits that would end the
    /// test after a hundred calls.
    async fn gateway(&self) -> anyhow::Result<Server> {
        let store = TempDir::new_in(self.folder.path())?.keep();
        let config = store.join("tandem.toml");
        let (store, upstream) = (store.display(), &self.upstream);
        let text = format!(
            r#"
            [store]
            url = "sqlite://{store}/tandem.db"
            [doppler]
            base_url = "{upstream}/doppler"
            account = "{DOPPLER_ACCOUNT}"
            api_key = "{DOPPLER_API_KEY}"
            rate = 0.0
            [highlevel]
            base_url = "{upstream}/highlevel"
            location_id = "{HIGHLEVEL_LOCATION}"
            token = "{HIGHLEVEL_TOKEN}"
            burst = 0
            "#
        );
        fs::write(&config, text)?;
        let arguments = |addr: std::net::SocketAddr| {
            let config = config.display();
            format!("serve --config {config} --listen {addr}")
                .split(' ')
                .map(str::to_owned)
                .collect()
        };
        Server::start(self.cpu, Path::new(TANDEM), arguments, "/health/ready").await
    }
}

/// Opens a gateway for one cold reading at a time.
impl World {
    /// A fresh gateway.
    pub async fn gateway(&self) -> anyhow::Result<Server> {
        self.ground.gateway().await
    }
}
