//! Doppler's way with time: what it writes and what it reads.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde::{Serialize, Serializer};

/// Epoch milliseconds, written as UTC with the zeros at the end of the fraction left out
/// (`2017-12-22T21:01:26.08Z`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(pub i64);

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Bare(self.0).fmt(f)?;
        f.write_str("Z")
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// The same without an offset, as one member of a task is written.
#[derive(Clone, Copy, Debug)]
pub struct Bare(pub i64);

impl fmt::Display for Bare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = DateTime::from_timestamp_millis(self.0).unwrap_or_default();
        write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%S"))?;
        let millis = self.0.rem_euclid(1000);
        match millis {
            0 => Ok(()),
            _ if millis % 100 == 0 => write!(f, ".{}", millis / 100),
            _ if millis % 10 == 0 => write!(f, ".{:02}", millis / 10),
            _ => write!(f, ".{millis:03}"),
        }
    }
}

impl Serialize for Bare {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// Reads ISO 8601 *with an offset* (down to seconds, minutes or the day) or RFC 1123.
pub fn parse(text: &str) -> Option<i64> {
    let full = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text));
    if let Ok(time) = full {
        return Some(time.timestamp_millis());
    }
    let (local, offset_seconds) = split_offset(text)?;
    let time = NaiveDateTime::parse_from_str(&local.replace(' ', "T"), "%Y-%m-%dT%H:%M")
        .ok()
        .or_else(|| NaiveDate::parse_from_str(local, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))?;
    Some((time.and_utc().timestamp() - offset_seconds) * 1000)
}

/// `2020-01-31T10:00-03:00` is `2020-01-31T10:00` and -10,800 s.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(local) = text.strip_suffix('Z') {
        return Some((local, 0));
    }
    let (local, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let sign = match offset.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = offset[1..].split_once(':')?;
    let (hours, minutes) = (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?);
    Some((local, sign * (hours * 3600 + minutes * 60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_lose_their_zeros() {
        let at = parse("2017-12-22T21:01:26.08Z").unwrap();
        assert_eq!(Stamp(at).to_string(), "2017-12-22T21:01:26.08Z");
        assert_eq!(Stamp(at - 80).to_string(), "2017-12-22T21:01:26Z");
        assert_eq!(Bare(at + 60).to_string(), "2017-12-22T21:01:26.14");
    }

    #[test]
    fn an_offset_is_needed() {
        let day = parse("2020-01-31Z").unwrap();
        for same in [
            "2020-01-30T21:00:00-03:00",
            "2020-01-30T21:00-03:00",
            "2020-01-31 00:00:00.0000000Z",
            "2020-01-31T00:00Z",
            "Fri, 31 Jan 2020 00:00:00 GMT",
        ] {
            assert_eq!(parse(same), Some(day), "{same}");
        }
        for bad in ["2020-01-31", "2020-01-31T00:00:00", "2020-01-31T00:00:00 03:00", "x", ""] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
