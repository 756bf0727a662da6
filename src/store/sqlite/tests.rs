//! The conformance suite on files, and what only SQLite promises.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::future::join_all;
use sqlx::SqlitePool;
use tempfile::TempDir;

use super::*;
use crate::store::conformance::{
    Place, accept, at, claim, conformance, contact, edit, ids, open, person, subscriber,
};
use crate::store::{People, Record, Recorded, Store, sql};
use crate::unified::WorkspaceId;

/// A database file in a folder of its own, removed at the end.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("test.db")
    }
}

#[async_trait]
impl Place for Folder {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(super::open(&self.url()).await.unwrap())
    }

    /// In the very bytes of the database, its log and its index.
    async fn find(&self, text: &str) -> Vec<String> {
        let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|at| at == text.as_bytes());
        let files = std::fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
        let found = files.filter(|file| holds(&std::fs::read(file).unwrap()));
        found.map(|file| file.display().to_string()).collect()
    }

    fn url(&self) -> String {
        format!("sqlite://{}", self.file().display())
    }

    async fn remove(self) {}
}

conformance!(Some(Folder::new()));

/// The store in the folder, and its workspace, for a look behind the contract.
async fn behind(folder: &Folder) -> (SqlStore, WorkspaceId) {
    let (store, w) = open(folder).await;
    store.close().await;
    (super::open(&folder.url()).await.unwrap(), w)
}

fn pools(store: &SqlStore) -> (&SqlitePool, &SqlitePool) {
    match &store.db.pools {
        Pools::Sqlite { writer, reader } => (writer, reader),
        #[cfg(feature = "postgres")]
        Pools::Postgres(_) => panic!("another database"),
    }
}

