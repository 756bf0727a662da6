//! The scalars of the schema. Each says what it accepts and where that is specified.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{NaiveDate, SecondsFormat, Utc};

use crate::unified::{normalize_email, normalize_phone};

macro_rules! text_scalar {
    ($(#[$doc:meta])* $name:ident($inner:ty) $spec:literal, $parse:expr, $show:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub struct $name(pub $inner);

        #[Scalar(specified_by_url = $spec)]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                let Value::String(text) = &value else {
                    return Err(InputValueError::expected_type(value));
                };
                let parse: fn(&str) -> Result<$inner, &'static str> = $parse;
                parse(text).map(Self).map_err(InputValueError::custom)
            }

            fn to_value(&self) -> Value {
                let show: fn(&$inner) -> String = $show;
                Value::String(show(&self.0))
            }
        }
    };
}

text_scalar! {
    /// A moment, as RFC 3339 writes it, for example `2026-03-01T12:00:00Z`. Answers are in UTC.
    DateTime(chrono::DateTime<Utc>) "https://scalars.graphql.org/andimarek/date-time",
    |text| chrono::DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc))
        .map_err(|_| "expected a moment such as 2026-03-01T12:00:00Z"),
    |at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

text_scalar! {
    /// A day, for example `1990-09-25`.
    Date(NaiveDate) "https://scalars.graphql.org/andimarek/local-date",
    |text| text.parse().map_err(|_| "expected a day such as 1990-09-25"),
    NaiveDate::to_string
}

text_scalar! {
    /// An e-mail address, for example `ana.paz@example.com`.
    EmailAddress(String) "https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address",
    |text| match normalize_email(text) {
        Some(_) => Ok(text.trim().to_owned()),
        None => Err("expected an e-mail address such as ana.paz@example.com"),
    },
    Clone::clone
}

text_scalar! {
    /// A phone number with its country code, for example `+541155550199`. Answers are as the
    /// system has them where they are not in that form.
    PhoneNumber(String) "https://www.itu.int/rec/T-REC-E.164",
    |text| normalize_phone(text).ok_or("expected a phone number such as +541155550199"),
    Clone::clone
}

text_scalar! {
    /// A country's two letters, for example `AR`.
    CountryCode(String) "https://www.iso.org/iso-3166-country-codes.html",
    |text| match text.as_bytes() {
        [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
            Ok(text.to_ascii_uppercase())
        }
        _ => Err("expected a country's two letters such as AR"),
    },
    Clone::clone
}
