//! What the cache promises.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::*;

impl Value for u32 {
    fn weight(&self) -> u32 {
        4
    }
}

impl Failure for String {
    fn is_haste(&self) -> bool {
        self == "late"
    }
}

type Numbers = Cache<&'static str, u32, String>;

fn cache() -> (Numbers, Clock) {
    let clock = Clock::manual(chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1));
    (Cache::new(1 << 20, |_| Duration::from_secs(60), clock.clone()), clock)
}

async fn read(cache: &Numbers, demand: Demand, value: u32) -> Read<u32> {
    cache.get(&"key", demand, || async move { Ok(value) }).await.unwrap().unwrap()
}

#[tokio::test]
async fn equal_misses_share_one_read() {
    let (cache, _) = cache();
    let reads = Arc::new(AtomicU32::new(0));
    let load = || {
        let reads = Arc::clone(&reads);
        async move {
            tokio::task::yield_now().await;
            Ok(reads.fetch_add(1, Ordering::SeqCst))
        }
    };
    let all = (0..1000).map(|_| cache.get(&"key", Demand::default(), load));
    let all = futures_util::future::join_all(all).await;
    assert!(all.iter().all(|read| matches!(read, Some(Ok(Read { value: 0, .. })))));
    assert_eq!(reads.load(Ordering::SeqCst), 1);
    assert_eq!(all.iter().flatten().flatten().filter(|read| read.loaded).count(), 1);
}

#[tokio::test]
async fn value_lives_as_long_as_it_was_given() {
    let (cache, clock) = cache();
    assert_eq!(read(&cache, Demand::default(), 1).await.value, 1);
    clock.advance(Duration::from_secs(59));
    assert_eq!(read(&cache, Demand::default(), 2).await.value, 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(read(&cache, Demand::default(), 2).await.value, 2);
}

#[tokio::test]
async fn demand_for_newer_reads_again_and_spends_the_old() {
    let (cache, clock) = cache();
    let first = read(&cache, Demand::default(), 1).await;
    clock.advance(Duration::from_secs(1));
    let newer = Demand { not_before_ms: clock.now_ms(), ..Demand::default() };
    let second = read(&cache, newer, 2).await;
    assert_eq!(second.value, 2);
    assert!(!first.token.is_good() && second.token.is_good());
    assert!(second.changed);
}

#[tokio::test]
async fn equal_value_keeps_what_was_built_from_it() {
    let (cache, clock) = cache();
    let first = read(&cache, Demand::default(), 1).await;
    clock.advance(Duration::from_secs(1));
    let newer = Demand { not_before_ms: clock.now_ms(), ..Demand::default() };
    let second = read(&cache, newer, 1).await;
    assert!(first.token.is_good() && !second.changed);
    cache.invalidate(&"key");
    assert!(!first.token.is_good() && !second.token.is_good());
}

#[tokio::test]
async fn invalidation_reaches_a_read_under_way() {
    let (cache, _) = cache();
    let (go, gate) = tokio::sync::oneshot::channel::<()>();
    let slow = cache.get(&"key", Demand::default(), || async move {
        let _ = gate.await;
        Ok(1)
    });
    let meanwhile = async {
        cache.invalidate(&"key");
        go.send(()).unwrap();
    };
    let (stale, ()) = tokio::join!(slow, meanwhile);
    let stale = stale.unwrap().unwrap();
    assert_eq!(stale.value, 1);
    assert!(!stale.token.is_good());
    assert_eq!(read(&cache, Demand::default(), 2).await.value, 2);
}

#[tokio::test]
async fn clearing_forgets_everything_and_reads_under_way() {
    let (cache, _) = cache();
    let held = read(&cache, Demand::default(), 1).await;
    let (go, gate) = tokio::sync::oneshot::channel::<()>();
    let slow = cache.get(&"other", Demand::default(), || async move {
        let _ = gate.await;
        Ok(2)
    });
    let meanwhile = async {
        cache.clear();
        go.send(()).unwrap();
    };
    let (stale, ()) = tokio::join!(slow, meanwhile);
    assert!(!held.token.is_good());
    assert!(!stale.unwrap().unwrap().token.is_good());
    assert!(cache.peek(&"other", Demand::default()).is_none());
    assert_eq!(read(&cache, Demand::default(), 3).await.value, 3);
}

#[tokio::test]
async fn abandoned_read_is_begun_anew() {
    let (cache, _) = cache();
    {
        let stuck = cache.get(&"key", Demand::default(), std::future::pending);
        let mut stuck = std::pin::pin!(stuck);
        assert!(futures_util::poll!(&mut stuck).is_pending());
    }
    assert_eq!(read(&cache, Demand::default(), 2).await.value, 2);
}

#[tokio::test]
async fn abandoned_read_gives_back_what_it_holds() {
    let (cache, _) = cache();
    let connection = Arc::new(());
    let read = || {
        let held = Arc::clone(&connection);
        async move {
            let never = std::future::pending().await;
            drop(held);
            never
        }
    };
    let mut first = Box::pin(cache.get(&"key", Demand::default(), read));
    let mut second = Box::pin(cache.get(&"key", Demand::default(), read));
    assert!(futures_util::poll!(&mut first).is_pending());
    assert!(futures_util::poll!(&mut second).is_pending());
    drop(first);
    assert_eq!(Arc::strong_count(&connection), 2);
    drop(second);
    assert_eq!(Arc::strong_count(&connection), 1);
    assert!(cache.flights().is_empty());
}

#[tokio::test]
async fn failures_are_shared_and_not_kept() {
    let (cache, _) = cache();
    let failed = cache.get(&"key", Demand::default(), || async { Err("down".to_owned()) }).await;
    assert_eq!(failed.unwrap().unwrap_err(), "down");
    assert_eq!(read(&cache, Demand::default(), 2).await.value, 2);
}

#[tokio::test]
async fn only_cached_reads_nothing() {
    let (cache, _) = cache();
    let demand = Demand { only_cached: true, ..Demand::default() };
    assert!(cache.get(&"key", demand, || async { Ok(1) }).await.is_none());
}

#[tokio::test]
async fn priming_never_replaces_a_newer_value() {
    let (cache, clock) = cache();
    let before = clock.now_ms() - 1;
    read(&cache, Demand::default(), 1).await;
    assert!(!cache.prime("key", 2, before));
    assert_eq!(read(&cache, Demand::default(), 3).await.value, 1);
    assert!(cache.prime("key", 2, clock.now_ms() + 1));
    assert_eq!(read(&cache, Demand::default(), 3).await.value, 2);
}

#[tokio::test]
async fn a_full_cache_takes_what_comes_whatever_was_asked_for_often() {
    let clock = Clock::manual(chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1));
    let room = 20 * u64::from(4 + Entry::<u32>::OVERHEAD);
    let small: Cache<u32, u32, String> =
        Cache::new(room, |_| Duration::from_secs(60), clock.clone());
    for key in 0..20 {
        small.prime(key, key, clock.now_ms());
    }
    for _ in 0..50 {
        assert!((0..20).all(|key| small.has(&key, Demand::default())));
        small.entries.run_pending_tasks();
    }
    for key in 100..110 {
        small.prime(key, key, clock.now_ms());
    }
    small.entries.run_pending_tasks();
    assert!((100..110).all(|key| small.has(&key, Demand::default())));
    assert!(small.entries.weighted_size() <= room);
}

