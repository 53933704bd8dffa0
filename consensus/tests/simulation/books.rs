//! The clients' side: what was sent, what was promised, and what the state must be.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use fastrand::Rng;
use sigmill::Terms;
use sigmill_consensus::decree::{Decree, Draft, DraftFile, Order};
use sigmill_consensus::genesis::Validator;
use sigmill_consensus::keys::VoteKey;
use sigmill_consensus::pool::Refusal;
use sigmill_consensus::proof::{Included, Proof};
use sigmill_consensus::service::Receipt;
use sigmill_consensus::state::escrow;
use sigmill_consensus::{
    Account, Action, Address, Block, Crypto, Genesis, Hash, Header, Message, Record,
    SignedTransaction, Transaction, ValidatorSet,
};

use crate::abroad::{self, Abroad, Arrived};
use crate::liar::RESERVED;
use crate::world::{BALANCE, EPOCH_HEIGHTS, account};

/// A validator in one of its lives.
pub type Life = (usize, u32);

/// A transaction that is valid until its nonce is used.
#[derive(Clone)]
pub struct Sent {
    pub transaction: SignedTransaction,
    /// Who said that he took it.
    holders: Vec<Life>,
}

/// What is to become of a transaction that is handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hope {
    /// Account, nonce, and which of those with them.
    Valid(u64, u64, usize),
    Refused,
    /// It depends on what others have brought.
    Perhaps,
}

/// Carries messages between the chains.
pub const COURIER: u64 = RESERVED - 1;
/// Carries what it likes.
pub const CROOK: u64 = RESERVED - 2;
/// What the courier keeps in store for releases.
const FUNDS: u64 = 5_000;

/// All clients.
pub struct Books {
    chain: Hash,
    /// By account and nonce; those with the same exclude each other.
    open: BTreeMap<(u64, u64), Vec<Sent>>,
    /// Next nonce of each account as its holder counts.
    next: Vec<u64>,
    /// Whose each transaction is that could be in a block.
    known: HashMap<[u8; 32], u64>,
    /// The state after the blocks that were followed.
    pub accounts: BTreeMap<Address, Account>,
    /// By namespace and digest.
    pub records: BTreeMap<([u8; 32], [u8; 32]), Record>,
    /// Where each transaction took effect.
    pub receipts: BTreeMap<[u8; 32], Receipt>,
    /// The other chain, and what of it has arrived.
    pub abroad: Abroad,
    pub arrived: Arrived,
    /// Whether the state believes it.
    pub linked: bool,
    /// First epochs of the sets that were decreed.
    pub decreed: Vec<u64>,
    /// Messages of the courier that went there.
    pub posted: u64,
    /// What the crook has brought.
    pub mischief: BTreeMap<&'static str, u64>,
    pub height: u64,
    last: Header,
}

impl Books {
    pub fn new(genesis: &Genesis) -> Self {
        let opened = |&(address, balance)| (address, Account { balance, nonce: 0 });
        Books {
            chain: genesis.chain(),
            open: BTreeMap::new(),
            next: vec![0; CROOK as usize],
            known: HashMap::new(),
            accounts: genesis.accounts.iter().map(opened).collect(),
            records: BTreeMap::new(),
            receipts: BTreeMap::new(),
            abroad: Abroad::new(genesis.chain()),
            arrived: Arrived::default(),
            linked: false,
            decreed: Vec::new(),
            posted: 0,
            mischief: BTreeMap::new(),
            height: 0,
            last: Header::genesis(genesis),
        }
    }

    fn sign(&self, from: u64, nonce: u64, action: Action) -> SignedTransaction {
        let expiry = self.height + 1_000;
        Transaction { chain: self.chain, nonce, expiry, action }.sign(&account(from))
    }

    fn action(rng: &mut Rng) -> Action {
        if rng.u8(..6) == 0 {
            let mut digest = [0; 32];
            rng.fill(&mut digest);
            return Action::Record { namespace: [rng.u8(..3); 32], digest };
        }
        let to = match rng.u8(..12) {
            0 => Address::from([rng.u8(..); 20]),
            _ => account(rng.u64(..CROOK)).address(),
        };
        Action::Transfer { to, amount: rng.u64(1..100) }
    }

