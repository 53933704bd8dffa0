//! `sigmill devices --explain`.

use serde_json::{Value, json};
use sigmill::algorithm::EcdsaRule;
use sigmill::batch::{BATCH_BYTES_LIMIT, BATCH_ITEMS_LIMIT, Shape};
use sigmill::dispatch::router::Route;
use sigmill::{Algorithm, Engine, Form};

/// Reads `ALGORITHM[:ITEMS[:BYTES]]`, the algorithm with its rule or without.
pub(super) fn shape(text: &str) -> Result<Shape, String> {
    let words: Vec<_> = text.split(':').collect();
    // A rule is no number.
    let ruled = words.get(1).is_some_and(|word| word.parse::<u64>().is_err());
    let (names, numbers) = words.split_at(1 + usize::from(ruled));
    let name = names.join(":");
    let known =
        |algorithm: &Algorithm| algorithm.to_string() == name || !ruled && algorithm.name() == name;
    let algorithm = Algorithm::ALL.into_iter().find(known);
    let algorithm = algorithm.ok_or_else(|| {
        let all = Algorithm::ALL.map(|algorithm| algorithm.to_string());
        format!("no such algorithm; known are {}", all.join(", "))
    })?;
    let number = |index: usize, name: &str, least: usize, limit: usize| {
        let Some(word) = numbers.get(index) else { return Ok(None) };
        let number = word.parse().ok().filter(|number| (least..=limit).contains(number));
        number.map(Some).ok_or_else(|| format!("{name}: not a number from {least} to {limit}"))
    };
    let items = number(0, "ITEMS", 1, BATCH_ITEMS_LIMIT)?.unwrap_or(1);
    // Three columns.
    let bytes = number(1, "BYTES", 0, 3 * BATCH_BYTES_LIMIT)?;
    let bytes = bytes.unwrap_or_else(|| typical(algorithm) * items);
    if numbers.len() > 2 {
        return Err("more than ALGORITHM:ITEMS:BYTES".to_owned());
    }
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
