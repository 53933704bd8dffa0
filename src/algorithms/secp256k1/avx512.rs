//! Eight lanes: five vectors of 64-bit words hold limbs of radix 2^52, products by the 52-bit
//! multiply-add of AVX-512 IFMA.
//!
//! `vpmadd52luq` and `vpmadd52huq` read the low 52 bits of their factors and no more, silently. So a
//! factor is *fresh*: limbs 0 to 3 below 2^52 and limb 4 below 2^49. Products, loads, `carry` and
//! `normalize` return fresh values; of magnitude m are sums whose limbs are at most 2 m (2^52 - 1).
#![expect(unsafe_code, reason = "calls of intrinsics; only `isa` reaches them, with its proof")]

use std::arch::x86_64::*;

use crate::algorithms::secp256k1::avx512_order::IfmaOrder;
use crate::algorithms::secp256k1::field::{Bits, CHAINS, FieldVec, MaskVec, Row, Stage};
use crate::algorithms::secp256k1::integer::ZERO;
use crate::parsed::Words;

/// Eight field elements.
#[derive(Clone, Copy, Debug)]
pub struct Ifma5x52(pub(super) [__m512i; 5]);

pub(super) const LIMB: i64 = (1 << 52) - 1;
pub(super) const TOP: i64 = (1 << 48) - 1;
/// 2^256 mod p.
const FOLD: i64 = 0x1_0000_03d1;
/// 2^260 mod p.
const FOLD_LIMB: i64 = FOLD << 4;
/// The limbs of p.
const PRIME: [i64; 5] = [0xf_fffe_ffff_fc2f, LIMB, LIMB, LIMB, TOP];
/// The limbs of (p + 1) / 2.
const HALF: [i64; 5] = [0xf_ffff_7fff_fe18, LIMB, LIMB, LIMB, TOP >> 1];

// Every intrinsic below is sound wherever the level's features are there, which the proof in `isa`
// stands for; nothing here touches memory but through references.
macro_rules! v {
    ($intrinsic:expr) => {
        // SAFETY: only `isa` reaches this type, and only with the proof that the machine has the level.
        unsafe { $intrinsic }
    };
}

#[inline(always)]
pub(super) fn set(value: i64) -> __m512i {
    v!(_mm512_set1_epi64(value))
}

#[inline(always)]
pub(super) fn lo(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
    v!(_mm512_madd52lo_epu64(sum, a, b))
}

#[inline(always)]
pub(super) fn hi(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
    v!(_mm512_madd52hi_epu64(sum, a, b))
}

#[inline(always)]
pub(super) fn add(a: __m512i, b: __m512i) -> __m512i {
    v!(_mm512_add_epi64(a, b))
}

#[inline(always)]
pub(super) fn sub(a: __m512i, b: __m512i) -> __m512i {
    v!(_mm512_sub_epi64(a, b))
}

#[inline(always)]
pub(super) fn and(a: __m512i, b: __m512i) -> __m512i {
    v!(_mm512_and_si512(a, b))
}

#[inline(always)]
pub(super) fn shr<const BITS: u32>(a: __m512i) -> __m512i {
    v!(_mm512_srli_epi64::<BITS>(a))
}

#[inline(always)]
pub(super) fn shl<const BITS: u32>(a: __m512i) -> __m512i {
    v!(_mm512_slli_epi64::<BITS>(a))
}

/// The same of signed words.
#[inline(always)]
pub(super) fn sar<const BITS: u32>(a: __m512i) -> __m512i {
    v!(_mm512_srai_epi64::<BITS>(a))
}

#[inline(always)]
pub(super) fn xor(a: __m512i, b: __m512i) -> __m512i {
    v!(_mm512_xor_si512(a, b))
}

#[inline(always)]
pub(super) fn or(a: __m512i, b: __m512i) -> __m512i {
    v!(_mm512_or_si512(a, b))
}

#[inline(always)]
pub(super) fn words(a: __m512i) -> [u64; 8] {
    v!(std::mem::transmute(a))
}

