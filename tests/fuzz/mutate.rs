//! What is done to inputs. To add a way: a function and a row in [`WAYS`].

use crate::random::Random;

/// What an input is bent with.
pub struct Ground<'a> {
    pub random: Random,
    /// Words that mean something to the target.
    pub words: &'a [&'a str],
    /// Another input to take pieces from.
    pub other: &'a [u8],
    pub longest: usize,
}

type Way = fn(&mut Vec<u8>, &mut Ground<'_>);

const WAYS: [Way; 11] = [
    |input, ground| flip(input, ground),
    |input, ground| replace(input, ground),
    insert,
    cut,
    double,
    swap,
    splice,
    word,
    number,
    broken,
    nest,
];

/// Numbers at which something ends, as text.
const NUMBERS: [&str; 16] = [
    "0",
    "-0",
    "-1",
    "1",
    "255",
    "256",
    "65536",
    "2147483648",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "1e308",
    "1e-400",
];

/// What no UTF-8 is, or what texts seldom hold.
const BROKEN: [&[u8]; 12] = [
    b"\x80",
    b"\xc0\xaf",
    b"\xe2\x82",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xff\xfe",
    b"\0",
    "\u{feff}".as_bytes(),
    "\u{202e}".as_bytes(),
    "\u{2028}".as_bytes(),
    "İ".as_bytes(),
    "e\u{301}\u{301}\u{301}".as_bytes(),
];

/// What opens and what closes it.
const BRACKETS: [(&str, &str); 8] = [
    ("{", "}"),
    ("[", "]"),
    ("(", ")"),
    ("{\"a\":", "}"),
    ("{a", "}"),
    ("!", ""),
    ("-", ""),
    ("a.", ""),
];

/// Bends an input a few times.
pub fn bend(input: &mut Vec<u8>, ground: &mut Ground<'_>) {
    // Mostly once or twice: what is bent much is refused at once.
    let times = 1 + ground.random.below(8).min(ground.random.below(8));
    for _ in 0..times {
        let way = *ground.random.one_of(&WAYS);
        way(input, ground);
        input.truncate(ground.longest);
    }
}

/// A piece of a text of this length: mostly short.
fn piece(random: &mut Random, length: usize) -> std::ops::Range<usize> {
    let start = random.below(length + 1);
    let most = if random.below(4) == 0 { length - start } else { (length - start).min(16) };
    start..start + random.below(most + 1)
}

fn put(input: &mut Vec<u8>, random: &mut Random, what: &[u8]) {
    let at = random.below(input.len() + 1);
    // Over what is there, or between.
    let over = if random.below(3) == 0 { what.len().min(input.len() - at) } else { 0 };
    input.splice(at..at + over, what.iter().copied());
}

fn flip(input: &mut [u8], ground: &mut Ground<'_>) {
    let at = ground.random.below(input.len());
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << ground.random.below(8);
    }
}

fn replace(input: &mut [u8], ground: &mut Ground<'_>) {
    let at = ground.random.below(input.len());
    if let Some(byte) = input.get_mut(at) {
        *byte = ground.random.byte();
    }
}

fn insert(input: &mut Vec<u8>, ground: &mut Ground<'_>) {
    let byte = if ground.random.below(2) == 0 {
        ground.random.byte()
    } else {
        *ground.random.one_of(b"\"'\\{}[]():,.=-+ \n\t#@!?&|_$aA09")
    };
    let many = vec![byte; 1 + ground.random.below(4)];
    put(input, &mut ground.random, &many);
}

fn cut(input: &mut Vec<u8>, ground: &mut Ground<'_>) {
    let range = piece(&mut ground.random, input.len());
    input.drain(range);
}

fn double(input: &mut Vec<u8>, ground: &mut Ground<'_>) {
    let range = piece(&mut ground.random, input.len());
    let part = input[range].to_vec();
    let times = if ground.random.below(8) == 0 { 1 + ground.random.below(200) } else { 1 };
    let room = ground.longest / part.len().max(1);
    let many = part.repeat(times.min(room));
    put(input, &mut ground.random, &many);
}

fn swap(input: &mut Vec<u8>, ground: &mut Ground<'_>) {
    let range = piece(&mut ground.random, input.len());
    let part: Vec<u8> = input.drain(range).collect();
    put(input, &mut ground.random, &part);
}

fn splice(input: &mut Vec<u8>, ground: &mut Ground<'_>) {
    let range = piece(&mut ground.random, ground.other.len());
    put(input, &mut ground.random, &ground.other[range]);
}

fn word(input: &mut Vec<u8>, ground: &mut Ground<'_>) {
    let word = ground.random.one_of(ground.words).as_bytes();
    put(input, &mut ground.random, word);
}

/// A number that is there becomes another one.
fn number(input: &mut Vec<u8>, ground: &mut Ground<'_>) {
    let number = ground.random.one_of(&NUMBERS).as_bytes();
    let from = ground.random.below(input.len());
    let digit = input.iter().skip(from).position(u8::is_ascii_digit);
    let Some(start) = digit.map(|at| from + at) else {
        return put(input, &mut ground.random, number);
    };
    let length = input[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    input.splice(start..start + length, number.iter().copied());
}

fn broken(input: &mut Vec<u8>, ground: &mut Ground<'_>) {
    let bytes = *ground.random.one_of(&BROKEN);
    put(input, &mut ground.random, bytes);
}

/// Deep brackets around a piece, closed or not.
fn nest(input: &mut Vec<u8>, ground: &mut Ground<'_>) {
    let (open, close) = *ground.random.one_of(&BRACKETS);
    let most = *ground.random.one_of(&[4, 40, 130, 3000]);
    let deep = ground.random.below(most);
    let range = piece(&mut ground.random, input.len());
    let closed = if ground.random.below(4) == 0 { 0 } else { deep };
    let mut around = open.repeat(deep).into_bytes();
    around.extend_from_slice(&input[range.clone()]);
    around.extend(close.repeat(closed).bytes());
    input.splice(range, around);
}
