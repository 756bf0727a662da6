//! One source of settings, taken apart into its leaves so that each can be judged by itself.

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

use super::fault::Fault;

/// What begins the name of every variable that we read.
const PREFIX: &str = "TANDEM_";

/// Variables of the commands that call a running gateway. Whoever exported them for those may run the
/// others too.
const OF_CLIENTS: [&str; 2] = ["TANDEM_URL", "TANDEM_TOKEN"];

/// One value that somebody set, and where.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    /// `["doppler", "timeout"]`.
    pub(super) path: Vec<String>,
    pub(super) value: Value,
    /// `tandem.toml`, `TANDEM_DOPPLER__TIMEOUT`, `--listen`.
    pub(super) source: String,
}

impl Leaf {
    pub(super) fn key(&self) -> String {
        self.path.join(".")
    }
}

impl Provider for Leaf {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let mut nested = self.value.clone();
        for name in self.path.iter().skip(1).rev() {
            nested = Value::from(Dict::from([(name.clone(), nested)]));
        }
        let first = self.path.first().cloned().unwrap_or_default();
        Ok(Profile::Default.collect(Dict::from([(first, nested)])))
    }
}

/// The leaves of a TOML text; its first syntax error with line and column.
pub(super) fn toml(text: &str, source: &str) -> Result<Vec<Leaf>, Fault> {
    let root: Dict = Toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        let what = error.message().lines().next().unwrap_or_default();
        let message = format!("line {line}, column {column}: {what}");
        Fault { key: String::new(), message, source: source.to_owned() }
    })?;
    let mut leaves = Vec::new();
    collect(root, &mut Vec::new(), source, &mut leaves);
    Ok(leaves)
}

/// A table without keys is a leaf too, or a misspelt empty section would go unseen.
fn collect(table: Dict, path: &mut Vec<String>, source: &str, leaves: &mut Vec<Leaf>) {
    for (name, value) in table {
        path.push(name);
        if let Value::Dict(_, inner) = &value
            && !inner.is_empty()
        {
            collect(inner.clone(), path, source, leaves);
        } else {
            leaves.push(Leaf { path: path.clone(), value, source: source.to_owned() });
        }
        path.pop();
    }
}

/// The leaf of one variable; `None` if it is none of ours. `list` says which keys hold lists, whose
/// items are separated by commas here.
pub(super) fn variable(
    name: &str,
    text: &str,
    list: impl Fn(&[String]) -> bool,
) -> Option<Result<Leaf, Fault>> {
    if OF_CLIENTS.contains(&name) {
        return None;
    }
    let key = name.strip_prefix(PREFIX)?.to_ascii_lowercase();
    let path: Vec<String> = key.split("__").map(str::to_owned).collect();
    if path.len() < 2 || path.iter().any(String::is_empty) {
        let message = "names no key: write TANDEM_SECTION__KEY, with two underscores".to_owned();
        return Some(Err(Fault { key: String::new(), message, source: name.to_owned() }));
    }
    let value = if list(&path) {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        Value::from(items.map(Value::from).collect::<Vec<_>>())
    } else {
        // Always text, whatever it looks like: an API key of digits is not a number. Figment's
        // lossy reading turns it into what the key wants.
        Value::from(text)
    };
    Some(Ok(Leaf { path, value, source: name.to_owned() }))
}
