//! Killed processes. The victim is this test program, started again with one test of its own.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::record::pending;
use super::{Place, accept, at, claim_only, contact, edit, event, ids, open, person};
use crate::config::store::Store as Settings;
use crate::store::{Intended, Record, Recorded};
use crate::unified::EventKind::Received;
use crate::unified::{ContactId, WorkspaceId};

/// The file that tells the victim that it was meant: what it does, and the store's url.
const ORDER: &str = "order";

/// Starts a victim in a folder of its own.
fn victim(what: &str, url: &str) -> (Child, tempfile::TempDir) {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join(ORDER), format!("{what} {url}")).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "store::conformance::crash::victim_of_a_kill"])
        .arg("--nocapture")
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    (child, folder)
}

/// What the victim says until it has said it `count` times; then it is dead.
fn last_words(mut victim: Child, count: usize) -> Vec<String> {
    let said = BufReader::new(victim.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said = said.filter_map(|line| line.strip_prefix("victim: ").map(str::to_owned));
    let words: Vec<String> = said.take(count).collect();
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert_eq!(words.len(), count);
    words
}

pub async fn what_was_intended_survives_a_kill(place: &impl Place) {
    let (store, w) = open(place).await;
    let ana = person(&store, &w, "h1").await;
    let asked = edit(ana, "vip", 1);
    accept(&store, &w, &asked).await;
    store.close().await;
    let (child, _folder) = victim("intend", &place.url());
    let write = last_words(child, 1).remove(0);

    let (store, _) = open(place).await;
    let sheet = store.sheet(&w, ana).await.unwrap().unwrap();
    assert_eq!(sheet.edits, [asked], "no accepted edit is lost");
    assert_eq!(sheet.pending.len(), 1, "the next run knows that the outcome is unknown");
    assert_eq!(sheet.pending[0].id.to_string(), write);
    let lease = claim_only(&store, 100).await;
    assert_eq!((lease.key.clone(), lease.attempt), (ana.to_string(), 2));
    let record = Record { closed: vec![sheet.pending[0].id], ..Record::default() };
    assert_ne!(store.record(&lease, record, at(101)).await.unwrap(), Recorded::Lost);
    assert_eq!(store.sheet(&w, ana).await.unwrap().unwrap().pending, []);
}

pub async fn what_was_answered_survives_a_kill(place: &impl Place) {
    let (store, w) = open(place).await;
    store.close().await;
    let (child, _folder) = victim("mint", &place.url());
    let answered = last_words(child, 30);

    let (store, _) = open(place).await;
    for line in answered {
        let words: Vec<&str> = line.split(' ').collect();
        let id: ContactId = words[1].parse().unwrap();
        let known = store.contact(&w, id).await.unwrap().unwrap();
        assert_eq!(known.links[0].key, words[0]);
        let again = store.recognize(&w, &[contact(words[0], None)], at(9)).await.unwrap();
        assert_eq!(ids(&again), [id]);
        assert!(store.last_cursor(&w).await.unwrap() >= words[2].parse().unwrap());
        assert_eq!(store.sheet(&w, id).await.unwrap().unwrap().edits.len(), 1);
    }
}

fn say(words: &str) {
    writeln!(std::io::stdout(), "victim: {words}").unwrap();
}

#[tokio::test]
#[ignore = "started by the cases above"]
async fn victim_of_a_kill() {
    let Ok(order) = std::fs::read_to_string(ORDER) else { return };
    let (what, url) = order.split_once(' ').unwrap();
    let kept = Duration::from_hours(24);
    let settings =
        Settings { url: url.to_owned(), connections: 2, keep_history: kept, keep_edits: kept };
    let store = crate::store::open(&settings).await.unwrap();
    let w = WorkspaceId::from("w");
    if what == "intend" {
        let lease = claim_only(&store, 2).await;
        let write = pending(lease.key.parse().unwrap());
        assert_eq!(store.intend(&lease, &write, None).await.unwrap(), Intended::Stored);
        say(&write.id.to_string());
        std::future::pending::<()>().await;
    }
    for n in 0..100_000 {
        let key = format!("h{n}");
        let known = store.recognize(&w, &[contact(&key, None)], at(n)).await.unwrap();
        let id = known[0].id;
        accept(&store, &w, &edit(id, "vip", n)).await;
        let cursor = store.append(&w, &[event(Received, Some(id))], at(n)).await.unwrap();
        say(&format!("{key} {id} {cursor}"));
    }
}
