//! What is done with the bytes.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use async_graphql::Request;
use serde_json::{Map, Value};

use super::seeds::{KEY, SEALED};
use crate::auth::{Keyring, Secret};
use crate::config::vault::Vault;
use crate::config::{Config, Faults, Loader};
use crate::graphql::Trusted;
use crate::graphql::limits::Limits;
use crate::unified::expression::{self, Error, Facts};
use crate::unified::{Canonical, ContactStatus, Kind};
use crate::upstream::{About, Inbound as _, Post};
use crate::{contacts, graphql, highlevel, http};

/// Stands where a secret would, so that it can be looked for.
pub(super) const SECRET: &str = "tellNobodyOfThis";
/// The settings that no message may quote.
const SECRETS: [(&str, &str); 5] = [
    ("auth", "hs256_secret"),
    ("doppler", "api_key"),
    ("highlevel", "client_secret"),
    ("highlevel", "token"),
    ("vault", "keys"),
];

static DEFAULTS: LazyLock<Config> = LazyLock::new(Config::default);
static LIMITS: LazyLock<Limits> = LazyLock::new(|| Limits::from_config(&DEFAULTS.limits, 5_000));

/// The first line is the signature's header, the rest the body; and all of it is a body.
pub(super) fn webhook(bytes: &[u8]) {
    static WEBHOOKS: LazyLock<highlevel::Webhooks> = LazyLock::new(|| {
        let mut config = DEFAULTS.highlevel.clone();
        config.legacy_webhook_signatures = true;
        highlevel::Webhooks::new(&config)
    });
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (line, rest) = bytes.split_at(end);
    let body = rest.get(1..).unwrap_or_default();
    let header = http::fuzz::signature(line);
    let header = header.as_deref();
    for (signature, legacy_signature) in [(header, None), (None, header), (header, header)] {
        let signed = WEBHOOKS.verify(Post { signature, legacy_signature, body }).is_ok();
        assert!(!signed, "nobody signed this");
    }
    for body in [body, bytes] {
        let Some(notice) = WEBHOOKS.read(body) else { continue };
        assert!((1..=64).contains(&notice.id.len()), "an id of {} bytes", notice.id.len());
        let again = WEBHOOKS.read(body);
        assert!(again.as_ref() == Some(&notice), "the same body is another notice");
        let about = match &notice.about {
            About::Contact(id) | About::Notes(id) | About::Tasks(id) | About::Appointments(id) => {
                id.as_str()
            }
            About::Task { id, .. } | About::TakenBack(id) => id,
            About::Installed | About::Uninstalled | About::Other => "",
        };
        assert!(about.len() <= 64, "it is about an id of {} bytes", about.len());
    }
}

pub(super) fn cursor(bytes: &[u8]) {
    contacts::fuzz::cursor(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        graphql::fuzz::history_cursor(text);
    }
}

/// A file, and its text where secrets stand.
pub(super) fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let quiet = |loaded: Result<Config, Faults>| {
        let said = match loaded {
            Ok(config) => format!("{config:?}"),
            Err(faults) => format!("{faults} {faults:?}"),
        };
        assert!(!said.contains(SECRET), "a secret is told: {said}");
    };
    // What the file itself says may hold the word where no secret belongs; then it may be quoted.
    let plain = text.replace(SECRET, "nothing");
    let _ = Loader::new().text(&plain, "tandem.toml").load();
    // Whatever else the file says, what stands where a secret belongs is not told. One of them at a
    // time: a load takes milliseconds.
    let (section, name) = SECRETS[bytes.len() % SECRETS.len()];
    let key = format!("{section}.{name}");
    let variable = format!("TANDEM_{section}__{name}").to_uppercase();
    let loader = || Loader::new().text(&plain, "tandem.toml");
    quiet(loader().env([(variable, format!("{SECRET}{plain}"))]).load());
    quiet(loader().set(&key, vec![SECRET], "--list").load());
    quiet(loader().set(&format!("{key}.more"), SECRET, "--table").load());
    let file = format!("[{section}]\n{name} = \"{SECRET}\"\n{plain}\n");
    quiet(Loader::new().text(&file, "tandem.toml").load());
}

/// An expression over a person.
pub(super) fn expression(bytes: &[u8]) {
    static NAMES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
        ["firstName", "lastName", "address.city", "seats", "active"].map(str::to_owned).into()
    });
    static FACTS: LazyLock<Facts> = LazyLock::new(|| {
        let mut facts = Facts::default();
        let text = |text: &str| Canonical::Text(text.to_owned());
        facts.set("firstName", Kind::Text, text("Ana"));
        facts.set("lastName", Kind::Text, Canonical::Null);
        facts.set("address.city", Kind::Text, text("Córdoba"));
        facts.set("seats", Kind::Number, text("41"));
        facts.set("active", Kind::Boolean, text("true"));
        facts.tags = (0..100).map(|number| format!("tag {number}")).collect();
        facts.status = Some(ContactStatus::Active);
        facts
    });
    let Ok(source) = std::str::from_utf8(bytes) else { return };
    let faults = expression::check(source, &NAMES);
    let value = expression::value(source, &FACTS);
    if faults.is_empty() {
        let runs = !matches!(value, Err(Error::Fault(_)));
        assert!(runs, "it passed the check and cannot be compiled: {value:?}");
    }
    let _ = expression::holds(source, &FACTS);
}

/// A document, and a body that carries one.
pub(super) fn document(bytes: &[u8]) {
    for mut request in http::fuzz::operations(bytes) {
        graphql::fuzz::admit(&mut request);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        graphql::fuzz::admit(&mut Request::new(text));
    }
}

/// The file of trusted documents.
pub(super) fn manifest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(trusted) = Trusted::parse(text) else { return };
    let _ = trusted.check(&LIMITS);
    let read: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    for (id, document) in read.iter().filter_map(|(id, text)| Some((id, text.as_str()?))) {
        let named = trusted.named(id).is_some_and(|known| **known == *document);
        // Beside operations nothing else is read.
        let found = named && trusted.lists(document);
        assert!(found || read.contains_key("operations"), "{id} is not found");
    }
}

/// A sealed text, what it holds, and a secret.
pub(super) fn sealed(bytes: &[u8]) {
    static RING: LazyLock<Option<Keyring>> =
        LazyLock::new(|| Keyring::new(&Vault { keys: Some(KEY.into()), keys_file: None }).ok());
    let Some(ring) = &*RING else { return };
    if let Ok(text) = std::str::from_utf8(bytes) {
        let opens = ring.open("here", text).is_ok();
        assert!(opens == SEALED.contains(&text), "a bent text opens, or a good one does not");
    }
    let sealed = ring.seal("here", bytes).unwrap_or_default();
    assert!(ring.open("here", &sealed).as_deref() == Ok(bytes), "what was sealed does not open");
    assert!(ring.open("there", &sealed).is_err(), "it opens in another place");
    let _ = serde_json::from_slice::<Secret>(bytes);
}
