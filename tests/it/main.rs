//! One binary of integration tests: the crate's rules, its commands, and the gateway as a whole.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests call with their own client and may fail loudly"
)]

mod auth;
mod cli;
mod config;
mod connecting;
mod gateway;
mod http;
mod layout;
mod log;
mod openapi;
mod place;
mod process;
mod sandbox;
mod sync;
mod time;
mod webhooks;
mod workspaces;
mod world;
