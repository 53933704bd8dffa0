//! Makes the files: a chain of four validators, what they sign, and faults.

use std::fmt::Write as _;
use std::path::Path;

use commonware_cryptography::certificate::Signers;
use commonware_cryptography::{Signer as _, ed25519};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_runtime::{Runner as _, Supervisor as _, deterministic};
use commonware_utils::{NZU16, NZU64, NZUsize, Participant};
use sigmill_consensus::genesis::Validator;
use sigmill_consensus::keys::{AccountKey, VoteKey};
use sigmill_consensus::ledger::{Ledger, Store};
use sigmill_consensus::proof::{
    Checkpoint, FinalHeader, Included, Path as Siblings, Proof, StateProof, Subject, paths,
};
use sigmill_consensus::scheme::{Certificate, Proposal, Vote, VoteSignature};
use sigmill_consensus::{
    Action, Address, Crypto, Genesis, Hash, Header, Limits, SignedTransaction, Transaction,
    ValidatorSet,
};

/// Epochs in which the first and the second set are in force.
const FIRST: u64 = 1;
const SECOND: u64 = 5;

/// A set of four.
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

    fn validators(&self) -> Vec<Validator> {
        self.0.iter().map(|(one, _)| one.clone()).collect()
    }

    /// Makes a block final with the votes of so many, for the last of these headers.
    fn sign(&self, header: Header, descendants: Vec<Header>, signers: usize) -> FinalHeader {
        let last = descendants.last().unwrap_or(&header);
        let (hash, view, parent_view) = (last.hash(), last.view, last.view - 1);
        let proposal = Proposal { epoch: last.epoch, view, parent: parent_view, payload: &hash.0 };
        let message = Vote::Finalize(proposal).signed_bytes(last.chain);
        let sign = |(_, key): &(_, VoteKey)| VoteSignature(key.sign(&message).unwrap());
        let signatures = self.0[..signers].iter().map(sign).collect();
        let all = (0..signers as u32).map(Participant::new);
        let signers = Signers::new(self.0.len() as u32, all).unwrap();
        let certificate = Certificate { signers, signatures };
        FinalHeader { header, descendants, view, parent_view, certificate }
    }
}

fn account() -> AccountKey {
    AccountKey::from_bytes(&[7; 32]).unwrap()
}

fn transaction(chain: Hash, nonce: u64) -> SignedTransaction {
    let action = Action::Transfer { to: Address::repeat_byte(9), amount: 10 + nonce };
    Transaction { chain, nonce, expiry: 100, action }.sign(&account())
}

/// A header of the first set's time over these transactions.
fn header(chain: Hash, transactions: &[SignedTransaction]) -> Header {
    let ids: Vec<_> = transactions.iter().map(|one| one.hash().0).collect();
    Header {
        chain,
        height: 40,
        epoch: FIRST,
        view: 50,
        parent: Hash::from([1; 32]),
        time_ms: 1_000,
        proposer: 2,
        transactions: ids.len() as u32,
        transactions_root: Crypto::Libsecp256k1.transactions_root(&ids, Default::default()),
        state_root: [2; 32],
    }
}

fn included(all: &[SignedTransaction], index: u32) -> Included {
    let ids: Vec<_> = all.iter().map(|one| one.hash().0).collect();
    let path = paths(&ids, &[index]).remove(0);
    Included { index, path, transaction: all[index as usize].clone() }
}

/// The state of the genesis, opened: its root, the value, the database's proof.
fn opened(genesis: &Genesis, subject: Subject) -> ([u8; 32], [u8; 32], Vec<u8>) {
    deterministic::Runner::default().start(|context| async move {
        let store = Store {
            partition: "state".into(),
            page_cache: CacheRef::new(NZU16!(1_024), NZUsize!(64)),
            write_buffer: NZUsize!(4_096),
            items_per_blob: NZU64!(512),
            strategy: Sequential,
            stages: Default::default(),
        };
        let ledger = Ledger::open(context.child("ledger"), store, genesis).await.unwrap();
        let (block, opened) = ledger.open_key(&subject.key()).await.unwrap();
        let opened = opened.unwrap();
        (ledger.root(&block).await.unwrap(), opened.value, opened.opening)
    })
}

