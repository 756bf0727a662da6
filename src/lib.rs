//! Tandem: one GraphQL API over Doppler and HighLevel, which each know half of a person.
//!
//! # The map
//!
//! A query travels down this list and its answer back up; each module stands on those below it,
//! never on one above. `tests/it/layout` holds that as a table and fails with the file and line.
//!
//! | module | what it is for |
//! |---|---|
//! | `main`, [`cli`] | the commands: `serve`, `sandbox`, `check`, `schema`, `sync`, `token`, `vault` |
//! | [`app`] | puts the parts together; the only one that knows all of them |
//! | `http` | the outside: GraphQL over HTTP, WebSocket and server-sent events, playground, probes |
//! | `graphql` | the schema, thin: shapes answers, decides nothing; `limits` refuses too much |
//! | `webhooks` | what systems send: is it theirs, keep it, answer, look at it later |
//! | `contacts` | the use cases and the rights to them: find, list, both sides, mutations, watching sync |
//! | `sync` | what to do so that both systems agree (pure), doing it, and what to record of it |
//! | `auth` | who asks and what they may do; the vault: what we prove ourselves with |
//! | `cache` | what was read lately, shared by all requests; equal reads at once are one |
//! | `store`, `bus` | what is remembered for good; news of changes |
//! | `doppler`, `highlevel` | one client a system: its wire format, its errors, its quirks |
//! | `upstream` | the port that both clients implement, and their one transport and call budget |
//! | `unified` | the domain, pure: who is whom, whose value counts, what differs |
//! | [`clock`], [`tasks`], `telemetry`, [`config`] | leaves, which everyone may use |
//! | [`sandbox`] | strict fakes of both systems; shares no type with the clients, on purpose |
//!
//! # Words
//!
//! One word a thing, in schema, code, config and logs. A *system* is Doppler or HighLevel. A
//! *workspace* pairs one account of each. A *contact* is a person in a workspace, whatever systems
//! know them; a *link* says that a contact is this subscriber or that HighLevel contact. The
//! *mapping* says which field here is which field there and who owns it. *Upstream* is the HTTP side
//! of a system. A *last known copy* is what a system said when it was last read, in the store.
//!
//! # Finding one's way
//!
//! - A field of a contact: `unified::profile` fills it, `graphql::types::contact` shows it,
//!   `graphql::limits` says what it costs in calls.
//! - A read from a system: a method of `upstream::{Mailing, Crm}`, its implementation in the client,
//!   its row in `contacts::entity`, its use case in `contacts::reader`.
//! - A mutation: a variant of `unified::EditChange`, what `sync::plan` makes of it, a method of
//!   `contacts::Writer` and a file in `graphql::mutation`.
//! - Why something was written, or not: `sync::plan`, one file a topic.
//! - A setting: `config`, one file a section, and a sentence in `config/default.toml`.
//! - Why a person has the id they have: `unified::identity` decides, `store` remembers.

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
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "giving work up, holds of nobody and `next_due` have no caller but their tests"
    )
)]
mod store;
mod sync;
mod telemetry;
mod unified;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "making a field in Doppler has no caller but its tests")
)]
mod upstream;
mod webhooks;