    /// The balance of an account by the blocks that were followed.
    fn balance(&self, address: &Address) -> u64 {
        self.accounts.get(address).copied().unwrap_or_default().balance
    }

    /// Signs for an account whose transactions may be lost: with the nonce that it has now.
    fn perhaps(&mut self, from: u64, action: Action, hope: Hope) -> (SignedTransaction, Hope) {
        let nonce = self.accounts[&account(from).address()].nonce;
        let one = self.sign(from, nonce, action);
        self.known.insert(one.hash().0, from);
        (one, hope)
    }

    /// What the courier does next: a link, funds, the first delivery with something new, or a message the
    /// other way. `signers` are the validators of the next block's epoch.
    pub fn courier(
        &mut self,
        rng: &mut Rng,
        signers: &[(Validator, VoteKey)],
    ) -> Option<(SignedTransaction, Hope)> {
        let action = if !self.linked {
            self.abroad.link((self.height + 1) / EPOCH_HEIGHTS, signers)
        } else if self.balance(&escrow(&abroad::id())) < FUNDS / 2 {
            Action::Transfer { to: escrow(&abroad::id()), amount: FUNDS }
        } else if rng.u8(..4) == 0 {
            let (to, amount) = (Address::repeat_byte(9), rng.u64(..3));
            let (receiver, sequence, digest) = (abroad::id(), self.posted, [0; 32]);
            Action::Message(Message { receiver, sequence, to, amount, digest })
        } else {
            let proof = self.undelivered()?.clone();
            Action::Deliver(Arc::new(proof))
        };
        Some(self.perhaps(COURIER, action, Hope::Perhaps))
    }

    /// A decree of a set, signed by these validators of the next block's epoch.
    pub fn decree(
        &mut self,
        set: ValidatorSet,
        signers: &[(Validator, VoteKey)],
    ) -> (SignedTransaction, Hope) {
        let action = Action::Decree(Arc::new(self.drafted(set, signers)));
        self.perhaps(COURIER, action, Hope::Perhaps)
    }

    fn drafted(&self, set: ValidatorSet, signers: &[(Validator, VoteKey)]) -> Decree {
        let epoch = (self.height + 1) / EPOCH_HEIGHTS;
        let votes = signers.iter().map(|(one, _)| one.vote).collect();
        let draft = Draft { epoch, order: Order::Validators(set) };
        let mut file = DraftFile::new(self.chain, draft, votes);
        signers.iter().for_each(|(_, key)| file.sign(key).unwrap());
        file.decree().unwrap()
    }

    /// The first block abroad of which something has not arrived.
    pub fn undelivered(&self) -> Option<&Proof> {
        let is_new = |included: &Included| {
            let sent = self.abroad.sent.get(&included.transaction.hash().0);
            sent.is_some_and(|(from, message)| message.sequence >= self.arrived.of(*from))
        };
        self.abroad.blocks().iter().find(|proof| proof.transactions.iter().any(is_new))
    }

    /// What the crook brings next.
    pub fn crook(
        &mut self,
        rng: &mut Rng,
        signers: &[(Validator, VoteKey)],
    ) -> (SignedTransaction, Hope) {
        if rng.u8(..5) == 0 {
            *self.mischief.entry("decree of one").or_default() += 1;
            let epoch = (self.height + 1) / EPOCH_HEIGHTS;
            let validators = vec![signers[0].0.clone()];
            let set = ValidatorSet { from: epoch + 1, validators };
            let mut decree = self.drafted(set, signers);
            let one = decree.certificate.signatures[0].clone();
            decree.certificate.signatures.fill(one);
            return self.perhaps(CROOK, Action::Decree(Arc::new(decree)), Hope::Refused);
        }
        let (what, proof, wrong) = self.abroad.mischief(rng);
        *self.mischief.entry(what).or_default() += 1;
        let hope = if wrong { Hope::Refused } else { Hope::Perhaps };
        self.perhaps(CROOK, Action::Deliver(Arc::new(proof)), hope)
    }

