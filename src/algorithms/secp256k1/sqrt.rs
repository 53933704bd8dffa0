//! Square roots in the field, lane by lane.

use crate::algorithms::secp256k1::field::{FieldVec, Stage};
use crate::algorithms::secp256k1::twin::Twin;

/// a^(2^n).
#[inline(always)]
fn square_times<V: FieldVec>(mut a: V, n: usize) -> V {
    for _ in 0..n {
        a = a.square();
    }
    a
}

/// a^(2^2 - 1), a^(2^22 - 1) and a^(2^223 - 1): the exponent below has long runs of ones, since
/// p = 2^256 - 2^32 - 977.
#[inline(always)]
fn powers<V: FieldVec>(a: V) -> (V, V, V) {
    let x2 = square_times(a, 1).mul(a);
    let x3 = square_times(x2, 1).mul(a);
    let x6 = square_times(x3, 3).mul(x3);
    let x9 = square_times(x6, 3).mul(x3);
    let x11 = square_times(x9, 2).mul(x2);
    let x22 = square_times(x11, 11).mul(x11);
    let x44 = square_times(x22, 22).mul(x22);
    let x88 = square_times(x44, 44).mul(x44);
    let x176 = square_times(x88, 88).mul(x88);
    let x220 = square_times(x176, 44).mul(x44);
    let x223 = square_times(x220, 3).mul(x3);
    (x2, x22, x223)
}

/// a^((p + 1) / 4) in place of each a, and whether its square is a: p = 3 mod 4, so that one of a and
/// -a has this root. 253 squarings and 13 products. Each `a` is fresh, of magnitude 1.
#[inline(always)]
pub fn sqrt_all<V: FieldVec>(values: &mut [V], exist: &mut Vec<V::Mask>) {
    exist.clear();
    let (pairs, rest) = values.as_chunks_mut::<2>();
    for [a, b] in pairs {
        let (root, exists) = V::enter(Sqrt(Twin(*a, *b)));
        (*a, *b) = (root.0, root.1);
        exist.extend([exists.0, exists.1]);
    }
    for a in rest {
        let (root, exists) = sqrt(*a);
        *a = root;
        exist.push(exists);
    }
}

/// [`sqrt_all`] of one.
pub fn sqrt<V: FieldVec>(a: V) -> (V, V::Mask) {
    V::enter(Sqrt(a))
}

struct Sqrt<V>(V);

impl<V: FieldVec> Stage for Sqrt<V> {
    type Out = (V, V::Mask);

    #[inline(always)]
    fn run(self) -> (V, V::Mask) {
        let Sqrt(a) = self;
        let (x2, x22, x223) = powers(a);
        // (p + 1) / 4 = (2^223 - 1) 2^31 + (2^22 - 1) 2^8 + 12
        let t = square_times(x223, 23).mul(x22);
        let t = square_times(t, 6).mul(x2);
        let root = square_times(t, 2);
        (root, root.square_add(a.negate(1)).is_zero())
    }
}
