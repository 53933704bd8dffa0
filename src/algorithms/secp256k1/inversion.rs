//! Inverses in the field: one for many values in many lanes.

use crate::algorithms::secp256k1::field::{FieldVec, LANES, MaskVec};
use crate::algorithms::secp256k1::integer::P;
use crate::algorithms::secp256k1::inverse::Modulus;
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::parsed::Words;

/// 1/a in every lane, and 0 for 0, by one inversion for all lanes: on words, where division steps
/// take a third of the time of a power.
#[inline(always)]
pub fn invert<V: FieldVec>(a: V) -> V {
    let mut words = [[0; 4]; LANES];
    a.store(&mut words[..V::LANES]);
    invert_words(&mut words[..V::LANES]);
    V::load(&words[..V::LANES])
}

/// Inverts words below p, at most [`LANES`] of them.
fn invert_words(words: &mut [Words]) {
    static PRIME: Modulus = Modulus::new(&P);
    let one = Scalar5x52::splat(&[1, 0, 0, 0]);
    let mut prefixes = [one; LANES];
    let mut total = one;
    for (word, prefix) in words.iter().zip(&mut prefixes) {
        *prefix = total;
        if *word != [0; 4] {
            total = total.mul(Scalar5x52::splat(word));
        }
    }
    let mut product = [[0; 4]];
    total.store(&mut product);
    let mut inverse = Scalar5x52::splat(&PRIME.invert(&product[0]));
    for (word, prefix) in words.iter_mut().zip(&prefixes).rev() {
        if *word != [0; 4] {
            let value = Scalar5x52::splat(word);
            inverse.mul(*prefix).store(std::slice::from_mut(word));
            inverse = inverse.mul(value);
        }
    }
}

/// Writes the product of all values before each, and returns that of all.
#[inline(always)]
pub(crate) fn products<V: FieldVec>(values: &[V], prefixes: &mut Vec<V>) -> V {
    let mut product = V::splat(&[1, 0, 0, 0]);
    prefixes.clear();
    for value in values {
        prefixes.push(product);
        product = product.mul(*value);
    }
    product
}

/// From the products before each and the inverse of that of all to the inverse of each.
#[inline(always)]
pub(crate) fn unwind<V: FieldVec>(values: &mut [V], prefixes: &[V], mut inverse: V) {
    for (value, prefix) in values.iter_mut().zip(prefixes).rev() {
        let this = inverse.mul(*prefix);
        inverse = inverse.mul(*value);
        *value = this;
    }
}

/// Inverts every element of every lane with one inversion (Montgomery's trick: three products
/// each). Zeros stay zero and disturb nobody. Elements are fresh, of magnitude up to 8; results have
/// magnitude 1.
#[inline(always)]
pub fn invert_all<V: FieldVec>(values: &mut [V], prefixes: &mut Vec<V>) {
    let one = V::splat(&[1, 0, 0, 0]);
    let mut total = products(values, prefixes);
    let mut zeros = Vec::new();
    if total.is_zero().any() {
        // One zero would turn the whole product to zero: ones stand in.
        for value in values.iter_mut() {
            let zero = value.is_zero();
            zeros.push(zero);
            *value = V::select(zero, one, *value);
        }
        total = products(values, prefixes);
    }
    unwind(values, prefixes, invert(total));
    for (value, zero) in values.iter_mut().zip(&zeros) {
        *value = V::select(*zero, V::splat(&[0; 4]), *value);
    }
}
