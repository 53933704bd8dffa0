//! The chain of sets, and messages for other hosts.

use super::*;
use crate::decree::{Draft, DraftFile, Order};
use crate::sets::ValidatorSet;
use crate::transaction::Message;

/// A set whose validators have consecutive secrets.
struct Set(Vec<(Validator, VoteKey)>);

impl Set {
    fn new(first: u8) -> Self {
        let one = |n: u8| {
            let identity = ed25519::PrivateKey::from_seed(n.into()).public_key();
            let key = VoteKey::from_bytes(&[n; 32]).unwrap();
            (Validator { identity, vote: key.public() }, key)
        };
        let mut all: Vec<_> = (first..first + 4).map(one).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        Set(all)
    }

    fn set(&self, from: u64) -> ValidatorSet {
        ValidatorSet { from, validators: self.0.iter().map(|(one, _)| one.clone()).collect() }
    }

    /// That a block of this set's epoch holds one transaction.
    fn prove(&self, engine: &Engine, epoch: u64, action: Action) -> Proof {
        let signed =
            Transaction { chain: CHAIN.into(), nonce: 0, expiry: 9, action }.sign(&sender(1));
        let leaf = signed.hash().0;
        let root = block::transactions_root(engine, &[leaf], Terms::default()).unwrap();
        let header = Header { epoch, ..header(1, root) };
        let keys = self.0.iter().map(|(_, key)| key.clone()).collect();
        let validators = Validators { keys, ..Validators::new(4) };
        let path = paths(&[leaf], &[0]).remove(0);
        let transactions = vec![Included { index: 0, path, transaction: signed }];
        Proof { block: validators.block(header, 3), transactions }
    }

    /// That this set has decreed another.
    fn decree(&self, engine: &Engine, epoch: u64, set: ValidatorSet) -> Proof {
        let signers = self.0.iter().map(|(one, _)| one.vote).collect();
        let draft = Draft { epoch, order: Order::Validators(set) };
        let mut file = DraftFile::new(CHAIN.into(), draft, signers);
        self.0.iter().for_each(|(_, key)| file.sign(key).unwrap());
        self.prove(engine, epoch, Action::Decree(Arc::new(file.decree().unwrap())))
    }
}

fn engine() -> Arc<Engine> {
    Arc::new(Engine::builder().threads(1).open().unwrap())
}

/// What is known after these proofs, of somebody who began with a set from epoch 0 on.
fn follow(engine: &Arc<Engine>, first: &Set, proofs: &[Proof]) -> (usize, Checkpoint, Trusted) {
    let (engines, minute) = (Engines::one(engine.clone()), Duration::from_secs(60));
    let mut checkpoint = Checkpoint { chain: CHAIN.into(), sets: vec![first.set(0)] };
    let mut trusted = checkpoint.trusted(&engines, minute).unwrap();
    let pin = (&engines, minute);
    let added = checkpoint.follow(engine, &mut trusted, proofs, pin, Terms::default());
    (added.unwrap(), checkpoint, trusted)
}

#[test]
fn each_set_names_the_next() {
    let (engine, [a, b, c]) = (engine(), [Set::new(1), Set::new(11), Set::new(21)]);
    let chain = [
        b.decree(&engine, 4, c.set(7)),
        a.decree(&engine, 1, b.set(3)),
        c.prove(&engine, 8, Action::Transfer { to: Address::ZERO, amount: 1 }),
    ];
    let (added, checkpoint, trusted) = follow(&engine, &a, &chain);
    assert_eq!((added, &checkpoint.sets[..]), (2, &[a.set(0), b.set(3), c.set(7)][..]));
    assert_eq!(Checkpoint::parse(&checkpoint.text()).unwrap(), checkpoint);
    let judged = verify(&engine, &trusted, &chain, Terms::default());
    assert!(judged.iter().all(|one| one.block.is_ok() && one.senders[0].is_ok()));

    // Who has left signs on for an epoch of his successors.
    let late = a.prove(&engine, 3, Action::Transfer { to: Address::ZERO, amount: 1 });
    let judged = verify(&engine, &trusted, &[late], Terms::default());
    assert_eq!(judged[0].block, Err(Refusal::StaleSet { epoch: 3, from: 0 }));
}

#[test]
fn what_no_set_has_decreed_changes_nothing() {
    let (engine, [a, b, c]) = (engine(), [Set::new(1), Set::new(11), Set::new(21)]);
    let mut cut = a.decree(&engine, 1, b.set(3));
    cut.block.certificate.signatures[1].0[5] ^= 1;
    let mut moved = a.decree(&engine, 1, b.set(3));
    moved.transactions[0].transaction.transaction.nonce += 1;
    let chain = [
        c.decree(&engine, 1, b.set(3)), // by others
        cut,
        moved,
        b.decree(&engine, 4, c.set(7)), // by those who were never decreed
        a.decree(&engine, 0, b.set(0)), // no later than what is known
    ];
    let (added, checkpoint, _) = follow(&engine, &a, &chain);
    assert_eq!((added, checkpoint.sets.len()), (0, 1));
}

#[test]
fn messages_are_judged_one_by_one() {
    let (engine, a) = (engine(), Set::new(1));
    let message = Message {
        receiver: [9; 32].into(),
        sequence: 4,
        to: Address::repeat_byte(2),
        amount: 5,
        digest: [3; 32],
    };
    let good = a.prove(&engine, 2, Action::Message(message));
    let mut forged = good.clone();
    let Action::Message(other) = &mut forged.transactions[0].transaction.transaction.action else {
        unreachable!()
    };
    other.amount += 1;
    let transfer = a.prove(&engine, 2, Action::Transfer { to: Address::ZERO, amount: 1 });
    let (_, _, trusted) = follow(&engine, &a, &[]);
    let verdicts = verify_messages(&trusted, &[good, forged.clone(), transfer]);
    let sender = sender(1).address();
    let source = CHAIN.into();
    assert_eq!(verdicts[0], Ok(Received { source, height: 3, sender, message }));
    assert_eq!(verdicts[1..], [Err(Refusal::WrongRoot), Err(Refusal::NotAMessage)]);
    let nobody = verify_messages(&Trusted::none(source), &[forged]);
    assert_eq!(nobody, [Err(Refusal::UnknownEpoch(2))]);
}
