//! The sandbox's own routes (`/control/...`): looking into both fakes and making things happen.
//!
//! To add one: a row in [`routes`], and its description in the contract.

pub mod edit;
mod routes;

pub use self::routes::{Control, router};
