//! Tandem: one GraphQL API over Doppler and HighLevel.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod sandbox;
pub mod tasks;

mod auth;
mod bus;
mod cache;
mod contacts;
mod doppler;
mod graphql;
mod highlevel;
mod http;
mod store;
mod telemetry;
mod unified;
mod upstream;
