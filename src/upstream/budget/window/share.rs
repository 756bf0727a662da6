//! A window of which other gateways have places too: what ours are, and our turns at the
//! [pool](super::super::pool).
//!
//! A place that was taken while it still rested stands among the answered calls as if its last one
//! had been ours.

use uuid::Uuid;

use super::super::pool::{Ask, Day, Grant, SLICE, Stated};
use super::{LONG_AGO, Limits, MARGIN_MS, Window, count};

/// How long a gateway without calls keeps a slice.
const LATELY_MS: i64 = 1_000;
/// Share of the window that a gateway allows itself which cannot ask for its places.
const CUT_OFF_PERCENT: u32 = 5;
/// How many turns in a row must fail before it does.
const CUT_OFF_AFTER: u32 = 3;

/// Which part of the window is ours.
#[derive(Debug)]
pub(super) struct Share {
    id: Uuid,
    places: u32,
    /// Until when they are ours.
    until: i64,
    /// How many we are to have at most.
    most: u32,
    /// How many turns failed since one did not.
    failed: u32,
    /// When a call last took a place.
    taken_at: i64,
    /// From when those may be used that nobody has, as of the last turn.
    free: Vec<i64>,
}

impl Window {
    /// From now on others have places too; `id` is new for each program that runs.
    pub(in super::super) fn share(&mut self, id: Uuid) {
        let (places, until, most) = (0, LONG_AGO, u32::MAX);
        let (failed, taken_at, free) = (0, LONG_AGO, Vec::new());
        self.share = Some(Share { id, places, until, most, failed, taken_at, free });
    }

    /// How many calls an interval are ours.
    pub(super) fn size(&self, now: i64) -> u32 {
        match &self.share {
            None => self.max,
            Some(share) if now <= share.until => share.places,
            Some(share) if share.failed >= CUT_OFF_AFTER => {
                (self.max * CUT_OFF_PERCENT / 100).max(1)
            }
            Some(_) => 0,
        }
    }

    /// How many calls others may make before we hear of it.
    pub(super) fn elsewhere(&self) -> u32 {
        self.share.as_ref().map_or(0, |share| self.max.saturating_sub(share.places))
    }

    /// How many places nobody has that may be used now.
    pub(super) fn lying_free(&self, now: i64) -> u32 {
        let free = self.share.iter().flat_map(|share| &share.free);
        u32::try_from(free.filter(|ready| **ready <= now).count()).unwrap_or(u32::MAX)
    }

    /// Whether there is something to renew.
    pub(in super::super) fn holds(&self) -> bool {
        self.in_flight > 0 || self.share.as_ref().is_some_and(|share| share.places > 0)
    }

    /// A call took a place.
    pub(super) fn mark_taken(&mut self, now: i64) {
        if let Some(share) = &mut self.share {
            share.taken_at = now;
        }
    }

    /// What to ask for; what it gives back is not ours any more. `None` where nothing is shared.
    pub(in super::super) fn ask(
        &mut self,
        now: i64,
        (interactive, background): (u32, u32),
    ) -> Option<Ask> {
        self.forget(now);
        let share = self.share.as_mut()?;
        if now > share.until {
            // They went back to the others, resting until what we did with them has passed.
            share.places = 0;
            if share.failed < CUT_OFF_AFTER {
                self.answered_at.clear();
            }
        }
        let waited_for = interactive + background > 0;
        let keeps = if waited_for {
            share.most
        } else if now - share.taken_at <= LATELY_MS {
            SLICE.min(share.most)
        } else {
            0
        };
        let (id, places) = (share.id, share.places);
        let give = places.saturating_sub(keeps.max(self.in_flight));
        // Who works in the background gives what others can use at once; who has nothing to do
        // keeps that.
        let gives = self.give_back(now, give, waited_for);
        let places = places - count_of(&gives);
        if let Some(share) = &mut self.share {
            share.places = places;
        }
        let stated = (self.limits == Limits::Stated)
            .then_some(Stated { max: self.max, interval_ms: self.interval_ms });
        let day = self.daily_remaining.map(|remaining| Day {
            limit: self.daily_limit,
            remaining,
            reset: self.daily_reset,
            at: self.daily_at,
        });
        Some(Ask {
            id,
            now,
            keeps: places,
            gives,
            interactive,
            background,
            interactive_at: self.interactive_at,
            stated,
            assumed: self.max,
            day,
            blocked_until: self.blocked.left(now).map_or(0, |left| now + left),
        })
    }

    /// Takes `give` places out of the window: from when each may be used.
    fn give_back(&mut self, now: i64, give: u32, soonest: bool) -> Vec<i64> {
        let places = self.share.as_ref().map_or(0, |share| share.places);
        let mut fresh = places.saturating_sub(self.in_flight + count(&self.answered_at));
        let mut gives = Vec::new();
        for _ in 0..give {
            let rests = |answered| answered + self.interval_ms + MARGIN_MS;
            let ready = if soonest && fresh > 0 || self.answered_at.is_empty() {
                if fresh == 0 {
                    break;
                }
                fresh -= 1;
                now
            } else {
                let end = if soonest {
                    self.answered_at.pop_front()
                } else {
                    self.answered_at.pop_back()
                };
                end.map_or(now, rests)
            };
            gives.push(ready);
        }
        gives
    }

    /// What the turn came to.
    pub(in super::super) fn granted(&mut self, now: i64, grant: Grant) {
        let Grant { kept, takes, until, most, stated, day, blocked_until, free } = grant;
        if let Some(stated) = stated
            && self.limits == Limits::Unknown
        {
            self.limits = Limits::Stated;
            (self.max, self.interval_ms) = (stated.max, stated.interval_ms);
        }
        let Some(share) = &mut self.share else { return };
        if !kept {
            share.places = 0;
        }
        share.places += count_of(&takes);
        (share.until, share.most, share.failed, share.free) = (until, most, 0, free);
        for ready in takes {
            let answered = ready - self.interval_ms - MARGIN_MS;
            if ready > now {
                let at = self.answered_at.partition_point(|known| *known <= answered);
                self.answered_at.insert(at, answered);
            }
        }
        if let Some(day) = day.filter(|day| day.at > self.daily_at) {
            let was_spent = self.spent_today();
            self.daily_limit = day.limit.or(self.daily_limit);
            self.daily_reset = day.reset.or(self.daily_reset);
            (self.daily_remaining, self.daily_at) = (Some(day.remaining), day.at);
            if self.spent_today() && !was_spent {
                self.exhausted.hold(now, None);
            }
        }
        if blocked_until > now {
            self.blocked.hold(now, Some(blocked_until - now));
        }
    }

    /// The turn failed: nobody knows what became of it.
    pub(in super::super) fn cut_off(&mut self) {
        if let Some(share) = &mut self.share {
            share.failed = share.failed.saturating_add(1);
        }
    }
}

fn count_of(places: &[i64]) -> u32 {
    u32::try_from(places.len()).unwrap_or(u32::MAX)
}
