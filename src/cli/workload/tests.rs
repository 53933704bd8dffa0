use sigmill::{Engine, Terms};

use super::*;

fn engine() -> Engine {
    Engine::builder().threads(1).open().expect("an engine")
}

fn answered(engine: &Engine, load: Load) -> Answers {
    engine.submit(load.batch, Terms::default()).expect("room").wait().into_answers()
}

#[test]
fn spoilt_jobs_alone_are_invalid() {
    let engine = engine();
    let mut source = Source::new(items(40, 7, 30.0));
    assert_eq!(source.items.iter().filter(|item| !item.valid).count(), 12);
    assert_eq!(source.keys().len(), 7);
    let mut pinned = Source::new(source.items.clone());
    pinned.pinned = Some(engine.pin(&pinned.keys()).expect("room"));
    for algorithm in ALGORITHMS.into_iter().filter(|algorithm| *algorithm != Algorithm::Null) {
        for source in [&source, &pinned] {
            // More jobs than items: they begin anew.
            let load = source.load(algorithm, 3, 50);
            let first = load.first;
            let answers = answered(&engine, load);
            assert!(source.judge(first, &answers).is_ok(), "{algorithm}");
            let found = answers.iter().filter(
                |outcome| matches!(outcome, Outcome::Verdict(verdict) if !verdict.is_valid()),
            );
            let made = (3..53).filter(|index| !source.item(*index).valid).count();
            assert_eq!(found.count(), if judges(algorithm) { made } else { 0 }, "{algorithm}");
        }
    }
    // One that is called otherwise than it is: exit code 5.
    for index in [3, 4] {
        source.items[index].valid ^= true;
        for algorithm in ALGORITHMS.into_iter().filter(|algorithm| has_keys(*algorithm)) {
            let load = source.load(algorithm, 0, 40);
            let failure = source.judge(0, &answered(&engine, load)).expect_err("a lie");
            assert_eq!(failure.status, Status::Disagreement, "{}", failure.message);
        }
        source.items[index].valid ^= true;
    }
}

#[test]
fn valid_jobs_are_valid_and_a_wrong_one_is_found() {
    let engine = engine();
    let mut source = Source::new(items(20, 20, 0.0));
    for algorithm in ALGORITHMS.into_iter().filter(|algorithm| judges(*algorithm)) {
        let answers = answered(&engine, source.load(algorithm, 0, 20));
        assert!(source.judge(0, &answers).is_ok(), "{algorithm}");
    }
    source.items[9].spoil();
    for algorithm in ALGORITHMS.into_iter().filter(|algorithm| judges(*algorithm)) {
        let answers = answered(&engine, source.load(algorithm, 0, 20));
        let failure = source.judge(0, &answers).expect_err("one is wrong");
        let told = "a job made valid was found invalid";
        assert!(failure.message.ends_with(told), "{}", failure.message);
    }
}

#[cfg(feature = "baseline")]
#[test]
fn other_libraries_find_the_same() {
    use crate::cli::bench::baseline::{Baseline, library};
    let baseline = Baseline::new(2).ok().flatten().expect("threads");
    let mut source = Source::new(items(64, 9, 25.0));
    let compared = || ALGORITHMS.into_iter().filter(|known| library(*known).is_some());
    for algorithm in compared() {
        for (size, repeats) in [(1, 64), (50, 3)] {
            assert!(baseline.run(&source, algorithm, size, 0..repeats).is_ok(), "{algorithm}");
        }
    }
    source.items[7].valid ^= true;
    for algorithm in compared().filter(|algorithm| judges(*algorithm)) {
        let failure = baseline.run(&source, algorithm, 64, 0..1).expect_err("a lie");
        assert_eq!(failure.status, Status::Disagreement);
    }
}

#[test]
fn algorithms_go_by_their_own_names_and_usual_ones() {
    let name = |given: &str| algorithm(given).map(Algorithm::name);
    assert_eq!(name("null"), Ok("null"));
    assert_eq!(name("ecdsa-verify"), Ok("ecdsa-secp256k1"));
    assert_eq!(algorithm("ecdsa-secp256k1:compact"), algorithm("ecdsa"));
    assert!(ALGORITHMS.iter().all(|known| algorithm(&known.to_string()) == Ok(*known)));
    let why = name("ecdsa-secp256k1:bitcoin-lax").expect_err("it is another rule");
    assert!(why.ends_with("give ecdsa-secp256k1"), "{why}");
    assert!(name("sha257").expect_err("a slip").contains("nearest is `sha256"));
}
