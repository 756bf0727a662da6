//! Doppler's REST API (fromdoppler.com): subscribers, lists, fields and deliveries.
//!
//! Doppler publishes little about it; what is known comes from its own clients and from the server
//! framework it published (`FromDoppler/doppler-aspnet-hypermedia-api`), so reading is lenient.
//! [`Client`] makes the calls, `wire` is what they answer, `convert` turns that into the plain models,
//! `refusal` tells its errors apart.
//!
//! To add a call: a static in `routes`, the answer's members in `wire`, a pure conversion, and the
//! method of the port in `client`.

mod client;
mod convert;
mod refusal;
mod routes;
#[cfg(test)]
mod tests;
mod wire;

pub use client::Client;
