//! Sets of validators: which is in force, who signed, the file.

use super::*;
use crate::genesis::tests::text;
use crate::genesis::{Genesis, GenesisError};

fn genesis(validators: u8) -> Genesis {
    Genesis::parse(&text(validators), |_| panic!("no file is named")).unwrap()
}

#[test]
fn the_set_of_its_epoch_has_to_have_signed() {
    let [first, second, third] = [4, 7, 10].map(Validators::new);
    let mut trusted = Trusted::none(CHAIN.into());
    for (from, set) in [(2, &first), (5, &second), (9, &third)] {
        trusted.insert(from, set.trusted.at(0).unwrap().1.clone());
    }
    let signed = |by: &Validators, epoch| {
        let header = Header { epoch, ..header(0, [0; 32]) };
        let quorum = by.keys.len() - (by.keys.len() - 1) / 3;
        Proof { block: by.block(header, quorum), transactions: vec![] }
    };
    let stale = |epoch, from| Err(Refusal::StaleSet { epoch, from });
    let no_quorum = |signers, validators, quorum, expected| {
        Err(Refusal::NoQuorum { signers, validators, quorum, expected })
    };
    let mut spoilt = signed(&first, 6);
    spoilt.block.certificate.signatures[0].0[9] ^= 1;
    let cases = [
        (signed(&first, 1), Err(Refusal::UnknownEpoch(1))),
        (signed(&first, 2), Ok(())),
        (signed(&first, 4), Ok(())),
        (signed(&first, 5), stale(5, 2)),
        (signed(&second, 5), Ok(())),
        (signed(&second, 4), no_quorum(5, 7, 3, 4)),
        (signed(&first, u64::MAX), stale(u64::MAX, 2)),
        (signed(&second, 9), stale(9, 5)),
        (signed(&third, 9), Ok(())),
        (spoilt, no_quorum(3, 4, 5, 7)),
    ];
    let (proofs, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let judged = verify(&first.engine, &trusted, &proofs, Terms::default());
    let blocks: Vec<_> = judged.into_iter().map(|judged| judged.block).collect();
    assert_eq!(blocks, expected);
}

#[test]
fn files_of_sets_are_read_as_written() {
    let (first, second) = (genesis(4), genesis(5));
    let mut checkpoint = Checkpoint::of(&first);
    assert_eq!((checkpoint.chain, checkpoint.sets[0].from), (first.chain(), 0));
    checkpoint.sets.push(crate::ValidatorSet { from: 7, validators: second.validators.clone() });
    let text = checkpoint.text();
    assert_eq!(Checkpoint::parse(&text).unwrap(), checkpoint);

    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| {
        let path = folder.path().join("file.toml");
        std::fs::write(&path, text).unwrap();
        Checkpoint::read(&path)
    };
    assert_eq!(write(&text).unwrap(), checkpoint);
    assert_eq!(write(&first.text(None)).unwrap(), Checkpoint::of(&first));

    let field = |text: &str| match Checkpoint::parse(text).unwrap_err() {
        GenesisError::Field { field, .. } => field,
        other => other.to_string(),
    };
    assert_eq!(field(&text.replace("format = 1", "format = 2")), "format");
    assert_eq!(field(&text.replace("chain = \"", "chain = \"0")), "chain");
    assert_eq!(field(&text.replace("from = 7", "from = 0")), "sets[1].from");
    assert!(field(&text.replace("from = 7", "from = -1")).contains("from"));
    assert!(field(&text.replace("from = 7", "from = 7\nto = 9")).contains("to"));
    assert!(field(&text.replace("format = 1", "format = 1\nname = \"a\"")).contains("name"));
    assert!(field(&text.replacen("vote =", "votes =", 1)).contains("votes"));
    let vote = hex::encode(second.validators[2].vote);
    assert_eq!(field(&text.replace(&vote, &"f".repeat(64))), "sets[0].validators[2].vote");
    assert_eq!(field("format = 1\nchain = \"\"\nsets = []"), "chain");
    let none = format!("format = 1\nchain = \"{}\"\nsets = []", "0".repeat(64));
    assert_eq!(field(&none), "sets");
    assert!(write("").is_err() && write("sets = 1").is_err());
}
