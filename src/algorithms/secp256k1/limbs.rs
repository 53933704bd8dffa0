//! Lanes without a wide multiplier: nine vectors of 64-bit words hold limbs of radix 2^29, products
//! by the multiplication of 32 bits that AVX2 and NEON have.
//!
//! Nine limbs need 81 products where ten of 26 bits need 100. The price is headroom: a column sums
//! nine products and stays below 2^62, so a factor must be *fresh*: limbs 0 to 7 below 2^29 + 2^20
//! and limb 8 below 2^24 + 2^18. Products, loads, `carry` and `normalize` return fresh values. Of
//! magnitude m are sums whose limbs 0 to 7 are at most 2 m (2^29 - 1), limb 8 at most
//! 2 m (2^24 - 1).

use crate::algorithms::secp256k1::field::{CHAINS, FieldVec, LANES, MaskVec, Row, Stage};
use crate::algorithms::secp256k1::order::OneOrder;
use crate::algorithms::secp256k1::word_vec::WordVec;
use crate::parsed::Words;

/// One field element a lane.
#[derive(Clone, Copy, Debug)]
pub struct Limbs9x29<W>([W; 9]);

const LIMB: u64 = (1 << 29) - 1;
const TOP: u64 = (1 << 24) - 1;
/// 2^256 = 2^32 + 977 mod p: `FOLD` onto a limb and `<< 3` onto the next.
const FOLD: u64 = 977;
/// 2^261 = 2^37 + 977 * 2^5 mod p: `FOLD_LIMB` onto a limb and `<< 8` onto the next.
const FOLD_LIMB: u64 = FOLD << 5;
/// The limbs of p.
const PRIME: [u64; 9] = [LIMB - 976, LIMB - 8, LIMB, LIMB, LIMB, LIMB, LIMB, LIMB, TOP];
/// The limbs of (p + 1) / 2.
const HALF: [u64; 9] = [LIMB - 487, LIMB - 4, LIMB, LIMB, LIMB, LIMB, LIMB, LIMB, TOP >> 1];

/// The body for each value, as so many pieces of code: the compiler would not unroll nested loops,
/// and an array with an index stays in memory.
macro_rules! unrolled {
    ($k:ident in [$($value:literal)*] $body:block) => {
        unrolled!(@ $k $body $($value)*)
    };
    (@ $k:ident $body:block $($value:literal)*) => {
        $({
            let $k: usize = $value;
            $body
        })*
    };
}

/// Reduces columns, column k standing for 2^(29 k): 7 to 15 below 2^62, 0 to 6 below 2^63, 16 below
/// 2^50.
#[inline(always)]
fn reduce<W: WordVec>(mut c: [W; 17]) -> Limbs9x29<W> {
    let limb = W::set(LIMB);
    // Columns 7 to 16 become limbs; 7 and 8 join in, so that only small carries reach limb 8 below.
    for k in 7..16 {
        c[k + 1] = c[k + 1].add(c[k].shr::<29>());
        c[k] = c[k].and(limb);
    }
    // Limb 17 is below 2^21.
    let last = c[16].shr::<29>();
    c[16] = c[16].and(limb);
    // Limbs 9 to 17 fold onto 0 to 9 by 2^261.
    let fold_limb = W::set(FOLD_LIMB);
    let top = c[8].plus_mul(last, fold_limb).add(c[16].shl::<8>());
    for k in 0..8 {
        c[k] = c[k].plus_mul(c[k + 9], fold_limb);
    }
    for k in 1..8 {
        c[k] = c[k].add(c[k + 8].shl::<8>());
    }
    // What limb 17 gave limb 9 is worth 2^13 times 2^256; what limb 8 has above 256 bits, below
    // 2^14, is worth 2^256.
    let over = top.shr::<24>();
    c[0] = c[0].plus_mul(last, W::set(FOLD << 13)).plus_mul(over, W::set(FOLD));
    c[1] = c[1].add(last.shl::<16>()).add(over.shl::<3>());
    // Column 7 is below 2^45 by now: limb 8 gets less than 2^17.
    chain([c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], top.and(W::set(TOP))])
}

/// Carries limbs 0 to 7 upward.
#[inline(always)]
fn chain<W: WordVec>(mut t: [W; 9]) -> Limbs9x29<W> {
    let limb = W::set(LIMB);
    for k in 0..8 {
        t[k + 1] = t[k + 1].add(t[k].shr::<29>());
        t[k] = t[k].and(limb);
    }
    Limbs9x29(t)
}

