//! Which e-mail addresses Doppler takes.
//!
//! Stricter than the RFC: its QA samples refuse quotes, non-ASCII, a missing or numeric top-level
//! domain and misplaced dots. At most 100 characters.

/// Longest address.
const LONGEST: usize = 100;

/// Whether an address would be accepted.
pub fn is_valid(email: &str) -> bool {
    let Some((local, domain)) = email.split_once('@') else { return false };
    email.len() <= LONGEST && is_local(local) && is_domain(domain)
}

/// Addresses are one identity whatever their case.
pub fn key(email: &str) -> String {
    email.trim().to_lowercase()
}

fn is_local(local: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    !local.is_empty()
        && local.bytes().all(plain)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let Some((_, top)) = domain.rsplit_once('.') else { return false };
    domain.split('.').all(is_label)
        && top.len() >= 2
        && top.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_vendors_samples_refuse_is_refused() {
        for email in [
            "",
            "a",
            "a@",
            "@b.co",
            "a@@b.co",
            "a@b@c.co",
            "a..b@c.co",
            ".a@b.co",
            "a.@b.co",
            "a@.b.co",
            "a@b.co.",
            "a b@c.co",
            "a@b c.co",
            "\"a\"@b.co",
            "admin@mailserver1",
            "a@b.com2",
            "año@b.co",
            "a@ñandu.com",
            "a@-b.co",
            "a@b.c",
        ] {
            assert!(!is_valid(email), "{email}");
        }
        assert!(!is_valid(&format!("{}@example.com", "a".repeat(89))));
    }

    #[test]
    fn ordinary_ones_pass() {
        for email in ["a@b.co", "ana.paz+news@mail.example.com", "o'brien@example.org", "1@2.net"] {
            assert!(is_valid(email), "{email}");
        }
    }
}
