//! The same question by every transport.

use serde_json::{Value, json};

use super::ask;
use crate::http::client::Socket;
use crate::world::World;

/// How an operation comes.
#[derive(Clone, Copy, Debug)]
pub enum Transport {
    Http,
    Events,
    Socket,
}

impl Transport {
    pub const ALL: [Self; 3] = [Self::Http, Self::Events, Self::Socket];

    /// What is answered to a document that is asked with a token that counts.
    pub async fn ask(self, world: &World, token: &str, query: &str) -> Value {
        match self {
            Self::Http => ask(world, Some(token), query).await.1,
            Self::Events => {
                let (status, text) = events(world, token, query).await;
                assert_eq!(status, 200, "{text}");
                let data = text.lines().find_map(|line| line.strip_prefix("data:")).unwrap();
                serde_json::from_str(data).unwrap()
            }
            Self::Socket => {
                let mut socket = Socket::connect(world).await;
                socket.begin(token).await;
                assert_eq!(socket.next().await["type"], "connection_ack");
                socket.subscribe("1", query, json!({})).await;
                let answer = socket.next().await;
                if answer["type"] == "error" {
                    json!({"errors": answer["payload"]})
                } else {
                    answer["payload"].clone()
                }
            }
        }
    }
}

/// The status and text of a document that is asked as a stream of events.
pub async fn events(world: &World, token: &str, query: &str) -> (u16, String) {
    let request = world.http().post(world.url("/graphql")).bearer_auth(token);
    let request = request.header("accept", "text/event-stream");
    let answer = request.json(&json!({"query": query})).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}
