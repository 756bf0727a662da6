//! The conformance suite on files, and what only SQLite promises.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use futures_util::future::join_all;
use tempfile::TempDir;

use super::*;
use crate::store::conformance::{Place, at, conformance, contact, ids, open, subscriber};
use crate::unified::ContactId;

/// A database file in a folder of its own, removed at the end.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("test.db")
    }

    fn url(&self) -> String {
        format!("sqlite://{}", self.file().display())
    }
}

#[async_trait]
impl Place for Folder {
    type Store = Sqlite;

    async fn open(&self) -> Sqlite {
        Sqlite::open(&self.url()).await.unwrap()
    }
}

conformance!(Folder::new());

#[tokio::test]
async fn memory_will_do_for_a_while() {
    let store = Sqlite::open("sqlite::memory:").await.unwrap();
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
    let (store, w) = open(&folder).await;
    let before = store.recognize(&w, &[contact("h1", None)], at(0)).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', TRUE, x'00', 0)",
    )
    .execute(&store.writer)
    .await
    .unwrap();
    let refused = Sqlite::open(&folder.url()).await;
    assert!(matches!(refused, Err(Error::Newer(9999))), "{refused:?}");
    assert_eq!(store.recognize(&w, &[contact("h1", None)], at(1)).await.unwrap(), before);
}

#[tokio::test]
async fn what_is_no_store_is_refused() {
    assert!(matches!(Sqlite::open("postgres://host/db").await, Err(Error::Url)));
    assert!(matches!(Sqlite::open("sqlite://a.db?mode=sideways").await, Err(Error::Url)));
    let folder = Folder::new();
    let lost = format!("sqlite://{}/no/such/folder.db", folder.0.path().display());
    assert!(matches!(Sqlite::open(&lost).await, Err(Error::File(_))));
    std::fs::write(folder.file(), "this is a letter and not a database, however long").unwrap();
    assert!(matches!(Sqlite::open(&folder.url()).await, Err(Error::Driver(_))));
    let left = std::fs::read_to_string(folder.file()).unwrap();
    assert!(left.starts_with("this is a letter"), "what is not ours stays as it is");
}

#[tokio::test]
async fn many_can_open_a_new_file_at_once() {
    let folder = Folder::new();
    let url = folder.url();
    for store in join_all((0..6).map(|_| Sqlite::open(&url))).await {
        store.unwrap().ping().await.unwrap();
    }
}

/// Without statistics SQLite may take a whole workspace for a short list; see the first migration.
#[tokio::test]
async fn nobody_is_looked_up_by_going_through_a_workspace() {
    let folder = Folder::new();
    let (store, _) = open(&folder).await;
    for statement in [recognize::KNOWN, recognize::RELATED] {
        let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let steps: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(plan).fetch_all(&store.reader).await.unwrap();
        let searches: Vec<_> = steps.iter().filter(|step| step.3.starts_with("SEARCH")).collect();
        assert!(searches.len() >= 2, "{steps:?}");
        assert!(searches.iter().all(|step| step.3.contains(" AND workspace=?")), "{steps:?}");
    }
}

/// With two systems a merged contact cannot merge again by sightings; the row's promise is kept for
/// when a link can be taken away.
#[tokio::test]
async fn a_chain_of_merges_leads_to_the_last_survivor_in_one_step() {
    let folder = Folder::new();
    let (store, w) = open(&folder).await;
    let keys = ["h1", "h2", "h3", "h4"].map(|key| contact(key, None));
    let people = ids(&store.recognize(&w, &keys, at(0)).await.unwrap());
    for (survivor, gone) in [(2, 3), (1, 2), (0, 1)].map(|(a, b)| (people[a], people[b])) {
        let mut connection = store.writer.acquire().await.unwrap();
        recognize::merge(&mut connection, &w, survivor, gone).await.unwrap();
    }
    for id in &people {
        let known = store.contact(&w, *id).await.unwrap().unwrap();
        assert_eq!((known.id, known.links.len()), (people[0], 4));
    }
}

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let folder = Folder::new();
    std::fs::write(folder.0.path().join(VICTIM), "").unwrap();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "store::sqlite::tests::victim_of_a_kill", "--nocapture"])
        .current_dir(folder.0.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(victim.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said = said.filter_map(|line| line.strip_prefix("minted ").map(str::to_owned));
    let answered: Vec<String> = said.take(50).collect();
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert_eq!(answered.len(), 50);

    let (store, w) = open(&folder).await;
    for line in answered {
        let (key, id) = line.split_once(' ').unwrap();
        let known = store.contact(&w, id.parse::<ContactId>().unwrap()).await.unwrap().unwrap();
        assert_eq!(known.links[0].key, key);
        assert_eq!(
            ids(&store.recognize(&w, &[contact(key, None)], at(9)).await.unwrap()),
            [known.id]
        );
    }
}

/// The file that tells the victim that it was meant.
const VICTIM: &str = "victim";

#[tokio::test]
#[ignore = "started by what_was_answered_survives_a_kill"]
async fn victim_of_a_kill() {
    if !std::path::Path::new(VICTIM).exists() {
        return;
    }
    let store = Sqlite::open("sqlite://test.db").await.unwrap();
    let w = WorkspaceId::from("w");
    store.workspace(&w, "Main", at(0)).await.unwrap();
    for n in 0..100_000 {
        let key = format!("h{n}");
        let known = store.recognize(&w, &[contact(&key, None)], at(n)).await.unwrap();
        writeln!(std::io::stdout(), "minted {key} {}", known[0].id).unwrap();
    }
}
