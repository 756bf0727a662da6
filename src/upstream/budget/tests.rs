//! The budget as a state machine, against a simulated provider, and as tasks share it.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::DateTime;
use proptest::prelude::*;
use reqwest::header::HeaderValue;
use tokio::time::timeout;

use crate::tasks::Tasks;
use crate::upstream::script::{call, call_within};
use crate::upstream::{Meter, Priority};

use super::*;

const INTERVAL: i64 = 10_000;

fn rates(remaining: u32, daily_remaining: u32) -> Rates {
    Rates {
        max: Some(100),
        remaining: Some(remaining),
        interval_ms: Some(INTERVAL),
        daily_limit: Some(200_000),
        daily_remaining: Some(daily_remaining),
        daily_reset: None,
    }
}

/// A window whose limits are known and of which nothing is used.
fn known() -> Window {
    let mut window = Window::new(100);
    assert_eq!(window.take(0, Priority::Interactive), Take::Go);
    window.answered(0, &rates(99, 200_000));
    window.over(0);
    assert_eq!(window.take(60_000, Priority::Interactive), Take::Go);
    window.unsent();
    window
}

fn taken(window: &mut Window, now: i64, priority: Priority) -> u32 {
    let mut taken = 0;
    while window.take(now, priority) == Take::Go {
        taken += 1;
    }
    taken
}

#[test]
fn a_burst_is_spent_and_comes_back_an_interval_after_its_answers() {
    let (mut window, now) = (known(), 100_000);
    assert_eq!(taken(&mut window, now, Priority::Interactive), 100);
    assert!(matches!(window.take(now, Priority::Interactive), Take::Wait(10_000..)));
    window.answered(now + 300, &rates(0, 199_000));
    for _ in 0..100 {
        window.over(now + 300);
    }
    let Take::Wait(wait) = window.take(now + 400, Priority::Interactive) else { panic!("spent") };
    assert!((9_900..9_950).contains(&wait), "{wait}");
    assert_eq!(taken(&mut window, now + 400 + wait - 1, Priority::Interactive), 0);
    assert_eq!(taken(&mut window, now + 400 + wait, Priority::Interactive), 100);
}

#[test]
fn nothing_is_known_before_the_first_answer() {
    let mut window = Window::new(100);
    assert_eq!(taken(&mut window, 0, Priority::Interactive), 16);
    assert_eq!(window.take(0, Priority::Interactive), Take::WaitForAnswer);
    window.answered(10, &Rates { max: Some(25), ..rates(9, 10_000) });
    window.over(10);
    assert_eq!(taken(&mut window, 10, Priority::Interactive), 9);
}

#[test]
fn without_headers_there_is_no_limit() {
    let mut window = Window::new(100);
    assert_eq!(taken(&mut window, 0, Priority::Interactive), 16);
    window.answered(10, &Rates::default());
    assert!(window.unlimited(10));
    assert!((0..1_000).all(|_| window.take(10, Priority::Background) == Take::Go));
    window.answered(20, &rates(40, 1_000));
    assert!(!window.unlimited(20), "until there are headers again");
}

#[test]
fn what_others_spend_counts() {
    let (mut window, now) = (known(), 100_000);
    assert_eq!(window.take(now, Priority::Interactive), Take::Go);
    window.answered(now, &rates(30, 1_000));
    window.over(now);
    assert_eq!(taken(&mut window, now, Priority::Interactive), 30);
    for _ in 0..30 {
        window.over(now);
    }
    let later = now + INTERVAL + 10;
    assert_eq!(taken(&mut window, later, Priority::Interactive), 100, "for one interval");
}

#[test]
fn background_leaves_a_reserve() {
    let (mut window, now) = (known(), 100_000);
    assert_eq!(taken(&mut window, now, Priority::Background), 99, "nobody was there lately");
    assert_eq!(taken(&mut window, now, Priority::Interactive), 1);
    let (mut window, now) = (known(), 61_000);
    assert_eq!(taken(&mut window, now, Priority::Background), 70);
    assert_eq!(taken(&mut window, now, Priority::Interactive), 30);
}

