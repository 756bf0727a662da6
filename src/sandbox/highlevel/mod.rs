//! A strict fake of HighLevel's Contacts API, with its OAuth, custom fields, tags and webhooks.

pub mod seed;
