//! `sigmill devices --explain`.

use serde_json::{Value, json};
use sigmill::algorithm::EcdsaRule;
use sigmill::batch::{BATCH_BYTES_LIMIT, BATCH_ITEMS_LIMIT, Shape};
use sigmill::dispatch::router::Route;
use sigmill::{Algorithm, Engine, Form};

mod names;

/// Reads an algorithm, with its rule or without, or by a usual name.
pub(super) fn algorithm(text: &str) -> Result<Algorithm, String> {
    names::algorithm(text)
}

/// A word after `--explain`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word {
    /// `ALGORITHM[:ITEMS[:BYTES]]`; `sized` where it says ITEMS.
    Shape { shape: Shape, sized: bool },
    /// ITEMS of the word before.
    Items(usize),
}

/// Reads a word after `--explain`.
pub(super) fn word(text: &str) -> Result<Word, String> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        return items(text).map(Word::Items);
    }
    let words: Vec<_> = text.split(':').collect();
    let sized = words.iter().skip(1).any(|word| word.parse::<u64>().is_ok());
    Ok(Word::Shape { shape: shape(&words)?, sized })
}

/// Puts words together: an algorithm, and a number that may follow it as a word of its own.
///
/// # Errors
/// A number without an algorithm, or a second one.
pub(super) fn shapes(words: &[Word]) -> Result<Vec<Shape>, String> {
    let mut shapes = Vec::new();
    let mut open = false;
    for word in words {
        match (word, shapes.last_mut()) {
            (Word::Shape { shape, sized }, _) => {
                shapes.push(*shape);
                open = !sized;
            }
            (Word::Items(items), Some(Shape { algorithm, items: one, bytes, .. })) if open => {
                (*one, *bytes) = (*items, typical(*algorithm) * items);
                open = false;
            }
            (Word::Items(items), _) => {
                let why = "it follows an algorithm without a number, as in `--explain sha256 4096`";
                return Err(format!("--explain {items}: {why}"));
            }
        }
    }
    Ok(shapes)
}

fn items(text: &str) -> Result<usize, String> {
    number("ITEMS", text, 1, BATCH_ITEMS_LIMIT)
}

fn number(name: &str, text: &str, least: usize, limit: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (least..=limit).contains(number));
    number.ok_or_else(|| format!("{name}: not a number from {least} to {limit}"))
}

/// Reads `ALGORITHM[:ITEMS[:BYTES]]`, the algorithm with its rule or without.
fn shape(words: &[&str]) -> Result<Shape, String> {
    // A rule is no number.
    let ruled = words.get(1).is_some_and(|word| word.parse::<u64>().is_err());
    let (names, numbers) = words.split_at(1 + usize::from(ruled));
    let algorithm = names::algorithm(&names.join(":"))?;
    if numbers.len() > 2 {
        return Err("more than ALGORITHM:ITEMS:BYTES".to_owned());
    }
    let items = numbers.first().map_or(Ok(1), |word| items(word))?;
    // Three columns.
    let bytes = numbers.get(1).map(|word| number("BYTES", word, 0, 3 * BATCH_BYTES_LIMIT));
    let bytes = bytes.transpose()?.unwrap_or_else(|| typical(algorithm) * items);
    Ok(Shape { algorithm, form: Form::Single, items, bytes })
}

/// Bytes of a usual job: hashes of 64 bytes, trees of 16 leaves.
fn typical(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::EcdsaSecp256k1(EcdsaRule::Compact | EcdsaRule::CompactLowS) => 32 + 64 + 33,
        Algorithm::EcdsaSecp256k1(_) => 32 + 71 + 33,
        Algorithm::SchnorrBip340 => 32 + 64 + 32,
        Algorithm::RecoverSecp256k1(_) => 32 + 65,
        Algorithm::MerkleRootSha256d => 16 * 32,
        Algorithm::MerkleProofSha256d => 32 + 4 * 32 + 36,
        _ => 64,
    }
}

/// Prints where batches of these shapes would go now, and why.
pub(super) fn print(engine: &Engine, shapes: &[Shape], as_json: bool) {
    if as_json {
        let all: Vec<_> = shapes.iter().map(|shape| value(engine, shape)).collect();
        say!("{}", json!({ "schema": 1, "explanations": all }));
        return;
    }
    for shape in shapes {
        let Shape { algorithm, items, bytes, .. } = shape;
        let jobs = if *items == 1 { "job" } else { "jobs" };
        say!("{algorithm}, {items} {jobs}, {bytes} bytes: {}", engine.explain(*shape));
    }
}

fn value(engine: &Engine, shape: &Shape) -> Value {
    let explanation = engine.explain(*shape);
    let route = match explanation.route {
        Route::Inline(_) => "inline",
        Route::Lane(_) => "queue",
        Route::Wait => "wait",
        Route::None => "last-resort",
    };
    let choices: Vec<_> = explanation
        .choices
        .iter()
        .map(|(name, choice)| {
            json!({
                "device": name,
                "queue_ns": choice.lane_finish,
                "queue_seen": choice.seen,
                "inline_ns": choice.inline_finish,
                "inline_seen": choice.inline_seen,
            })
        })
        .collect();
    json!({
        "algorithm": shape.algorithm.name(),
        "rule": shape.algorithm.rule(),
        "items": shape.items,
        "bytes": shape.bytes,
        "route": route,
        "device": explanation.device(),
        "choices": choices,
    })
}
