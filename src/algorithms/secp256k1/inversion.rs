//! Inverses in the field: one for many values in many lanes.

use crate::algorithms::secp256k1::field::{FieldVec, LANES, MaskVec};
use crate::algorithms::secp256k1::integer::P;
use crate::algorithms::secp256k1::inverse::Modulus;
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::parsed::Words;

/// 1/a in every lane, and 0 for 0, by one inversion for all lanes.
#[inline(always)]
pub fn invert<V: FieldVec>(a: V) -> V {
    a.invert()
}

/// [`invert`] on words, where division steps take a third of the time of a power.
#[inline(always)]
pub(crate) fn invert_lanes<V: FieldVec>(a: V) -> V {
    let mut words = [[0; 4]; LANES];
    a.store(&mut words[..V::LANES]);
    invert_words(&mut words[..V::LANES]);
    V::load(&words[..V::LANES])
}

/// Inverts words below p, at most [`LANES`] of them; 0 stays.
fn invert_words(words: &mut [Words]) {
    static PRIME: Modulus = Modulus::new(&P);
    let mut nodes = [Scalar5x52::splat(&[1, 0, 0, 0]); 2 * LANES];
    let nodes = &mut nodes[..2 * words.len()];
    for (node, word) in nodes[words.len()..].iter_mut().zip(&*words) {
        if *word != [0; 4] {
            *node = Scalar5x52::splat(word);
        }
    }
    invert_tree(nodes, |root: Scalar5x52| {
        let mut word = [[0; 4]];
        root.store(&mut word);
        Scalar5x52::splat(&PRIME.invert(&word[0]))
    });
    for (node, word) in nodes[words.len()..].iter().zip(words) {
        if *word != [0; 4] {
            node.store(std::slice::from_mut(word));
        }
    }
}

/// What has products.
pub trait Factor: Copy {
    /// a b.
    fn product(self, other: Self) -> Self;
}

impl Factor for Scalar5x52 {
    #[inline(always)]
    fn product(self, other: Self) -> Self {
        self.mul(other)
    }
}

/// Inverts the second half of the nodes with one inversion and three products each, of which few wait
/// for each other; the first half is memory.
#[inline(always)]
pub(crate) fn invert_tree<F: Factor>(nodes: &mut [F], invert: impl FnOnce(F) -> F) {
    // A binary tree with its root at 1: each node is the product of those below.
    let values = nodes.len() / 2;
    if values == 0 {
        return;
    }
    for node in (1..values).rev() {
        nodes[node] = nodes[2 * node].product(nodes[2 * node + 1]);
    }
    nodes[1] = invert(nodes[1]);
    for node in 1..values {
        let [inverse, left, right] = [nodes[node], nodes[2 * node], nodes[2 * node + 1]];
        nodes[2 * node] = inverse.product(right);
        nodes[2 * node + 1] = inverse.product(left);
    }
}

/// Writes the product of all values before each, and returns that of all.
#[inline(always)]
pub(crate) fn products<V: FieldVec>(values: &[V], prefixes: &mut Vec<V>) -> V {
    let mut product = V::splat(&[1, 0, 0, 0]);
    prefixes.resize(values.len().max(prefixes.len()), product);
    for (value, prefix) in values.iter().zip(prefixes) {
        *prefix = product;
        product = product.mul(*value);
    }
    product
}

/// From the products before each and the inverse of that of all to the inverse of each; the inverse of
/// that before the first is returned.
#[inline(always)]
pub(crate) fn unwind<V: FieldVec>(values: &mut [V], prefixes: &[V], mut inverse: V) -> V {
    for (value, prefix) in values.iter_mut().zip(prefixes).rev() {
        let this = inverse.mul(*prefix);
        inverse = inverse.mul(*value);
        *value = this;
    }
    inverse
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
