//! The conformance suite on PostgreSQL, and what only it promises.
//!
//! `TEST_POSTGRES_URL` names a database in which schemas may be made and dropped.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::future::join_all;
use sqlx::Executor;

use super::*;
use crate::store::conformance::{
    Place, accept, at, claim, conformance, contact, edit, event, mark, person,
};
use crate::store::{EventFilter, Events, History, People, Settings, Span, Store, sql};
use crate::unified::{EventKind, WorkspaceId};

/// A schema of its own in the test database. One whose test fails is left for a look.
pub(crate) struct Schema {
    server: String,
    name: String,
}

impl Schema {
    /// `None` where no server is named, which under CI is a failure.
    #[expect(clippy::disallowed_methods, reason = "tests are told by the environment")]
    pub(crate) async fn new() -> Option<Self> {
        let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "TEST_POSTGRES_URL is not set");
            return None;
        };
        let name = format!("test_{:x}", rand::random::<u64>());
        let schema = Self { server, name };
        schema.run(&format!("CREATE SCHEMA {}", schema.name)).await;
        Some(schema)
    }

    async fn run(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.server).await.unwrap();
        connection.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
        connection.close().await.unwrap();
    }
}

#[async_trait]
impl Place for Schema {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(open(&self.url(), 4).await.unwrap())
    }

    /// In every row of every table.
    async fn find(&self, text: &str) -> Vec<String> {
        let mut connection = PgConnection::connect(&self.url()).await.unwrap();
        let tables: Vec<(String,)> =
            sqlx::query_as("SELECT tablename::text FROM pg_tables WHERE schemaname = $1")
                .bind(&self.name)
                .fetch_all(&mut connection)
                .await
                .unwrap();
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

    fn url(&self) -> String {
        let join = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{join}options=-c%20search_path%3D{}", self.server, self.name)
    }

    async fn remove(self) {
        self.run(&format!("DROP SCHEMA {} CASCADE", self.name)).await;
    }
}

conformance!(Schema::new().await);

/// A schema, two stores in it as they are, and the workspace.
async fn behind() -> Option<(Schema, [SqlStore; 2], WorkspaceId)> {
    let schema = Schema::new().await?;
    let (_, w) = crate::store::conformance::open(&schema).await;
    let stores = [open(&schema.url(), 4).await.unwrap(), open(&schema.url(), 4).await.unwrap()];
    Some((schema, stores, w))
}

#[tokio::test]
async fn many_can_open_a_new_schema_at_once() {
    let Some(schema) = Schema::new().await else { return };
    let url = schema.url();
    for store in join_all((0..6).map(|_| open(&url, 2))).await {
        store.unwrap().ping().await.unwrap();
    }
    schema.remove().await;
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let Some((schema, [store, _], w)) = behind().await else { return };
    schema
        .run(&format!(
            "INSERT INTO {}._sqlx_migrations
               (version, description, success, checksum, execution_time)
             VALUES (9999, 'from the future', TRUE, '', 0)",
            schema.name
        ))
        .await;
    let refused = open(&schema.url(), 2).await;
    assert!(matches!(refused, Err(Error::Newer(9999))), "{refused:?}");
    assert_eq!(store.counts(&w).await.unwrap().total, 0);
    schema.remove().await;
}

#[tokio::test]
async fn what_is_no_server_is_refused() {
    assert!(matches!(open("sqlite://a.db", 2).await, Err(Error::Url)));
    let sideways = open("postgres://127.0.0.1/x?sslmode=sideways", 2).await;
    assert!(matches!(sideways, Err(Error::Url)), "{sideways:?}");
    let nobody = open("postgres://tandem@127.0.0.1:1/x", 2).await;
    assert!(matches!(nobody, Err(Error::Driver(_))), "{nobody:?}");
}

/// A writer that has its cursor and not committed yet holds the next one up, so that nobody ever
/// sees a later cursor without an earlier one.
#[tokio::test]
async fn cursors_come_in_the_order_of_commits() {
    let Some((schema, [one, two], w)) = behind().await else { return };
    let told = [event(EventKind::Received, None)];
    let mut first = one.db.write().await.unwrap();
    assert_eq!(sql::history::append(&mut first, &w, &told, at(1)).await.unwrap(), Some(1));
    let second = async {
        let mut tx = two.db.write().await.unwrap();
        let cursor = sql::history::append(&mut tx, &w, &told, at(2)).await.unwrap();
        tx.commit().await.unwrap();
        cursor
    };
    let look = async {
        // The second one waits, as the server itself says.
        let waits = "SELECT CAST(count(*) AS BIGINT) FROM pg_stat_activity AS a
                     WHERE a.wait_event_type = 'Lock' AND a.query LIKE '%last_event + $2%'
                       AND cardinality(pg_blocking_pids(a.pid)) > 0";
        while two.db.one::<(i64,)>(waits, Vec::new()).await.unwrap().unwrap().0 == 0 {}
        assert_eq!(one.last_cursor(&w).await.unwrap(), 0, "nothing is committed yet");
        first.commit().await.unwrap();
    };
    let (cursor, ()) = futures_util::join!(second, look);
    assert_eq!(cursor, Some(2));
    let found = one.events(&w, Span::After(None), &EventFilter::default(), 9).await.unwrap();
    let Events::Found { events, .. } = found else { panic!("{found:?}") };
    assert_eq!(
        events.iter().map(|e| (e.cursor, e.at)).collect::<Vec<_>>(),
        [(1, at(1)), (2, at(2))]
    );
    schema.remove().await;
}