/// Four words a lane to limbs.
#[inline(always)]
fn unpack<W: WordVec>([a, b, c, d]: [W; 4]) -> Limbs9x29<W> {
    let limb = W::set(LIMB);
    Limbs9x29([
        a.and(limb),
        a.shr::<29>().and(limb),
        a.shr::<58>().or(b.shl::<6>()).and(limb),
        b.shr::<23>().and(limb),
        b.shr::<52>().or(c.shl::<12>()).and(limb),
        c.shr::<17>().and(limb),
        c.shr::<46>().or(d.shl::<18>()).and(limb),
        d.shr::<11>().and(limb),
        d.shr::<40>(),
    ])
}

impl<W: WordVec> Limbs9x29<W> {
    /// Normalized limbs to four words a lane.
    #[inline(always)]
    fn pack(self) -> [W; 4] {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        [
            a.or(b.shl::<29>()).or(c.shl::<58>()),
            c.shr::<6>().or(d.shl::<23>()).or(e.shl::<52>()),
            e.shr::<12>().or(f.shl::<17>()).or(g.shl::<46>()),
            g.shr::<18>().or(h.shl::<11>()).or(i.shl::<40>()),
        ]
    }

    #[inline(always)]
    fn map(mut self, f: impl Fn(W, usize) -> W) -> Self {
        for (k, limb) in self.0.iter_mut().enumerate() {
            *limb = f(*limb, k);
        }
        self
    }

    /// The columns of a b + c.
    #[inline(always)]
    fn columns(self, other: Self, addend: Self) -> [W; 17] {
        let (a, b) = (self.0, other.0);
        let mut c = addend.widen();
        unrolled!(k in [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16] {
            unrolled!(i in [0 1 2 3 4 5 6 7 8] {
                if i <= k && k - i < 9 {
                    c[k] = c[k].plus_mul(a[i], b[k - i]);
                }
            });
        });
        c
    }

    /// The columns of a^2 + c.
    #[inline(always)]
    fn columns_of_square(self, addend: Self) -> [W; 17] {
        let (a, twice) = (self.0, self.add(self).0);
        let mut c = addend.widen();
        unrolled!(k in [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16] {
            unrolled!(i in [0 1 2 3 4 5 6 7 8] {
                if 2 * i < k && k - i < 9 {
                    c[k] = c[k].plus_mul(a[i], twice[k - i]);
                } else if 2 * i == k {
                    c[k] = c[k].plus_mul(a[i], a[i]);
                }
            });
        });
        c
    }

    /// Columns that hold this value.
    #[inline(always)]
    fn widen(self) -> [W; 17] {
        let mut c = [W::set(0); 17];
        c[..9].copy_from_slice(&self.0);
        c
    }

    /// Carries every limb into its width; the value stays below 2 p.
    #[inline(always)]
    fn settled(self) -> Self {
        let mut t = self.0;
        let over = t[8].shr::<24>();
        t[8] = t[8].and(W::set(TOP));
        t[0] = t[0].plus_mul(over, W::set(FOLD));
        t[1] = t[1].add(over.shl::<3>());
        chain(t)
    }

    /// Whether limbs 0 to 7 are at most `low` and limb 8 at most `top`.
    fn keeps(self, low: u64, top: u64) -> bool {
        let mut rows = [[0; 4]; LANES];
        self.0.iter().enumerate().all(|(i, &limb)| {
            W::write([limb; 4], &mut rows[..W::LANES]);
            rows.iter().all(|row| row[0] <= if i < 8 { low } else { top })
        })
    }

    /// Whether this may be a factor.
    fn is_fresh(self) -> bool {
        self.keeps(LIMB + (1 << 20), TOP + (1 << 18))
    }
}

impl<W: WordVec> FieldVec for Limbs9x29<W> {
    const LANES: usize = W::LANES;
    // 81 pairs of limbs, 45 in a square; 11 in the reduction.
    const PRODUCTS: [u32; 2] = [81 + 11, 45 + 11];
    type Mask = W::Mask;
    type Order = OneOrder;

    #[inline(always)]
    fn enter<S: Stage>(stage: S) -> S::Out {
        W::enter(stage)
    }

    #[inline(always)]
    fn splat(words: &Words) -> Self {
        let [a, b, c, d] = *words;
        unpack([W::set(a), W::set(b), W::set(c), W::set(d)])
    }

    #[inline(always)]
    fn load(words: &[Words]) -> Self {
        unpack(W::read(|lane| &words[lane]))
    }

    #[inline(always)]
    fn products(rounds: usize) -> Self {
        let mut chains: [W; CHAINS] = std::array::from_fn(|chain| W::set(chain as u64 + 3));
        for _ in 0..rounds {
            for chain in &mut chains {
                *chain = chain.plus_mul(*chain, W::set(LIMB));
            }
        }
        Limbs9x29([chains.into_iter().fold(W::set(0), W::add); 9])
    }

    #[inline(always)]
    fn store(self, out: &mut [Words]) {
        W::write(self.normalize().pack(), out);
    }