/// The low 64 bits of (high : low) >> BITS.
#[inline(always)]
fn funnel<const BITS: i32>(low: __m512i, high: __m512i) -> __m512i {
    v!(_mm512_shrdi_epi64::<BITS>(low, high))
}

#[inline(always)]
fn mask(mask: __mmask8) -> Bits<8> {
    Bits::from_bits(mask.into())
}

/// Columns 0 to 4 start at the addend; all others at zero.
#[inline(always)]
fn columns(addend: [__m512i; 5]) -> [__m512i; 10] {
    let [a, b, c, d, e] = addend;
    let z = set(0);
    [a, b, c, d, e, z, z, z, z, z]
}

/// Adds a b to the columns: column k stands for 2^(52 k), and grows by less than 2^56.
#[inline(always)]
pub(super) fn accumulate(
    a: &[__m512i; 5],
    b: &[__m512i; 5],
    mut c: [__m512i; 10],
) -> [__m512i; 10] {
    for i in 0..5 {
        for j in 0..5 {
            c[i + j] = lo(c[i + j], a[i], b[j]);
        }
        for j in 0..5 {
            c[i + j + 1] = hi(c[i + j + 1], a[i], b[j]);
        }
    }
    c
}

/// The columns of a^2 plus an addend.
#[inline(always)]
fn accumulate_square(a: &[__m512i; 5], addend: Option<[__m512i; 5]>) -> [__m512i; 10] {
    let mut c = [set(0); 10];
    for i in 0..5 {
        for j in i + 1..5 {
            c[i + j] = lo(c[i + j], a[i], a[j]);
        }
        for j in i + 1..5 {
            c[i + j + 1] = hi(c[i + j + 1], a[i], a[j]);
        }
    }
    for column in &mut c[1..9] {
        *column = add(*column, *column);
    }
    if let Some(addend) = addend {
        for (column, limb) in c.iter_mut().zip(addend) {
            *column = add(*column, limb);
        }
    }
    for i in 0..5 {
        c[2 * i] = lo(c[2 * i], a[i], a[i]);
        c[2 * i + 1] = hi(c[2 * i + 1], a[i], a[i]);
    }
    c
}

/// Reduces columns below 2^58 to a fresh value.
#[inline(always)]
fn reduce(mut c: [__m512i; 10]) -> Ifma5x52 {
    let (fold, fold_limb) = (set(FOLD), set(FOLD_LIMB));
    // Column 9 is the high half of the highest limbs' product, below 2^46: a limb already. It folds
    // onto columns 4 and 5 by 2^260.
    c[4] = lo(c[4], c[9], fold_limb);
    c[5] = hi(c[5], c[9], fold_limb);
    // What column 4 has above 256 bits, below 2^10, folds by 2^256. Taken this early it waits for
    // nobody; what column 4 gets below adds less than 2^45.
    c[0] = lo(c[0], shr::<48>(c[4]), fold);
    c[4] = and(c[4], set(TOP));
    // Columns 5 to 8 hand on what exceeds 52 bits and need no mask: the multiply-add reads no more.
    c[6] = add(c[6], shr::<52>(c[5]));
    c[7] = add(c[7], shr::<52>(c[6]));
    c[8] = add(c[8], shr::<52>(c[7]));
    for k in 0..4 {
        c[k] = lo(c[k], c[k + 5], fold_limb);
        c[k + 1] = hi(c[k + 1], c[k + 5], fold_limb);
    }
    c[4] = lo(c[4], shr::<52>(c[8]), fold_limb);
    chain([c[0], c[1], c[2], c[3], c[4]])
}

/// Carries limbs 0 to 3 upward.
#[inline(always)]
pub(super) fn chain([t0, t1, t2, t3, t4]: [__m512i; 5]) -> Ifma5x52 {
    let limb = set(LIMB);
    let t1 = add(t1, shr::<52>(t0));
    let t2 = add(t2, shr::<52>(t1));
    let t3 = add(t3, shr::<52>(t2));
    let t4 = add(t4, shr::<52>(t3));
    Ifma5x52([and(t0, limb), and(t1, limb), and(t2, limb), and(t3, limb), t4])
}