/// A demand with so many seconds.
fn within(seconds: u64) -> Demand {
    let deadline = Some(tokio::time::Instant::now() + Duration::from_secs(seconds));
    Demand { deadline, ..Demand::default() }
}

#[tokio::test]
async fn who_has_more_time_than_the_starter_reads_once_more_and_together() {
    let (cache, _) = cache();
    let reads = AtomicU32::new(0);
    let get = |demand| {
        cache.get(&"key", demand, || {
            let read = reads.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::task::yield_now().await;
                if read == 0 { Err("late".to_owned()) } else { Ok(read) }
            }
        })
    };
    let hasty = get(within(1));
    let as_hasty = get(within(0));
    let patient = futures_util::future::join_all((0..1000).map(|_| get(within(60))));
    let (hasty, as_hasty, patient) = tokio::join!(hasty, as_hasty, patient);
    assert_eq!(hasty.unwrap().unwrap_err(), "late");
    assert_eq!(as_hasty.unwrap().unwrap_err(), "late");
    for read in patient {
        assert_eq!(read.unwrap().unwrap().value, 1);
    }
    assert_eq!(reads.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_failure_that_time_would_not_mend_is_shared_whatever_time_is_left() {
    let (cache, _) = cache();
    let reads = AtomicU32::new(0);
    let get = |demand| {
        cache.get(&"key", demand, || {
            reads.fetch_add(1, Ordering::SeqCst);
            async {
                tokio::task::yield_now().await;
                Err("down".to_owned())
            }
        })
    };
    let (hasty, patient) = tokio::join!(get(within(1)), get(within(60)));
    assert_eq!(hasty.unwrap().unwrap_err(), "down");
    assert_eq!(patient.unwrap().unwrap_err(), "down");
    assert_eq!(reads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_has_no_time_to_live_is_shared_and_not_kept() {
    let clock = Clock::manual(chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1));
    let cache: Numbers = Cache::new(1 << 20, |_| Duration::ZERO, clock);
    let reads = Arc::new(AtomicU32::new(0));
    let load = || {
        let reads = Arc::clone(&reads);
        async move {
            tokio::task::yield_now().await;
            Ok(reads.fetch_add(1, Ordering::SeqCst))
        }
    };
    let both = (0..2).map(|_| cache.get(&"key", Demand::default(), load));
    futures_util::future::join_all(both).await;
    assert_eq!(reads.load(Ordering::SeqCst), 1);
    assert!(!cache.has(&"key", Demand::default()));
    assert!(cache.entries.get(&"key").is_none());
}
