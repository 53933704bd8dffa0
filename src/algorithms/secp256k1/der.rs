//! The two DER readings of an ECDSA signature, without sighash byte.
//!
//! Both give the integers as they stand: whether they lie in range is the rule's next question, and
//! a different answer (`Range`, not `Encoding`).

use crate::algorithms::secp256k1::integer::from_be;
use crate::parsed::Words;

/// A signature as read; an integer is `None` when it is negative or wider than 256 bits.
pub type Integers = [Option<Words>; 2];

/// BIP 66: the only encoding that is consensus since its activation. `None`: not that encoding.
///
/// The BIP's form, less the sighash byte: 30 len 02 len r 02 len s, 8 to 72 bytes in all, lengths
/// exact, integers neither empty nor negative nor longer than they need be.
pub fn strict(bytes: &[u8]) -> Option<Integers> {
    if !(8..=72).contains(&bytes.len()) || bytes[0] != 0x30 {
        return None;
    }
    if usize::from(bytes[1]) != bytes.len() - 2 {
        return None;
    }
    let (r, rest) = strict_integer(&bytes[2..])?;
    let (s, rest) = strict_integer(rest)?;
    rest.is_empty().then_some([number(r), number(s)])
}

fn strict_integer(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[tag, length], rest) = bytes.split_first_chunk()?;
    if tag != 0x02 || length == 0 {
        return None;
    }
    let (value, rest) = rest.split_at_checked(usize::from(length))?;
    let negative = value[0] & 0x80 != 0;
    let padded = value.len() > 1 && value[0] == 0 && value[1] & 0x80 == 0;
    (!negative && !padded).then_some((value, rest))
}

/// What Bitcoin accepted before BIP 66: the sequence's length is not looked at, lengths may have
/// long forms, integers may be padded and look negative, and what follows s is ignored. `None`: not
/// even that.
pub fn lax(bytes: &[u8]) -> Option<Integers> {
    let (&tag, bytes) = bytes.split_first()?;
    if tag != 0x30 {
        return None;
    }
    // The sequence's length: its size must be there, its value is ignored.
    let (&length, bytes) = bytes.split_first()?;
    let skip = if length & 0x80 != 0 { usize::from(length & 0x7f) } else { 0 };
    let bytes = bytes.get(skip..)?;
    let (r, bytes) = lax_integer(bytes)?;
    let (s, _) = lax_integer(bytes)?;
    Some([number(r), number(s)])
}

fn lax_integer(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[tag, first], mut rest) = bytes.split_first_chunk()?;
    if tag != 0x02 {
        return None;
    }
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let (long, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let digits = &long[long.iter().take_while(|&&byte| byte == 0).count()..];
        // No signature is 2^24 bytes long, and a job carries less.
        if digits.len() >= 4 {
            return None;
        }
        length = digits.iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
        rest = after;
    }
    rest.split_at_checked(length)
}

