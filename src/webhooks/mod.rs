//! What systems send us: is it theirs, is it new, keep it, answer; look at it later.
//!
//! [`Webhooks`] is for whoever takes the request: nothing it stored is lost, whatever happens to the
//! process afterwards. [`Sorting`] is the work that comes of it. Both know the port's words
//! only; which headers and keys a system uses is in its client.
//!
//! Doppler says when an import is over, which only makes the work that waits for it look sooner.
//!
//! To add a sender: an [`Inbound`](crate::upstream::Inbound) of its client and a route in `http`.

mod receive;
mod sorting;
mod together;

pub use receive::{Parts, Verdict, Webhooks};
pub use sorting::Sorting;

pub use crate::upstream::Post;
