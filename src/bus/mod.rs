//! News between tasks and between gateways: what changed, how far the history reaches, that there is
//! work.
//!
//! The bus is a hint and carries no data: whoever hears it reads the truth elsewhere, and looks now
//! and then without having heard anything. A lost message costs a delay, never an event. A listener
//! that may have missed something is told so ([`Heard::Missed`]) and must assume that anything may
//! have changed.
//!
//! `local` serves one process; `postgres` (NOTIFY) and `nats` are the same with a line to the others
//! (`remote`). To add a carrier: a file that feeds a [`remote::Inbox`] and empties a
//! [`remote::Outbox`], and its scheme in `config::bus`. To add a piece of news: a variant of [`What`]
//! or [`Changed`]; a gateway that does not know it yet takes it for one that it missed.

mod local;
#[cfg(feature = "nats")]
pub mod nats;
mod open;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "nats", feature = "postgres"))]
mod remote;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

pub use local::Local;
pub use open::{check, open};

use crate::unified::{ContactId, HighLevelId, WorkspaceId};

/// One piece of news.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct News {
    pub workspace: WorkspaceId,
    pub what: What,
}

/// What is new.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// Something of a contact is not as it was.
    Contact { contact: ContactId, entity: Changed },
    /// The history has events up to this cursor.
    Events(i64),
    /// There is work to be done.
    Work,
    /// The mapping is another one.
    Mapping,
    /// Somebody was erased: whatever is kept at hand may be of them.
    Erased(ContactId),
}

/// Which part of a contact changed.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Changed {
    /// What the systems say of the person; which records that are is in the contact's links.
    Sides,
    /// What HighLevel says of a contact: it was written or deleted there, of which its lists hear
    /// later. News of the sides follow.
    HighLevel(HighLevelId),
    Notes(HighLevelId),
    Tasks(HighLevelId),
    Appointments(HighLevelId),
    /// What became of the mails to a person.
    Deliveries,
}

/// Carries news.
pub trait Bus: Send + Sync {
    /// Tells everyone, here at once and elsewhere soon. Never waits.
    fn publish(&self, news: News);

    /// Everything published from now on.
    fn listen(&self) -> Listener;

    /// Whether there may be other gateways.
    fn reaches_others(&self) -> bool;
}

/// What a listener hears.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Heard {
    News {
        news: News,
        /// Whether this gateway published it.
        ours: bool,
    },
    /// Some news were lost.
    Missed,
}

impl Heard {
    /// Whether it is nothing to whoever cares for one workspace only.
    pub fn is_elsewhere(&self, workspace: &WorkspaceId) -> bool {
        matches!(self, Self::News { news, .. } if news.workspace != *workspace)
    }
}

/// Hears what is published.
#[derive(Debug)]
pub struct Listener(broadcast::Receiver<Heard>);

impl Listener {
    /// The next piece of news; `None` when there will be no more. Cancel-safe.
    pub async fn hear(&mut self) -> Option<Heard> {
        match self.0.recv().await {
            Ok(heard) => Some(heard),
            Err(RecvError::Lagged(_)) => Some(Heard::Missed),
            Err(RecvError::Closed) => None,
        }
    }
}
