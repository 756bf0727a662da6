//! Settings: what an operator can change, read once at start and checked as a whole.
//!
//! `default.toml` beside this file is both the built-in values and the commented reference. Over it
//! come the operator's file, the `TANDEM_*` variables and the command line, in that order
//! ([`Loader`]). Every fault of all of them is reported at once, with its key and where it was set
//! ([`Faults`]), because a start that fails once a mistake is a bad afternoon.
//!
//! One file a section. A module of the gateway imports its own section and nothing else of this
//! one, so that its needs can be read in one place.
//!
//! A new key: a field in the section's struct (its type says unit and optionality), a sentence and a
//! value in `default.toml`, and a line in the section's `validate` if a value of the right type can
//! still be wrong. A secret is an `Option<SecretString>` with a twin `*_file`, and is named in
//! `SECRETS` of `load.rs` so that no message quotes it. A new section: a file, a field of
//! [`Config`], a line in `Config::validate`.

use std::path::Path;

use serde::Deserialize;

pub mod auth;
pub mod bus;
pub mod cache;
pub mod documents;
pub mod doppler;
pub mod highlevel;
pub mod limits;
pub mod mapping;
pub mod server;
pub mod store;
pub mod sync;
pub mod telemetry;
pub mod vault;

mod check;
mod fault;
mod layer;
mod load;
mod value;

pub use fault::{Fault, Faults};
pub use load::Loader;

use check::Check;

/// Everything that can be set. [`Config::default`] is `default.toml` and nothing more: it names no
/// account, so it passes no validation, but tests can start from it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "sections")]
pub struct Config {
    /// The gateway's own address and its patience.
    pub server: server::Server,
    /// Where state is kept.
    pub store: store::Store,
    /// How parts of the gateway tell each other of changes.
    pub bus: bus::Bus,
    /// Who may call.
    pub auth: auth::Auth,
    /// What stored credentials are encrypted with.
    pub vault: vault::Vault,
    /// Access to Doppler.
    pub doppler: doppler::Doppler,
    /// Access to HighLevel.
    pub highlevel: highlevel::HighLevel,
    /// What is kept in memory, and for how long.
    pub cache: cache::Cache,
    /// Which documents are run, and who may look at the schema.
    pub documents: documents::Documents,
    /// What one query and one client may ask for.
    pub limits: limits::Limits,
    /// Which field here is which field there.
    pub mapping: mapping::Mapping,
    /// How mutations and reconciles are carried out.
    pub sync: sync::Sync,
    /// Logs and metrics.
    pub telemetry: telemetry::Telemetry,
}

impl Config {
    /// Reads the defaults, `path` (without one: `tandem.toml`, if there is such a file) and the
    /// `TANDEM_*` variables of `env`, reads secrets out of their files, and checks the whole.
    pub fn load(
        path: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Faults> {
        Loader::new().file(path).env(env).load()
    }

    /// What is wrong with the values, each of which has the right type. Pure.
    fn validate(&self) -> Vec<check::Complaint> {
        let mut complaints = Vec::new();
        self.server.validate(&mut Check::new("server", &mut complaints));
        self.store.validate(&mut Check::new("store", &mut complaints));
        self.bus.validate(&mut Check::new("bus", &mut complaints));
        self.auth.validate(&mut Check::new("auth", &mut complaints));
        self.vault.validate(&mut Check::new("vault", &mut complaints));
        let vaulted = self.vault.is_set();
        self.doppler.validate(vaulted, &mut Check::new("doppler", &mut complaints));
        self.highlevel.validate(vaulted, &mut Check::new("highlevel", &mut complaints));
        self.cache.validate(&mut Check::new("cache", &mut complaints));
        self.documents.validate(&mut Check::new("documents", &mut complaints));
        self.limits.validate(&mut Check::new("limits", &mut complaints));
        self.mapping.validate(&mut Check::new("mapping", &mut complaints));
        self.sync.validate(&mut Check::new("sync", &mut complaints));
        self.telemetry.validate(&mut Check::new("telemetry", &mut complaints));
        let mut server = Check::new("server", &mut complaints);
        self.auth.validate_reach(self.server.listen, &mut server);
        if self.highlevel.client_id.is_some() {
            self.server.validate_return(&mut server);
        }
        complaints
    }

    /// Reads the secrets that were given as files into their fields.
    fn read_secret_files(&mut self) -> Vec<check::Complaint> {
        let mut complaints = Vec::new();
        let mut read = |section, secrets: Vec<value::SecretSlot<'_>>| {
            let mut check = Check::new(section, &mut complaints);
            for slot in secrets {
                slot.fill(&mut check);
            }
        };
        read("auth", self.auth.secrets());
        read("vault", self.vault.secrets());
        read("doppler", self.doppler.secrets());
        read("highlevel", self.highlevel.secrets());
        complaints
    }
}

impl Default for Config {
    fn default() -> Self {
        load::defaults()
    }
}
