//! The bus in one process, and over real servers through a line that can be cut.

use super::*;

fn news(n: i64) -> News {
    News { workspace: WorkspaceId::from("w"), what: What::Events(n) }
}

#[tokio::test]
async fn everyone_here_hears_in_order() {
    let bus = Local::new();
    bus.publish(news(0));
    let mut ears = [bus.listen(), bus.listen()];
    bus.publish(news(1));
    bus.publish(news(2));
    for ear in &mut ears {
        for n in [1, 2] {
            assert_eq!(ear.hear().await, Some(Heard::News { news: news(n), ours: true }));
        }
    }
    drop(bus);
    assert_eq!(ears[0].hear().await, None);
}

#[tokio::test]
async fn who_falls_behind_is_told() {
    let bus = Local::new();
    let mut ear = bus.listen();
    for n in 0..5_000 {
        bus.publish(news(n));
    }
    assert_eq!(ear.hear().await, Some(Heard::Missed));
    assert!(matches!(ear.hear().await, Some(Heard::News { .. })));
}

#[cfg(any(feature = "postgres", feature = "nats"))]
mod line;
#[cfg(any(feature = "postgres", feature = "nats"))]
mod servers;