    /// A delivery is in a final block: nothing in it may be false, and each message counts once.
    fn deliver(&mut self, proof: &Proof) {
        let store = escrow(&proof.block.header.chain);
        self.arrived.deliveries += 1;
        let mut effects = 0;
        for included in &proof.transactions {
            let id = included.transaction.hash().0;
            let Action::Message(_) = included.transaction.transaction.action else {
                effects += 1; // a set of validators, perhaps
                continue;
            };
            let (from, message) = self.abroad.sent.get(&id).expect("nobody sent that message");
            let next = self.arrived.next.entry(*from).or_default();
            let balance = self.accounts.get(&store).copied().unwrap_or_default().balance;
            if message.sequence != *next || message.amount > balance {
                continue;
            }
            *next += 1;
            effects += 1;
            if message.amount > 0 {
                self.accounts.get_mut(&store).unwrap().balance -= message.amount;
                self.accounts.entry(message.to).or_default().balance += message.amount;
            }
        }
        assert!(effects > 0, "a delivery without an effect");
    }

    /// Something that a client hands in next: new, again, or wrong.
    pub fn draw(&mut self, rng: &mut Rng) -> (SignedTransaction, Hope) {
        let from = rng.u64(..CROOK);
        let busy = self.open.range((from, 0)..=(from, u64::MAX)).count();
        match rng.u8(..20) {
            0 => return (self.wrong(rng), Hope::Refused),
            1..4 if busy > 0 => return self.again(rng, from),
            _ if busy >= 4 => return self.again(rng, from),
            _ => (),
        }
        let nonce = self.next[from as usize];
        self.next[from as usize] += 1;
        let transaction = self.sign(from, nonce, Self::action(rng));
        self.keep(from, nonce, transaction)
    }

    fn keep(&mut self, from: u64, nonce: u64, one: SignedTransaction) -> (SignedTransaction, Hope) {
        self.known.insert(one.hash().0, from);
        let same = self.open.entry((from, nonce)).or_default();
        same.push(Sent { transaction: one.clone(), holders: Vec::new() });
        (one, Hope::Valid(from, nonce, same.len() - 1))
    }

    /// One that is open, or another one with its nonce.
    fn again(&mut self, rng: &mut Rng, from: u64) -> (SignedTransaction, Hope) {
        let open: Vec<_> = self.open.range((from, 0)..=(from, u64::MAX)).collect();
        let (&(_, nonce), same) = open[rng.usize(..open.len())];
        if rng.u8(..8) == 0 {
            let other = self.sign(from, nonce, Self::action(rng));
            return self.keep(from, nonce, other);
        }
        let which = rng.usize(..same.len());
        (same[which].transaction.clone(), Hope::Valid(from, nonce, which))
    }

    /// One that no pool may take.
    fn wrong(&self, rng: &mut Rng) -> SignedTransaction {
        let to = account(1).address();
        let pay = |nonce, amount| self.sign(RESERVED, nonce, Action::Transfer { to, amount });
        match rng.u8(..7) {
            0 => pay(0, 0),
            1 => pay(0, BALANCE),
            2 => pay(16, 1),
            3 => {
                let (chain, action) = (Hash::from([3; 32]), Action::Transfer { to, amount: 1 });
                Transaction { chain, nonce: 0, expiry: 100, action }.sign(&account(RESERVED))
            }
            4 => {
                let mut one = pay(0, 1);
                one.signature[..32].fill(0);
                one
            }
            5 => self.sign(RESERVED + 7, 0, Action::Transfer { to, amount: 1 }),
            _ => {
                let (expiry, action) = (self.height + 9_000, Action::Transfer { to, amount: 1 });
                let one = Transaction { chain: self.chain, nonce: 0, expiry, action };
                one.sign(&account(RESERVED))
            }
        }
    }

    /// An honest validator has answered.
    pub fn answered(&mut self, hope: Hope, who: Life, answer: &Result<[u8; 32], Refusal>) {
        match (hope, answer) {
            (Hope::Refused, Ok(_)) => panic!("validator {who:?} takes what is wrong"),
            (Hope::Refused, Err(_)) | (Hope::Perhaps, _) => (),
            (Hope::Valid(from, nonce, which), Ok(_)) => {
                if let Some(same) = self.open.get_mut(&(from, nonce)) {
                    same[which].holders.push(who);
                }
            }
            (Hope::Valid(..), Err(refusal)) => {
                use Refusal::{Known, NonceTaken, NonceTooFar, NonceUsed};
                let expected =
                    matches!(refusal, Known | NonceTaken | NonceTooFar { .. } | NonceUsed { .. });
                assert!(expected, "validator {who:?} refuses {hope:?}: {refusal}");
            }
        }
    }

