//! Another chain, of which nothing runs: its blocks are made as its validators would make them, and as
//! a relayer and a minority of them would who lie.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use commonware_cryptography::Signer as _;
use commonware_cryptography::certificate::Signers;
use commonware_cryptography::ed25519::PrivateKey;
use commonware_utils::Participant;
use fastrand::Rng;
use sigmill::Terms;
use sigmill_consensus::decree::{Draft, DraftFile, Order};
use sigmill_consensus::genesis::Validator;
use sigmill_consensus::keys::{AccountKey, VoteKey};
use sigmill_consensus::proof::{FinalHeader, Included, Proof, paths};
use sigmill_consensus::scheme::{Certificate, Proposal, Vote, VoteSignature};
use sigmill_consensus::{
    Action, Address, Crypto, Hash, Header, Message, SignedTransaction, Transaction, ValidatorSet,
};

/// Accounts there that send.
pub const SENDERS: u64 = 4;
/// Blocks of an epoch there.
const EPOCH: u64 = 4;
/// Validators there; one of them may lie.
const VALIDATORS: u8 = 4;

/// The chain's id, and that of one that nobody is linked to.
pub fn id() -> Hash {
    Hash::from([0xab; 32])
}
fn stranger() -> Hash {
    Hash::from([0xcd; 32])
}

fn sender(n: u64) -> AccountKey {
    AccountKey::from_bytes(&[n as u8 + 100; 32]).unwrap()
}

/// The address of an account there.
pub fn address(n: u64) -> Address {
    sender(n).address()
}

/// Four validators; those of another generation are others.
#[derive(Clone)]
struct Set(Vec<(Validator, VoteKey)>);

impl Set {
    fn new(generation: u8) -> Self {
        let first = 50 + VALIDATORS * generation;
        let one = |n: u8| {
            let identity = PrivateKey::from_seed(n.into()).public_key();
            let key = VoteKey::from_bytes(&[n; 32]).unwrap();
            (Validator { identity, vote: key.public() }, key)
        };
        let mut all: Vec<_> = (first..first + VALIDATORS).map(one).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        Set(all)
    }

    fn set(&self, from: u64) -> ValidatorSet {
        ValidatorSet { from, validators: self.0.iter().map(|(one, _)| one.clone()).collect() }
    }

    /// A header with the votes of so many.
    fn sign(&self, header: Header, signers: usize) -> FinalHeader {
        let (hash, view) = (header.hash(), header.view);
        let proposal = Proposal { epoch: header.epoch, view, parent: view - 1, payload: &hash.0 };
        let message = Vote::Finalize(proposal).signed_bytes(header.chain);
        let sign = |(_, key): &(_, VoteKey)| VoteSignature(key.sign(&message).unwrap());
        let signatures = self.0[..signers].iter().map(sign).collect();
        let places = (0..signers as u32).map(Participant::new);
        let signers = Signers::new(VALIDATORS.into(), places).unwrap();
        let certificate = Certificate { signers, signatures };
        FinalHeader { header, descendants: vec![], view, parent_view: view - 1, certificate }
    }

    /// A final block of these transactions, all of them proved.
    fn block(
        &self,
        chain: Hash,
        height: u64,
        all: Vec<SignedTransaction>,
        signers: usize,
    ) -> Proof {
        let ids: Vec<_> = all.iter().map(|one| one.hash().0).collect();
        let header = Header {
            chain,
            height,
            epoch: height / EPOCH,
            view: height + 1,
            parent: Hash::from([1; 32]),
            time_ms: height,
            proposer: 0,
            transactions: all.len() as u32,
            transactions_root: Crypto::Libsecp256k1.transactions_root(&ids, Terms::default()),
            state_root: [2; 32],
        };
        let places: Vec<_> = (0..all.len() as u32).collect();
        let proved = all.into_iter().zip(paths(&ids, &places)).zip(places);
        let proved =
            proved.map(|((transaction, path), index)| Included { index, path, transaction });
        Proof { block: self.sign(header, signers), transactions: proved.collect() }
    }
}

/// A false message, with the votes of one of four: what a validator that lies can bring about.
pub fn forged(receiver: Hash) -> Proof {
    let message = message(receiver, 0, 0, 7);
    Set::new(0).block(id(), 3, vec![signed(id(), 0, Action::Message(message))], 1)
}

fn message(receiver: Hash, sequence: u64, to: u8, amount: u64) -> Message {
    Message { receiver, sequence, to: Address::repeat_byte(to), amount, digest: [to; 32] }
}

fn signed(chain: Hash, from: u64, action: Action) -> SignedTransaction {
    Transaction { chain, nonce: 0, expiry: 9, action }.sign(&sender(from))
}

/// What has happened there.
pub struct Abroad {
    /// The chain that its messages go to.
    receiver: Hash,
    set: Set,
    generation: u8,
    height: u64,
    next: [u64; SENDERS as usize],
    /// Messages that are final there, by the hash of their transactions: sender, message.
    pub sent: HashMap<[u8; 32], (u64, Message)>,
    blocks: Vec<Proof>,
}

