//! Hashes, senders and roots, with an engine or without one: the answers are the same.

use std::borrow::Borrow;
use std::sync::Arc;

use commonware_cryptography::{Hasher, Sha256};
use rayon::prelude::*;
use secp256k1::Message;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId, Signature};
use sigmill::{Engine, Terms};

use crate::address::{self, Address};
use crate::block;
use crate::transaction::{self, Hashes, SIGNATURE_BYTES, SignedTransaction};

/// Transactions of one batch at most: the largest block's. A batch holds 2^23, so none overflows.
const BATCH: usize = 65_536;

/// Who computes.
///
/// Lists may have any length. `terms` are those of each batch that an engine gets.
#[derive(Clone, Debug)]
pub enum Crypto {
    /// The engine, in batches; what it leaves open is computed on the calling thread.
    Engine(Arc<Engine>),
    /// libsecp256k1, Keccak-256 and SHA-256 of the host, on the threads of rayon's global pool.
    /// The terms are not looked at.
    Libsecp256k1,
}

impl Crypto {
    /// Both hashes of every transaction, in order.
    pub fn hashes<T: Borrow<SignedTransaction> + Sync>(
        &self,
        transactions: &[T],
        terms: Terms,
    ) -> Vec<Hashes> {
        match self {
            Crypto::Engine(engine) => {
                let batch = |part| transaction::hashes(engine, part, terms).expect(FITS);
                transactions.chunks(BATCH).flat_map(batch).collect()
            }
            Crypto::Libsecp256k1 => {
                let hash = |one: &T| Hashes {
                    signing: one.borrow().transaction.signing_hash().0,
                    id: one.borrow().hash().0,
                };
                transactions.par_iter().map(hash).collect()
            }
        }
    }

    /// Who signed each transaction, in order; `None` where the signature is none (SPEC.md, 6).
    /// `hashes` are those of the transactions, one each; without one there is no answer.
    pub fn senders<T: Borrow<SignedTransaction> + Sync>(
        &self,
        transactions: &[T],
        hashes: &[Hashes],
        terms: Terms,
    ) -> Vec<Option<Address>> {
        match self {
            Crypto::Engine(engine) => {
                let batch =
                    |(part, hashes)| transaction::senders(engine, part, hashes, terms).expect(FITS);
                transactions.chunks(BATCH).zip(hashes.chunks(BATCH)).flat_map(batch).collect()
            }
            Crypto::Libsecp256k1 => {
                let sender =
                    |(one, hashes): (&T, &Hashes)| sender(&one.borrow().signature, hashes.signing);
                transactions.par_iter().zip(hashes).map(sender).collect()
            }
        }
    }

    /// Root of Bitcoin's tree over the hashes of transactions, 32 bytes each; zero without any.
    pub fn transactions_root(&self, hashes: &[[u8; 32]], terms: Terms) -> [u8; 32] {
        match self {
            // No job takes more than 2^25 leaves; more than a block has are the host's.
            Crypto::Engine(engine) => block::transactions_root(engine, hashes, terms)
                .unwrap_or_else(|_| transactions_root(hashes)),
            Crypto::Libsecp256k1 => transactions_root(hashes),
        }
    }
}

const FITS: &str = "a batch holds more than a part";

/// The sender by libsecp256k1, which takes high s and v up to 3.
fn sender(signature: &[u8; SIGNATURE_BYTES], signing: [u8; 32]) -> Option<Address> {
    let (compact, v) = signature.split_at(64);
    let v = match v {
        [0] => RecoveryId::Zero,
        [1] => RecoveryId::One,
        _ => return None,
    };
    let signature = Signature::from_compact(compact).ok()?;
    let mut low = signature;
    low.normalize_s();
    if low != signature {
        return None;
    }
    let signature = RecoverableSignature::from_compact(compact, v).ok()?;
    let key = signature.recover_ecdsa(Message::from_digest(signing)).ok()?.serialize_uncompressed();
    key[1..].try_into().ok().map(address::of_key)
}

/// The level above one of a tree of double SHA-256, on the host: a node without a sibling is its own.
pub(crate) fn above(level: &[[u8; 32]]) -> Vec<[u8; 32]> {
    let node = |pair: &[[u8; 32]]| {
        let once = Sha256::hash(&[&pair[0], &pair[pair.len() - 1]]);
        Sha256::hash(&[&once.0]).0
    };
    level.par_chunks(2).map(node).collect()
}

