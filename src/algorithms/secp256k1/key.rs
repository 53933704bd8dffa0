//! Public keys in the encodings of SEC 1, 2.3.4, and Bitcoin's hybrid form.

use crate::algorithms::secp256k1::field::FieldVec;
use crate::algorithms::secp256k1::integer::{P, from_be, is_below};
use crate::algorithms::secp256k1::point::{Affine, is_on_curve};
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::algorithms::secp256k1::sqrt::sqrt;
use crate::parsed::{KeyForm, Words};

/// A key as read: x, form, and y where the encoding carries it.
pub type Key = (Words, KeyForm, Words);

/// Reads 33 or 65 bytes. `hybrid`: whether prefixes 06 and 07 are taken, which carry y's parity
/// besides y. `None`: another length or prefix, a coordinate not below p, a y that does not belong
/// to x, or the wrong parity. Whether a compressed x has a y is left to the kernel.
pub fn read(bytes: &[u8], hybrid: bool) -> Option<Key> {
    let (&prefix, rest) = bytes.split_first()?;
    let x = from_be(rest.first_chunk()?);
    match (prefix, rest.len()) {
        (2 | 3, 32) if is_below(&x, &P) => {
            let form = if prefix == 2 { KeyForm::Even } else { KeyForm::Odd };
            Some((x, form, [0; 4]))
        }
        (4 | 6 | 7, 64) => {
            let y = from_be(rest.last_chunk()?);
            let fits = prefix == 4 || hybrid && y[0] & 1 == u64::from(prefix & 1);
            (fits && is_on_curve(&x, &y)).then_some((x, KeyForm::Full, y))
        }
        _ => None,
    }
}

/// The point of a key of 33 or 65 bytes, or of 32: x, with even y (BIP 340). Not hybrid.
pub fn point(bytes: &[u8]) -> Option<[Words; 2]> {
    let (x, form, y) = match <&[u8; 32]>::try_from(bytes) {
        Ok(x) => (from_be(x), KeyForm::Even, [0; 4]),
        Err(_) => read(bytes, false)?,
    };
    if form == KeyForm::Full {
        return Some([x, y]);
    }
    if !is_below(&x, &P) {
        return None;
    }
    let (root, exists) = sqrt(Affine::square_of_y(Scalar5x52::splat(&x)));
    let mut y = [[0; 4]];
    Affine::with_parity(root, form == KeyForm::Odd).store(&mut y);
    exists.then_some([x, y[0]])
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng};
    use secp256k1::{PublicKey, SecretKey};

    use super::*;
    use crate::algorithms::secp256k1::integer;

    #[test]
    fn readings_agree_with_libsecp256k1() {
        let mut random = StdRng::seed_from_u64(6);
        let mut taken = 0;
        for _ in 0..if cfg!(debug_assertions) { 2_000 } else { 20_000 } {
            let secret = SecretKey::from_secret_bytes(random.random()).expect("in range");
            let key = PublicKey::from_secret_key(&secret);
            let mut bytes = match random.random_range(0..3) {
                0 => key.serialize().to_vec(),
                _ => key.serialize_uncompressed().to_vec(),
            };
            match random.random_range(0..6) {
                0 => bytes[0] = random.random_range(0..9),
                1 => bytes[0] = 6 | bytes[bytes.len() - 1] & 1,
                2 => bytes[0] = 7 ^ bytes[bytes.len() - 1] & 1,
                3 => {
                    let at = random.random_range(0..bytes.len());
                    bytes[at] ^= 1 << random.random_range(0..8);
                }
                4 => bytes.truncate(random.random_range(0..bytes.len())),
                _ => {}
            }
            let theirs = PublicKey::from_slice(&bytes).is_ok();
            let ours = read(&bytes, true).is_some_and(|(x, form, _)| {
                let right = Scalar5x52::splat(&x);
                let seven = Scalar5x52::splat(&[7, 0, 0, 0]);
                let square = right.square().mul(right).add(seven).normalize();
                form == KeyForm::Full || sqrt(square).1
            });
            assert_eq!(ours, theirs, "{bytes:02x?}");
            if read(&bytes, false) != read(&bytes, true) {
                assert!(matches!(bytes[0], 6 | 7));
            }
            taken += usize::from(ours);
        }
        assert!(taken > 500);
    }

    #[test]
    fn coordinates_stay_below_the_prime() {
        let p = integer::to_be(&P);
        assert_eq!(read(&[&[2][..], &p].concat(), true), None);
        assert_eq!(read(&[&[4][..], &p, &p].concat(), true), None);
        assert_eq!(read(&[], true), None);
    }
}
