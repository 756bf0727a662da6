//! The bus by PostgreSQL's NOTIFY: the database that the gateways share anyway.
//!
//! One connection listens and one sends. Both are made again when they break, and whoever listens
//! is told then that something may be missing.

use std::str::FromStr;
use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPoolOptions};

use super::remote::{self, Inbox, Outbox, Remote};
use crate::tasks::Tasks;

/// Between two attempts to connect.
const AGAIN: Duration = Duration::from_secs(1);
/// After so much silence the connection is tried: one whose other end is gone would be silent too.
const SILENCE: Duration = Duration::from_secs(30);
/// Longest wait for a connection or an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Starts a bus over a channel of the database. It comes up without a server too.
pub fn start(url: &str, channel: &str, tasks: &Tasks) -> Result<Remote, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?.application_name("tandem bus");
    let (bus, outbox, inbox) = remote::new();
    let (stop, channel) = (tasks.clone(), channel.to_owned());
    tasks.spawn(async move {
        tokio::select! {
            () = listen(&options, &channel, &inbox) => {}
            () = send(&options, &channel, outbox) => {}
            () = stop.stopping() => {}
        }
    });
    Ok(bus)
}

/// Listens for as long as it is not dropped.
async fn listen(options: &PgConnectOptions, channel: &str, inbox: &Inbox) {
    loop {
        if let Err(error) = hear(options, channel, inbox).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "bus: not listening");
        }
        inbox.missed();
        tokio::time::sleep(AGAIN).await;
    }
}

/// Listens until the connection breaks.
async fn hear(options: &PgConnectOptions, channel: &str, inbox: &Inbox) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(channel).await?;
    // What was published before this moment was not heard.
    inbox.missed();
    loop {
        match tokio::time::timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => inbox.receive(notification.payload().as_bytes()),
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(_) => {
                let alive = sqlx::query("SELECT 1").execute(&mut listener);
                let alive = tokio::time::timeout(PATIENCE, alive).await;
                alive.map_err(|_| sqlx::Error::PoolTimedOut)??;
            }
        }
    }
}

/// Sends for as long as the bus lives.
async fn send(options: &PgConnectOptions, channel: &str, mut outbox: Outbox) {
    let mut connection: Option<PgConnection> = None;
    while let Some(packets) = outbox.next().await {
        match notify(options, channel, connection.take(), &packets).await {
            Ok(open) => connection = Some(open),
            Err(error) => {
                outbox.failed();
                tracing::warn!(error = &error as &dyn std::error::Error, "bus: news not sent");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// Sends packets over the connection, or a new one where there is none or it is broken.
async fn notify(
    options: &PgConnectOptions,
    channel: &str,
    connection: Option<PgConnection>,
    packets: &[String],
) -> Result<PgConnection, sqlx::Error> {
    if let Some(mut connection) = connection
        && run(&mut connection, channel, packets).await.is_ok()
    {
        return Ok(connection);
    }
    let connect = tokio::time::timeout(PATIENCE, PgConnection::connect_with(options));
    let mut connection = connect.await.map_err(|_| sqlx::Error::PoolTimedOut)??;
    run(&mut connection, channel, packets).await?;
    Ok(connection)
}

async fn run(
    connection: &mut PgConnection,
    channel: &str,
    packets: &[String],
) -> Result<(), sqlx::Error> {
    let notify = sqlx::query("SELECT pg_notify($1, packet) FROM unnest($2::text[]) AS t (packet)")
        .bind(channel)
        .bind(packets)
        .execute(connection);
    tokio::time::timeout(PATIENCE, notify).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
    Ok(())
}
