//! BIP 340.

use sigmill::{Algorithm, Answers, Engine, referee};

use super::support::{Owned, accepted, answer, answer_in_every_form, batch, data, unhex};

/// The BIP's own vectors.
pub fn bip_340(engine: &Engine) {
    let Some(folder) = data("BIP 340 vectors") else { return };
    let path = folder.join("bitcoin/vectors/bip340_test_vectors.csv");
    let text = std::fs::read_to_string(path).expect("a file");
    let mut jobs = Vec::new();
    let mut expected = Vec::new();
    for line in text.lines().skip(1) {
        let fields: Vec<_> = line.split(',').collect();
        jobs.push(Owned(vec![unhex(fields[4]), unhex(fields[5]), unhex(fields[2])]));
        expected.push(fields[6] == "TRUE");
    }
    assert_eq!(jobs.len(), 19);
    let batch = batch(Algorithm::SchnorrBip340, &jobs);
    let answers = answer_in_every_form(engine, Algorithm::SchnorrBip340, &jobs);
    assert_eq!(answers.iter().map(accepted).collect::<Vec<_>>(), expected);
    assert_eq!(referee::disagreement(&batch, &answers), None);
}

/// Every Schnorr record of the flattened checks of real blocks.
pub fn schnorr_records(engine: &Engine) {
    assert!(records(engine, Algorithm::SchnorrBip340, 1, answer_in_every_form) > 2_375);
}

/// One of four of them, in the plain form.
pub fn some_schnorr_records(engine: &Engine) {
    let plain = |engine: &Engine, algorithm, jobs: &[Owned]| answer(engine, batch(algorithm, jobs));
    assert!(records(engine, Algorithm::SchnorrBip340, 4, plain) > 590);
}

/// One of `every` records of the algorithm of all .sigchk files, with one bit of each fourth one's
/// key, message, r or s turned over beside it. Returns how many jobs they made; without the files, as
/// many as there could be.
pub fn records(
    engine: &Engine,
    algorithm: Algorithm,
    every: usize,
    answer: impl Fn(&Engine, Algorithm, &[Owned]) -> Answers,
) -> usize {
    let Some(folder) = data("flattened checks") else { return usize::MAX };
    let kind = if algorithm == Algorithm::SchnorrBip340 { 2 } else { 1 };
    let mut total = 0;
    for entry in std::fs::read_dir(folder.join("bitcoin")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "sigchk") {
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file");
        let (records, _) = bytes[16..].as_chunks::<176>();
        let mut jobs = Vec::new();
        let mut expected = Vec::new();
        let chosen = records.iter().filter(|record| record[0] == kind).step_by(every);
        for (index, record) in chosen.enumerate() {
            let key = record[4..4 + usize::from(record[2])].to_vec();
            let fields = vec![record[69..101].to_vec(), record[101..165].to_vec(), key];
            if index % 4 == 0 && record[1] == 1 {
                let mut spoiled = fields.clone();
                let field = &mut spoiled[index / 4 % 3];
                let last = field.len() - 1;
                field[last] ^= 1 << (index / 12 % 8);
                jobs.push(Owned(spoiled));
                expected.push(false);
            }
            jobs.push(Owned(fields));
            expected.push(record[1] == 1);
        }
        let answers = answer(engine, algorithm, &jobs);
        for (index, (outcome, expected)) in answers.iter().zip(&expected).enumerate() {
            assert_eq!(accepted(outcome), *expected, "{} job {index}", path.display());
        }
        total += jobs.len();
    }
    total
}
