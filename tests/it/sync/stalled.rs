//! A follower who does not read: nobody else waits for it, and it is told from where to resume.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::events::{FOLLOW, Following, cursor};
use super::upsert;
use crate::place::Place;
use crate::time::PATIENCE;
use crate::world::World;

/// How many events come at once, and how often: more than may lie ready for a follower
/// (`contacts::tail`) and what buffers on the way hold of events this large.
const CHUNK: i64 = 500;
const CHUNKS: i64 = 6;

/// Events that are large enough to fill every buffer on the way.
fn large(after: i64) -> String {
    let company: Vec<_> = (0..45).map(|n| format!("a{n}: companyName")).collect();
    let company = company.join(" ");
    format!(
        "subscription {{ syncEvents(after: \"{after}\") {{ cursor contact {{ {company} }} }} }}"
    )
}

/// A follower on a connection that takes as little as possible, and what it has read.
struct Stalled {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Stalled {
    /// Reads one event, which shows that it follows, and then nothing any more.
    async fn begins(&mut self) {
        let one = async {
            let mut piece = [0; 4_096];
            while !self.has_event() {
                let length = self.stream.read(&mut piece).await.unwrap();
                assert_ne!(length, 0, "the stream ended");
                self.read.extend_from_slice(&piece[..length]);
            }
        };
        timeout(PATIENCE, one).await.unwrap();
    }

    fn has_event(&self) -> bool {
        String::from_utf8_lossy(&self.read).lines().any(|line| line.starts_with("data:"))
    }

    /// All that it was and is told.
    async fn rest(mut self) -> Vec<Value> {
        timeout(PATIENCE, self.stream.read_to_end(&mut self.read)).await.unwrap().unwrap();
        let text = String::from_utf8(self.read).unwrap();
        let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
        data.filter(|data| data.trim() != "{}")
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }
}

/// Begins to follow.
async fn stall(world: &World, after: i64) -> Stalled {
    let url = url::Url::parse(&world.url("/graphql")).unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(65_536).unwrap();
    let addr = *url.socket_addrs(|| None).unwrap().first().unwrap();
    let mut stream = socket.connect(addr).await.unwrap();
    let body = json!({"query": large(after)}).to_string();
    // By HTTP 1.0 the answer comes as it is, not in chunks.
    let head = format!(
        "POST /graphql HTTP/1.0\r\nhost: {addr}\r\ncontent-type: application/json\r\n\
         accept: text/event-stream\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    Stalled { stream, read: Vec::new() }
}

async fn newest(world: &World) -> i64 {
    let query = "{ syncEvents(first: 1) { nodes { cursor } } }";
    cursor(&world.data(query, json!({})).await["syncEvents"]["nodes"][0])
}

/// Another gateway's work, as far as this one sees it: the last event, again and again.
async fn much_happens(store: &mut SqliteConnection) {
    let mut transaction = store.begin_with("BEGIN IMMEDIATE").await.unwrap();
    for statement in [
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
         INSERT INTO event SELECT e.workspace, e.cursor + n.i, e.at, e.kind, e.contact, e.system,
           e.run, e.body
         FROM event AS e CROSS JOIN n WHERE e.cursor = (SELECT max(cursor) FROM event)",
        "UPDATE counter SET last_event = last_event + $1",
    ] {
        sqlx::query(statement).bind(CHUNK).execute(&mut *transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_follower_keeps_nobody_waiting_and_is_told_where_to_resume() {
    // What happened elsewhere is written into this file.
    let world = World::builder().place(Place::Sqlite).start().await;
    let person = |name: &str| json!({"email": "p@example.com", "firstName": name, "companyName": "C".repeat(250)});
    upsert(&world, person("Before")).await;
    let begun = newest(&world).await;
    let mut reading = Following::start(&world, FOLLOW, json!({"after": begun.to_string()})).await;
    let mut stalled = stall(&world, begun).await;
    upsert(&world, person("After")).await;
    stalled.begins().await;
    let mut last = newest(&world).await;
    let mut seen: Vec<i64> = Vec::new();
    let mut store = SqliteConnection::connect(&world.store_url()).await.unwrap();
    for _ in 0..CHUNKS {
        much_happens(&mut store).await;
        last += CHUNK;
        // The gateway looks for what others did once a second.
        world.clock.advance(Duration::from_secs(1));
        while seen.last().is_none_or(|seen| *seen < last) {
            seen.push(cursor(&reading.next().await["syncEvents"]));
        }
    }
    store.close().await.unwrap();
    assert!(seen.windows(2).all(|two| two[0] + 1 == two[1]), "who reads sees everything");

    let told = stalled.rest().await;
    let (error, events) = told.split_last().unwrap();
    assert_eq!(error["errors"][0]["extensions"]["code"], "SUBSCRIPTION_LAGGED", "{error:#}");
    let cursors: Vec<i64> =
        events.iter().map(|event| cursor(&event["data"]["syncEvents"])).collect();
    assert!(cursors.windows(2).all(|two| two[0] + 1 == two[1]), "{cursors:?}");
    let resume = error["errors"][0]["extensions"]["cursor"].clone();
    assert_eq!(resume.as_str(), cursors.last().map(i64::to_string).as_deref());

    let mut resumed = Following::start(&world, FOLLOW, json!({"after": resume})).await;
    let next = cursor(&resumed.next().await["syncEvents"]);
    assert_eq!(Some(&(next - 1)), cursors.last());
    drop((reading, resumed));
    world.end().await;
}
