//! Doppler's REST API (fromdoppler.com): subscribers, lists, fields, imports and deliveries.
//!
//! Doppler publishes little about it; what is known comes from its own clients and from the server
//! framework it published (`FromDoppler/doppler-aspnet-hypermedia-api`), so reading is lenient.
//! [`Client`] makes the calls, `wire` is what they answer, `body` what they send, `convert` turns
//! answers into the plain models, `refusal` tells errors apart.
//!
//! To add a call: a static in `routes` with its effect, the members in `wire` or `body`, a pure
//! conversion, and the method of the port in `client`.

mod body;
mod client;
mod convert;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod refusal;
mod routes;
#[cfg(test)]
mod tests;
mod wire;

pub use client::{Client, seed};
