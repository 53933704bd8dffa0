//! A validator that proposes invalid blocks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use commonware_consensus::Application;
use commonware_consensus::marshal::ancestry::Ancestry;
use commonware_consensus::simplex::types::Context as View;
use commonware_cryptography::Digested;
use commonware_cryptography::ed25519::PublicKey;
use commonware_parallel::Sequential;
use fastrand::Rng;
use futures::StreamExt as _;
use sigmill::Terms;
use sigmill_consensus::chain::Chain;
use sigmill_consensus::{Action, Block, Crypto, Hash, SignedTransaction, Transaction, VoteScheme};

use crate::abroad::forged;
use crate::world::{ACCOUNTS, BALANCE, Context, VALIDATORS, account};

/// An account that nobody else sends from.
pub const RESERVED: u64 = ACCOUNTS - 1;

type Honest = Chain<Context, Sequential>;
/// How often each lie was told.
pub type Lies = Arc<Mutex<BTreeMap<&'static str, u64>>>;

/// Stands before a chain and spoils its proposals, so many of a hundred: none is honest.
#[derive(Clone)]
pub struct Liar {
    pub chain: Honest,
    pub percent: u64,
    pub rng: Arc<Mutex<Rng>>,
    pub told: Lies,
}

impl Application<Context> for Liar {
    type SigningScheme = VoteScheme;
    type Context = View<Hash, PublicKey>;
    type Block = Block;
    type Input = ();

    async fn propose(
        &mut self,
        context: (Context, Self::Context),
        ancestry: impl Ancestry<Block>,
        (): (),
    ) -> Option<Digested<Block>> {
        if self.rng.lock().unwrap().u64(..100) >= self.percent {
            return self.chain.propose(context, ancestry, ()).await;
        }
        let parent = ancestry.clone().next().await?;
        let block = self.chain.propose(context, ancestry, ()).await?;
        let mut rng = self.rng.lock().unwrap();
        let (lie, block) = spoil(block.inner(), parent.inner(), &mut rng);
        *self.told.lock().unwrap().entry(lie).or_default() += 1;
        let hash = block.header.hash();
        Some(Digested::precomputed(block, hash))
    }

    async fn verify(
        &mut self,
        context: (Context, Self::Context),
        ancestry: impl Ancestry<Block>,
    ) -> bool {
        self.chain.verify(context, ancestry).await
    }
}

fn pay(chain: Hash, nonce: u64, expiry: u64, amount: u64) -> SignedTransaction {
    let to = account(0).address();
    Transaction { chain, nonce, expiry, action: Action::Transfer { to, amount } }
        .sign(&account(RESERVED))
}

/// One thing is wrong with the block; what depends on it is right. A wrong root or number of
/// transactions is no block at all: those are made by who spoils messages.
fn spoil(block: &Block, parent: &Block, rng: &mut Rng) -> (&'static str, Block) {
    let mut header = block.header.clone();
    let mut all = block.transactions.to_vec();
    let (chain, expiry) = (header.chain, header.height + 50);
    let good = |nonce| pay(chain, nonce, expiry, 1);
    let lies = [
        "signature",
        "foreign",
        "nonce",
        "amount",
        "repeated",
        "expired",
        "too late",
        "false delivery",
        "zero amount",
        "too many",
        "oversize",
        "state root",
        "height",
        "time",
        "proposer",
        "view",
        "parent",
        "chain",
    ];
    let lie = lies[rng.usize(..lies.len())];
    match lie {
        "signature" => {
            let mut bad = good(0);
            bad.signature[..32].fill(0);
            all.push(bad);
        }
        "foreign" => all.push(pay(Hash::from([9; 32]), 0, expiry, 1)),
        "nonce" => all.push(good(rng.u64(1..5))),
        "amount" => all.push(pay(chain, 0, expiry, BALANCE + rng.u64(..9))),
        "repeated" => all.extend([good(0), good(0)]),
        "expired" => all.push(pay(chain, 0, header.height - 1, 1)),
        "too late" => all.push(pay(chain, 0, header.height + 3_601, 1)),
        "false delivery" => {
            let action = Action::Deliver(Arc::new(forged(chain)));
            all.push(Transaction { chain, nonce: 0, expiry, action }.sign(&account(RESERVED)));
        }
        "zero amount" => all.push(pay(chain, 0, expiry, 0)),
        "too many" => all.extend((0..17).map(good)),
        "oversize" => all.extend((0..65).map(good)),
        _ => (),
    }
    header.transactions = all.len() as u32;
    let ids: Vec<_> = all.iter().map(|one| one.hash().0).collect();
    header.transactions_root = Crypto::Libsecp256k1.transactions_root(&ids, Terms::default());
    match lie {
        "state root" => header.state_root[rng.usize(..32)] ^= 1,
        "height" => header.height += rng.u64(1..3),
        "time" => header.time_ms = parent.header.time_ms,
        "proposer" => header.proposer = (header.proposer + 1) % VALIDATORS as u32,
        "view" => header.view += 1,
        "parent" => header.parent.0[0] ^= 1,
        "chain" => header.chain.0[0] ^= 1,
        _ => (),
    }
    (lie, Block { header, transactions: Arc::new(all) })
}
