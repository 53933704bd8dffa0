//! Hashes and senders of many transactions, through the engine.

use std::borrow::Borrow;

use sigmill::error::BatchError;
use sigmill::{Algorithm, Batch, Engine, Job, Outcome, RecoverRule, Terms};

use super::{SIGNATURE_BYTES, SIGNING_TAG, SignedTransaction};
use crate::address::Address;
use crate::resolve::{Resolved, resolve};

/// Both hashes of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashes {
    /// What its account signed.
    pub signing: [u8; 32],
    /// Its name.
    pub id: [u8; 32],
}

/// Two jobs a transaction: what was signed, and the whole.
///
/// # Errors
/// [`BatchError::Full`]: more than a batch holds, 2^23 transactions.
pub fn hash_batch<T: Borrow<SignedTransaction>>(transactions: &[T]) -> Result<Batch, BatchError> {
    let mut batch = Batch::open(Algorithm::Keccak256);
    let mut bytes = Vec::with_capacity(512);
    for one in transactions.iter().map(Borrow::borrow) {
        bytes.clear();
        bytes.extend_from_slice(SIGNING_TAG);
        one.encode_into(&mut bytes);
        let signed = bytes.len() - SIGNATURE_BYTES;
        batch.push(Job::Hash { message: &bytes[..signed] })?;
        batch.push(Job::Hash { message: &bytes[SIGNING_TAG.len()..] })?;
    }
    Ok(batch.seal())
}

/// One job a transaction: recovers the key that made the signature of the hash. Signatures with high
/// s, or r or s out of range, have none.
///
/// # Errors
/// [`BatchError::Full`]: more than a batch holds, 2^24 transactions.
pub fn recover_batch<T: Borrow<SignedTransaction>>(
    transactions: &[T],
    hashes: &[Hashes],
) -> Result<Batch, BatchError> {
    let rule = RecoverRule::EthereumTransaction;
    let mut batch = Batch::open(Algorithm::RecoverSecp256k1(rule));
    for (one, hashes) in transactions.iter().zip(hashes) {
        let (signature, v) = one.borrow().signature.split_first_chunk().expect("65 bytes");
        batch.push(Job::Recover { message: &hashes.signing, signature, recovery_id: v[0] })?;
    }
    Ok(batch.seal())
}

/// The hashes of all transactions, in one batch.
///
/// # Errors
/// As [`hash_batch`].
pub fn hashes<T: Borrow<SignedTransaction>>(
    engine: &Engine,
    transactions: &[T],
    terms: Terms,
) -> Result<Vec<Hashes>, BatchError> {
    Ok(read_hashes(&resolve(engine, hash_batch(transactions)?, terms)))
}

/// The answers of [`hash_batch`].
pub(crate) fn read_hashes(resolved: &Resolved) -> Vec<Hashes> {
    let mut digests = resolved.digests().copied();
    let pair = || Some(Hashes { signing: digests.next()?, id: digests.next()? });
    let mut hashes = Vec::with_capacity(resolved.len() / 2);
    hashes.extend(std::iter::from_fn(pair));
    hashes
}

/// Who signed each transaction: one batch that recovers keys, and one that hashes them to addresses.
/// `None` where the signature is none.
///
/// # Errors
/// As [`recover_batch`].
pub fn senders<T: Borrow<SignedTransaction>>(
    engine: &Engine,
    transactions: &[T],
    hashes: &[Hashes],
    terms: Terms,
) -> Result<Vec<Option<Address>>, BatchError> {
    let recovered = resolve(engine, recover_batch(transactions, hashes)?, terms);
    addresses(engine, &recovered, terms)
}

/// Addresses of the answers of [`recover_batch`]; `None` where a signature is none.
pub(crate) fn addresses(
    engine: &Engine,
    recovered: &Resolved,
    terms: Terms,
) -> Result<Vec<Option<Address>>, BatchError> {
    let mut keys = Batch::open(Algorithm::Keccak256);
    for outcome in recovered.outcomes() {
        if let Outcome::Key(key) = outcome {
            keys.push(Job::Hash { message: key })?;
        }
    }
    let named = resolve(engine, keys.seal(), terms);
    let mut addresses = named.digests().map(|digest| Address::from_slice(&digest[12..]));
    let sender = |outcome| match outcome {
        Outcome::Key(_) => addresses.next(),
        _ => None,
    };
    Ok(recovered.outcomes().map(sender).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::AccountKey;
    use crate::transaction::tests::{high_s, record, transfer};

    fn engine() -> Engine {
        Engine::builder().threads(1).open().unwrap()
    }

    fn address(account: u8) -> Option<Address> {
        Some(AccountKey::from_bytes(&[account; 32]).unwrap().address())
    }

    #[test]
    fn batches_agree_with_one_by_one() {
        let all: Vec<_> = (1..40).flat_map(|n| [transfer(n, 1), record(n, 2)]).collect();
        let engine = engine();
        let hashes = hashes(&engine, &all, Terms::default()).unwrap();
        for (one, hashes) in all.iter().zip(&hashes) {
            assert_eq!(hashes.signing, one.transaction.signing_hash().0);
            assert_eq!(hashes.id, one.hash().0);
        }
        let senders = senders(&engine, &all, &hashes, Terms::default()).unwrap();
        let expected: Vec<_> = (1..40).flat_map(|n| [address(n); 2]).collect();
        assert_eq!(senders, expected);
    }

    #[test]
    fn signatures_that_are_none_have_no_sender_and_disturb_no_other() {
        let good = transfer(5, 0);
        let with = |range: std::ops::Range<usize>, value| {
            let mut bad = good.clone();
            bad.signature[range].fill(value);
            bad
        };
        let high = high_s(&good);
        let zero_r = with(0..32, 0);
        let zero_s = with(32..64, 0);
        let wide = with(0..32, 0xff);
        let mut moved = good.clone();
        moved.transaction.nonce += 1; // a signature of something else: some other sender
        let all = [good.clone(), high.clone(), zero_r, zero_s, wide, moved, good.clone()];
        let engine = engine();
        let hashes = hashes(&engine, &all, Terms::default()).unwrap();
        let senders = senders(&engine, &all, &hashes, Terms::default()).unwrap();
        assert_eq!(senders[..5], [address(5), None, None, None, None]);
        assert_ne!(senders[5], address(5));
        assert_eq!(senders[6], address(5));

        // libsecp256k1 takes the high s, so it was built as meant.
        let signature = high.signature;
        let v = secp256k1::ecdsa::RecoveryId::try_from(i32::from(signature[64])).unwrap();
        let theirs =
            secp256k1::ecdsa::RecoverableSignature::from_compact(&signature[..64], v).unwrap();
        let message = secp256k1::Message::from_digest(hashes[1].signing);
        let key = theirs.recover_ecdsa(message).unwrap().serialize_uncompressed();
        assert_eq!(Some(crate::address::of_key(key[1..].try_into().unwrap())), address(5));
    }

    #[test]
    fn nothing_is_a_batch_too() {
        let (engine, none): (_, [SignedTransaction; 0]) = (engine(), []);
        assert_eq!(hashes(&engine, &none, Terms::default()), Ok(vec![]));
        assert_eq!(senders(&engine, &none, &[], Terms::default()), Ok(vec![]));
    }
}
