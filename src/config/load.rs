//! From the sources to one checked [`Config`].
//!
//! Serde stops at its first error, so each leaf that somebody set is first read alone over the
//! defaults. That gives every wrong type and unknown key its own fault; what passed is then merged,
//! which cannot fail any more, and validated as a whole.

use std::fs;
use std::path::{Path, PathBuf};

use figment::error::Kind;
use figment::providers::{Format, Toml};
use figment::value::Value;
use figment::{Error, Figment};

use super::check::Complaint;
use super::fault::{Fault, Faults};
use super::layer::{self, Leaf};
use super::{Config, value};

const DEFAULTS: &str = include_str!("default.toml");

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "tandem.toml";

/// Keys whose value no message may quote.
const SECRETS: [&str; 5] = [
    "auth.hs256_secret",
    "doppler.api_key",
    "highlevel.client_secret",
    "highlevel.token",
    "vault.keys",
];

/// `limits.batch` where only listed documents are run and nobody set it. A list of operations is a way to
/// try many at once, and whoever lists documents knows whether their clients send any.
const STRICT_BATCH: usize = 1;

/// The place of a key that nobody set and that has no default.
const NOWHERE: &str = "not set anywhere";

/// Gathers sources, each over the ones before it, and loads them together.
#[derive(Debug)]
pub struct Loader {
    defaults: Figment,
    leaves: Vec<Leaf>,
    faults: Vec<Fault>,
    given: Vec<String>,
}

impl Loader {
    /// Only the built-in values.
    #[expect(clippy::new_without_default, reason = "a loader is started, it has no default state")]
    pub fn new() -> Self {
        let defaults = Figment::from(Toml::string(DEFAULTS));
        Self { defaults, leaves: Vec::new(), faults: Vec::new(), given: Vec::new() }
    }

    /// Adds a TOML file; without a path `tandem.toml`, if there is one.
    #[must_use]
    pub fn file(mut self, path: Option<&Path>) -> Self {
        let (file, required) = match path {
            Some(path) => (path.to_path_buf(), true),
            None => (PathBuf::from(DEFAULT_FILE), false),
        };
        if !required && !file.exists() {
            return self;
        }
        let source = file.display().to_string();
        match fs::read_to_string(&file) {
            Ok(text) => return self.text(&text, &source),
            Err(error) => {
                let message = format!("cannot read this file: {}", value::reason(&error));
                self.faults.push(Fault { key: String::new(), message, source });
            }
        }
        self
    }

    /// Adds the text of a TOML file; `source` is what a fault names.
    #[must_use]
    pub(crate) fn text(mut self, text: &str, source: &str) -> Self {
        match layer::toml(text, source) {
            Ok(leaves) => {
                if !leaves.is_empty() {
                    self.given.push(source.to_owned());
                }
                self.leaves.extend(leaves);
            }
            Err(fault) => self.faults.push(fault),
        }
        self
    }

    /// Adds the `TANDEM_*` variables among `env`; others are ignored.
    #[must_use]
    pub fn env(mut self, env: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut variables: Vec<_> = env.into_iter().collect();
        variables.sort();
        let before = self.leaves.len();
        for (name, text) in variables {
            let is_list = |path: &[String]| {
                matches!(self.defaults.find_value(&path.join(".")), Ok(Value::Array(..)))
            };
            match layer::variable(&name, &text, is_list) {
                Some(Ok(leaf)) => self.leaves.push(leaf),
                Some(Err(fault)) => self.faults.push(fault),
                None => {}
            }
        }
        if self.leaves.len() > before {
            self.given.push("environment".to_owned());
        }
        self
    }