pub fn write(folder: &Path) {
    let (first, second) = (Set::new(11), Set::new(21));
    let mut accounts: Vec<_> = (1..40).map(|n| (Address::repeat_byte(n), 1_000)).collect();
    accounts.push((account().address(), 1_000_000));
    accounts.sort_unstable();
    let genesis = Genesis {
        name: "refusals".into(),
        time_ms: 1,
        limits: Limits::default(),
        validators: first.validators(),
        accounts,
    };
    let chain = genesis.chain();
    let set = |from, set: &Set| ValidatorSet { from, validators: set.validators() };
    let sets = Checkpoint { chain, sets: vec![set(FIRST, &first), set(SECOND, &second)] };
    let put = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
    put("genesis.toml", genesis.text(None));
    put("sets.toml", sets.text());
    let mut list = String::new();
    let mut add = |name: &str, trusted: &str, refused: String, accepted: String| {
        put(&format!("{name}.json"), refused + "\n");
        put(&format!("{name}.mended.json"), accepted + "\n");
        writeln!(list, "{name} {trusted} {name}.json {name}.mended.json").unwrap();
    };

    let all: Vec<_> = (0..5).map(|nonce| transaction(chain, nonce)).collect();
    let signed = |header: Header| first.sign(header, vec![], 3);
    let of = |block: FinalHeader| Proof { block, transactions: vec![included(&all, 2)] };
    let good = of(signed(header(chain, &all)));
    let mended = good.to_json();
    let changed = |change: &dyn Fn(&mut Proof)| {
        let mut other = good.clone();
        change(&mut other);
        other.to_json()
    };
    add("Malformed", "sets.toml", mended.replace("\"nonce\"", "\"nonsense\""), mended.clone());
    let other = Hash::from([0xee; 32]);
    let foreign = of(signed(header(other, &all)));
    add("WrongChain", "genesis.toml", foreign.to_json(), mended.clone());
    let parent = good.block.header.clone();
    let child = |parent: Hash| Header { parent, height: 41, view: 51, ..header(chain, &[]) };
    let descended = |by| of(first.sign(parent.clone(), vec![child(by)], 3)).to_json();
    add("BrokenChain", "sets.toml", descended(other), descended(parent.hash()));
    let at = |epoch| Header { epoch, ..header(chain, &all) };
    add("UnknownEpoch", "sets.toml", of(signed(at(0))).to_json(), of(signed(at(1))).to_json());
    let later = of(second.sign(at(SECOND), vec![], 3));
    add("StaleSet", "sets.toml", of(signed(at(SECOND))).to_json(), later.to_json());
    let few = of(first.sign(header(chain, &all), vec![], 2));
    add("NoQuorum", "sets.toml", few.to_json(), mended.clone());
    add("BadVote", "sets.toml", changed(&|proof| proof.block.view += 1), mended.clone());
    let place = changed(&|proof| proof.transactions[0].index = 5);
    add("NoSuchPlace", "sets.toml", place, mended.clone());
    let root = changed(&|proof| proof.transactions[0].index = 3);
    add("WrongRoot", "sets.toml", root, mended.clone());

    // What only a quorum of liars makes: blocks of one transaction that none of them may hold.
    let alone = |one: SignedTransaction| {
        let block = signed(header(chain, std::slice::from_ref(&one)));
        let included = Included { index: 0, path: Siblings::default(), transaction: one };
        Proof { block, transactions: vec![included] }.to_json()
    };
    let one = alone(transaction(chain, 0));
    add("ForeignTransaction", "sets.toml", alone(transaction(other, 0)), one.clone());
    let mut unsigned = transaction(chain, 0);
    unsigned.signature[..32].fill(0xff);
    add("BadSignature", "sets.toml", alone(unsigned), one);

    let subject = Subject::Account(account().address());
    let (state_root, value, opening) = opened(&genesis, subject);
    let block = signed(Header { height: 1, state_root, ..header(chain, &[]) });
    let state = StateProof { block, subject, value, opening };
    let mut richer = state.clone();
    richer.value[0] = 1;
    add("WrongState", "sets.toml", richer.to_json(), state.to_json());

    let longer = [&good.encode()[..], &[0]].concat();
    std::fs::write(folder.join("Malformed.proof"), longer).unwrap();
    std::fs::write(folder.join("Malformed.mended.proof"), good.encode()).unwrap();
    list += "Malformed sets.toml Malformed.proof Malformed.mended.proof\n";
    std::fs::write(folder.join("WrongState.proof"), richer.encode()).unwrap();
    std::fs::write(folder.join("WrongState.mended.proof"), state.encode()).unwrap();
    list += "WrongState sets.toml WrongState.proof WrongState.mended.proof\n";
    put("Replayed.json", mended.clone() + "\n");
    let next = Proof { transactions: vec![included(&all, 3)], ..good };
    put("Replayed.mended.json", next.to_json() + "\n");
    list += "Replayed sets.toml BadVote.mended.json+Replayed.json \
             BadVote.mended.json+Replayed.mended.json\n";
    put("list.txt", list);
}