#[test]
fn a_spent_day_fails_fast_and_is_probed_ever_more_seldom() {
    let (mut window, mut now) = (known(), 100_000);
    assert_eq!(window.take(now, Priority::Interactive), Take::Go);
    window.answered(now, &rates(90, 0));
    window.over(now);
    let mut pauses = Vec::new();
    for _ in 0..4 {
        let Take::SpentToday(wait) = window.take(now, Priority::Interactive) else { panic!() };
        pauses.push(wait);
        now += wait;
        assert_eq!(window.take(now, Priority::Interactive), Take::Go, "one call finds out");
        assert!(matches!(window.take(now, Priority::Interactive), Take::SpentToday(_)));
        let (_, daily) = window.refused(now, &rates(90, 0), None);
        assert!(daily);
        window.over(now);
    }
    assert!(pauses.windows(2).all(|pair| pair[0] < pair[1]), "{pauses:?}");
    let Take::SpentToday(wait) = window.take(now, Priority::Interactive) else { panic!() };
    now += wait;
    assert_eq!(window.take(now, Priority::Interactive), Take::Go);
    window.answered(now, &rates(90, 150_000));
    window.over(now);
    assert_eq!(window.take(now, Priority::Interactive), Take::Go, "a new day");
}

#[test]
fn background_stops_before_the_day_is_spent() {
    let (mut window, now) = (known(), 100_000);
    assert_eq!(window.take(now, Priority::Interactive), Take::Go);
    window.answered(now, &rates(90, 20_000));
    window.over(now);
    assert!(matches!(window.take(now, Priority::Background), Take::SpentToday(_)));
    assert_eq!(window.take(now, Priority::Interactive), Take::Go);
}

#[test]
fn a_refusal_blocks_everybody_for_as_long_as_asked() {
    let (mut window, now) = (known(), 100_000);
    assert_eq!(window.refused(now, &rates(0, 1_000), Some(3_000)), (3_000, false));
    assert_eq!(window.take(now + 1_000, Priority::Interactive), Take::Wait(2_000));
    assert_eq!(window.take(now + 3_000, Priority::Interactive), Take::Go);
    let (wait, _) = window.refused(now + 4_000, &rates(0, 1_000), None);
    assert!(wait >= INTERVAL, "the burst is spent: an interval");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever the delays on the way there and back, a provider with a sliding window never has to
    /// refuse, and every call goes out in the end.
    #[test]
    fn it_never_overspends_a_sliding_window(
        delays in prop::collection::vec((0_i64..400, 1_i64..400, 1_i64..900), 250..350),
    ) {
        let mut window = known();
        let (mut now, mut waiting) = (100_000, VecDeque::from(delays));
        let mut arriving: Vec<(i64, i64)> = Vec::new();
        let mut answering: Vec<(i64, u32)> = Vec::new();
        let mut provider: VecDeque<i64> = VecDeque::new();
        while !waiting.is_empty() || !arriving.is_empty() || !answering.is_empty() {
            for (_, back) in arriving.extract_if(.., |(at, _)| *at <= now) {
                while provider.front().is_some_and(|at| at + INTERVAL <= now) {
                    provider.pop_front();
                }
                prop_assert!(provider.len() < 100, "refused at {now}");
                provider.push_back(now);
                let left = 100 - u32::try_from(provider.len()).unwrap();
                answering.push((now + back, left));
            }
            for (_, left) in answering.extract_if(.., |(at, _)| *at <= now) {
                window.answered(now, &rates(left, 100_000));
                window.over(now);
            }
            while let Some((gap, there, back)) = waiting.front().copied() {
                if gap > 300 || window.take(now, Priority::Interactive) != Take::Go {
                    break;
                }
                waiting.pop_front();
                arriving.push((now + there, back));
            }
            if let Some((gap, ..)) = waiting.front_mut() {
                *gap = 0;
            }
            now += 7;
            prop_assert!(now < 1_000_000, "never ends");
        }
    }
}

fn clock() -> Clock {
    Clock::manual(DateTime::from_timestamp(1_795_000_000, 0).unwrap())
}

