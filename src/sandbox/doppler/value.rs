//! The types of Doppler's fields and what a value of each may look like. Values travel as text.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Longest value.
const LONGEST: usize = 400;

/// ISO 3166-1 alpha-2, in one text so that a lookup is one search.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI \
    BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY \
    CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN \
    GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH \
    KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO \
    MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL \
    PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV \
    SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN \
    VU WF WS YE YT ZA ZM ZW";

/// A field's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// At most 400 characters.
    String,
    /// Decimal text.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `yyyy-MM-dd`.
    Date,
    /// `M`, `F` or `N/A`.
    Gender,
    /// ISO 3166-1 alpha-2, upper case.
    Country,
    /// The identity; never writable.
    Email,
    /// International, with a plus.
    Phone,
    /// `true`, `false` or `none`.
    Permission,
    /// `true` or `false` in any case.
    Consent,
}

impl FieldType {
    /// What is wrong with a value; an empty one clears the field and is always right.
    pub fn check(self, value: &str) -> Result<(), String> {
        if value.is_empty() {
            return Ok(());
        }
        if value.chars().count() > LONGEST {
            return Err(format!("Value must be at most {LONGEST} characters long."));
        }
        let (right, expected) = match self {
            Self::String => (true, ""),
            Self::Number => (is_number(value), "a number"),
            Self::Boolean => (matches!(value, "true" | "false"), "`true` or `false`"),
            Self::Date => (is_date(value), "a date as `yyyy-MM-dd`"),
            Self::Gender => (matches!(value, "M" | "F" | "N/A"), "`M`, `F` or `N/A`"),
            Self::Country => (is_country(value), "an ISO 3166-1 alpha-2 code"),
            Self::Email => (false, "left alone, it is read-only"),
            Self::Phone => (is_phone(value), "an international phone number"),
            Self::Permission => {
                (matches!(value, "true" | "false" | "none"), "`true`, `false` or `none`")
            }
            Self::Consent => (
                value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false"),
                "`true` or `false`",
            ),
        };
        if right { Ok(()) } else { Err(format!("Value must be {expected}.")) }
    }

    /// As it is written in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Gender => "gender",
            Self::Country => "country",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Permission => "permission",
            Self::Consent => "consent",
        }
    }
}

fn is_number(value: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = value.strip_prefix('-').unwrap_or(value);
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    }
}

fn is_date(value: &str) -> bool {
    value.len() == 10 && NaiveDate::parse_from_str(value, "%Y-%m-%d").is_ok()
}

fn is_country(value: &str) -> bool {
    value.len() == 2 && COUNTRIES.split(' ').any(|code| code == value)
}

fn is_phone(value: &str) -> bool {
    let Some(rest) = value.strip_prefix('+') else { return false };
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    (7..=15).contains(&digits)
        && rest.bytes().all(|byte| byte.is_ascii_digit() || b" -().".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_knows_its_form() {
        use FieldType as T;
        let cases = [
            (T::Number, "-12.50", true),
            (T::Number, "1,5", false),
            (T::Number, ".5", false),
            (T::Boolean, "true", true),
            (T::Boolean, "True", false),
            (T::Date, "1983-09-28", true),
            (T::Date, "28/09/1983", false),
            (T::Date, "1983-02-30", false),
            (T::Date, "1983-9-28", false),
            (T::Gender, "F", true),
            (T::Gender, "female", false),
            (T::Country, "AR", true),
            (T::Country, "ar", false),
            (T::Country, "ZZ", false),
            (T::Phone, "+54 9 11 5555-0101", true),
            (T::Phone, "1155550101", false),
            (T::Permission, "none", true),
            (T::Permission, "yes", false),
            (T::Consent, "False", true),
            (T::Consent, "no", false),
            (T::Email, "a@b.co", false),
            (T::Number, "", true),
        ];
        for (kind, value, right) in cases {
            assert_eq!(kind.check(value).is_ok(), right, "{kind:?} {value}");
        }
        assert!(T::String.check(&"ñ".repeat(400)).is_ok());
        assert!(T::String.check(&"ñ".repeat(401)).is_err());
    }
}
