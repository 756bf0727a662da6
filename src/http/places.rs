//! How many of something each of many may hold at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Who holds how many.
type Held<K> = Arc<Mutex<HashMap<K, usize>>>;

/// What each holds, and the most that one may.
pub(super) struct Places<K> {
    most: usize,
    held: Held<K>,
}

/// One that counts while this lives.
#[derive(Debug)]
pub(super) struct Place<K: Eq + Hash> {
    who: K,
    held: Held<K>,
}

/// Somebody holds as many as there may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Full {
    pub most: usize,
}

impl<K: Clone + Eq + Hash> Places<K> {
    /// Nobody holds any yet.
    pub fn new(most: usize) -> Self {
        Self { most, held: Arc::default() }
    }

    /// Counts one more of somebody.
    pub fn take(&self, who: K) -> Result<Place<K>, Full> {
        let mut all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(who.clone()).or_default();
        if *count >= self.most {
            return Err(Full { most: self.most });
        }
        *count += 1;
        drop(all);
        Ok(Place { who, held: Arc::clone(&self.held) })
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.who) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_makes_room_for_its_own() {
        let places = Places::new(2);
        let held = [places.take("a").unwrap(), places.take("a").unwrap()];
        assert_eq!(places.take("a").unwrap_err(), Full { most: 2 });
        assert!(places.take("b").is_ok());
        drop(held);
        assert!(places.take("a").is_ok());
        assert!(places.held.lock().unwrap().is_empty(), "nobody is remembered");
    }
}