/// Transposes an 8 x 8 matrix of words.
#[inline(always)]
fn transpose(r: [__m512i; 8]) -> [__m512i; 8] {
    // Pairs of rows interleave within 128 bits, then the 128-bit quarters move.
    let mut pairs = [set(0); 8];
    for i in 0..4 {
        pairs[2 * i] = v!(_mm512_unpacklo_epi64(r[2 * i], r[2 * i + 1]));
        pairs[2 * i + 1] = v!(_mm512_unpackhi_epi64(r[2 * i], r[2 * i + 1]));
    }
    let mut out = [set(0); 8];
    for odd in 0..2 {
        let [a, b, c, d] = [pairs[odd], pairs[2 + odd], pairs[4 + odd], pairs[6 + odd]];
        // Quarters 0 and 2, and 1 and 3, of two rows each.
        let low_even = v!(_mm512_shuffle_i64x2::<0x88>(a, b));
        let low_odd = v!(_mm512_shuffle_i64x2::<0xdd>(a, b));
        let high_even = v!(_mm512_shuffle_i64x2::<0x88>(c, d));
        let high_odd = v!(_mm512_shuffle_i64x2::<0xdd>(c, d));
        out[odd] = v!(_mm512_shuffle_i64x2::<0x88>(low_even, high_even));
        out[2 + odd] = v!(_mm512_shuffle_i64x2::<0x88>(low_odd, high_odd));
        out[4 + odd] = v!(_mm512_shuffle_i64x2::<0xdd>(low_even, high_even));
        out[6 + odd] = v!(_mm512_shuffle_i64x2::<0xdd>(low_odd, high_odd));
    }
    out
}

/// Word k of each of eight numbers, for k = 0 to 3.
#[inline(always)]
fn columns_of(numbers: [&Words; 8]) -> [__m512i; 4] {
    // Two numbers a vector, so paired that the quarters end in the order of the lanes.
    let pair = |low: usize, high: usize| {
        let load = |lane: usize| v!(_mm256_loadu_si256(numbers[lane].as_ptr().cast()));
        v!(_mm512_inserti64x4::<1>(_mm512_castsi256_si512(load(low)), load(high)))
    };
    let [a, b, c, d] = [pair(0, 2), pair(1, 3), pair(4, 6), pair(5, 7)];
    let low = [v!(_mm512_unpacklo_epi64(a, b)), v!(_mm512_unpacklo_epi64(c, d))];
    let high = [v!(_mm512_unpackhi_epi64(a, b)), v!(_mm512_unpackhi_epi64(c, d))];
    [
        v!(_mm512_shuffle_i64x2::<0x88>(low[0], low[1])),
        v!(_mm512_shuffle_i64x2::<0x88>(high[0], high[1])),
        v!(_mm512_shuffle_i64x2::<0xdd>(low[0], low[1])),
        v!(_mm512_shuffle_i64x2::<0xdd>(high[0], high[1])),
    ]
}

/// Four words a lane to limbs.
#[inline(always)]
fn unpack(w: [__m512i; 4]) -> Ifma5x52 {
    let limb = set(LIMB);
    Ifma5x52([
        and(w[0], limb),
        and(funnel::<52>(w[0], w[1]), limb),
        and(funnel::<40>(w[1], w[2]), limb),
        and(funnel::<28>(w[2], w[3]), limb),
        shr::<16>(w[3]),
    ])
}

impl Ifma5x52 {
    /// Normalized limbs to four words a lane.
    #[inline(always)]
    fn pack(self) -> [__m512i; 4] {
        let [a, b, c, d, e] = self.0;
        [
            or(a, shl::<52>(b)),
            or(shr::<12>(b), shl::<40>(c)),
            or(shr::<24>(c), shl::<28>(d)),
            or(shr::<36>(d), shl::<16>(e)),
        ]
    }

