//! Numbers mod n over a vector of lanes, and quotients of many by one inversion.

use crate::algorithms::secp256k1::field::LANES;
use crate::algorithms::secp256k1::integer::reduce_n;
use crate::algorithms::secp256k1::inversion::{Factor, invert_tree};
use crate::algorithms::secp256k1::multiply::Scalars;
use crate::algorithms::secp256k1::scalar::Half;
use crate::algorithms::secp256k1::{scalar, scratch};
use crate::parsed::Words;

/// One number mod n a lane.
pub trait OrderVec: Factor + Send + Sync + 'static {
    /// Number of lanes, up to [`LANES`].
    const LANES: usize;

    /// One number a lane; `words` has [`Self::LANES`] entries, of any size.
    fn load(words: &[Words]) -> Self;
    /// The numbers, below n.
    fn store(self, out: &mut [Words]);

    /// [`scalar::split`] of each number.
    #[inline(always)]
    fn split(self, out: &mut [[Half; 2]]) {
        let mut words = [[0; 4]; LANES];
        self.store(&mut words[..Self::LANES]);
        out.iter_mut().zip(&words).for_each(|(out, words)| *out = scalar::split(words));
    }

    /// One number a lane from up to [`Self::LANES`]; the others are 1.
    #[inline(always)]
    fn read(items: usize, number: impl Fn(usize) -> Words) -> Self {
        let mut words = [[1, 0, 0, 0]; LANES];
        for (item, word) in words[..Self::LANES.min(items)].iter_mut().enumerate() {
            *word = number(item);
        }
        Self::load(&words[..Self::LANES])
    }
}

/// One lane.
#[derive(Clone, Copy, Debug)]
pub struct OneOrder(Words);

impl OrderVec for OneOrder {
    const LANES: usize = 1;

    #[inline(always)]
    fn load(words: &[Words]) -> Self {
        OneOrder(words[0])
    }

    #[inline(always)]
    fn store(self, out: &mut [Words]) {
        out[0] = reduce_n(self.0);
    }
}

impl Factor for OneOrder {
    #[inline(always)]
    fn product(self, other: Self) -> Self {
        OneOrder(scalar::mul_wide(&self.0, &other.0))
    }
}

/// 1/a for each number a, none of which is 0 mod n; the last group is filled with ones. They are the second half
/// of `nodes`.
#[inline(always)]
fn inverses<'a, O: OrderVec>(numbers: &[Words], nodes: &'a mut Vec<O>) -> &'a [O] {
    let groups = numbers.len().div_ceil(O::LANES);
    nodes.clear();
    nodes.resize(2 * groups, O::read(0, |_| [0; 4]));
    for (node, numbers) in nodes[groups..].iter_mut().zip(numbers.chunks(O::LANES)) {
        *node = O::read(numbers.len(), |item| numbers[item]);
    }
    invert_tree(nodes, |root: O| {
        let mut words = [[1, 0, 0, 0]; LANES];
        root.store(&mut words[..O::LANES]);
        let mut nodes = [OneOrder([1, 0, 0, 0]); 2 * LANES];
        let nodes = &mut nodes[..2 * O::LANES];
        nodes[O::LANES..].iter_mut().zip(words).for_each(|(node, word)| *node = OneOrder(word));
        invert_tree(nodes, |root| OneOrder(scalar::invert(&root.0)));
        words.iter_mut().zip(&nodes[O::LANES..]).for_each(|(word, node)| *word = node.0);
        O::load(&words[..O::LANES])
    });
    &nodes[groups..]
}

