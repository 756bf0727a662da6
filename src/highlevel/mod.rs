//! HighLevel's Contacts API (GoHighLevel / LeadConnector): contacts, notes, tasks, appointments and
//! the location they belong to.
//!
//! The official OpenAPI files (`GoHighLevel/highlevel-api-docs`) say what may be sent, and requests
//! hold to them because unknown members are refused; what is answered differs from them in many
//! places, so reading is lenient. [`Client`] makes the calls, `wire` is what they answer, `body`,
//! `contact_body` and `custom` what they send, `convert` turns answers into the plain models, `refusal` tells errors apart.
//!
//! To add a call: a static in `routes` with its scope, the members in `wire` or `body`, a pure
//! conversion, and the method of the port in `client`.

mod body;
mod client;
mod connect;
mod contact_body;
mod convert;
mod custom;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod lenient;
mod local_time;
mod oauth;
mod refusal;
mod routes;
mod search;
mod signature;
mod task_search;
#[cfg(test)]
mod tests;
mod webhook;
mod wire;

pub use client::Client;
pub use connect::seed;
pub use oauth::OAuth;
pub use webhook::Webhooks;
