//! What a provider's answer says of its rate limits.
//!
//! HighLevel documents five headers and sends a sixth whose format it does not state
//! (highlevel-api-docs, `docs/oauth/Authorization.md`). All may be missing.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, RETRY_AFTER};

const MAX: HeaderName = HeaderName::from_static("x-ratelimit-max");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const INTERVAL: HeaderName = HeaderName::from_static("x-ratelimit-interval-milliseconds");
const DAILY_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit-daily");
const DAILY_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-daily-remaining");
const DAILY_RESET: HeaderName = HeaderName::from_static("x-ratelimit-daily-reset");

/// The rate headers of one answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Rates {
    pub max: Option<u32>,
    pub remaining: Option<u32>,
    pub interval_ms: Option<i64>,
    pub daily_limit: Option<u32>,
    pub daily_remaining: Option<u32>,
    /// When the day ends, in epoch milliseconds.
    pub daily_reset: Option<i64>,
}

impl Rates {
    /// Reads them; `now` in epoch milliseconds.
    pub(super) fn read(headers: &HeaderMap, now: i64) -> Self {
        Self {
            max: number(headers, &MAX),
            remaining: number(headers, &REMAINING),
            interval_ms: number(headers, &INTERVAL).filter(|millis| *millis > 0),
            daily_limit: number(headers, &DAILY_LIMIT),
            daily_remaining: number(headers, &DAILY_REMAINING),
            daily_reset: number(headers, &DAILY_RESET).and_then(|raw| moment(raw, now)),
        }
    }

    /// Whether the provider said anything of its limits.
    pub(super) fn present(&self) -> bool {
        self.remaining.is_some() || self.max.is_some() || self.daily_remaining.is_some()
    }
}

/// `Retry-After` in seconds. The date form is not used by either system and is ignored.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    number(headers, &RETRY_AFTER).map(Duration::from_secs)
}

fn number<T: std::str::FromStr>(headers: &HeaderMap, name: &HeaderName) -> Option<T> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// A number of unstated format as a moment of the next two days: epoch milliseconds, epoch seconds
/// or seconds from now, whichever makes sense; `None` if none does.
fn moment(raw: i64, now: i64) -> Option<i64> {
    const TWO_DAYS: i64 = 2 * 24 * 60 * 60 * 1000;
    [Some(raw), raw.checked_mul(1000), raw.checked_mul(1000).and_then(|ms| ms.checked_add(now))]
        .into_iter()
        .flatten()
        .find(|moment| (now..=now + TWO_DAYS).contains(moment))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_000_000_000;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (HeaderName::from_static(name), reqwest::header::HeaderValue::from_static(value))
            })
            .collect()
    }

    #[test]
    fn all_six_are_read() {
        let rates = Rates::read(
            &headers(&[
                ("x-ratelimit-max", "100"),
                ("x-ratelimit-remaining", "97"),
                ("x-ratelimit-interval-milliseconds", "10000"),
                ("x-ratelimit-limit-daily", "200000"),
                ("x-ratelimit-daily-remaining", "199997"),
                ("x-ratelimit-daily-reset", "3600"),
            ]),
            NOW,
        );
        assert_eq!(rates.max, Some(100));
        assert_eq!(rates.remaining, Some(97));
        assert_eq!(rates.interval_ms, Some(10_000));
        assert_eq!(rates.daily_limit, Some(200_000));
        assert_eq!(rates.daily_remaining, Some(199_997));
        assert_eq!(rates.daily_reset, Some(NOW + 3_600_000));
    }

    #[test]
    fn nonsense_and_absence_say_nothing() {
        let rates = Rates::read(
            &headers(&[("x-ratelimit-max", "many"), ("x-ratelimit-interval-milliseconds", "0")]),
            NOW,
        );
        assert_eq!(rates, Rates::default());
        assert!(!rates.present());
    }

    #[test]
    fn the_unstated_format_is_guessed_only_where_it_makes_sense() {
        let soon = NOW + 60_000;
        assert_eq!(moment(soon, NOW), Some(soon));
        assert_eq!(moment(soon / 1000, NOW), Some(soon));
        assert_eq!(moment(60, NOW), Some(soon));
        assert_eq!(moment(-5, NOW), None);
        assert_eq!(moment(i64::MAX, NOW), None);
    }

    #[test]
    fn retry_after_is_seconds() {
        assert_eq!(retry_after(&headers(&[("retry-after", "7")])), Some(Duration::from_secs(7)));
        assert_eq!(retry_after(&headers(&[("retry-after", "Wed, 21 Oct")])), None);
    }
}
