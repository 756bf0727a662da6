//! The inputs of a target by their numbers: first what was found once, then the seeds as they are,
//! then what is made of both.

use std::fs;
use std::path::PathBuf;

use tandem::app::fuzz::Target;

use crate::mutate::{Ground, bend};
use crate::random::Random;

pub struct Corpus {
    target: Target,
    seed: u64,
    whole: Vec<Vec<u8>>,
}

impl Corpus {
    pub fn new(target: Target, seed: u64) -> Self {
        let mut whole = found(target.name);
        whole.extend((target.seeds)());
        Self { target, seed, whole }
    }

    /// The input with a number.
    pub fn input(&self, number: u64) -> Vec<u8> {
        let whole = &self.whole;
        if let Some(input) = usize::try_from(number).ok().and_then(|at| whole.get(at)) {
            return input.clone();
        }
        let mut random = Random::new(self.seed, self.target.name, number);
        let mut input = random.one_of(whole).clone();
        let other = random.one_of(whole);
        let Target { words, longest, .. } = self.target;
        bend(&mut input, &mut Ground { random, words, other, longest });
        input
    }
}

/// What was found once, in the order of the files' names.
fn found(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found").join(target);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}
