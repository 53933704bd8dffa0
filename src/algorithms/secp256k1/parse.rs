//! From jobs to canonical operands: every check of bytes and ranges, one routine a rule.

use std::ops::Range;

use crate::algorithm::{EcdsaRule, RecoverRule};
use crate::algorithms::secp256k1::integer::{
    HALF_N, N, P, ZERO, from_be, is_below, reduce_n, to_be,
};
use crate::algorithms::secp256k1::{der, key};
use crate::algorithms::sha256::{self, Plan};
use crate::batch::Batch;
use crate::parsed::{EcdsaOperands, KeyForm, RecoverOperands, SchnorrOperands, Words};
use crate::verdict::Reason;

/// Checks one ECDSA job and appends its operands.
pub(crate) fn ecdsa(
    rule: EcdsaRule,
    batch: &Batch,
    index: usize,
    operands: &mut EcdsaOperands,
) -> Result<(), Reason> {
    let signature = batch.column(1).get(index);
    let (integers, low, hybrid) = match rule {
        EcdsaRule::BitcoinLax => (der_integers(der::lax, signature)?, false, true),
        EcdsaRule::BitcoinStrict => (der_integers(der::strict, signature)?, false, true),
        EcdsaRule::BitcoinPolicy => (der_integers(der::strict, signature)?, true, false),
        EcdsaRule::Compact => (compact(signature)?, false, false),
        EcdsaRule::CompactLowS => (compact(signature)?, true, false),
    };
    let [Some(r), Some(s)] = integers else { return Err(Reason::Range) };
    check_range(&r, &s, low)?;
    let key = batch.column(2).get(index);
    let (x, form, y) = match batch.pinned() {
        Some(keys) => {
            let at = pinned_index(key);
            operands.pinned.push(at);
            let [x, y] = keys.point(at);
            (x, KeyForm::Full, y)
        }
        None => key::read(key, hybrid).ok_or(Reason::Key)?,
    };
    let message = batch.column(0).get(index);
    if let Some(&hint) = message.get(32) {
        operands.hints.push(hint == 1);
    }
    let hash = message.first_chunk().expect("the column is 32 or 33 wide");
    operands.z.push(reduce_n(from_be(hash)));
    operands.r.push(r);
    operands.s.push(s);
    operands.keys.x.push(x);
    operands.keys.form.push(form);
    operands.keys.y.push(y);
    Ok(())
}

/// Challenges that are computed side by side.
pub(crate) const CHALLENGES: usize = 64;

/// The challenges of at most [`CHALLENGES`] BIP 340 jobs, not yet reduced mod n.
pub(crate) fn challenges(plan: Plan, batch: &Batch, range: Range<usize>, out: &mut [[u8; 32]]) {
    let signatures = &batch.column(1).bytes().as_chunks().0[range.clone()];
    let mut pinned = [[0; 32]; CHALLENGES];
    let keys = match batch.pinned() {
        Some(keys) => {
            for (key, index) in pinned.iter_mut().zip(range.clone()) {
                *key = to_be(&keys.point(pinned_index(batch.column(2).get(index)))[0]);
            }
            &pinned[..range.len()]
        }
        None => &batch.column(2).bytes().as_chunks().0[range.clone()],
    };
    sha256::challenges(plan, batch.column(0), range, signatures, keys, out);
}

/// Checks one BIP 340 job, whose challenge is given, and appends its operands.
pub(crate) fn schnorr(
    batch: &Batch,
    index: usize,
    challenge: &[u8; 32],
    operands: &mut SchnorrOperands,
) -> Result<(), Reason> {
    let (r_bytes, s_bytes) = split(batch.column(1).array(index));
    let [r, s] = [r_bytes, s_bytes].map(from_be);
    let pinned = batch.pinned().map(|keys| {
        let at = pinned_index(batch.column(2).get(index));
        (at, keys.point(at)[0])
    });
    let key = match pinned {
        Some((_, x)) => x,
        None => from_be(batch.column(2).array(index)),
    };
    if !is_below(&r, &P) || !is_below(&s, &N) {
        return Err(Reason::Range);
    }
    if !is_below(&key, &P) {
        return Err(Reason::Key);
    }
    operands.r.push(r);
    operands.s.push(s);
    operands.e.push(reduce_n(from_be(challenge)));
    operands.key.push(key);
    operands.pinned.extend(pinned.map(|(at, _)| at));
    Ok(())
}

/// Reads the entry of a pinned batch's key column.
fn pinned_index(entry: &[u8]) -> u32 {
    u32::from_le_bytes(entry.try_into().expect("the column is 4 wide"))
}

/// Checks one recovery job and appends its operands.
pub(crate) fn recover(
    rule: RecoverRule,
    batch: &Batch,
    index: usize,
    operands: &mut RecoverOperands,
) -> Result<(), Reason> {
    let mut call = [0; 128];
    let (z, signature, parity, low) = match rule {
        RecoverRule::EthereumTransaction | RecoverRule::EthereumFrontier => {
            let packed: &[u8; 65] = batch.column(1).array(index);
            let (signature, &[parity]) =
                packed.split_first_chunk::<64>().ok_or(Reason::Encoding)?
            else {
                return Err(Reason::Encoding);
            };
            let low = rule == RecoverRule::EthereumTransaction;
            (batch.column(0).array(index), signature, parity, low)
        }
        RecoverRule::EcrecoverPrecompile => {
            // Short input reads as padded with zeros; longer input was cut when it was pushed.
            let input = batch.column(0).get(index);
            call[..input.len()].copy_from_slice(input);
            let (hash, rest) = call.split_first_chunk().ok_or(Reason::Encoding)?;
            let (v, rest) = rest.split_first_chunk::<32>().ok_or(Reason::Encoding)?;
            let [high @ .., v] = v;
            if high.iter().any(|&byte| byte != 0) {
                return Err(Reason::Encoding);
            }
            let signature = rest.first_chunk::<64>().ok_or(Reason::Encoding)?;
            (hash, signature, v.wrapping_sub(27), false)
        }
    };
    if parity > 1 {
        return Err(Reason::Encoding);
    }
    let (r, s) = split(signature);
    let (r, s) = (from_be(r), from_be(s));
    check_range(&r, &s, low)?;
    operands.z.push(reduce_n(from_be(z)));
    operands.r.push(r);
    operands.s.push(s);
    operands.parity.push(parity);
    Ok(())
}

fn der_integers(
    read: impl Fn(&[u8]) -> Option<der::Integers>,
    signature: &[u8],
) -> Result<der::Integers, Reason> {
    if signature.is_empty() {
        return Err(Reason::Empty);
    }
    read(signature).ok_or(Reason::Encoding)
}

fn compact(signature: &[u8]) -> Result<der::Integers, Reason> {
    let signature: &[u8; 64] = signature.try_into().map_err(|_| Reason::Encoding)?;
    let (r, s) = split(signature);
    Ok([Some(from_be(r)), Some(from_be(s))])
}

fn check_range(r: &Words, s: &Words, low: bool) -> Result<(), Reason> {
    let in_range = |n: &Words| *n != ZERO && is_below(n, &N);
    if !in_range(r) || !in_range(s) {
        return Err(Reason::Range);
    }
    if low && is_below(&HALF_N, s) {
        return Err(Reason::HighS);
    }
    Ok(())
}

fn split(signature: &[u8; 64]) -> (&[u8; 32], &[u8; 32]) {
    let (first, rest) = signature.split_first_chunk().expect("64 bytes");
    (first, rest.try_into().expect("32 bytes are left"))
}
