//! Hostile inputs for tests of the command's parsers: valid ones, changed at random.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

/// Changes inputs; the same seed gives the same ones.
pub(super) struct Hostile(StdRng);

/// Words that parsers may not expect.
const WORDS: [&str; 27] = [
    "",
    "\0",
    "\n",
    "\u{1b}[2J",
    "\u{202e}",
    "-",
    "-1",
    "0",
    "1e308",
    "-1e308",
    "1e-320",
    "1e999",
    "nan",
    "infinity",
    "18446744073709551616",
    "9223372036854775808",
    "0x",
    "'''",
    "\"",
    "[[",
    "]",
    "{",
    "a.a.a",
    "=",
    "\\u0000",
    "<script>alert(1)</script>",
    "'\"><script>",
];

/// Numbers that arithmetic may not expect.
const NUMBERS: [f64; 10] =
    [0.0, -0.0, -1.0, f64::from_bits(1), 1e-310, 1e-200, 1e-15, 1e15, 1e200, f64::MAX];

impl Hostile {
    pub fn new(seed: u64) -> Hostile {
        Hostile(StdRng::seed_from_u64(seed))
    }

    /// A number below a bound, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0.random_range(0..bound)
    }

    /// One of several.
    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        all.choose(&mut self.0).expect("some")
    }

    /// A text that is changed in a few places: bytes, words, lines, its end. It is text again.
    pub fn text(&mut self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..1 + self.below(4) {
            self.edit(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn edit(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len() + 1);
        let end = bytes.len().min(at + self.below(16));
        match self.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..end)),
            // A part of it elsewhere.
            3 => {
                let part = bytes[at..end].to_vec();
                let to = self.below(bytes.len() + 1);
                bytes.splice(to..to, part);
            }
            // A line several times.
            4 => {
                let is_end = |byte: &u8| *byte == b'\n';
                let from = bytes[..at].iter().rposition(is_end).map_or(0, |end| end + 1);
                let line = bytes[from..].split_inclusive(is_end).next().unwrap_or_default();
                let lines = line.repeat(1 + self.below(4));
                bytes.splice(from..from, lines);
            }
            5 => bytes.push(self.0.random()),
            _ => {
                let word = *self.one_of(&WORDS);
                bytes.splice(at..end, word.bytes());
            }
        }
    }

    /// A JSON document of which a few parts are others; it is JSON still.
    pub fn json(&mut self, document: &Value) -> Value {
        let mut changed = document.clone();
        for _ in 0..1 + self.below(3) {
            let donor = self.part(document).clone();
            let with = self.value(donor);
            self.change(&mut changed, with);
        }
        changed
    }

    /// Any part of a document.
    fn part<'a>(&mut self, whole: &'a Value) -> &'a Value {
        let parts: Vec<_> = match whole {
            Value::Array(items) => items.iter().collect(),
            Value::Object(fields) => fields.values().collect(),
            _ => return whole,
        };
        if parts.is_empty() || self.below(6) == 0 {
            return whole;
        }
        let part = *self.one_of(&parts);
        self.part(part)
    }

    /// A value to put somewhere.
    fn value(&mut self, donor: Value) -> Value {
        match self.below(7) {
            0 => donor,
            1 => Value::Null,
            2 => json!([]),
            3 => json!("x".repeat(1 << self.below(16))),
            4 => json!(*self.one_of(&WORDS)),
            5 => json!(u64::MAX >> self.below(16)),
            _ => json!(*self.one_of(&NUMBERS)),
        }
    }

    /// Makes each number one of two, or a whole one where it was.
    fn numbers(&mut self, whole: &mut Value, pair: [f64; 2]) {
        match whole {
            Value::Number(number) if number.is_u64() => {
                *whole = json!(self.0.random::<u64>() >> self.below(64));
            }
            Value::Number(_) => *whole = json!(*self.one_of(&pair)),
            Value::Array(items) => items.iter_mut().for_each(|item| self.numbers(item, pair)),
            Value::Object(fields) => {
                fields.values_mut().for_each(|field| self.numbers(field, pair));
            }
            _ => {}
        }
    }

    fn change(&mut self, whole: &mut Value, with: Value) {
        let deeper = self.below(8) > 0;
        match whole {
            Value::Array(items) if deeper && !items.is_empty() => {
                let at = self.below(items.len());
                match self.below(10) {
                    0 => drop(items.remove(at)),
                    1 => {
                        let copies = vec![items[at].clone(); 1 << self.below(8)];
                        items.splice(at..at, copies);
                    }
                    2 => items.reverse(),
                    _ => self.change(&mut items[at], with),
                }
            }
            Value::Object(fields) if deeper && !fields.is_empty() => {
                let at = self.below(fields.len());
                let name = fields.keys().nth(at).expect("below their count").clone();
                match self.below(12) {
                    0 => drop(fields.remove(&name)),
                    _ => self.change(&mut fields[&name], with),
                }
            }
            // All numbers of a part.
            Value::Array(_) | Value::Object(_) if self.below(2) > 0 => {
                let pair = [*self.one_of(&NUMBERS), *self.one_of(&NUMBERS)];
                self.numbers(whole, pair);
            }
            // For the most part with the same type: another is soon refused.
            Value::Number(_) if self.below(4) > 0 => {
                let number = match self.below(3) {
                    0 => *self.one_of(&NUMBERS),
                    _ => 10f64.powf(self.0.random_range(-20.0..16.0)),
                };
                self.numbers(whole, [number; 2]);
            }
            Value::String(_) if self.below(4) > 0 => *whole = json!(*self.one_of(&WORDS)),
            _ => *whole = with,
        }
    }
}

