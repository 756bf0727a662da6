//! What every carrier must hold, over `TEST_POSTGRES_URL` and `TEST_NATS_URL`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::line::Line;
use super::news;
use crate::bus::{Bus, Changed, Heard, Listener, News, What};
use crate::config::bus::Bus as Settings;
use crate::tasks::Tasks;
use crate::unified::{ContactId, HighLevelId, WorkspaceId};

/// A server, and the settings of buses that reach it over a line.
struct Server {
    url: Url,
    channel: String,
    tasks: Tasks,
}

impl Server {
    /// `None` where the variable names none, which under CI is a failure.
    #[expect(clippy::disallowed_methods, reason = "tests are told by the environment")]
    fn named(variable: &str) -> Option<Self> {
        let Ok(url) = std::env::var(variable) else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{variable} is not set");
            return None;
        };
        let channel = format!("test_{:x}", rand::random::<u64>());
        Some(Self { url: url.parse().unwrap(), channel, tasks: Tasks::new() })
    }

    async fn line(&self, addr: Option<SocketAddr>) -> Line {
        let host = self.url.host_str().unwrap();
        let port = self.url.port().unwrap_or(if self.is_nats() { 4222 } else { 5432 });
        Line::new(addr, format!("{host}:{port}")).await
    }

    fn is_nats(&self) -> bool {
        self.url.scheme() == "nats"
    }

    async fn bus(&self, addr: SocketAddr) -> Arc<dyn Bus> {
        let mut url = self.url.clone();
        url.set_ip_host(addr.ip()).unwrap();
        url.set_port(Some(addr.port())).unwrap();
        let (nats, database) =
            if self.is_nats() { (url.to_string(), None) } else { (String::new(), Some(url)) };
        let settings = Settings { url: nats, channel: self.channel.clone() };
        let database = database.as_ref().map(Url::as_str);
        crate::bus::open(&settings, database, &self.tasks).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

/// Publishes until the listener hears it, which tells that the line is up.
async fn until_heard(bus: &Arc<dyn Bus>, ear: &mut Listener, n: i64) {
    let wanted = Heard::News { news: news(n), ours: false };
    loop {
        bus.publish(news(n));
        let heard = tokio::time::timeout(Duration::from_millis(50), async {
            while ear.hear().await.expect("the bus lives") != wanted {}
        });
        if heard.await.is_ok() {
            return;
        }
    }
}

/// Waits until the listener is told that it missed something.
async fn until_missed(ear: &mut Listener) {
    while ear.hear().await.expect("the bus lives") != Heard::Missed {}
}

async fn news_reach_the_others_and_do_not_come_back(server: &Server) {
    let line = server.line(None).await;
    let (one, two) = (server.bus(line.addr).await, server.bus(line.addr).await);
    let (mut here, mut there) = (one.listen(), two.listen());
    until_heard(&one, &mut there, 1).await;
    until_heard(&two, &mut here, 2).await;
    let contact = ContactId(uuid::Uuid::from_u128(7));
    let id = HighLevelId::from("h'1\\\"é");
    let all = [
        What::Contact { contact, entity: Changed::Sides },
        What::Contact { contact, entity: Changed::HighLevel(id.clone()) },
        What::Contact { contact, entity: Changed::Notes(id.clone()) },
        What::Contact { contact, entity: Changed::Tasks(id.clone()) },
        What::Contact { contact, entity: Changed::Appointments(id) },
        What::Work,
        What::Mapping,
        What::Events(i64::MAX),
    ];
    for what in all.clone() {
        one.publish(News { workspace: WorkspaceId::from("w'2"), what });
    }
    let is_test = |heard: &Heard| matches!(heard, Heard::News { news, .. } if news.workspace.as_str() == "w'2");
    for (ear, ours) in [(&mut there, false), (&mut here, true)] {
        let mut got = Vec::new();
        while got.len() < all.len() {
            let heard = ear.hear().await.unwrap();
            if is_test(&heard) {
                let Heard::News { news, ours: whose } = heard else { unreachable!() };
                assert_eq!(whose, ours);
                got.push(news.what);
            }
        }
        assert_eq!(got, all);
    }
    // What the other hears after this came after everything of ours: had an echo come, it would
    // have been heard before.
    until_heard(&two, &mut here, 3).await;
    let mut rest = here;
    while let Ok(Some(heard)) = tokio::time::timeout(Duration::ZERO, rest.hear()).await {
        assert!(!is_test(&heard), "{heard:?}");
    }
}

async fn a_cut_line_heals_and_says_so(server: &Server) {
    let lines = [server.line(None).await, server.line(None).await];
    let (one, two) = (server.bus(lines[0].addr).await, server.bus(lines[1].addr).await);
    let mut ear = two.listen();
    until_heard(&one, &mut ear, 1).await;
    for round in 0..3 {
        let mut ear = two.listen();
        lines[1].cut();
        until_missed(&mut ear).await;
        until_heard(&one, &mut ear, 10 + round).await;
        lines[0].cut();
        until_heard(&one, &mut ear, 20 + round).await;
    }
}

async fn it_comes_up_without_a_server(server: &Server) {
    let addr = Line::unplugged().await;
    let (one, two) = (server.bus(addr).await, server.bus(addr).await);
    let mut ear = two.listen();
    for n in 0..5_000 {
        one.publish(news(n));
    }
    let mut local = one.listen();
    one.publish(news(1));
    let heard = local.hear().await;
    assert_eq!(heard, Some(Heard::News { news: news(1), ours: true }), "nobody waits for the line");
    let _line = server.line(Some(addr)).await;
    until_missed(&mut ear).await;
    until_heard(&one, &mut ear, 9_999).await;
}

async fn what_is_too_long_is_told_as_missed(server: &Server) {
    let line = server.line(None).await;
    let (one, two) = (server.bus(line.addr).await, server.bus(line.addr).await);
    let mut ear = two.listen();
    until_heard(&one, &mut ear, 1).await;
    let long = WorkspaceId::from("é\"".repeat(4_000));
    one.publish(News { workspace: long, what: What::Work });
    until_missed(&mut ear).await;
    until_heard(&one, &mut ear, 2).await;
}

macro_rules! carriers {
    ($($feature:literal $name:ident $variable:literal;)+) => {
        $(#[cfg(feature = $feature)]
        mod $name {
            carriers!($variable: news_reach_the_others_and_do_not_come_back,
                a_cut_line_heals_and_says_so, it_comes_up_without_a_server,
                what_is_too_long_is_told_as_missed);
        })+
    };
    ($variable:literal: $($case:ident),+) => {
        $(#[tokio::test]
        async fn $case() {
            let Some(server) = super::Server::named($variable) else { return };
            super::$case(&server).await;
            server.tasks.stop();
            server.tasks.drained().await;
        })+
    };
}

carriers! {
    "postgres" postgres "TEST_POSTGRES_URL";
    "nats" nats "TEST_NATS_URL";
}
