//! Kinds of values that more than one section has: addresses, zones, secrets out of files.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
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

/// Addresses of machines, each without a port.
pub(super) fn ip_addresses<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpAddr>, D::Error> {
    let one = |text: String| {
        let message = || D::Error::custom("not a list of IP addresses, such as 127.0.0.1");
        text.parse().map_err(|_| message())
    };
    Vec::<String>::deserialize(from)?.into_iter().map(one).collect()
}

/// A zone by its IANA name.
pub(super) fn optional_zone<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Tz>, D::Error> {
    let name = String::deserialize(from)?;
    Tz::from_str(&name)
        .map(Some)
        .map_err(|_| D::Error::custom("not the IANA name of a time zone, such as Europe/Madrid"))
}

/// A day, such as `2027-03-31`: its beginning in UTC.
pub(super) fn optional_day<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    let text = String::deserialize(from)?;
    let day = NaiveDate::from_str(&text)
        .map_err(|_| D::Error::custom("not a day, such as \"2027-03-31\""))?;
    Ok(Some(day.and_time(NaiveTime::MIN).and_utc()))
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
        match read(path) {
            Ok(text) if text.len() as u64 > LONGEST_SECRET => {
                check.fault(&file_key, "the file is too long for a secret");
            }
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

/// The beginning of a file, as long as a secret may be and a byte. What a file says of its own length
/// is not asked: a device has none, and no end.
fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST_SECRET + 1).read_to_end(&mut bytes)?;
    let is_cut = bytes.len() as u64 > LONGEST_SECRET;
    // The cut may be in the middle of a character, and such a file is refused anyway.
    if is_cut {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no text"))
}

/// An I/O error without the number that the standard library appends.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_a_secret_may_be_long() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let longest = usize::try_from(LONGEST_SECRET).unwrap();
        for (length, expected) in [(longest, longest), (longest + 1, longest + 1)] {
            std::fs::write(&path, "a".repeat(length)).unwrap();
            assert_eq!(read(&path).unwrap().len(), expected);
        }
        // Cut in the middle of a character, and without an end.
        std::fs::write(&path, "é".repeat(longest)).unwrap();
        assert!(read(&path).unwrap().len() > longest);
        let endless = Path::new("/dev/zero");
        assert!(!endless.exists() || read(endless).unwrap().len() > longest);
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(reason(&read(&path).unwrap_err()), "it is no text");
    }
}