/// Whether an error is one that can be shown: short, and without what a terminal would heed.
#[track_caller]
pub(super) fn check_error(error: &str) {
    assert!(!error.is_empty() && error.len() < 8 << 10, "{} bytes: {error:.300}", error.len());
    assert!(!error.contains(|c: char| c.is_control() && c != '\n'), "{error:?}");
}

/// Results of both kinds, the first with everything that one can have, and a few items in each list.
pub(super) fn results() -> Vec<Value> {
    let texts = [
        include_str!("../../tests/command/report/rich.json"),
        include_str!("../../tests/command/report/poor.json"),
        include_str!("../../tests/command/report/profile.json"),
    ];
    let mut results = texts.map(|text| serde_json::from_str(text).expect("JSON")).to_vec();
    results.iter_mut().for_each(shorten);
    results
}

fn shorten(part: &mut Value) {
    match part {
        Value::Array(items) => {
            items.truncate(4);
            items.iter_mut().for_each(shorten);
        }
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        _ => {}
    }
}

/// Each word of a command line is its own parser's input.
#[test]
fn hostile_command_lines_are_usage_errors() {
    use clap::Parser;
    let lines = [
        "sigmill bench ecdsa --batch 1,64 --in-flight 8 --invalid 5 --keys 128 --rate 5000 --duration 1 --seconds 2 \
         --repeat 2 --price-per-hour 0.4 --fail-below ecdsa-secp256k1@cpu:64=1.5 --fail-below sha256:1=1e5/s --threads 2",
        "sigmill load --algorithm ecdsa --rate 5000 --batch 64 --invalid 0.5 --class sync --seconds 3 --metrics 9464",
        "sigmill profile --load sha256 --batch 64 --in-flight 4 --seconds 5 --warm-up 1 --trust fast --backend cpu",
        "sigmill report a.json --html b.html",
    ];
    let mut hostile = Hostile::new(2);
    let mut good = 0;
    for _ in 0..4_000 {
        let line = *hostile.one_of(&lines);
        let mut words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        for _ in 0..1 + hostile.below(2) {
            let at = 2 + hostile.below(words.len() - 2);
            words[at] = hostile.text(&words[at]);
        }
        let Ok(arguments) = super::Arguments::try_parse_from(&words) else { continue };
        good += 1;
        if let super::Command::Bench(arguments) = arguments.command
            && let Err(failure) = arguments.check()
        {
            check_error(&failure.message);
        }
    }
    assert!(good > 100, "{good}");
}
