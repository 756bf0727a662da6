//! One binary of integration tests: the crate's rules, its commands, and the gateway as a whole.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod cli;
mod config;
mod gateway;
mod http;
mod layout;
mod openapi;
mod sandbox;
mod world;
