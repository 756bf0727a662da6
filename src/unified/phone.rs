//! Telephone numbers in E.164, the one form in which they are compared.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use super::email::is_invisible;

/// How many digits an international number has: at most 15 (ITU-T E.164, 6); the shortest in use
/// have 7 with their country code.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// Longer texts are no number however they are separated; bounds the work.
const MAX_BYTES: usize = 256;

/// The number as `+` and digits. `None` when it is not one, or when its country is not stated.
///
/// A number without `+` or `00` stays unknown: adding the account's own country would tie two
/// people together on a guess. So does one with `(0)`, which some countries dial and others drop.
pub fn normalize_phone(raw: &str) -> Option<String> {
    if raw.len() > MAX_BYTES {
        return None;
    }
    let mut digits = String::with_capacity(16);
    let mut international = false;
    let text: Cow<'_, str> = if raw.is_ascii() {
        raw.into()
    } else {
        raw.nfkc().filter(|c| !is_invisible(*c)).collect()
    };
    if text.contains("(0)") {
        return None;
    }
    for c in text.chars() {
        match c {
            '0'..='9' => digits.push(c),
            '+' if digits.is_empty() && !international => international = true,
            _ if is_separator(c) => {}
            _ => return None,
        }
    }
    let digits = if international { digits.as_str() } else { digits.strip_prefix("00")? };
    let valid = DIGITS.contains(&digits.len()) && !digits.starts_with('0');
    valid.then(|| format!("+{digits}"))
}

fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '.' | '/' | '(' | ')' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_number() {
        for raw in [
            "+541155551234",
            " +54 11 5555-1234 ",
            "+54 (11) 5555.1234",
            "0054 11 5555 1234",
            "(+54) 11/5555/1234",
            "＋５４ １１ ５５５５ １２３４",
            "\u{202a}+54 11 5555\u{2011}1234\u{202c}",
        ] {
            assert_eq!(normalize_phone(raw).as_deref(), Some("+541155551234"), "{raw}");
        }
    }

    #[test]
    fn what_is_not_certain_is_none() {
        for raw in [
            "",
            "+",
            "11 5555-1234",
            "011 54 11 5555 1234",
            "+0 11 5555 1234",
            "+123456",
            "+1234567890123456",
            "+44 (0)20 7946 0958",
            "+1 888 888 8888 x12",
            "54+1155551234",
            "++541155551234",
            "call me",
        ] {
            assert_eq!(normalize_phone(raw), None, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_is_idempotent(raw in "\\PC*|[+0-9() .-]{0,30}") {
            if let Some(once) = normalize_phone(&raw) {
                prop_assert!(once.len() <= 16 && once.starts_with('+'));
                prop_assert_eq!(normalize_phone(&once), Some(once));
            }
        }

        #[test]
        fn separators_do_not_matter(number in "[1-9][0-9]{6,14}", at in 0usize..7, by in "[ .-]{0,3}") {
            let plain = format!("+{number}");
            let spaced = format!("+{}{by}{}", &number[..at], &number[at..]);
            prop_assert_eq!(normalize_phone(&spaced), Some(plain));
        }
    }
}
