//! One made-up person, before it is known which systems know it.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use super::place::{PLACES, Place};

/// Tags people have.
pub const TAGS: &[&str] =
    &["vip", "lead", "customer", "webinar 2025", "ñandú club", "wholesale", "reseller", "日本"];

const COMPANIES: &[&str] = &[
    "Acme & Sons",
    "Panadería La Espiga",
    "Øresund Logistics",
    "Строймаш",
    "Globex",
    "Initech GmbH",
    "Café \"Central\"",
    "三河商店",
    "Umbrella S.A.",
    "Stark, Paz & Cía.",
];

const DOMAINS: &[&str] =
    &["example.com", "example.org", "example.net", "mail.example.com", "office.example.org"];

/// A person and everything true of it.
#[derive(Clone, Debug)]
pub struct Person {
    /// Where it lives.
    pub place: &'static Place,
    /// `F` or `M`.
    pub gender: char,
    /// Given name in the local script.
    pub first: String,
    /// Family name in the local script.
    pub last: String,
    /// Unique, lower case.
    pub email: String,
    /// Unique, E.164.
    pub phone: String,
    /// Employer, for some.
    pub company: Option<&'static str>,
    /// Street and number.
    pub address: String,
    /// Town, state, postal code.
    pub town: (&'static str, &'static str, &'static str),
    /// Birthday.
    pub birthday: NaiveDate,
    /// Sorted by no rule, as people do.
    pub tags: Vec<String>,
    /// When first met.
    pub added: DateTime<Utc>,
}

/// The end of the seeded history: fixed, since the same seed must give the same people on any day.
pub fn today() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_767_225_600_000).unwrap_or_default()
}

/// The `index`-th person. What must be unique is made of the index.
pub fn draw(index: usize, rng: &mut ChaCha8Rng) -> Person {
    // Twice the same question, the smaller answer: the first places are the more frequent ones.
    let place = &PLACES[rng.random_range(0..PLACES.len()).min(rng.random_range(0..PLACES.len()))];
    let gender = if rng.random() { 'F' } else { 'M' };
    let firsts = if gender == 'F' { place.women } else { place.men };
    let first = pick(firsts, rng);
    let last = pick(place.families, rng);
    let domain = pick(DOMAINS, rng);
    // The plus sign is legal and often handled wrongly, so some have one.
    let plus = if rng.random_ratio(1, 20) { "+news" } else { "" };
    let number = if index == 0 { String::new() } else { index.to_string() };
    let age = rng.random_range(18 * 365..80 * 365);
    let known_for = TimeDelta::seconds(rng.random_range(0..700 * 86_400));
    Person {
        place,
        gender,
        first: first.0.to_owned(),
        last: last.0.to_owned(),
        email: format!("{}.{}{number}{plus}@{domain}", first.1, last.1),
        phone: phone(place, index),
        company: rng.random_ratio(2, 3).then(|| pick(COMPANIES, rng)),
        address: format!("{} {}", pick(place.streets, rng), rng.random_range(1..4000)),
        town: pick(place.towns, rng),
        birthday: today().date_naive().checked_sub_days(Days::new(age)).unwrap_or_default(),
        tags: some(TAGS, 4, rng).into_iter().map(str::to_owned).collect(),
        added: today() - known_for,
    }
}

/// Seven digits that no other index has, without looking counted.
fn phone(place: &Place, index: usize) -> String {
    // The factor has no divisor in common with ten million, so no two indexes meet.
    let digits = (index + 1) * 7_368_787 % 10_000_000;
    format!("{}{digits:07}", place.dial)
}

/// One of them.
pub fn pick<T: Copy>(from: &[T], rng: &mut impl Rng) -> T {
    *from.choose(rng).expect("every table has a row")
}

/// None to `most` of them, each once.
pub fn some<T: Copy>(from: &[T], most: usize, rng: &mut ChaCha8Rng) -> Vec<T> {
    let count = rng.random_range(0..=most.min(from.len()));
    from.sample(rng, count).copied().collect()
}
