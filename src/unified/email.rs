//! E-mail addresses in the one form in which they are compared.

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use super::WorkspaceId;

/// The longest address that mail can carry, in bytes (RFC 5321, 4.5.3.1.3, less the brackets).
const MAX_BYTES: usize = 254;
/// The longest part before the `@`, in bytes (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;

/// The address in comparable form: NFKC, trimmed, lower-case. `None` when it is not plausibly an
/// address.
///
/// Dots and `+suffix` stay: only some providers ignore them, so two addresses that differ there may
/// be two people. Quoted local parts and domains without a dot are refused; neither system takes
/// them.
pub fn normalize_email(raw: &str) -> Option<String> {
    // A text this long cannot shrink to an address; looked at first to bound the work.
    if raw.len() > 8 * MAX_BYTES {
        return None;
    }
    let folded = folded(raw);
    let email = folded.trim();
    if email.len() > MAX_BYTES || !email.chars().all(is_plausible) {
        return None;
    }
    let (local, domain) = email.split_once('@')?;
    let plausible = (1..=MAX_LOCAL_BYTES).contains(&local.len())
        && !domain.contains('@')
        && domain.contains('.')
        && [local, domain].into_iter().all(|part| part.split('.').all(|label| !label.is_empty()));
    plausible.then(|| email.to_owned())
}

/// A text in which an address stands as it is compared: NFKC and lower-case.
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        // ASCII has one form only, and nearly every address is.
        text.to_ascii_lowercase()
    } else {
        let composed: String = text.nfkc().collect();
        composed.to_lowercase().nfkc().collect()
    }
}

/// What is kept of an address that opted out, when nothing else of its person is.
pub fn opt_out_hash(workspace: &WorkspaceId, email: &str) -> String {
    format!("{:x}", Sha256::digest(format!("opted out\n{workspace}\n{email}")))
}

/// No white space, nothing invisible, and none of the characters that only a quoted local part or
/// an address list may hold.
fn is_plausible(c: char) -> bool {
    !(c.is_whitespace() || c.is_control() || is_invisible(c) || "<>()[],;:\\\"".contains(c))
}

/// Format characters that travel unseen by copy and paste: joiners, directional marks, soft hyphen.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_people_compare_equal() {
        for raw in [
            "Ana.Diaz+news@Example.COM",
            "  ana.diaz+news@example.com\n",
            "ＡＮＡ.diaz+news@example.com",
        ] {
            assert_eq!(normalize_email(raw).as_deref(), Some("ana.diaz+news@example.com"), "{raw}");
        }
    }

    #[test]
    fn dots_and_suffixes_tell_people_apart() {
        assert_ne!(normalize_email("a.b@example.com"), normalize_email("ab@example.com"));
        assert_ne!(normalize_email("ab+c@example.com"), normalize_email("ab@example.com"));
    }

    #[test]
    fn what_is_no_address_is_none() {
        let long = format!("{}@example.com", "x".repeat(65));
        let longer = format!("a@{}.com", "x".repeat(250));
        for raw in [
            "",
            " ",
            "ana",
            "@example.com",
            "ana@",
            "a@b@c.com",
            "ana@localhost",
            "ana@.com",
            "ana@example.",
            "ana@a..b",
            ".ana@example.com",
            "a b@example.com",
            "ana@exa\u{200b}mple.com",
            "Ana <ana@example.com>",
            "ana@example.com,bob@example.com",
            "\"a b\"@example.com",
            "ana\0@example.com",
            &long,
            &longer,
        ] {
            assert_eq!(normalize_email(raw), None, "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_is_idempotent(raw in ".*") {
            if let Some(once) = normalize_email(&raw) {
                prop_assert!(once.len() <= MAX_BYTES);
                prop_assert_eq!(normalize_email(&once), Some(once));
            }
        }

        #[test]
        fn any_spelling_of_case_is_one(raw in "[a-zA-Z0-9._+ñÑéÉ-]{1,20}@[a-zA-Z0-9-]{1,10}\\.[a-z]{2,6}") {
            prop_assert_eq!(normalize_email(&raw.to_uppercase()), normalize_email(&raw));
        }
    }
}
