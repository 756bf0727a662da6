//! Phone numbers as HighLevel stores them: formatted input goes in, E.164 comes out.
//!
//! A number without a country code gets that of the contact's country, else the location's.

/// Calling codes of the countries the seed's people live in, and of their neighbours.
const CALLING_CODES: &[(&str, &str)] = &[
    ("AR", "54"),
    ("AU", "61"),
    ("BO", "591"),
    ("BR", "55"),
    ("CA", "1"),
    ("CL", "56"),
    ("CN", "86"),
    ("CO", "57"),
    ("DE", "49"),
    ("EC", "593"),
    ("ES", "34"),
    ("FR", "33"),
    ("GB", "44"),
    ("GR", "30"),
    ("IL", "972"),
    ("IN", "91"),
    ("IT", "39"),
    ("JP", "81"),
    ("KR", "82"),
    ("MX", "52"),
    ("NL", "31"),
    ("PE", "51"),
    ("PL", "48"),
    ("PT", "351"),
    ("PY", "595"),
    ("RU", "7"),
    ("SE", "46"),
    ("UA", "380"),
    ("US", "1"),
    ("UY", "598"),
    ("VE", "58"),
];

/// The E.164 form, or `None` when this is not a phone number.
pub fn e164(text: &str, country: Option<&str>) -> Option<String> {
    let text = text.trim();
    if !text.chars().all(|c| c.is_ascii_digit() || " +-().\u{a0}".contains(c)) {
        return None;
    }
    let international = text.starts_with('+') || text.starts_with("00");
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let number = if international {
        digits.strip_prefix("00").filter(|_| !text.starts_with('+')).unwrap_or(&digits).to_owned()
    } else {
        let code = CALLING_CODES.iter().find(|(iso, _)| Some(*iso) == country)?.1;
        format!("{code}{}", digits.strip_prefix('0').unwrap_or(&digits))
    };
    // ITU-T E.164: at most fifteen digits; shorter than seven is no subscriber's number.
    (7..=15).contains(&number.len()).then(|| format!("+{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formatted_numbers_become_e164() {
        for (text, country, expected) in [
            ("+1 888-888-8888", None, Some("+18888888888")),
            ("(888) 888 8888", Some("US"), Some("+18888888888")),
            ("0054 9 11 5555-0101", None, Some("+5491155550101")),
            ("011 5555 0101", Some("AR"), Some("+541155550101")),
            ("888 888 8888", None, None),
            ("call me", Some("US"), None),
            ("+12", None, None),
            ("+1234567890123456", None, None),
        ] {
            assert_eq!(e164(text, country).as_deref(), expected, "{text}");
        }
    }
}
