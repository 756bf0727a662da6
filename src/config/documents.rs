//! `[documents]`: which GraphQL documents are run, and who may look at the schema.

use std::path::PathBuf;

use serde::Deserialize;

use super::check::Check;

/// See `default.toml` for what each key means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct Documents {
    /// Whether a client may send the hash of a document that it sent in full before.
    pub automatic: bool,
    /// The file of the trusted documents.
    #[serde(default)]
    pub trusted: Option<PathBuf>,
    /// Whether nothing else is run.
    pub only_trusted: bool,
    /// Who may look at the schema.
    pub introspection: Introspection,
}

/// Who may look at the schema.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Introspection {
    /// Whoever may call.
    Everyone,
    /// Who holds `workspace.manage`.
    Managers,
    /// Nobody.
    Nobody,
}

impl Documents {
    pub(super) fn validate(&self, check: &mut Check<'_>) {
        if self.only_trusted && self.trusted.is_none() {
            check.fault("only_trusted", "needs documents.trusted, the file that lists them");
        }
    }
}
