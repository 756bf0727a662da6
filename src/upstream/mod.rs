//! The port that both systems implement, and what every call through it shares.
//!
//! The port does not pretend that the systems are alike: [`Directory`] is what both can say of
//! themselves, [`Mailing`] is what only Doppler has and [`Crm`] what only HighLevel has. Use cases
//! know these traits and the plain models of `unified`, never a vendor's wire format.
//!
//! Behind the port, both clients call their system through a [`Transport`]: one place for waiting,
//! encoding, repeating, counting and telling errors apart.
//!
//! To add a call: give the trait a method in neutral terms, implement it in `doppler::client` or
//! `highlevel::client`, and state in the docs what it costs in calls and, of a write, whether it is
//! safe to repeat. A write whose outcome is not known is an error that says so
//! ([`Error::in_doubt`]): whoever made it reads before sending it again.

mod authorizer;
mod breaker;
mod budget;
mod call;
mod connector;
mod credentials;
mod crm;
mod directory;
#[cfg(test)]
pub mod double;
mod error;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod health;
mod inbound;
mod mailing;
mod route;
#[cfg(test)]
pub mod script;
mod segment;
mod transport;
mod words;

pub use authorizer::{Authorizer, Granted, NotGranted, Owner};
pub use budget::{Allowance, Change, DOCUMENTED_INTERVAL_MS, SharedBudget, Unshared};
pub use call::{Call, Meter, Priority};
pub use connector::{Connector, check_once};
pub use credentials::{Credentials, Facts, Token, fingerprint};
pub use crm::{Crm, SearchPage, SearchRequest, SearchRow, SearchTerm, TASK_CONTACTS, TASK_ROWS};
pub use directory::{CredentialKind, Directory, UpstreamState, UpstreamStatus, Writing};
pub use error::{Error, Kind, Retry};
pub use health::REFUSAL_COUNTS;
pub use inbound::{About, Inbound, Notice, Post, Unverified};
pub use mailing::{Mailing, PAGE_SIZE, SubscriberPage};
pub use route::{Effect, Route, below};
pub use segment::{Query, Segment};
pub use transport::{Courier, Request, Setup, SetupError, Transport};
pub use words::known_code;