/// The tree on the host, level by level.
fn transactions_root(hashes: &[[u8; 32]]) -> [u8; 32] {
    match hashes {
        [] => [0; 32],
        [root] => *root,
        leaves => {
            let mut level = above(leaves);
            while level.len() > 1 {
                level = above(&level);
            }
            level[0]
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::hex;

    use super::*;
    use crate::keccak;
    use crate::transaction::tests::{high_s, record, transfer};

    fn both() -> [Crypto; 2] {
        let engine = Engine::builder().threads(1).open().unwrap();
        [Crypto::Engine(Arc::new(engine)), Crypto::Libsecp256k1]
    }

    /// What both say of the transactions: hashes, senders.
    fn agreed(transactions: &[SignedTransaction]) -> (Vec<Hashes>, Vec<Option<Address>>) {
        let [engine, host] = both().map(|crypto| {
            let hashes = crypto.hashes(transactions, Terms::default());
            let senders = crypto.senders(transactions, &hashes, Terms::default());
            (hashes, senders)
        });
        assert_eq!(engine, host);
        host
    }

    #[test]
    fn with_and_without_agree_on_what_is_signed() {
        let all: Vec<_> = (1..30).flat_map(|n| [transfer(n, 3), record(n, 4)]).collect();
        let (hashes, senders) = agreed(&all);
        assert_eq!((hashes.len(), senders.len()), (58, 58));
        assert_eq!(hashes[7].id, all[7].hash().0);
        assert!(senders.iter().all(Option::is_some));
        assert!(senders.chunks(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(agreed(&[]), (vec![], vec![]));
    }

    #[test]
    fn with_and_without_agree_on_what_is_no_signature() {
        let n = hex!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
        let half = hex!("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0");
        let p = hex!("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f");
        let mut less = n;
        less[31] -= 1;
        let mut more = half;
        more[31] += 1;
        let good = transfer(7, 0);
        let with = |at: usize, value: &[u8]| {
            let mut other = good.clone();
            other.signature[at..at + value.len()].copy_from_slice(value);
            other
        };
        let none: Vec<_> = [[0; 32], n, p, [0xff; 32]]
            .iter()
            .flat_map(|value| [with(0, value), with(32, value)])
            .chain([with(32, &less), with(32, &more), high_s(&good)])
            .chain([2, 3, 4, 27, 28, 255].map(|v| with(64, &[v])))
            .collect();
        let (_, senders) = agreed(&none);
        assert_eq!(senders, vec![None; none.len()]);

        // s may be what it likes below; r may have no point, or another key's.
        let mut one = [0; 32];
        one[31] = 1;
        let other =
            [with(32, &half), with(32, &one), with(0, &one), with(64, &[1]), with(64, &[0])];
        let (_, senders) = agreed(&other);
        assert!(senders[0].is_some() && senders[1].is_some());
        let many: Vec<_> = (0..64_u8).map(|n| with(20, &[n, !n])).collect();
        let (_, senders) = agreed(&many);
        assert!(senders.contains(&None), "no r without a point was met");

        let mixed: Vec<_> = none.iter().flat_map(|bad| [good.clone(), bad.clone()]).collect();
        let (_, senders) = agreed(&mixed);
        assert!(senders.chunks(2).all(|pair| pair[0].is_some() && pair[1].is_none()));
    }

    #[test]
    fn with_and_without_agree_on_roots() {
        let hashes: Vec<_> = (0..300_u16).map(|n| keccak(&[&n.to_be_bytes()]).0).collect();
        let [engine, host] = both();
        for count in (0..20).chain([63, 64, 65, 255, 256, 257, 300]) {
            let root = host.transactions_root(&hashes[..count], Terms::default());
            assert_eq!(root, engine.transactions_root(&hashes[..count], Terms::default()));
            match count {
                0 => assert_eq!(root, [0; 32]),
                1 => assert_eq!(root, hashes[0]),
                _ => assert!(!hashes.contains(&root)),
            }
        }
    }

    #[test]
    fn lists_longer_than_a_batch_are_whole_and_in_order() {
        let pair = [transfer(1, 0), record(2, 0)];
        let long: Vec<&SignedTransaction> = pair.iter().cycle().take(BATCH + 3).collect();
        let [engine, _] = both();
        let hashes = engine.hashes(&long, Terms::default());
        assert_eq!(hashes.len(), long.len());
        assert!(hashes.iter().zip(pair.iter().cycle()).all(|(hash, one)| hash.id == one.hash().0));
        let tail = BATCH - 2..;
        let senders = engine.senders(&long[tail.clone()], &hashes[tail], Terms::default());
        assert_eq!(senders.len(), 5);
        assert!(senders[0] == senders[2] && senders[0] != senders[1]);
    }
}
