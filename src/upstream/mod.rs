//! The port that both systems implement, and what every call through it shares.
//!
//! The port does not pretend that the systems are alike: [`Directory`] is what both can say of
//! themselves, [`Mailing`] is what only Doppler has and [`Crm`] what only HighLevel has. Use cases
//! know these traits and the plain models of `unified`, never a vendor's wire format.
//!
//! To add a read: give the trait a method in neutral terms, implement it in `doppler::client` or
//! `highlevel::client`, and state in the docs what it costs in calls.

mod call;
mod crm;
mod directory;
mod error;
mod mailing;

pub use call::{Call, Meter, Priority};
pub use crm::{Crm, SearchPage, SearchRequest, SearchRow, SearchTerm};
pub use directory::{CredentialKind, Directory, UpstreamState, UpstreamStatus};
pub use error::{Error, Kind, Retry};
pub use mailing::{Mailing, PAGE_SIZE, SubscriberPage};
