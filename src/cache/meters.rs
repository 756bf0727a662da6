//! How often a read was spared. The handles are looked up once: a hit costs less than a look-up.

use metrics::{Counter, counter};

use crate::telemetry::names;

/// One counter an outcome of a look-up.
pub(super) struct Meters {
    /// The value was at hand.
    pub(super) hit: Counter,
    /// A read was made.
    pub(super) miss: Counter,
    /// Another's read under way was waited for.
    pub(super) joined: Counter,
}

impl Meters {
    pub(super) fn new() -> Self {
        let reads = |outcome| counter!(names::CACHE_READS, names::OUTCOME => outcome);
        Self { hit: reads("hit"), miss: reads("miss"), joined: reads("joined") }
    }
}
