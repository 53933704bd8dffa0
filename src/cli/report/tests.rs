use serde_json::{Value, json};

use super::*;
use crate::cli::hostile::{Hostile, check_error, results};

/// Most bytes of a page of any document that is taken.
const PAGE: usize = 128 << 20;

/// Whether a page is bounded, has no other script than the document's data, and shows only numbers.
#[track_caller]
fn check_page(page: &str, of: &Value) {
    assert!(page.len() < PAGE, "{} bytes of {} bytes", page.len(), of.to_string().len());
    assert!(page.matches("<script").count() == 1 && page.matches("</script").count() == 1);
    let (shown, _) = page.split_once("<script").expect("the data");
    let words = || shown.split(|c: char| !c.is_alphanumeric());
    if words().any(|word| word == "NaN" || word == "inf") {
        let at = shown.find("NaN").or(shown.find("inf")).expect("found");
        panic!("{:?}", &shown[at.saturating_sub(80)..shown.len().min(at + 20)]);
    }
    assert!(!shown.contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
}

/// The page of a document, if it is taken.
fn made(document: &Value) -> Option<String> {
    match Kept::parse(document.to_string().as_bytes()) {
        Ok(kept) => {
            let page = page_of(&kept);
            check_page(&page, document);
            Some(page)
        }
        Err(why) => {
            check_error(&why);
            None
        }
    }
}

#[test]
fn hostile_documents_become_pages_or_errors() {
    let mut hostile = Hostile::new(3);
    let documents = results();
    let (mut taken, rounds) = (0, 6_000);
    for _ in 0..rounds {
        let document = hostile.one_of(&documents);
        taken += usize::from(made(&hostile.json(document)).is_some());
    }
    // Both ways are gone often.
    assert!(taken > rounds / 10 && taken < rounds * 9 / 10, "{taken}");
}

/// A list as long as it may be, of its first item.
fn filled(document: &mut Value, way: &str, count: usize, vary: impl Fn(usize, &mut Value)) {
    let items = document.pointer_mut(way).and_then(Value::as_array_mut).expect("a list");
    let first = items.remove(0);
    *items = (0..count)
        .map(|index| {
            let mut item = first.clone();
            vary(index, &mut item);
            item
        })
        .collect();
}

fn name(index: usize) -> Value {
    json!(format!("<{index:03}{}>", "n".repeat(200)))
}

#[test]
fn the_largest_documents_have_bounded_pages() {
    let mut document = results()[0].clone();
    filled(&mut document, "/rows/0/batches", 16, |index, cell| cell["batch"] = json!(1 << index));
    filled(&mut document, "/rows", 300, |index, row| {
        row["algorithm"] = name(index);
        row["device"] = name(index / 4);
    });
    filled(&mut document, "/crossovers", 1_024, |index, found| {
        found["algorithm"] = name(index / 8)
    });
    made(&document).expect("within bounds");

    let mut document = results()[2].clone();
    let own: Vec<_> = (0..256).map(|index| json!([format!("{index}"), 1u64 << 20])).collect();
    filled(&mut document, "/tracks", 400, |index, track| {
        track["track"] = name(index);
        track["own"] = json!(own);
    });
    filled(&mut document, "/steps", 1_024, |index, step| {
        step["total_ns"] = json!(1e15 as u64 - index as u64)
    });
    made(&document).expect("within bounds");
    let own = |track: usize| -> Vec<_> {
        (0..128).map(|index| json!([format!("{track:x}.{index:x}"), 1])).collect()
    };
    filled(&mut document, "/tracks", 1_000, |index, track| track["own"] = json!(own(index)));
    made(&document).expect("within bounds");
}