/// An unsigned big-endian integer of any length.
fn number(bytes: &[u8]) -> Option<Words> {
    let digits = &bytes[bytes.iter().take_while(|&&byte| byte == 0).count()..];
    let mut padded = [0; 32];
    padded[32usize.checked_sub(digits.len())?..].copy_from_slice(digits);
    Some(from_be(&padded))
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;
    use crate::algorithms::secp256k1::integer::{N, ZERO, is_below, to_be};

    /// The checks of BIP 66 in the order of its text, over a signature with its sighash byte.
    fn bip_66(sig: &[u8]) -> bool {
        if sig.len() < 9 || sig.len() > 73 || sig[0] != 0x30 {
            return false;
        }
        if usize::from(sig[1]) != sig.len() - 3 {
            return false;
        }
        let len_r = usize::from(sig[3]);
        if 5 + len_r >= sig.len() {
            return false;
        }
        let len_s = usize::from(sig[5 + len_r]);
        if len_r + len_s + 7 != sig.len() {
            return false;
        }
        if sig[2] != 2 || len_r == 0 || sig[4] & 0x80 != 0 {
            return false;
        }
        if len_r > 1 && sig[4] == 0 && sig[5] & 0x80 == 0 {
            return false;
        }
        if sig[len_r + 4] != 2 || len_s == 0 || sig[len_r + 6] & 0x80 != 0 {
            return false;
        }
        !(len_s > 1 && sig[len_r + 6] == 0 && sig[len_r + 7] & 0x80 == 0)
    }

    fn encode(r: &[u8], s: &[u8]) -> Vec<u8> {
        let body = [&[2, r.len() as u8], r, &[2, s.len() as u8], s].concat();
        [&[0x30, body.len() as u8], &body[..]].concat()
    }

    fn mutated(random: &mut StdRng) -> Vec<u8> {
        let mut integer = || {
            let length = [1, 2, 20, 31, 32, 32, 33, 34][random.random_range(0..8)];
            let mut bytes: Vec<u8> = (0..length).map(|_| random.random()).collect();
            match random.random_range(0..4) {
                0 => bytes[0] = 0,
                1 => bytes[0] &= 0x7f,
                2 if length == 33 => bytes[0] = 0,
                _ => {}
            }
            bytes
        };
        let (r, s) = (integer(), integer());
        let mut bytes = encode(&r, &s);
        for _ in 0..random.random_range(0..3) {
            let structure = [0, 1, 2, 3, 4, 4 + r.len(), 5 + r.len(), 6 + r.len()];
            let at = structure[random.random_range(0..8)].min(bytes.len() - 1);
            match random.random_range(0..5) {
                0 => bytes[at] = random.random(),
                1 => bytes[at] = bytes[at].wrapping_add(1),
                2 => bytes.insert(at, [0, 0x80, 0x81, 0x82, 2][random.random_range(0..5)]),
                3 if bytes.len() > 1 => drop(bytes.remove(at)),
                _ => bytes.truncate(random.random_range(0..=bytes.len())),
            }
            if bytes.is_empty() {
                break;
            }
        }
        if random.random_range(0..8) == 0 {
            bytes.push(random.random());
        }
        bytes
    }

    #[test]
    fn readings_agree_with_the_bip_and_with_libsecp256k1() {
        let mut random = StdRng::seed_from_u64(5);
        let (mut strict_ones, mut lax_ones) = (0, 0);
        for _ in 0..if cfg!(debug_assertions) { 50_000 } else { 300_000 } {
            let bytes = mutated(&mut random);
            let with_sighash = [&bytes[..], &[1]].concat();
            let ours = strict(&bytes);
            assert_eq!(ours.is_some(), bip_66(&with_sighash), "{bytes:02x?}");
            let lax = lax(&bytes);
            let theirs = secp256k1::ecdsa::Signature::from_der_lax(&bytes).ok();
            assert_eq!(lax.is_some(), theirs.is_some(), "{bytes:02x?}");
            if let Some(strict) = ours {
                assert_eq!(lax, Some(strict), "{bytes:02x?}");
                strict_ones += 1;
            }
            if let (Some(integers), Some(theirs)) = (lax, theirs) {
                lax_ones += 1;
                // libsecp256k1 writes zeros for both where either is out of range.
                let usable = integers.map(|n| n.filter(|n| is_below(n, &N)));
                let [r, s] = match usable {
                    [Some(r), Some(s)] => [r, s],
                    _ => [ZERO; 2],
                };
                let compact = [to_be(&r), to_be(&s)].concat();
                assert_eq!(compact, theirs.serialize_compact(), "{bytes:02x?}");
            }
        }
        assert!(strict_ones > 5_000 && lax_ones > strict_ones, "{strict_ones} {lax_ones}");
    }

    #[test]
    fn every_truncation_is_refused() {
        let whole = encode(&[1; 32], &[2; 32]);
        assert!(strict(&whole).is_some());
        for length in 0..whole.len() {
            assert_eq!((strict(&whole[..length]), lax(&whole[..length])), (None, None));
        }
    }

    #[test]
    fn wide_integers_are_read_but_have_no_value() {
        let wide = [&[1][..], &[0; 32]].concat();
        assert_eq!(strict(&encode(&wide, &[1])), Some([None, Some([1, 0, 0, 0])]));
        assert_eq!(lax(&encode(&wide, &[1])), Some([None, Some([1, 0, 0, 0])]));
    }
}
