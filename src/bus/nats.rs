//! The bus by NATS: where gateways are many or far apart.
//!
//! Plain publish and subscribe on one subject. A stream that is kept (`JetStream`) would keep hints
//! whose truth is in the store, and has to be made and looked after; nothing here needs it.

use async_nats::{Client, ConnectOptions, Event};
use futures_util::StreamExt;

use super::remote::{self, Inbox, Outbox, Remote};
use crate::tasks::Tasks;

/// Why the bus cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No server answered, or it refused us.
    #[error("cannot connect to NATS")]
    Connect(#[from] async_nats::ConnectError),
    /// The connection was made and is gone.
    #[error("NATS does not answer")]
    Flush(#[from] async_nats::client::FlushError),
}

/// Starts a bus over a subject. It comes up without a server too, and waits for one.
pub async fn start(url: &str, subject: &str, tasks: &Tasks) -> Result<Remote, Error> {
    let (bus, outbox, inbox) = remote::new();
    let told = inbox.clone();
    let client = ConnectOptions::new()
        .name("tandem")
        .retry_on_initial_connect()
        .event_callback(move |event| {
            heard(&told, &event);
            std::future::ready(())
        })
        .connect(url)
        .await?;
    let (stop, subject) = (tasks.clone(), subject.to_owned());
    tasks.spawn(async move {
        tokio::select! {
            () = listen(&client, &subject, &inbox) => {}
            () = send(&client, &subject, outbox) => {}
            () = stop.stopping() => {}
        }
    });
    Ok(bus)
}

/// Whether a server answers.
pub async fn check(url: &str) -> Result<(), Error> {
    let client = ConnectOptions::new().name("tandem check").connect(url).await?;
    client.flush().await?;
    Ok(())
}

/// The library connects again by itself; what was published meanwhile was not heard.
fn heard(inbox: &Inbox, event: &Event) {
    match event {
        Event::Connected | Event::SlowConsumer(_) => inbox.missed(),
        Event::ClientError(error) => tracing::warn!(%error, "bus: NATS client"),
        Event::ServerError(error) => tracing::warn!(%error, "bus: NATS server"),
        Event::Disconnected | Event::LameDuckMode | Event::Draining | Event::Closed => {
            tracing::info!(%event, "bus: NATS");
        }
    }
}

async fn listen(client: &Client, subject: &str, inbox: &Inbox) {
    match client.subscribe(subject.to_owned()).await {
        Ok(mut messages) => {
            while let Some(message) = messages.next().await {
                inbox.receive(&message.payload);
            }
        }
        Err(error) => tracing::error!(%error, "bus: cannot subscribe"),
    }
    // Without listening the gateway goes on by looking now and then.
    std::future::pending::<()>().await;
}

async fn send(client: &Client, subject: &str, mut outbox: Outbox) {
    while let Some(packets) = outbox.next().await {
        for packet in packets {
            if let Err(error) = client.publish(subject.to_owned(), packet.into()).await {
                outbox.failed();
                tracing::warn!(%error, "bus: news not sent");
            }
        }
    }
}
