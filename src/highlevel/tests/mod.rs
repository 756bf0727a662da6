//! Against the observed errors, against scripted oddities, and against the fake.

mod bodies;
mod custom;
mod fake;
mod lab;
mod oauth;
#[path = "../../../tests/it/openapi/mod.rs"]
mod openapi;
mod scripted;
mod writing;

use secrecy::SecretString;

use crate::clock::Clock;
use crate::config::highlevel::HighLevel;
use crate::sandbox::credentials::{HIGHLEVEL_LOCATION, HIGHLEVEL_TOKEN};

use super::Client;

fn client(url: &str, clock: &Clock, change: impl FnOnce(&mut HighLevel)) -> Client {
    let mut config = HighLevel {
        base_url: url.parse().unwrap(),
        location_id: Some(HIGHLEVEL_LOCATION.to_owned()),
        token: Some(SecretString::from(HIGHLEVEL_TOKEN)),
        ..HighLevel::default()
    };
    change(&mut config);
    Client::new(&config, clock).unwrap()
}