#[tokio::test]
async fn memory_will_do_for_a_while() {
    let store = super::open("sqlite::memory:").await.unwrap();
    let w = WorkspaceId::from("w");
    store.workspace(&w, "Main", at(0)).await.unwrap();
    let people = [contact("h1", None), subscriber("ana@example.com")];
    let seen = join_all((0..8).map(|_| store.recognize(&w, &people, at(0)))).await;
    assert!(seen.windows(2).all(|pair| pair[0].as_ref().unwrap() == pair[1].as_ref().unwrap()));
    store.close().await;
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    std::fs::write(folder.file(), "").unwrap();
    std::fs::set_permissions(folder.file(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let (store, w) = open(&folder).await;
    store.recognize(&w, &[contact("h1", None)], at(0)).await.unwrap();
    let mut files = 0;
    for entry in std::fs::read_dir(folder.0.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
        files += 1;
    }
    assert_eq!(files, 3, "the database, its log and its index");
    store.close().await;
    assert_eq!(std::fs::read_dir(folder.0.path()).unwrap().count(), 1, "all is in the one file");
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let folder = Folder::new();
    let (store, w) = behind(&folder).await;
    let before = store.recognize(&w, &[contact("h1", None)], at(0)).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', TRUE, x'00', 0)",
    )
    .execute(pools(&store).0)
    .await
    .unwrap();
    let refused = super::open(&folder.url()).await;
    assert!(matches!(refused, Err(Error::Newer(9999))), "{refused:?}");
    assert_eq!(store.recognize(&w, &[contact("h1", None)], at(1)).await.unwrap(), before);
}

#[tokio::test]
async fn what_is_no_store_is_refused() {
    assert!(matches!(super::open("postgres://host/db").await, Err(Error::Url)));
    assert!(matches!(super::open("sqlite://a.db?mode=sideways").await, Err(Error::Url)));
    let folder = Folder::new();
    let lost = format!("sqlite://{}/no/such/folder.db", folder.0.path().display());
    assert!(matches!(super::open(&lost).await, Err(Error::File(_))));
    std::fs::write(folder.file(), "this is a letter and not a database, however long").unwrap();
    assert!(matches!(super::open(&folder.url()).await, Err(Error::Driver(_))));
    let left = std::fs::read_to_string(folder.file()).unwrap();
    assert!(left.starts_with("this is a letter"), "what is not ours stays as it is");
}

#[tokio::test]
async fn many_can_open_a_new_file_at_once() {
    let folder = Folder::new();
    let url = folder.url();
    for store in join_all((0..6).map(|_| super::open(&url))).await {
        store.unwrap().ping().await.unwrap();
    }
}

/// Without statistics SQLite may take a whole workspace for a short list; see the first migration.
#[tokio::test]
async fn nobody_is_looked_up_by_going_through_a_workspace() {
    let folder = Folder::new();
    let (store, _) = behind(&folder).await;
    let statements = [
        (sql::identity::KNOWN, 4),
        (sql::identity::FORMER, 1),
        (sql::identity::RELATED, 2),
        (sql::identity::RESERVED, 2),
    ];
    for (statement, least) in statements {
        let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let steps: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(plan).fetch_all(pools(&store).1).await.unwrap();
        let searches: Vec<_> = steps.iter().filter(|step| step.3.starts_with("SEARCH")).collect();
        assert!(searches.len() >= least, "{steps:?}");
        assert!(searches.iter().all(|step| step.3.contains(" AND workspace=?")), "{steps:?}");
    }
}

/// A claim costs what it takes, however much waits; see `store::sql::queue`.
#[tokio::test]
async fn work_is_found_by_its_index() {
    let folder = Folder::new();
    let (store, _) = behind(&folder).await;
    for statement in [sql::queue::DUE, sql::queue::FIND, sql::queue::SOONEST] {
        let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let steps: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(plan).fetch_all(pools(&store).1).await.unwrap();
        let due = "work_due (workspace=? AND priority=?";
        assert!(steps.iter().any(|step| step.3.contains(due)), "{statement}: {steps:?}");
        let scans = |step: &&(i64, i64, i64, String)| {
            let leased = step.3.ends_with("USING INDEX work_leased");
            step.3.contains("SCAN w") && !leased || step.3.contains("TEMP B-TREE FOR ORDER BY")
        };
        assert_eq!(steps.iter().find(scans), None, "{statement}");
    }
}

/// A page of the index costs what it shows, however many there are; see `store::sql::walk`.
#[tokio::test]
async fn the_index_is_walked_and_never_gone_through() {
    let folder = Folder::new();
    let (store, _) = behind(&folder).await;
    let walks = "PRIMARY KEY (workspace=? AND facet=? AND sort=? AND place";
    for (statement, by) in [
        (sql::walk::TURN_UP, &[walks][..]),
        (sql::walk::TURN_DOWN, &[walks]),
        (
            sql::walk::UP,
            &[walks, "SEARCH e USING INDEX sqlite_autoindex_entry_1 (workspace=? AND contact=?)"],
        ),
        (
            sql::walk::DOWN,
            &[walks, "SEARCH e USING INDEX sqlite_autoindex_entry_1 (workspace=? AND contact=?)"],
        ),
        (sql::texts::SHARED, &["PRIMARY KEY (workspace=? AND shared=? AND term>? AND term<?)"]),
        (sql::search::BY_WORD, &["PRIMARY KEY (workspace=? AND shared=? AND term>? AND term<?)"]),
        (sql::lines::LISTS, &["PRIMARY KEY (workspace=? AND facet>? AND facet<?)"]),
        (sql::search::SINCE, &["PRIMARY KEY (workspace=? AND facet=? AND sort=? AND place>?)"]),
        (sql::index::LESS, &["PRIMARY KEY (workspace=? AND facet=? AND sort=? AND place=?)"]),
        (
            sql::index::FEWER_TERMS,
            &["PRIMARY KEY (workspace=? AND shared=? AND term=? AND contact=?)"],
        ),
    ] {
        let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let steps: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(plan).fetch_all(pools(&store).1).await.unwrap();
        for by in by {
            assert!(steps.iter().any(|step| step.3.contains(by)), "{statement}: {steps:?}");
        }
        let sorts = |step: &&(i64, i64, i64, String)| step.3.contains("TEMP B-TREE FOR ORDER BY");
        assert_eq!(steps.iter().find(sorts), None, "{statement}");
    }
}

/// With two systems a merged contact cannot merge again by sightings; the row's promise is kept for
/// when a link can be taken away.
#[tokio::test]
async fn a_chain_of_merges_leads_to_the_last_survivor_in_one_step() {
    let folder = Folder::new();
    let (store, w) = behind(&folder).await;
    let keys = ["h1", "h2", "h3", "h4"].map(|key| contact(key, None));
    let people = ids(&store.recognize(&w, &keys, at(0)).await.unwrap());
    for (survivor, gone) in [(2, 3), (1, 2), (0, 1)].map(|(a, b)| (people[a], people[b])) {
        let mut tx = store.db.write().await.unwrap();
        sql::merge::merge(&mut tx, &w, (survivor, gone), at(1)).await.unwrap();
        tx.commit().await.unwrap();
    }
    for id in &people {
        let known = store.contact(&w, *id).await.unwrap().unwrap();
        assert_eq!((known.id, known.links.len()), (people[0], 4));
    }
}

/// A table that says whose its rows are is one that an erasure must empty: see `store::sql::erase`.
#[tokio::test]
async fn every_table_of_contacts_is_known_to_an_erasure() {
    let folder = Folder::new();
    let (store, _) = behind(&folder).await;
    let tables: Vec<(String,)> = sqlx::query_as(
        "SELECT t.name FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c
         WHERE t.type = 'table' AND c.name IN ('contact', 'place') ORDER BY t.name",
    )
    .fetch_all(pools(&store).1)
    .await
    .unwrap();
    let tables: Vec<&str> = tables.iter().map(|(name,)| name.as_str()).collect();
    let known = [
        "agreement",
        "delivery_seen",
        "edit",
        "engagement",
        "entry",
        "entry_order",
        "entry_term",
        "erased",
        "event",
        "failure",
        "former",
        "hold_contact",
        "link",
        "parked",
        "pending_write",
        "reservation",
        "run_contact",
    ];
    assert_eq!(tables, known, "what becomes of a new one's rows when somebody is erased?");
}

/// As an operator does it, with the gateway at work.
#[tokio::test]
async fn a_copy_made_while_it_runs_goes_on() {
    let folder = Folder::new();
    let (store, w) = open(&folder).await;
    let copy = folder.0.path().join("copy.db");
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
    let backup = async {
        while store.counts(&w).await.unwrap().total < 20 {}
        let operator = SqlitePool::connect(&folder.url()).await.unwrap();
        let sql = format!("VACUUM INTO '{}'", copy.display());
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&operator).await.unwrap();
        operator.close().await;
        done.store(true, Ordering::Release);
    };
    let (minted, ()) = futures_util::join!(work, backup);
    store.close().await;

    let restored = super::open(&format!("sqlite://{}", copy.display())).await.unwrap();
    let restored: Arc<dyn Store> = Arc::new(restored);
    let total = usize::try_from(restored.counts(&w).await.unwrap().total).unwrap();
    assert!((20..=minted.len()).contains(&total), "{total} of {}", minted.len());
    for id in &minted[..total - 1] {
        assert_eq!(restored.sheet(&w, *id).await.unwrap().unwrap().edits.len(), 1);
    }
    let leases = claim(&restored, 2, 10).await;
    assert_eq!(leases.len(), 10);
    for lease in leases {
        let stored = restored.record(&lease, Record::default(), at(3)).await.unwrap();
        assert_ne!(stored, Recorded::Lost);
    }
    restored.close().await;
}