    /// Writes normalized limbs as four words a lane.
    #[inline(always)]
    pub(super) fn put(self, out: &mut [Words]) {
        let out: &mut [Words; 8] = out.try_into().expect("an entry a lane");
        for (k, plane) in self.pack().into_iter().enumerate() {
            let plane: [u64; 8] = v!(std::mem::transmute(plane));
            for lane in 0..8 {
                out[lane][k] = plane[lane];
            }
        }
    }

    #[inline(always)]
    fn map(self, mut f: impl FnMut(__m512i, usize) -> __m512i) -> Self {
        let [a, b, c, d, e] = self.0;
        Ifma5x52([f(a, 0), f(b, 1), f(c, 2), f(d, 3), f(e, 4)])
    }

    /// Whether every limb may be a factor.
    #[cfg(debug_assertions)]
    fn is_fresh(self) -> bool {
        let words: [[u64; 8]; 5] = self.0.map(|limb| v!(std::mem::transmute(limb)));
        let [low @ .., top] = words;
        low.as_flattened().iter().all(|limb| limb >> 52 == 0) && top.iter().all(|t| t >> 49 == 0)
    }

    #[cfg(not(debug_assertions))]
    fn is_fresh(self) -> bool {
        true
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma,avx512vbmi2,avx2,bmi2")]
#[inline(never)]
fn enter<S: Stage>(stage: S) -> S::Out {
    stage.run()
}

impl FieldVec for Ifma5x52 {
    const LANES: usize = 8;
    // 25 pairs of limbs, 15 in a square, low and high halves; 12 in the reduction.
    const PRODUCTS: [u32; 2] = [50 + 12, 30 + 12];
    type Mask = Bits<8>;
    type Order = IfmaOrder;

    #[inline(always)]
    fn enter<S: Stage>(stage: S) -> S::Out {
        v!(enter(stage))
    }

    #[inline(always)]
    fn splat(words: &Words) -> Self {
        let [a, b, c, d] = *words;
        unpack([set(a as i64), set(b as i64), set(c as i64), set(d as i64)])
    }

    #[inline(always)]
    fn load(words: &[Words]) -> Self {
        let words: &[Words; 8] = words.try_into().expect("an entry a lane");
        unpack(columns_of(words.each_ref()))
    }

    #[inline(always)]
    fn pick<'a>(words: impl Fn(usize) -> &'a Words) -> Self {
        unpack(columns_of(core::array::from_fn(words)))
    }

    #[inline(always)]
    fn store(self, out: &mut [Words]) {
        self.normalize().put(out);
    }

    #[inline(always)]
    fn gather<'a>(row: impl Fn(usize) -> &'a Row) -> [Self; 2] {
        let [mut x, mut y] = [[&ZERO; 8]; 2];
        for lane in 0..8 {
            [x[lane], y[lane]] = row(lane).0.each_ref();
        }
        [unpack(columns_of(x)), unpack(columns_of(y))]
    }

