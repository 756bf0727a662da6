//! Several gateways with one pool against a provider that counts: time is a number, turns and calls
//! take as long as they are said to, and some get lost.

use std::collections::VecDeque;

use proptest::prelude::*;
use uuid::Uuid;

use crate::upstream::Priority;

use super::pool::{Grant, Pool};
use super::window::Window;
use super::{Rates, Take};

const INTERVAL: i64 = 10_000;
const MAX: usize = 100;
const STEP: i64 = 5;
const AGAIN: i64 = 250;

/// A provider with a sliding window.
#[derive(Default)]
struct Provider {
    recent: VecDeque<i64>,
    served: usize,
    refused: usize,
}

impl Provider {
    fn left(&mut self, now: i64) -> u32 {
        while self.recent.front().is_some_and(|at| at + INTERVAL <= now) {
            self.recent.pop_front();
        }
        u32::try_from(MAX - self.recent.len()).unwrap()
    }

    fn call(&mut self, now: i64) -> u32 {
        self.left(now);
        if self.recent.len() < MAX {
            self.recent.push_back(now);
            self.served += 1;
        } else {
            self.refused += 1;
        }
        self.left(now)
    }
}

struct Gateway {
    window: Window,
    skew: i64,
    interactive: u32,
    background: u32,
    /// When calls reach the provider, and when their answers come back with what they say.
    arriving: Vec<i64>,
    answering: Vec<(i64, u32)>,
    last_turn: i64,
    next_turn: i64,
    /// Whether it heard nothing of its last turn.
    missed: bool,
    alive: bool,
}

impl Gateway {
    fn new(skew: i64) -> Self {
        let mut window = Window::new(100);
        window.share(Uuid::from_u128(rand::random()));
        Self {
            window,
            skew,
            interactive: 0,
            background: 0,
            arriving: Vec::new(),
            answering: Vec::new(),
            last_turn: 0,
            next_turn: 0,
            missed: false,
            alive: true,
        }
    }

    /// Sends what may go.
    fn send(&mut self, now: i64, there: i64) {
        for (priority, waiting) in [
            (Priority::Interactive, &mut self.interactive),
            (Priority::Background, &mut self.background),
        ] {
            while *waiting > 0 && self.window.take(now + self.skew, priority) == Take::Go {
                *waiting -= 1;
                self.arriving.push(now + there);
            }
        }
    }

    fn turn(&mut self, pool: &mut Pool, now: i64, heard: bool) {
        self.missed = !heard;
        let now = now + self.skew;
        let ask = self.window.ask(now, (self.interactive, self.background)).unwrap();
        let grant: Grant = pool.turn(&ask);
        assert!((16..=MAX).contains(&pool.places()), "no place is lost or made");
        if heard {
            self.window.granted(now, grant);
        } else {
            self.window.cut_off();
        }
    }
}

struct World {
    pool: Pool,
    provider: Provider,
    gateways: Vec<Gateway>,
    now: i64,
    /// Whether turns may get lost one after the other.
    cut_off: bool,
}

impl World {
    fn new(skews: &[i64]) -> Self {
        Self {
            pool: Pool::new(100, 0),
            provider: Provider::default(),
            gateways: skews.iter().map(|skew| Gateway::new(*skew)).collect(),
            now: 0,
            cut_off: false,
        }
    }

    /// One step of time. `odd` decides what gets lost.
    fn step(&mut self, there: i64, back: i64, odd: &mut dyn FnMut() -> bool) {
        self.now += STEP;
        let now = self.now;
        for gateway in &mut self.gateways {
            for _ in gateway.arriving.extract_if(.., |at| *at <= now) {
                let left = self.provider.call(now);
                gateway.answering.push((now + back, left));
            }
            if !gateway.alive {
                continue;
            }
            for (_, left) in gateway.answering.extract_if(.., |(at, _)| *at <= now) {
                let rates = Rates {
                    max: Some(100),
                    remaining: Some(left),
                    interval_ms: Some(INTERVAL),
                    daily_limit: Some(200_000),
                    daily_remaining: Some(150_000),
                    daily_reset: None,
                };
                gateway.window.answered(now + gateway.skew, &rates);
                gateway.window.over(now + gateway.skew);
            }
            gateway.send(now, there);
            let waits = gateway.interactive + gateway.background > 0;
            if now >= gateway.next_turn || (waits && now >= gateway.last_turn + AGAIN) {
                // Never two in a row, after which a gateway would take a share of its own.
                let heard = gateway.missed && !self.cut_off || !odd();
                gateway.turn(&mut self.pool, now, heard);
                gateway.last_turn = now;
                gateway.next_turn = now + if gateway.window.holds() { 1_000 } else { 5_000 };
                gateway.send(now, there);
            }
        }
    }

    fn run(&mut self, millis: i64) {
        let until = self.now + millis;
        while self.now < until {
            self.step(20, 20, &mut || false);
        }
    }
}

/// Calls served of those that the provider allows in a time.
fn share_used(world: &mut World, millis: i64) -> f64 {
    let before = world.provider.served;
    world.run(millis);
    let served = u32::try_from(world.provider.served - before).unwrap();
    let windows = f64::from(i32::try_from(millis / INTERVAL).unwrap());
    f64::from(served) / (100.0 * windows)
}