    /// What is not final yet.
    pub fn open(&self) -> Vec<(SignedTransaction, Hope)> {
        let all = self.open.iter().flat_map(|(&(from, nonce), same)| {
            let hope = move |which| Hope::Valid(from, nonce, which);
            same.iter().enumerate().map(move |(which, one)| (one.transaction.clone(), hope(which)))
        });
        all.collect()
    }

    /// What was promised and is not final: who has to have it, being still the same.
    pub fn promised(&self, lives: &[u32]) -> Vec<(usize, SignedTransaction)> {
        let mut all = Vec::new();
        for one in self.open.values().flatten() {
            for &(validator, life) in &one.holders {
                if lives[validator] == life {
                    all.push((validator, one.transaction.clone()));
                }
            }
        }
        all
    }

    /// Takes over the next final block, of an epoch with so many validators: panics if it is none that
    /// may be.
    pub fn follow(&mut self, block: &Block, validators: usize) {
        let (header, before) = (&block.header, &self.last);
        assert_eq!(header.height, self.height + 1);
        self.height += 1;
        let follows = header.chain == self.chain
            && header.parent == before.hash()
            && header.time_ms > before.time_ms
            && header.epoch == header.height / EPOCH_HEIGHTS
            && (header.epoch, header.view) > (before.epoch, before.view)
            && u64::from(header.proposer) == (header.epoch + header.view) % validators as u64
            && header.transactions as usize == block.transactions.len();
        assert!(follows, "{header:?} after {before:?}");
        let ids: Vec<_> = block.transactions.iter().map(|one| one.hash().0).collect();
        let root = Crypto::Libsecp256k1.transactions_root(&ids, Terms::default());
        assert_eq!(root, header.transactions_root, "{header:?}");
        self.last = header.clone();
        let mut senders: HashMap<u64, u32> = HashMap::new();
        for (index, one) in block.transactions.iter().enumerate() {
            let height = self.height;
            let receipt = Receipt { height, index: index as u32 };
            self.receipts.insert(one.hash().0, receipt);
            let from = self.known.get(&one.hash().0);
            let from = *from.unwrap_or_else(|| panic!("block {height}: nobody sent {one:?}"));
            let Transaction { chain, nonce, expiry, action } = one.transaction.clone();
            assert!(chain == self.chain && expiry >= height, "block {height}: {one:?}");
            let held = senders.entry(from).or_default();
            *held += 1;
            assert!(*held <= 16, "block {height}: too many of account {from}");
            let sender = self.accounts.get_mut(&account(from).address()).unwrap();
            assert_eq!(sender.nonce, nonce, "block {height}: {one:?}");
            sender.nonce += 1;
            match action {
                Action::Transfer { to, amount } => {
                    sender.balance = sender.balance.checked_sub(amount).unwrap();
                    self.accounts.entry(to).or_default().balance += amount;
                }
                Action::Record { namespace, digest } => {
                    let record = Record { author: account(from).address(), height };
                    let before = self.records.insert((namespace, digest), record);
                    assert_eq!(before, None, "block {height}: {one:?}");
                }
                Action::Message(message) => {
                    assert_eq!(message.sequence, self.posted, "block {height}: {one:?}");
                    self.posted += 1;
                    if message.amount > 0 {
                        sender.balance -= message.amount;
                        let store = escrow(&message.receiver);
                        self.accounts.entry(store).or_default().balance += message.amount;
                    }
                }
                Action::Deliver(proof) => self.deliver(&proof),
                Action::Decree(decree) => match &decree.draft.order {
                    Order::Link { .. } => {
                        assert!(!std::mem::replace(&mut self.linked, true), "linked twice");
                    }
                    Order::Validators(set) => self.decreed.push(set.from),
                },
            }
            self.open.remove(&(from, nonce));
        }
    }
}