    #[inline(always)]
    fn gather_x<'a>(row: impl Fn(usize) -> &'a Row) -> Self {
        let mut x = [&ZERO; 8];
        for (lane, x) in x.iter_mut().enumerate() {
            *x = &row(lane).0[0];
        }
        unpack(columns_of(x))
    }

    #[inline(always)]
    fn prefetch(row: &Row) {
        v!(_mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(row).cast()));
    }

    #[inline(always)]
    fn scatter([x, y]: [Self; 2], mut put: impl FnMut(usize, Row)) {
        let ([a, b, c, d], [e, f, g, h]) = (x.pack(), y.pack());
        for (lane, row) in transpose([a, b, c, d, e, f, g, h]).into_iter().enumerate() {
            put(lane, v!(std::mem::transmute::<__m512i, Row>(row)));
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.map(|limb, i| add(limb, other.0[i]))
    }

    #[inline(always)]
    fn negate(self, magnitude: u64) -> Self {
        // 2 (m + 1) p has larger limbs than any value of magnitude m.
        self.map(|limb, i| sub(set(PRIME[i] * 2 * (magnitude as i64 + 1)), limb))
    }

    #[inline(always)]
    fn times(self, k: u64) -> Self {
        match k {
            2 => self.map(|limb, _| add(limb, limb)),
            3 => self.map(|limb, _| add(add(limb, limb), limb)),
            _ => self.map(|limb, _| v!(_mm512_mullo_epi64(limb, set(k as i64)))),
        }
    }

    #[inline(always)]
    fn half(self) -> Self {
        debug_assert!(self.is_fresh());
        // a / 2 without its lowest bit, which stands for (p + 1) / 2.
        let [a, b, c, d, e] = self.0;
        let odd = v!(_mm512_test_epi64_mask(a, set(1)));
        let down = |low, high| shr::<12>(funnel::<1>(shl::<12>(low), high));
        Ifma5x52([down(a, b), down(b, c), down(c, d), down(d, e), shr::<1>(e)])
            .map(|limb, i| v!(_mm512_mask_add_epi64(limb, odd, limb, set(HALF[i]))))
    }

    #[inline(always)]
    fn carry(self) -> Self {
        let [t0, t1, t2, t3, t4] = self.0;
        let t0 = lo(t0, shr::<48>(t4), set(FOLD));
        chain([t0, t1, t2, t3, and(t4, set(TOP))])
    }

    #[inline(always)]
    fn settle(self) -> Self {
        // What is fresh has the limbs of magnitude 1.
        self
    }

    #[inline(always)]
    fn products(rounds: usize) -> Self {
        let mut chains: [__m512i; CHAINS] = std::array::from_fn(|chain| set(chain as i64 + 3));
        for _ in 0..rounds {
            for chain in &mut chains {
                *chain = lo(*chain, *chain, set(LIMB));
            }
        }
        let sum = chains.into_iter().fold(set(0), add);
        Ifma5x52([sum; 5])
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.mul_add(other, Ifma5x52([set(0); 5]))
    }

    #[inline(always)]
    fn mul_add(self, other: Self, addend: Self) -> Self {
        debug_assert!(self.is_fresh() && other.is_fresh());
        reduce(accumulate(&self.0, &other.0, columns(addend.0)))
    }

    #[inline(always)]
    fn square(self) -> Self {
        debug_assert!(self.is_fresh());
        reduce(accumulate_square(&self.0, None))
    }

    #[inline(always)]
    fn square_add(self, addend: Self) -> Self {
        debug_assert!(self.is_fresh());
        reduce(accumulate_square(&self.0, Some(addend.0)))
    }

    #[inline(always)]
    fn normalize(self) -> Self {
        // Below 2 p; subtracting p is adding 2^256 - p and dropping bit 256.
        let t = self.carry();
        let [t0, t1, t2, t3, t4] = t.0;
        let mut u = chain([add(t0, set(FOLD)), t1, t2, t3, t4]);
        let above = v!(_mm512_cmpgt_epu64_mask(u.0[4], set(TOP)));
        u.0[4] = and(u.0[4], set(TOP));
        Self::select(mask(above), u, t)
    }

    #[inline(always)]
    fn is_zero(self) -> Bits<8> {
        // Below 2 p: a multiple of p is 0 or p.
        let t = self.carry().0;
        let any = |t: [__m512i; 5]| or(or(or(t[0], t[1]), or(t[2], t[3])), t[4]);
        let zero = set(0);
        let mut prime = t;
        for (limb, p) in prime.iter_mut().zip(PRIME) {
            *limb = v!(_mm512_xor_si512(*limb, set(p)));
        }
        let is = |t| v!(_mm512_cmpeq_epi64_mask(any(t), zero));
        mask(is(t) | is(prime))
    }

    #[inline(always)]
    fn is_odd(self) -> Bits<8> {
        mask(v!(_mm512_test_epi64_mask(self.0[0], set(1))))
    }

    #[inline(always)]
    fn select(mask: Bits<8>, a: Self, b: Self) -> Self {
        let chosen = mask.bits() as __mmask8;
        b.map(|limb, i| v!(_mm512_mask_blend_epi64(chosen, limb, a.0[i])))
    }
}
