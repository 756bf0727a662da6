//! Where the gateways of a world keep what they know, and how they tell each other what changed.
//!
//! The same tests hold in every place: `TEST_PLACE` chooses one for a whole run, `sqlite` if it says
//! nothing. `TEST_POSTGRES_URL` names a database in which schemas may be made and dropped,
//! `TEST_NATS_URL` a server; under CI both must be there.

use std::sync::LazyLock;

use sqlx::{Connection, Executor};
use tokio::sync::Mutex;

/// Where a test runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// One gateway on a file.
    Sqlite,
    /// One gateway on PostgreSQL.
    Postgres,
    /// Two gateways on one PostgreSQL that tell each other by NOTIFY.
    PairNotify,
    /// The same by NATS.
    PairNats,
}

impl Place {
    /// The place of this run.
    pub fn chosen() -> Self {
        static CHOSEN: LazyLock<Place> =
            LazyLock::new(|| match std::env::var("TEST_PLACE").as_deref() {
                Err(_) | Ok("sqlite") => Place::Sqlite,
                Ok("postgres") => Place::Postgres,
                Ok("pair-notify") => Place::PairNotify,
                Ok("pair-nats") => Place::PairNats,
                Ok(other) => panic!("TEST_PLACE={other}: sqlite, postgres, pair-notify, pair-nats"),
            });
        *CHOSEN
    }

    /// How many gateways there are.
    pub fn gateways(self) -> usize {
        if matches!(self, Self::PairNotify | Self::PairNats) { 2 } else { 1 }
    }

    /// Whether its servers are there; under CI they must be.
    pub fn is_there(self) -> bool {
        let named = |variable| {
            let named = std::env::var(variable).is_ok();
            assert!(named || std::env::var("CI").as_deref() != Ok("true"), "{variable} is not set");
            named
        };
        match self {
            Self::Sqlite => true,
            _ if !cfg!(all(feature = "postgres", feature = "nats")) => false,
            Self::Postgres | Self::PairNotify => named("TEST_POSTGRES_URL"),
            Self::PairNats => named("TEST_POSTGRES_URL") && named("TEST_NATS_URL"),
        }
    }
}

/// What one world has of its place, which no other world sees.
pub struct Ground {
    /// The file of SQLite is in it, and its name is nobody else's.
    folder: tempfile::TempDir,
    place: Place,
    /// Kept open for many looks.
    looking: Mutex<Option<Looking>>,
}

/// A connection beside the gateways'.
enum Looking {
    Sqlite(sqlx::SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgConnection),
}

impl Ground {
    pub async fn new(place: Place) -> Self {
        let (folder, looking) = (tempfile::tempdir().unwrap(), Mutex::default());
        let ground = Self { folder, place, looking };
        if place != Place::Sqlite {
            let server = server("TEST_POSTGRES_URL");
            run(&server, format!("CREATE SCHEMA {}", ground.name())).await;
        }
        ground
    }

