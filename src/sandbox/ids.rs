//! Seeded ids and chances: the same seed gives the same sequence, so a demo or a bug report can be
//! repeated. Concurrent callers share one sequence, so who gets which id depends on their order.

use std::sync::{Mutex, PoisonError};

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

const ALPHANUMERIC: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A deterministic source of ids, numbers and chances.
#[derive(Debug)]
pub struct Ids(Mutex<ChaCha8Rng>);

impl Ids {
    /// The sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(ChaCha8Rng::seed_from_u64(seed)))
    }

    fn with<T>(&self, draw: impl FnOnce(&mut ChaCha8Rng) -> T) -> T {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An id of 20 letters and digits, as HighLevel's contacts have.
    pub fn alphanumeric(&self) -> String {
        self.with(|rng| {
            (0..20).map(|_| char::from(ALPHANUMERIC[rng.random_range(0..62)])).collect()
        })
    }

    /// An id of 24 hexadecimal digits, as HighLevel's businesses have.
    pub fn hex(&self) -> String {
        self.with(|rng| {
            (0..24).map(|_| char::from(b"0123456789abcdef"[rng.random_range(0..16)])).collect()
        })
    }

    /// A random UUID.
    pub fn uuid(&self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(self.with(RngExt::random)).into_uuid()
    }

    /// Random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.with(|rng| rng.fill_bytes(&mut bytes));
        bytes
    }

    /// True with the given probability: never at 0, always at 1.
    pub fn chance(&self, probability: f64) -> bool {
        if probability >= 1.0 {
            return true;
        }
        probability > 0.0 && self.with(RngExt::random::<f64>) < probability
    }

    /// A number from 0 up to, not including, `end`; 0 when `end` is 0.
    pub fn below(&self, end: usize) -> usize {
        if end == 0 { 0 } else { self.with(|rng| rng.random_range(0..end)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids_and_another_seed_others() {
        let (a, b, c) = (Ids::new(7), Ids::new(7), Ids::new(8));
        let id = a.alphanumeric();
        assert_eq!(id, b.alphanumeric());
        assert_ne!(id, c.alphanumeric());
        assert_eq!((id.len(), a.hex().len()), (20, 24));
    }

    #[test]
    fn chances_at_the_ends_are_certain() {
        let ids = Ids::new(1);
        assert!((0..100).all(|_| ids.chance(1.0) && !ids.chance(0.0)));
    }
}
