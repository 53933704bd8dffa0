//! Two lanes: the vectors of Advanced SIMD under [`Limbs9x29`].
#![expect(unsafe_code, reason = "calls of intrinsics; only `isa` reaches them, with its proof")]

use std::arch::aarch64::*;

use crate::algorithms::secp256k1::field::{Bits, MaskVec, Stage};
use crate::algorithms::secp256k1::limbs::Limbs9x29;
use crate::algorithms::secp256k1::word_vec::WordVec;
use crate::parsed::Words;

/// Two field elements.
pub type NeonField = Limbs9x29<Words2>;

/// Two 64-bit words.
#[derive(Clone, Copy, Debug)]
pub struct Words2(uint64x2_t);

// Every intrinsic below is sound wherever the level's features are there, which the proof in `isa`
// stands for; nothing here touches memory but through references.
macro_rules! v {
    ($intrinsic:expr) => {
        // SAFETY: only `isa` reaches this type, and only with the proof that the machine has the level.
        unsafe { $intrinsic }
    };
}

#[target_feature(enable = "neon")]
#[inline(never)]
fn enter<S: Stage>(stage: S) -> S::Out {
    stage.run()
}

/// The first words of two vectors, and the second ones.
#[inline(always)]
fn transpose(a: uint64x2_t, b: uint64x2_t) -> [Words2; 2] {
    [Words2(v!(vzip1q_u64(a, b))), Words2(v!(vzip2q_u64(a, b)))]
}

impl WordVec for Words2 {
    const LANES: usize = 2;
    type Mask = Bits<2>;

    #[inline(always)]
    fn enter<S: Stage>(stage: S) -> S::Out {
        v!(enter(stage))
    }

    #[inline(always)]
    fn set(word: u64) -> Self {
        Words2(v!(vdupq_n_u64(word)))
    }

    #[inline(always)]
    fn read<'a>(lane: impl Fn(usize) -> &'a Words) -> [Self; 4] {
        let half = |words: &Words, half: usize| v!(vld1q_u64(words[2 * half..][..2].as_ptr()));
        let (a, b) = (lane(0), lane(1));
        let [p, q] = transpose(half(a, 0), half(b, 0));
        let [r, s] = transpose(half(a, 1), half(b, 1));
        [p, q, r, s]
    }

    #[inline(always)]
    fn write([p, q, r, s]: [Self; 4], out: &mut [Words]) {
        let [first, second]: &mut [Words; 2] = out.try_into().expect("an entry a lane");
        for (i, [a, b]) in [transpose(p.0, q.0), transpose(r.0, s.0)].into_iter().enumerate() {
            v!(vst1q_u64(first[2 * i..][..2].as_mut_ptr(), a.0));
            v!(vst1q_u64(second[2 * i..][..2].as_mut_ptr(), b.0));
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Words2(v!(vaddq_u64(self.0, other.0)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Words2(v!(vsubq_u64(self.0, other.0)))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Words2(v!(vandq_u64(self.0, other.0)))
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Words2(v!(vorrq_u64(self.0, other.0)))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Words2(v!(veorq_u64(self.0, other.0)))
    }

    #[inline(always)]
    fn shl<const BITS: i32>(self) -> Self {
        Words2(v!(vshlq_n_u64::<BITS>(self.0)))
    }

    #[inline(always)]
    fn shr<const BITS: i32>(self) -> Self {
        Words2(v!(vshrq_n_u64::<BITS>(self.0)))
    }

    #[inline(always)]
    fn plus_mul(self, a: Self, b: Self) -> Self {
        Words2(v!(vmlal_u32(self.0, vmovn_u64(a.0), vmovn_u64(b.0))))
    }

    #[inline(always)]
    fn zeros(self) -> Bits<2> {
        let zero = v!(vceqzq_u64(self.0));
        Bits::from_bits(v!(vgetq_lane_u64::<0>(zero) & 1 | vgetq_lane_u64::<1>(zero) & 2) as u32)
    }

    #[inline(always)]
    fn select(mask: Bits<2>, a: Self, b: Self) -> Self {
        let lanes = v!(vcombine_u64(vcreate_u64(1), vcreate_u64(2)));
        let chosen = v!(vtstq_u64(vdupq_n_u64(mask.bits().into()), lanes));
        Words2(v!(vbslq_u64(chosen, a.0, b.0)))
    }
}