    /// Adds one value; `source` is what a fault names ("--listen").
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Into<Value>, source: &str) -> Self {
        let path = key.split('.').map(str::to_owned).collect();
        self.leaves.push(Leaf { path, value: value.into(), source: source.to_owned() });
        self
    }

    /// Takes back what the sources so far say of `key`.
    #[must_use]
    pub fn forget(mut self, key: &str) -> Self {
        self.leaves.retain(|leaf| leaf.key() != key);
        self
    }

    /// Whether a source other than the defaults sets `key`.
    pub fn is_set(&self, key: &str) -> bool {
        self.leaves.iter().any(|leaf| leaf.key() == key)
    }

    /// What the sources so far say of `key`, if it is text.
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.leaves.iter().rev().find(|leaf| leaf.key() == key)?.value.as_str()
    }

    /// The file and the environment, as far as they set anything: for people to read.
    pub fn given(&self) -> &[String] {
        &self.given
    }

    /// The settings, or everything that is wrong with them.
    pub fn load(self) -> Result<Config, Faults> {
        let (config, faults) = self.read()?;
        Faults::new(faults).map_or(Ok(config), Err)
    }

    /// The settings for a command that needs one section alone: what is wrong elsewhere does not
    /// matter to it.
    pub fn load_section(self, section: &str) -> Result<Config, Faults> {
        let (config, mut faults) = self.read()?;
        let about = |key: &str| key.is_empty() || key.split('.').next() == Some(section);
        faults.retain(|fault| about(&fault.key));
        Faults::new(faults).map_or(Ok(config), Err)
    }

    /// The settings and everything that is wrong with them.
    fn read(self) -> Result<(Config, Vec<Fault>), Faults> {
        let is_batch_set = self.is_set("limits.batch");
        let Self { defaults, leaves, mut faults, .. } = self;
        let mut merged = defaults.clone();
        for leaf in leaves {
            match defaults.clone().merge(leaf.clone()).extract_lossy::<Config>() {
                Ok(_) => merged = merged.merge(leaf),
                Err(error) => faults.push(explain(&leaf, &error)),
            }
        }
        faults.dedup();
        let mut config: Config = match merged.extract_lossy() {
            Ok(config) => config,
            Err(error) => {
                faults.push(Fault {
                    key: error.path.join("."),
                    message: error.kind.to_string(),
                    source: "all sources together".to_owned(),
                });
                return Err(Faults(faults));
            }
        };
        if config.documents.only_trusted && !is_batch_set {
            config.limits.batch = STRICT_BATCH;
        }
        let mut complaints = config.read_secret_files();
        complaints.extend(config.validate());
        // What could not be read at all has been reported; that it is also "not set" is no news.
        let known: Vec<String> = faults.iter().map(|fault| fault.key.clone()).collect();
        let is_unread = known.contains(&String::new());
        let with_source = |Complaint { key, message }: Complaint| {
            let source = source_of(&merged, &key);
            Fault { key, message, source }
        };
        faults.extend(
            complaints
                .into_iter()
                .map(with_source)
                .filter(|fault| !known.contains(&fault.key))
                .filter(|fault| !(is_unread && fault.source == NOWHERE)),
        );
        Ok((config, faults))
    }
}

/// `default.toml` alone, unchecked.
pub(super) fn defaults() -> Config {
    Loader::new().defaults.extract().expect("the embedded defaults are read by a test")
}

/// Who set `key`: itself, the file that it is read from, or the list that it is in.
fn source_of(merged: &Figment, key: &str) -> String {
    let file = format!("{key}_file");
    let is_list = |key: &&str| matches!(merged.find_value(key), Ok(Value::Array(..)));
    let list = key.match_indices('.').map(|(at, _)| &key[..at]).find(is_list);
    let found = merged.find_metadata(key).map(|found| (found, ""));
    let found = found
        .or_else(|| Some((merged.find_metadata(&file)?, file.as_str())))
        .or_else(|| Some((merged.find_metadata(list?)?, "")));
    match found {
        None => NOWHERE.to_owned(),
        Some((found, _)) if found.name.starts_with("TOML") => "default".to_owned(),
        Some((found, "")) => found.name.to_string(),
        Some((found, file)) => format!("{file} of {}", found.name),
    }
}

/// One sentence for what serde and figment say of a leaf that was read alone.
fn explain(leaf: &Leaf, error: &Error) -> Fault {
    let source = leaf.source.clone();
    let fault = |key: String, message: String| Fault { key, message, source };
    if let Kind::UnknownField(name, known) = &error.kind {
        let at = leaf.path.iter().position(|part| part == name).unwrap_or(leaf.path.len() - 1);
        let key = leaf.path[..=at].join(".");
        let what = if at == 0 { "section" } else { "key" };
        return fault(key, format!("unknown {what}{}", nearest(name, known)));
    }
    let key = leaf.key();
    let kind = &error.kind;
    let message = if let Kind::InvalidType(found, wanted) | Kind::InvalidValue(found, wanted) = kind
    {
        let wanted = plain(wanted);
        if SECRETS.contains(&key.as_str()) {
            format!("expected {wanted}")
        } else {
            format!("found {found}, expected {wanted}")
        }
    } else if let Kind::UnknownVariant(name, known) = kind {
        format!("unknown value `{name}`, expected one of {}", known.join(", "))
    } else {
        kind.to_string()
    };
    fault(key, message)
}

/// What serde calls a type, for people who do not write Rust.
fn plain(wanted: &str) -> &str {
    match wanted {
        "usize" | "u32" | "u64" => "a whole number, not negative",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a duration" => "a duration such as \"10s\" or \"5m\"",
        other => other,
    }
}

/// A suggestion for a misspelt name, or nothing if none is close.
fn nearest(name: &str, known: &[&str]) -> String {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min()
        .map(|(_, candidate)| format!(", did you mean `{candidate}`?"))
        .unwrap_or_default()
}