/// Whoever stores something of people waits for an erasure of their own workspace and for no other.
#[tokio::test]
async fn an_erasure_holds_up_its_own_workspace_alone() {
    let Some((schema, [one, two], _)) = behind().await else { return };
    // The lock is the server's, and other tests have workspaces too.
    let [own, other] = ["own", "other"].map(|name| format!("{name} of {}", schema.name));
    let [own, other] = [own, other].map(|id| WorkspaceId::from(id.as_str()));
    for workspace in [&own, &other] {
        two.workspace(workspace, workspace.as_str(), at(0)).await.unwrap();
    }
    let mut erasure = one.db.write().await.unwrap();
    erasure.lock_erasures(&own, true).await.unwrap();
    let pid: Option<(i32,)> = erasure.one("SELECT pg_backend_pid()", Vec::new()).await.unwrap();
    let people = [contact("h1", None)];
    two.recognize(&other, &people, at(1)).await.expect("nobody erases there");
    let look = async {
        let waits = "SELECT CAST(count(*) AS BIGINT) FROM pg_stat_activity AS a
                     WHERE CAST(CAST($1 AS BIGINT) AS INT) = ANY(pg_blocking_pids(a.pid))";
        let pid = i64::from(pid.unwrap().0);
        let args = || sql::arg::args![pid];
        while two.db.one::<(i64,)>(waits, args()).await.unwrap().unwrap().0 == 0 {}
        drop(erasure);
    };
    let (seen, ()) = futures_util::join!(two.recognize(&own, &people, at(1)), look);
    assert_eq!(seen.unwrap().len(), 1);
    schema.remove().await;
}

/// Rows that another transaction holds are passed over: nobody waits for a claim.
#[tokio::test]
async fn a_claim_passes_over_what_is_being_claimed() {
    let Some((schema, [one, two], w)) = behind().await else { return };
    let (one, two): (SqlStore, Arc<dyn Store>) = (one, Arc::new(two));
    for key in ["a", "b", "c"] {
        mark(&two, &w, key, 0).await;
    }
    let mut tx = one.db.write().await.unwrap();
    let args = sql::arg::args![&w, 0i64, at(1), "|poll|", 2u32];
    let held: Vec<(String, String, i64, i64, i64)> = tx.all(sql::queue::FIND, args).await.unwrap();
    assert_eq!(held.len(), 2);
    let leases = claim(&two, 1, 9).await;
    assert_eq!(leases.len(), 1, "the one that nobody holds");
    drop(tx);
    while claim(&two, 1, 9).await.len() != 2 {
        tokio::task::yield_now().await;
    }
    schema.remove().await;
}

/// As an operator does it, with the gateway at work: `pg_dump` is one moment of the database.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "tests are told by the environment")]
async fn a_copy_made_while_it_runs_goes_on() {
    let Some((schema, [store, _], w)) = behind().await else { return };
    if Command::new("pg_dump").arg("--version").output().is_err() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "pg_dump is not installed");
        return schema.remove().await;
    }
    let store: Arc<dyn Store> = Arc::new(store);
    let done = AtomicBool::new(false);
    let work = async {
        let mut minted = Vec::new();
        while !done.load(Ordering::Acquire) {
            let id = person(&store, &w, &format!("h{}", minted.len())).await;
            accept(&store, &w, &edit(id, "vip", 1)).await;
            minted.push(id);
        }
        minted
    };
    let dump = async {
        while store.counts(&w).await.unwrap().total < 20 {}
        let mut command = Command::new("pg_dump");
        command.args(["--schema", &schema.name, "--no-owner", "--dbname", &schema.server]);
        let dumped = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
        done.store(true, Ordering::Release);
        dumped.stdout
    };
    let (minted, dumped) = futures_util::join!(work, dump);
    store.close().await;
    let other = format!("{}_copy", schema.name);
    let dumped = String::from_utf8(dumped).unwrap().replace(&schema.name, &other);
    let restored = Schema { server: schema.server.clone(), name: other };
    let mut psql = Command::new("psql");
    psql.args(["--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", &schema.server]);
    let mut psql = psql.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    psql.stdin.take().unwrap().write_all(dumped.as_bytes()).unwrap();
    assert!(psql.wait().unwrap().success());
    let copy: Arc<dyn Store> = Arc::new(open(&restored.url(), 2).await.unwrap());
    let total = usize::try_from(copy.counts(&w).await.unwrap().total).unwrap();
    assert!((20..=minted.len()).contains(&total), "{total} of {}", minted.len());
    for id in &minted[..total - 1] {
        assert_eq!(copy.sheet(&w, *id).await.unwrap().unwrap().edits.len(), 1);
    }
    assert_eq!(claim(&copy, 2, 10).await.len(), 10);
    copy.close().await;
    restored.remove().await;
    schema.remove().await;
}