    #[inline(always)]
    fn gather<'a>(row: impl Fn(usize) -> &'a Row) -> [Self; 2] {
        [unpack(W::read(|lane| &row(lane).0[0])), unpack(W::read(|lane| &row(lane).0[1]))]
    }

    #[inline(always)]
    fn gather_x<'a>(row: impl Fn(usize) -> &'a Row) -> Self {
        unpack(W::read(|lane| &row(lane).0[0]))
    }

    #[inline(always)]
    fn settle(self) -> Self {
        self.settled()
    }

    #[inline(always)]
    fn scatter([x, y]: [Self; 2], mut put: impl FnMut(usize, Row)) {
        let (mut xs, mut ys) = ([[0; 4]; LANES], [[0; 4]; LANES]);
        W::write(x.pack(), &mut xs[..W::LANES]);
        W::write(y.pack(), &mut ys[..W::LANES]);
        for (lane, (x, y)) in xs.into_iter().zip(ys).take(W::LANES).enumerate() {
            put(lane, Row([x, y]));
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.map(|limb, k| limb.add(other.0[k]))
    }

    #[inline(always)]
    fn negate(self, magnitude: u64) -> Self {
        debug_assert!(self.keeps(2 * magnitude * LIMB, 2 * magnitude * TOP));
        // 2 (m + 1) p has larger limbs than any value of magnitude m.
        self.map(|limb, k| W::set(PRIME[k] * 2 * (magnitude + 1)).sub(limb))
    }

    #[inline(always)]
    fn times(self, k: u64) -> Self {
        match k {
            2 => self.add(self),
            3 => self.add(self).add(self),
            _ => (1..k).fold(self, |sum, _| sum.add(self)),
        }
    }

    #[inline(always)]
    fn half(self) -> Self {
        // a / 2 without its lowest bit, which stands for (p + 1) / 2.
        let one = W::set(1);
        let a = self.0;
        let odd = W::set(0).sub(a[0].and(one));
        let mut t = a;
        for k in 0..8 {
            t[k] = a[k].shr::<1>().add(a[k + 1].and(one).shl::<28>());
        }
        t[8] = a[8].shr::<1>();
        Limbs9x29(t).map(|limb, k| limb.add(odd.and(W::set(HALF[k]))))
    }

    #[inline(always)]
    fn carry(self) -> Self {
        debug_assert!(self.keeps(16 * LIMB, 16 * TOP));
        // Every limb hands its excess, below 2^4, to the next at once. Of limb 8 that is what
        // exceeds 256 bits, below 2^5.
        let limb = W::set(LIMB);
        let t = self.0;
        let over = t[8].shr::<24>();
        let mut out = t;
        out[0] = t[0].and(limb).plus_mul(over, W::set(FOLD));
        out[1] = t[1].and(limb).add(t[0].shr::<29>()).add(over.shl::<3>());
        for k in 2..8 {
            out[k] = t[k].and(limb).add(t[k - 1].shr::<29>());
        }
        out[8] = t[8].and(W::set(TOP)).add(t[7].shr::<29>());
        Limbs9x29(out)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.mul_add(other, Limbs9x29([W::set(0); 9]))
    }

    #[inline(always)]
    fn mul_add(self, other: Self, addend: Self) -> Self {
        debug_assert!(self.is_fresh() && other.is_fresh());
        reduce(self.columns(other, addend))
    }

    #[inline(always)]
    fn square(self) -> Self {
        self.square_add(Limbs9x29([W::set(0); 9]))
    }

    #[inline(always)]
    fn square_add(self, addend: Self) -> Self {
        debug_assert!(self.is_fresh());
        reduce(self.columns_of_square(addend))
    }

    #[inline(always)]
    fn normalize(self) -> Self {
        // Below 2 p; subtracting p is adding 2^256 - p and dropping bit 256.
        let t = self.settled();
        let mut u = t.0;
        u[0] = u[0].add(W::set(FOLD));
        u[1] = u[1].add(W::set(8));
        let mut u = chain(u);
        let below = u.0[8].shr::<24>().zeros();
        u.0[8] = u.0[8].and(W::set(TOP));
        Self::select(below, t, u)
    }

    #[inline(always)]
    fn is_zero(self) -> W::Mask {
        // Below 2 p: a multiple of p is 0 or p.
        let t = self.settled().0;
        let (mut zero, mut prime) = (t[0], t[0].xor(W::set(PRIME[0])));
        for k in 1..9 {
            zero = zero.or(t[k]);
            prime = prime.or(t[k].xor(W::set(PRIME[k])));
        }
        zero.zeros().or(prime.zeros())
    }

    #[inline(always)]
    fn is_odd(self) -> W::Mask {
        self.0[0].and(W::set(1)).zeros().not()
    }

    #[inline(always)]
    fn select(mask: W::Mask, a: Self, b: Self) -> Self {
        b.map(|limb, k| W::select(mask, a.0[k], limb))
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;

    use super::*;
    use crate::algorithms::secp256k1::field::Bits;
    use crate::algorithms::secp256k1::field_tests::words;

    /// Two plain words: sums that leave 64 bits and factors that leave 32 are found out.
    #[derive(Clone, Copy, Debug)]
    struct Checked([u64; 2]);

    impl Checked {
        fn zip(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
            Checked([f(self.0[0], other.0[0]), f(self.0[1], other.0[1])])
        }
    }

    impl WordVec for Checked {
        const LANES: usize = 2;
        type Mask = Bits<2>;

        fn enter<S: Stage>(stage: S) -> S::Out {
            stage.run()
        }
        fn set(word: u64) -> Self {
            Checked([word; 2])
        }
        fn read<'a>(lane: impl Fn(usize) -> &'a Words) -> [Self; 4] {
            [0, 1, 2, 3].map(|k| Checked([lane(0)[k], lane(1)[k]]))
        }
        fn write(planes: [Self; 4], out: &mut [Words]) {
            for (lane, words) in out.iter_mut().enumerate() {
                *words = planes.map(|plane| plane.0[lane]);
            }
        }
        fn add(self, other: Self) -> Self {
            self.zip(other, |a, b| a.checked_add(b).expect("64 bits"))
        }
        fn sub(self, other: Self) -> Self {
            self.zip(other, u64::wrapping_sub)
        }
        fn and(self, other: Self) -> Self {
            self.zip(other, |a, b| a & b)
        }
        fn or(self, other: Self) -> Self {
            self.zip(other, |a, b| a | b)
        }
        fn xor(self, other: Self) -> Self {
            self.zip(other, |a, b| a ^ b)
        }
        fn shl<const BITS: i32>(self) -> Self {
            Checked(self.0.map(|a| a << BITS))
        }
        fn shr<const BITS: i32>(self) -> Self {
            Checked(self.0.map(|a| a >> BITS))
        }
        fn plus_mul(self, a: Self, b: Self) -> Self {
            let narrow = |a| u64::from(u32::try_from(a).expect("32 bits"));
            self.add(a.zip(b, |a, b| narrow(a) * narrow(b)))
        }
        fn zeros(self) -> Bits<2> {
            Bits::from_fn(2, |lane| self.0[lane] == 0)
        }
        fn select(mask: Bits<2>, a: Self, b: Self) -> Self {
            Checked([0, 1].map(|lane| if mask.lane(lane) { a.0[lane] } else { b.0[lane] }))
        }
    }

    type Field = Limbs9x29<Checked>;

    /// `low` in limbs 0 to 7 and `top` in limb 8 of lane 0, all zero in lane 1; and lane 0's value.
    fn filled(low: u64, top: u64) -> (Field, BigUint) {
        let mut limbs = [low; 9];
        limbs[8] = top;
        let value = limbs.iter().rev().fold(BigUint::ZERO, |value, &limb| (value << 29) + limb);
        (Limbs9x29(limbs.map(|limb| Checked([limb, 0]))), value)
    }

    fn is(field: Field, value: &BigUint, other: &BigUint) {
        let mut out = [[0; 4]; 2];
        field.store(&mut out);
        assert_eq!(out, [words(value), words(other)]);
    }

    #[test]
    fn products_at_the_bound() {
        let zero = BigUint::ZERO;
        let (most, value) = filled(LIMB + (1 << 20), TOP + (1 << 18));
        // The largest addend: of magnitude 31.
        let (addend, more) = filled(62 * LIMB, 62 * TOP);
        for (product, sum) in [
            (most.mul(most), zero.clone()),
            (most.square(), zero.clone()),
            (most.mul_add(most, addend), more.clone()),
            (most.square_add(addend), more.clone()),
        ] {
            assert!(product.is_fresh());
            is(product, &(&value * &value + sum), &zero);
        }
        is(addend, &more, &zero);
        assert_eq!(addend.is_zero().bits(), 2);
    }

    #[test]
    fn sums_at_the_bound() {
        let (most, value) = filled(16 * LIMB, 16 * TOP);
        assert!(most.carry().is_fresh());
        is(most.carry(), &value, &BigUint::ZERO);
        let fresh = most.carry();
        is(fresh.half().times(2), &value, &BigUint::ZERO);
        is(fresh.half().times(3).carry(), &(value * 3u8 * one_half()), &BigUint::ZERO);
        assert!(fresh.half().keeps(3 * LIMB, 3 * TOP));
    }

    /// (p + 1) / 2.
    fn one_half() -> BigUint {
        HALF.iter().rev().fold(BigUint::ZERO, |value, &limb| (value << 29) + limb)
    }
}