/// u1 = a/d and u2 = b/d for each item, mod n; no d is 0. The columns have the same length.
#[inline(always)]
pub(crate) fn quotients<O: OrderVec>(
    a: &[Words],
    b: &[Words],
    d: &[Words],
    out: &mut Vec<Scalars>,
) {
    out.clear();
    out.resize(d.len(), Scalars::default());
    let columns = a.chunks(O::LANES).zip(b.chunks(O::LANES));
    let mut nodes = scratch::take::<Vec<O>>();
    let inverses = inverses(d, &mut nodes);
    for ((inverse, (a, b)), out) in inverses.iter().zip(columns).zip(out.chunks_mut(O::LANES)) {
        let [mut u1, mut u2] = [[[0; 4]; LANES]; 2];
        O::read(a.len(), |item| a[item]).product(*inverse).store(&mut u1[..O::LANES]);
        O::read(b.len(), |item| b[item]).product(*inverse).store(&mut u2[..O::LANES]);
        for ((out, u1), u2) in out.iter_mut().zip(u1).zip(u2) {
            *out = Scalars { u1, u2 };
        }
    }
    scratch::put(nodes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::secp256k1::field::FieldVec;
    use crate::algorithms::secp256k1::integer::{N, ZERO};
    use crate::algorithms::secp256k1::scalar::tests::{LAMBDA, samples};
    use crate::isa::{Isa, Kernel};

    struct Products<'a>(&'a [Words], &'a [Words]);

    impl Kernel for Products<'_> {
        type Out = Vec<Words>;

        #[inline(always)]
        fn run<V: FieldVec>(self) -> Vec<Words> {
            let mut out = Vec::new();
            let lanes = V::Order::LANES;
            for (a, b) in self.0.chunks(lanes).zip(self.1.chunks(lanes)) {
                let [a, b] = [a, b].map(|w| V::Order::read(w.len(), |item| w[item]));
                let mut words = [ZERO; LANES];
                // The second product has factors that were not reduced.
                let product = a.product(b);
                product.product(product).store(&mut words[..lanes]);
                out.extend_from_slice(&words[..lanes]);
            }
            out
        }
    }

    #[test]
    fn products_agree_with_one_word_arithmetic() {
        let mut a = samples(40_000);
        // Numbers of any size are taken.
        a.extend([[u64::MAX; 4], N, [u64::MAX, u64::MAX, u64::MAX - 1, u64::MAX]]);
        let b: Vec<Words> = (0..a.len()).map(|i| a[(i * 7_919 + 5) % a.len()]).collect();
        for isa in Isa::all() {
            let found = isa.run(Products(&a, &b));
            for ((a, b), found) in a.iter().zip(&b).zip(found) {
                let product = scalar::mul(&reduce_n(*a), &reduce_n(*b));
                assert_eq!(found, scalar::mul(&product, &product), "{isa}: {a:x?} {b:x?}");
            }
        }
    }

    struct Halves<'a>(&'a [Words]);

    impl Kernel for Halves<'_> {
        type Out = Vec<[Half; 2]>;

        #[inline(always)]
        fn run<V: FieldVec>(self) -> Vec<[Half; 2]> {
            let blank = Half { negative: false, size: [0; 3] };
            let lanes = V::Order::LANES;
            let mut out = vec![[blank; 2]; self.0.len().next_multiple_of(lanes)];
            for (numbers, out) in self.0.chunks(lanes).zip(out.chunks_mut(lanes)) {
                // Halves of a product, which is not reduced.
                let number = V::Order::read(numbers.len(), |item| numbers[item]);
                number.product(V::Order::read(0, |_| ZERO)).split(out);
            }
            out
        }
    }

    #[test]
    fn halves_are_short_and_add_up() {
        let mut numbers = samples(40_000);
        numbers.extend([[u64::MAX; 4], N]);
        let signed = |half: &Half| {
            assert_eq!(half.size[2], 0, "below 2^128");
            let size = [half.size[0], half.size[1], 0, 0];
            if half.negative { scalar::negate(&size) } else { size }
        };
        for isa in Isa::all() {
            let halves = isa.run(Halves(&numbers));
            for (number, [first, second]) in numbers.iter().zip(&halves) {
                let sum = scalar::add(&signed(first), &scalar::mul(&signed(second), &LAMBDA));
                assert_eq!(sum, reduce_n(*number), "{isa}: {number:x?}");
            }
        }
    }

    struct Quotients<'a>(&'a [Words], &'a [Words], &'a [Words]);

    impl Kernel for Quotients<'_> {
        type Out = Vec<Scalars>;

        #[inline(always)]
        fn run<V: FieldVec>(self) -> Vec<Scalars> {
            let mut out = Vec::new();
            quotients::<V::Order>(self.0, self.1, self.2, &mut out);
            out
        }
    }

    #[test]
    fn quotients_times_divisors_are_dividends() {
        let d: Vec<Words> = samples(900).into_iter().filter(|d| *d != ZERO).collect();
        for count in [0, 1, 2, 7, 8, 9, 255, d.len()] {
            let a: Vec<Words> = (0..count).map(|i| d[(i * 31 + 7) % d.len()]).collect();
            let b: Vec<Words> =
                (0..count).map(|i| [ZERO, d[(i * 17 + 3) % d.len()]][i & 1]).collect();
            for isa in Isa::all() {
                let found = isa.run(Quotients(&a, &b, &d[..count]));
                assert_eq!(found.len(), count);
                for (i, Scalars { u1, u2 }) in found.iter().enumerate() {
                    assert_eq!([u1, u2].map(|u| scalar::mul(u, &d[i])), [a[i], b[i]], "{isa}");
                }
            }
        }
    }
}
