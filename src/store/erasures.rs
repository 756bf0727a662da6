//! Erasing a person, and knowing them again afterwards without keeping anything of them.
//!
//! Of an erased person the store keeps the contact's id, the rows of the history without their words,
//! and hashes of the addresses and record keys, made with a key that it is given when it is opened
//! ([`Erasures::unlock`]) and keeps sealed only. Everything else that comes later of the same address
//! or record is recognised by them and not stored: by whom and how often it is said makes no
//! difference.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretBox;

use super::Error;
use crate::unified::{ContactId, System, WorkspaceId};

/// How long the key is.
pub const ERASURE_KEY_BYTES: usize = 32;

/// The key of the hashes. Debug shows nothing of it.
#[derive(Debug)]
pub struct ErasureKey(pub SecretBox<[u8; ERASURE_KEY_BYTES]>);

/// Something that a person is known again by.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Trace {
    /// A normalised address.
    Email(String),
    /// A record by its key in a system.
    Record(System, String),
}

/// What became of erasing somebody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Erasure {
    /// Nothing is left of the person behind the id.
    Done { contact: ContactId, last_cursor: Option<i64> },
    /// They were erased before.
    Before(ContactId),
    /// Nobody has or had this id.
    Unknown,
}

/// Erased people.
#[async_trait]
pub trait Erasures: Send + Sync {
    /// Takes the key of the hashes, once; it is the one that was sealed ([`Erasures::sealed_key`]).
    fn unlock(&self, key: ErasureKey);

    /// Whether it was given the key: without it nobody is erased ([`Error::Locked`]).
    fn is_unlocked(&self) -> bool;

    /// The key as it is kept. `new` is kept where there is none yet.
    async fn sealed_key(&self, new: Option<&str>) -> Result<Option<String>, Error>;

    /// Takes away everything that is stored of the person behind an id, in one transaction: links,
    /// copies, what is agreed, what was asked for and is under way, holds, failures, the index, what
    /// systems sent of them, and the words of their history, which says that they were erased. Whoever
    /// works on them loses their lease, and so writes nothing any more. The id stays and is nobody's.
    ///
    /// An address that another contact has as well stays that contact's.
    async fn erase(
        &self,
        workspace: &WorkspaceId,
        contact: ContactId,
        now: DateTime<Utc>,
    ) -> Result<Erasure, Error>;

    /// Who was erased, of those whom the traces are of, in the order given.
    async fn erased(
        &self,
        workspace: &WorkspaceId,
        traces: &[Trace],
    ) -> Result<Vec<Option<ContactId>>, Error>;
}