#[test]
fn one_drains_a_long_queue_at_the_limit() {
    let mut world = World::new(&[0]);
    world.gateways[0].background = 100_000;
    world.run(20_000);
    let used = share_used(&mut world, 100_000);
    assert!(used >= 0.95, "{used}");
    assert_eq!(world.provider.refused, 0);
}

#[test]
fn two_drain_a_long_queue_at_the_limit_and_share_it() {
    let mut world = World::new(&[0, 40]);
    for gateway in &mut world.gateways {
        gateway.background = 100_000;
    }
    world.run(20_000);
    let used = share_used(&mut world, 100_000);
    assert!(used >= 0.95, "{used}");
    let left: Vec<u32> = world.gateways.iter().map(|gateway| gateway.background).collect();
    assert!(left[0].abs_diff(left[1]) < 120, "{left:?}");
    assert_eq!(world.provider.refused, 0);
}

#[test]
fn who_comes_later_gets_an_equal_part() {
    let mut world = World::new(&[0, -40]);
    world.gateways[0].background = 100_000;
    world.run(60_000);
    world.gateways[1].background = 100_000;
    let before = world.gateways[0].background;
    world.run(20_000);
    let first = before - world.gateways[0].background;
    let second = 100_000 - world.gateways[1].background;
    assert!(second >= 70 && first >= 70, "{first} and {second}");
    assert_eq!(world.provider.refused, 0);
}

#[test]
fn who_is_idle_leaves_everything_to_the_other() {
    let mut world = World::new(&[0, 0]);
    world.gateways[1].interactive = 30;
    world.run(30_000);
    assert_eq!(world.gateways[1].interactive, 0);
    world.gateways[0].background = 100_000;
    world.run(20_000);
    let used = share_used(&mut world, 100_000);
    assert!(used >= 0.95, "{used}");
}

#[test]
fn a_person_is_served_while_another_gateway_works_in_the_background() {
    let mut world = World::new(&[0, 0]);
    world.gateways[0].background = 100_000;
    world.run(60_000);
    // The first call comes when nobody was expected.
    world.gateways[1].interactive = 1;
    world.run(300);
    assert_eq!(world.gateways[1].interactive, 0);
    world.gateways[1].interactive = 1;
    world.run(20_000);
    // By then there is a reserve.
    world.gateways[1].interactive = 20;
    world.run(300);
    assert_eq!(world.gateways[1].interactive, 0);
    assert_eq!(world.provider.refused, 0);
}

#[test]
fn what_a_dead_gateway_had_comes_back() {
    let mut world = World::new(&[0, 0]);
    for gateway in &mut world.gateways {
        gateway.background = 100_000;
    }
    world.run(30_000);
    world.gateways[0].alive = false;
    world.run(25_000);
    let used = share_used(&mut world, 50_000);
    assert!(used >= 0.95, "{used}");
    assert_eq!(world.provider.refused, 0);
}

#[test]
fn who_cannot_ask_is_careful() {
    let mut world = World::new(&[0]);
    world.gateways[0].background = 100_000;
    world.run(20_000);
    world.cut_off = true;
    for _ in 0..8_000 {
        world.step(20, 20, &mut || true);
    }
    let before = world.provider.served;
    for _ in 0..4_000 {
        world.step(20, 20, &mut || true);
    }
    let served = world.provider.served - before;
    assert!((5..=15).contains(&served), "{served} in two windows");
}

/// Its places lapse while calls are under way, which the provider counts later than those rest.
#[test]
fn what_is_shown_is_there() {
    let mut world = World::new(&[0]);
    world.gateways[0].background = 40;
    world.run(60_000);
    world.gateways[0].background = 3;
    world.step(20, 20, &mut || false);
    world.now += 12_000;
    let mut most = 0;
    for _ in 0..4_000 {
        world.step(20, 20, &mut || false);
        let (now, window) = (world.now, &mut world.gateways[0].window);
        let shown = window.snapshot(now).0.remaining.unwrap();
        assert!(shown <= world.provider.left(now), "{shown} at {now}");
        most = most.max(shown);
    }
    assert_eq!(most, 100);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is asked for when, and whatever turn gets lost, the provider never has to refuse.
    #[test]
    fn together_they_never_overspend(
        skews in prop::collection::vec(-45_i64..45, 2..4),
        bursts in prop::collection::vec((0_usize..4, any::<bool>(), 1_u32..120, 0_i64..4_000), 20..60),
        there in 1_i64..200,
        back in 1_i64..400,
        odds in prop::collection::vec(0_u8..100, 64),
        dies_at in 20_000_i64..200_000,
    ) {
        let mut world = World::new(&skews);
        let mut odds = odds.into_iter().cycle();
        let mut odd = || odds.next().is_some_and(|odd| odd < 10);
        for (who, person, calls, pause) in bursts {
            let who = who % world.gateways.len();
            let gateway = &mut world.gateways[who];
            if person {
                gateway.interactive += calls;
            } else {
                gateway.background += calls;
            }
            let until = world.now + pause;
            while world.now < until {
                world.gateways[0].alive = world.now < dies_at;
                world.step(there, back, &mut odd);
            }
            prop_assert_eq!(world.provider.refused, 0);
        }
    }
}
