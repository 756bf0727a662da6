//! Instants and dates in the forms HighLevel writes and accepts.

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Timelike, Utc};
use serde::{Serialize, Serializer};

/// Epoch milliseconds, written as `2026-11-02T09:15:30.120Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub i64);

impl Millis {
    /// As a date and time.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// The written form.
    pub fn iso(self) -> String {
        self.utc().to_rfc3339_opts(SecondsFormat::Millis, true)
    }
}

impl From<DateTime<Utc>> for Millis {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_millis())
    }
}

impl Serialize for Millis {
    // By hand: every hot answer holds several, and chrono's formatting costs more than the rest.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let at = self.utc();
        if !(0..=9999).contains(&at.year()) {
            return serializer.serialize_str(&self.iso());
        }
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let year = at.year().unsigned_abs();
        digits(&mut text[0..4], year);
        digits(&mut text[5..7], at.month());
        digits(&mut text[8..10], at.day());
        digits(&mut text[11..13], at.hour());
        digits(&mut text[14..16], at.minute());
        digits(&mut text[17..19], at.second());
        digits(&mut text[20..23], at.timestamp_subsec_millis());
        serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

fn digits(place: &mut [u8], mut number: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

/// A birthday, written as midnight UTC.
#[derive(Clone, Copy, Debug)]
pub struct Birthday(pub NaiveDate);

impl Birthday {
    /// The written form.
    pub fn iso(self) -> String {
        format!("{}T00:00:00.000Z", self.0.format("%Y-%m-%d"))
    }
}

impl Serialize for Birthday {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.iso())
    }
}

/// Reads a birthday in one of the eight documented forms: year first or month first, parts joined
/// by `/`, `-`, `.` or `_`. The form that the API answers is accepted too.
pub fn birthday(text: &str) -> Option<NaiveDate> {
    let text = text.split_once('T').map_or(text, |(date, _)| date);
    let separator = text.chars().find(|c| !c.is_ascii_digit())?;
    if !"/-._".contains(separator) {
        return None;
    }
    let parts: Vec<&str> = text.split(separator).collect();
    let [first, second, third] = parts.as_slice() else { return None };
    let (year, month, day) = match (first.len(), second.len(), third.len()) {
        (4, 2, 2) => (first, second, third),
        (2, 2, 4) => (third, first, second),
        _ => return None,
    };
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// Reads an instant: RFC 3339, or an ISO date alone, which is midnight UTC.
pub fn instant(text: &str) -> Option<Millis> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(Millis(at.timestamp_millis()));
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(Millis(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_with_milliseconds() {
        for at in [0, 1_700_000_000_123, -1, 4_102_444_799_999] {
            let written = serde_json::to_string(&Millis(at)).unwrap();
            assert_eq!(written, format!("\"{}\"", Millis(at).iso()));
        }
    }

    #[test]
    fn birthdays_are_read_in_the_documented_forms_only() {
        let day = NaiveDate::from_ymd_opt(1990, 9, 25);
        for joiner in ["/", "-", ".", "_"] {
            assert_eq!(birthday(&["1990", "09", "25"].join(joiner)), day);
            assert_eq!(birthday(&["09", "25", "1990"].join(joiner)), day);
        }
        assert_eq!(birthday("1990-09-25T00:00:00.000Z"), day);
        for wrong in ["25/09/1990", "1990-9-25", "19900925", "1990 09 25", "1990-09/25", ""] {
            assert_eq!(birthday(wrong), None, "{wrong}");
        }
    }
}
