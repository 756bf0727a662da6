//! Remembering those who were seen last. What it costs does not grow with how many there are.

use std::collections::HashMap;
use std::hash::Hash;

/// So many at most. Who was not seen while half as many others came may be forgotten, and nobody else.
///
/// There are two halves: whoever is seen is in the newer one. When that is full it becomes the older one,
/// and whoever was in that is forgotten, all at once, so that nobody has to be looked for.
pub(super) struct Recent<K, V> {
    half: usize,
    newer: HashMap<K, V>,
    older: HashMap<K, V>,
}

impl<K: Clone + Eq + Hash, V: Default> Recent<K, V> {
    pub fn new(most: usize) -> Self {
        Self { half: most.div_ceil(2), newer: HashMap::new(), older: HashMap::new() }
    }

    /// What is known of somebody who is seen now.
    pub fn of(&mut self, key: &K) -> &mut V {
        let Self { half, newer, older } = self;
        if !newer.contains_key(key) {
            let known = older.remove(key).unwrap_or_default();
            if newer.len() >= *half {
                *older = std::mem::take(newer);
            }
            newer.insert(key.clone(), known);
        }
        newer.entry(key.clone()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(recent: &mut Recent<u32, u32>, key: u32) -> u32 {
        let count = recent.of(&key);
        *count += 1;
        *count
    }

    #[test]
    fn who_is_seen_again_stays_whoever_comes() {
        let mut recent = Recent::new(10);
        for n in 0..100 {
            assert_eq!(seen(&mut recent, 1_000), n + 1);
            assert_eq!([seen(&mut recent, n), seen(&mut recent, n)], [1, 2]);
            assert!(recent.newer.len() + recent.older.len() <= 10);
        }
        assert_eq!(seen(&mut recent, 99), 3, "the last ones are known");
        assert_eq!(seen(&mut recent, 0), 1, "the first ones are not");
    }

    #[test]
    fn one_is_remembered_where_it_is_the_only_one() {
        let mut recent = Recent::new(1);
        assert_eq!([seen(&mut recent, 1), seen(&mut recent, 1)], [1, 2]);
    }
}
