//! Appointment times, which HighLevel sends without a zone (`2021-07-16 11:00:00`): they are what
//! the clock on the location's wall shows.

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;

/// The longest gap that is looked for: Samoa left out a whole day in 2011.
const LONGEST_GAP_HOURS: i64 = 26;

/// The time on the wall, and the moment it stands for. A time that does come with an offset is
/// taken by its word.
pub(super) fn parse(text: &str, zone: Tz) -> (Option<NaiveDateTime>, Option<DateTime<Utc>>) {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return (Some(moment.with_timezone(&zone).naive_local()), Some(moment.to_utc()));
    }
    let local = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"]
        .into_iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    (local, local.and_then(|local| moment(local, zone)))
}

/// As RFC 5545 (3.3.5) decides for calendars: a time that the clock shows twice is the first of the
/// two, and one that it skips is counted with the offset from before the gap, so that an appointment
/// at 02:30 on the night of the change takes place at 03:30.
fn moment(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(moment) => Some(moment.to_utc()),
        LocalResult::Ambiguous(first, _) => Some(first.to_utc()),
        LocalResult::None => (1..=LONGEST_GAP_HOURS).map(Duration::hours).find_map(|step| {
            let before = zone.from_local_datetime(&local.checked_sub_signed(step)?).latest()?;
            before.to_utc().checked_add_signed(step)
        }),
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::America::{Argentina::Buenos_Aires, New_York};
    use chrono_tz::Pacific::Apia;

    use super::*;

    fn utc(text: &str, zone: Tz) -> String {
        parse(text, zone).1.unwrap().format("%FT%TZ").to_string()
    }

    #[test]
    fn the_wall_clock_of_the_location_decides() {
        assert_eq!(utc("2021-07-16 11:00:00", Buenos_Aires), "2021-07-16T14:00:00Z");
        assert_eq!(utc("2021-07-16T11:00:00", New_York), "2021-07-16T15:00:00Z");
        assert_eq!(utc("2021-01-16 11:00", New_York), "2021-01-16T16:00:00Z");
    }

    #[test]
    fn an_offset_is_taken_by_its_word() {
        let (local, moment) = parse("2021-07-16T11:00:00Z", Buenos_Aires);
        assert_eq!(local.unwrap().to_string(), "2021-07-16 08:00:00");
        assert_eq!(moment, "2021-07-16T11:00:00Z".parse().ok());
    }

    #[test]
    fn a_time_shown_twice_is_the_first() {
        assert_eq!(utc("2026-11-01 01:30:00", New_York), "2026-11-01T05:30:00Z");
    }

    #[test]
    fn a_skipped_time_is_counted_from_before_the_gap() {
        assert_eq!(utc("2026-03-08 02:30:00", New_York), "2026-03-08T07:30:00Z");
        assert_eq!(utc("2011-12-30 12:00:00", Apia), "2011-12-30T22:00:00Z");
    }

    #[test]
    fn nonsense_is_no_time() {
        assert_eq!(parse("tomorrow", New_York), (None, None));
    }
}
