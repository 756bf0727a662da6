//! The HighLevel fake, held against the official specification and the recorded errors.

mod contacts;
mod errors;
mod lists;
mod oauth;
mod search;
mod vendor;
mod walk;
mod webhooks;