    /// Settings of a gateway here.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = vec![("store.url", self.store_url()), ("bus.channel", self.name())];
        if self.place == Place::PairNats {
            settings.push(("bus.url", server("TEST_NATS_URL")));
        }
        settings
    }

    /// Where the gateways' store is.
    pub fn store_url(&self) -> String {
        if self.place == Place::Sqlite {
            return format!("sqlite://{}", self.folder.path().join("tandem.db").display());
        }
        let (server, name) = (server("TEST_POSTGRES_URL"), self.name());
        let join = if server.contains('?') { '&' } else { '?' };
        format!("{server}{join}options=-c%20search_path%3D{name}")
    }

    /// Changes something in the store beside the gateways.
    pub async fn run(&self, statement: String) {
        if self.place != Place::Sqlite {
            return run(&self.store_url(), statement).await;
        }
        let mut store = sqlx::SqliteConnection::connect(&self.store_url()).await.unwrap();
        store.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
        store.close().await.unwrap();
    }

    /// The leases on work that have not run out by a time.
    pub async fn leases(&self, now_ms: i64) -> Vec<String> {
        let mut looking = self.looking.lock().await;
        if looking.is_none() {
            *looking = Some(self.look().await);
        }
        let sql =
            "SELECT kind || key || lease FROM work WHERE lease IS NOT NULL AND lease_until > $1";
        let rows: Vec<(String,)> = match looking.as_mut().unwrap() {
            Looking::Sqlite(store) => sqlx::query_as(sql).bind(now_ms).fetch_all(store).await,
            #[cfg(feature = "postgres")]
            Looking::Postgres(store) => sqlx::query_as(sql).bind(now_ms).fetch_all(store).await,
        }
        .unwrap();
        rows.into_iter().map(|(lease,)| lease).collect()
    }

    /// Writes something that means nothing, which takes as long as a write here does.
    pub async fn write(&self) {
        let mut looking = self.looking.lock().await;
        if looking.is_none() {
            *looking = Some(self.look().await);
        }
        for sql in
            ["CREATE TABLE IF NOT EXISTS beside (n BIGINT)", "INSERT INTO beside (n) VALUES (1)"]
        {
            match looking.as_mut().unwrap() {
                Looking::Sqlite(store) => store.execute(sql).await.map(|_| ()),
                #[cfg(feature = "postgres")]
                Looking::Postgres(store) => store.execute(sql).await.map(|_| ()),
            }
            .unwrap();
        }
    }

    async fn look(&self) -> Looking {
        let url = self.store_url();
        #[cfg(feature = "postgres")]
        if self.place != Place::Sqlite {
            return Looking::Postgres(sqlx::PgConnection::connect(&url).await.unwrap());
        }
        Looking::Sqlite(sqlx::SqliteConnection::connect(&url).await.unwrap())
    }

    /// Where a text stands in what is stored: in the very bytes of SQLite's files, or in the rows of
    /// PostgreSQL's tables.
    pub async fn find(&self, text: &str) -> Vec<String> {
        if self.place != Place::Sqlite {
            return find(&self.store_url(), &self.name(), text).await;
        }
        let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|at| at == text.as_bytes());
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|one| one.unwrap().path());
        let found = files.filter(|file| holds(&std::fs::read(file).unwrap()));
        found.map(|file| file.display().to_string()).collect()
    }

    /// Takes it away. What a failed test leaves is left for a look.
    pub async fn remove(self) {
        if self.place != Place::Sqlite {
            let server = server("TEST_POSTGRES_URL");
            run(&server, format!("DROP SCHEMA {} CASCADE", self.name())).await;
        }
    }

    fn name(&self) -> String {
        let name = self.folder.path().file_name().unwrap().to_string_lossy().to_lowercase();
        format!("test_{}_{}", std::process::id(), name.trim_start_matches('.'))
    }
}

/// The server that a variable names.
fn server(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("this place needs {variable}"))
}

#[cfg(feature = "postgres")]
async fn run(url: &str, statement: String) {
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    connection.close().await.unwrap();
}

#[cfg(feature = "postgres")]
async fn find(url: &str, schema: &str, text: &str) -> Vec<String> {
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = $1";
    let tables: Vec<(String,)> =
        sqlx::query_as(tables).bind(schema).fetch_all(&mut connection).await.unwrap();
    let mut found = Vec::new();
    for (table,) in tables {
        let sql = format!("SELECT count(*) FROM {table} AS t WHERE strpos(t::text, $1) > 0");
        let (count,): (i64,) = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(text)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        found.extend((count > 0).then_some(table));
    }
    connection.close().await.unwrap();
    found
}

#[cfg(not(feature = "postgres"))]
async fn find(_: &str, _: &str, _: &str) -> Vec<String> {
    panic!("this place needs --features postgres,nats");
}

#[cfg(not(feature = "postgres"))]
async fn run(_: &str, _: String) {
    panic!("this place needs --features postgres,nats");
}
