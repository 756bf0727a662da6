//! Kinds of values that more than one section has: addresses, zones, secrets out of files.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use chrono_tz::Tz;
use secrecy::SecretString;
use serde::de::{Deserialize, Deserializer, Error};
use url::Url;

use super::check::Check;

/// Secrets are a line of text; something longer is the wrong file.
const LONGEST_SECRET: u64 = 64 * 1024;

/// An absolute URL. The message names the reason and not the text, which may hold a password.
pub(super) fn url<'de, D: Deserializer<'de>>(from: D) -> Result<Url, D::Error> {
    let text = String::deserialize(from)?;
    Url::parse(&text).map_err(|error| D::Error::custom(format!("not a URL: {error}")))
}

/// As [`url()`], for a key without a default.
pub(super) fn optional_url<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Url>, D::Error> {
    url(from).map(Some)
}

/// An address and port, without looking a name up.
pub(super) fn address<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    String::deserialize(from)?
        .parse()
        .map_err(|_| D::Error::custom("not an address and port, such as 127.0.0.1:4000"))
}

/// A zone by its IANA name.
pub(super) fn optional_zone<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Tz>, D::Error> {
    let name = String::deserialize(from)?;
    Tz::from_str(&name)
        .map(Some)
        .map_err(|_| D::Error::custom("not the IANA name of a time zone, such as Europe/Madrid"))
}

/// A secret, the file it may come from instead, and the key of the secret.
pub(super) struct SecretSlot<'a> {
    pub(super) key: &'static str,
    pub(super) secret: &'a mut Option<SecretString>,
    pub(super) file: &'a Option<PathBuf>,
}

impl SecretSlot<'_> {
    /// Reads the file, if one is named. The end of line that editors add is not part of a secret.
    pub(super) fn fill(self, check: &mut Check<'_>) {
        let Some(path) = self.file else { return };
        let file_key = format!("{}_file", self.key);
        if self.secret.is_some() {
            check.fault(&file_key, format!("set either this or `{}`, not both", self.key));
            return;
        }
        let too_long = fs::metadata(path).is_ok_and(|found| found.len() > LONGEST_SECRET);
        match fs::read_to_string(path) {
            _ if too_long => check.fault(&file_key, "the file is too long for a secret"),
            Ok(text) if text.trim().is_empty() => check.fault(&file_key, "the file is empty"),
            Ok(text) => {
                *self.secret = Some(SecretString::from(text.trim_end_matches(['\r', '\n'])));
            }
            Err(error) => {
                let path = path.display();
                check.fault(&file_key, format!("cannot read `{path}`: {}", reason(&error)));
            }
        }
    }
}

/// An I/O error without the number that the standard library appends.
pub(super) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
