//! A gateway that is stopped and started over one store.

use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::client::Connection;
use crate::gateway::Upstream;
use crate::memory::resident_mib;
use crate::process::Server;
use crate::store;

const PAGE: &str = "query($after: String) { contacts(first: 100, after: $after, source: HIGHLEVEL) { \
    nodes { id } pageInfo { hasNextPage endCursor } } }";

/// What a gateway is started from.
pub struct World {
    pub upstream: Upstream,
    pub store_url: String,
    schema: Option<store::Schema>,
    workers: usize,
}

impl World {
    /// A sandbox, and an empty store: SQLite's, or a schema of the given server.
    pub async fn start(
        contacts: usize,
        workers: usize,
        postgres: Option<&str>,
    ) -> anyhow::Result<Self> {
        let upstream = Upstream::start(contacts).await?;
        let schema = match postgres {
            Some(server) => Some(store::Schema::make(server).await?),
            None => None,
        };
        let store_url = match &schema {
            Some(schema) => schema.url.clone(),
            None => format!("sqlite://{}", upstream.folder.path().join("tandem.db").display()),
        };
        Ok(Self { upstream, store_url, schema, workers })
    }

    /// A gateway over what the last one left.
    pub async fn gateway(&self) -> anyhow::Result<Server> {
        let (store, workers) = (&self.store_url, self.workers);
        let settings = format!("[store]\nurl = \"{store}\"\n[sync]\nworkers = {workers}\n");
        self.upstream.gateway(&settings).await
    }

    /// Reads all pages, so that the store knows everybody: how many, how long it took, and the memory
    /// afterwards.
    pub async fn meet_everybody(&self, gateway: &Server) -> anyhow::Result<(usize, f64, f64)> {
        let begun = Instant::now();
        let mut connection = Connection::open(gateway.addr).await?;
        let (mut after, mut people) = (Value::Null, 0);
        loop {
            let page = connection.ask(PAGE, &json!({"after": after})).await?["contacts"].take();
            people += page["nodes"].as_array().with_context(|| page.to_string())?.len();
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] != true {
                break;
            }
        }
        ensure!(people > 0, "nobody is there");
        Ok((people, begun.elapsed().as_secs_f64(), resident_mib(gateway.pid())))
    }

    /// Takes the schema away.
    pub async fn end(self) -> anyhow::Result<()> {
        match self.schema {
            Some(schema) => schema.remove().await,
            None => Ok(()),
        }
    }
}