fn headers(remaining: u32) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("x-ratelimit-max", 3),
        ("x-ratelimit-remaining", remaining),
        ("x-ratelimit-interval-milliseconds", 10_000),
        ("x-ratelimit-daily-remaining", 1_000),
        ("x-ratelimit-limit-daily", 2_000),
    ] {
        headers.insert(name, HeaderValue::from(value));
    }
    headers
}

/// An allowance of three calls, all of them spent.
async fn spent(clock: &Clock) -> Allowance {
    let allowance = Allowance::stated_by_provider(clock.clone(), 3);
    for left in [2, 1, 0] {
        let _ticket = allowance.acquire(&call()).await.unwrap();
        allowance.answered(&headers(left), true);
    }
    allowance
}

#[tokio::test]
async fn a_wait_that_would_pass_the_deadline_fails_at_once() {
    let clock = clock();
    let allowance = spent(&clock).await;
    let started = Instant::now();
    let refused = allowance.acquire(&call_within(Duration::from_secs(9))).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(8));
    let Kind::RateLimited { retry_after, daily: false } = refused else { panic!("{refused:?}") };
    assert!((10_000..10_100).contains(&retry_after.as_millis()), "{retry_after:?}");
}

#[tokio::test]
async fn a_wait_ends_when_the_window_does() {
    let clock = clock();
    let allowance = Arc::new(spent(&clock).await);
    let waiting = Tasks::new().spawn({
        let allowance = Arc::clone(&allowance);
        async move { allowance.acquire(&call()).await.map(drop) }
    });
    while !waiting.is_finished() {
        clock.advance(Duration::from_millis(100));
        tokio::task::yield_now().await;
    }
    assert_eq!(waiting.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn an_unsent_call_gives_its_place_to_one_that_waits() {
    let clock = clock();
    let allowance = Arc::new(Allowance::stated_by_provider(clock.clone(), 3));
    drop(allowance.acquire(&call()).await.unwrap());
    allowance.answered(&headers(2), true);
    let first = allowance.acquire(&call()).await.unwrap();
    let _second = allowance.acquire(&call()).await.unwrap();
    let waiting = Tasks::new().spawn({
        let allowance = Arc::clone(&allowance);
        async move { allowance.acquire(&call()).await.map(drop) }
    });
    tokio::task::yield_now().await;
    first.unsent();
    assert_eq!(timeout(Duration::from_mins(1), waiting).await.unwrap().unwrap(), Ok(()));
}

#[tokio::test]
async fn an_error_page_without_headers_does_not_lift_the_limit() {
    let clock = clock();
    let allowance = spent(&clock).await;
    allowance.answered(&HeaderMap::new(), false);
    assert!(allowance.acquire(&call_within(Duration::from_secs(1))).await.is_err());
    allowance.answered(&HeaderMap::new(), true);
    assert!(allowance.acquire(&call_within(Duration::from_secs(1))).await.is_ok());
}

#[tokio::test]
async fn the_snapshot_says_what_is_left() {
    let clock = clock();
    assert_eq!(Allowance::stated_by_provider(clock.clone(), 3).snapshot(), Budget::default());
    let allowance = spent(&clock).await;
    let budget = allowance.snapshot();
    assert_eq!((budget.limit, budget.remaining), (Some(3), Some(0)));
    assert_eq!((budget.daily_limit, budget.daily_remaining), (Some(2_000), Some(1_000)));
    assert!(budget.resets_at.unwrap() > clock.now());
    clock.advance(Duration::from_secs(11));
    let budget = allowance.snapshot();
    assert_eq!((budget.remaining, budget.resets_at), (Some(3), None));
}

#[tokio::test]
async fn an_own_bucket_waits_and_then_goes() {
    let clock = clock();
    let allowance = Allowance::own(clock.clone(), 1.0, 1);
    let background =
        Call { priority: Priority::Background, meter: Arc::new(Meter::default()), ..call() };
    drop(allowance.acquire(&background).await.unwrap());
    let refused = allowance.acquire(&call_within(Duration::from_millis(500))).await.unwrap_err();
    let retry_after = Duration::from_secs(1);
    assert_eq!(refused, Kind::RateLimited { retry_after, daily: false });
    clock.advance(retry_after);
    assert!(allowance.acquire(&call_within(Duration::from_millis(500))).await.is_ok());
}