impl Abroad {
    pub fn new(receiver: Hash) -> Self {
        let (set, next) = (Set::new(0), [0; SENDERS as usize]);
        let (sent, blocks) = (HashMap::new(), Vec::new());
        Abroad { receiver, set, generation: 0, height: 0, next, sent, blocks }
    }

    /// That the receiver believes it: signed by these validators of the receiver.
    pub fn link(&self, epoch: u64, signers: &[(Validator, VoteKey)]) -> Action {
        let order = Order::Link { chain: id(), set: Set::new(0).set(0) };
        let votes = signers.iter().map(|(one, _)| one.vote).collect();
        let mut file = DraftFile::new(self.receiver, Draft { epoch, order }, votes);
        signers.iter().for_each(|(_, key)| file.sign(key).unwrap());
        Action::Decree(Arc::new(file.decree().unwrap()))
    }

    /// Its next block: some messages, now and then other validators from the next epoch on.
    pub fn grow(&mut self, rng: &mut Rng) {
        self.height += 1;
        if self.height.is_multiple_of(EPOCH) && self.decreed() {
            self.set = Set::new(self.generation);
        }
        let mut all = Vec::new();
        for _ in 0..rng.usize(1..5) {
            let from = rng.u64(..SENDERS);
            let sequence = self.next[from as usize];
            self.next[from as usize] += 1;
            let message = message(self.receiver, sequence, rng.u8(1..6), rng.u64(..30));
            let one = signed(id(), from, Action::Message(message));
            self.sent.insert(one.hash().0, (from, message));
            all.push(one);
        }
        // Once: a set before the last two is believed no longer (SPEC.md, 18).
        if rng.u8(..8) == 0 && self.generation == 0 {
            self.generation += 1;
            let epoch = self.height / EPOCH;
            let order = Order::Validators(Set::new(self.generation).set(epoch + 1));
            let votes = self.set.0.iter().map(|(one, _)| one.vote).collect();
            let mut file = DraftFile::new(id(), Draft { epoch, order }, votes);
            self.set.0.iter().for_each(|(_, key)| file.sign(key).unwrap());
            let decree = Action::Decree(Arc::new(file.decree().unwrap()));
            all.push(signed(id(), 0, decree));
        }
        let signers = rng.usize(3..=4);
        self.blocks.push(self.set.block(id(), self.height, all, signers));
    }

    /// Whether others follow in the next epoch.
    fn decreed(&self) -> bool {
        self.set.0[0].1.public() != Set::new(self.generation).0[0].1.public()
    }

    /// The proofs of its blocks in order.
    pub fn blocks(&self) -> &[Proof] {
        &self.blocks
    }

    /// What a relayer brings who may do anything, and whether nobody may take it.
    pub fn mischief(&self, rng: &mut Rng) -> (&'static str, Proof, bool) {
        let Some(real) = rng.choice(&self.blocks).cloned() else {
            return ("minority", forged(self.receiver), true);
        };
        let mut proof = real.clone();
        let all = &mut proof.transactions;
        match rng.u8(..10) {
            0 => ("again", real, false),
            1 => {
                rng.shuffle(all);
                ("shuffled", proof, false)
            }
            2 => {
                let twice = all[rng.usize(..all.len())].clone();
                all.push(twice);
                ("twice", proof, false)
            }
            3 => {
                all.remove(0);
                ("part", proof, false)
            }
            4 => {
                if let Action::Message(message) = &mut all[0].transaction.transaction.action {
                    message.amount += 1_000;
                }
                ("altered", proof, true)
            }
            5 => {
                let changed = [real.transactions[0].clone()].map(|mut one| {
                    one.index ^= 1;
                    one
                });
                *all = changed.to_vec();
                ("moved", proof, true)
            }
            6 => {
                let certificate = &mut proof.block.certificate;
                let liar = certificate.signatures[0].clone();
                certificate.signatures.iter_mut().for_each(|one| *one = liar.clone());
                ("one vote for all", proof, true)
            }
            7 => {
                let one = signed(stranger(), 1, Action::Message(message(self.receiver, 0, 1, 5)));
                ("stranger", self.set.block(stranger(), 3, vec![one], 4), true)
            }
            8 => {
                let one = signed(id(), 1, Action::Message(message(stranger(), 9, 1, 5)));
                ("astray", self.set.block(id(), self.height, vec![one], 4), true)
            }
            _ => {
                let from = rng.u64(..SENDERS);
                let next = self.next[from as usize];
                let one = signed(id(), from, Action::Message(message(self.receiver, next, 1, 20)));
                ("minority", self.set.block(id(), self.height, vec![one], 1), true)
            }
        }
    }
}

/// What has arrived here: the model of the receiver's counters.
#[derive(Default)]
pub struct Arrived {
    /// By sender there: the next sequence.
    pub next: BTreeMap<u64, u64>,
    /// Deliveries in blocks.
    pub deliveries: u64,
}

impl Arrived {
    /// The next sequence of a sender there.
    pub fn of(&self, sender: u64) -> u64 {
        self.next.get(&sender).copied().unwrap_or_default()
    }
}
