//! GraphQL over HTTP, as in the 2025 draft (<https://graphql.github.io/graphql-over-http/draft/>),
//! and over server-sent events ("distinct connections mode" of
//! <https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>).
//!
//! | step | file |
//! |---|---|
//! | which media type answers | `accept` |
//! | what the body must be | `envelope` |
//! | who asks, how fresh, by when | `ask` |
//! | run it: one, a batch, by GET or POST | `run`, `post`, `get` |
//! | one answer as bytes and status | `reply` |
//! | a stream of answers | `events` |

mod accept;
mod ask;
mod envelope;
mod events;
#[cfg(feature = "fuzz")]
pub(super) mod fuzz;
mod get;
mod post;
mod reply;
mod run;
#[cfg(test)]
mod tests;

pub(super) use accept::Media;
pub(super) use envelope::request as parse_request;
pub(super) use events::answers;
pub(super) use get::get;
pub(super) use post::post;
pub(super) use reply::{Shape, asks_for_cost, refused};
