//! Four lanes: the vectors of AVX2 under [`Limbs9x29`].
#![expect(unsafe_code, reason = "calls of intrinsics; only `isa` reaches them, with its proof")]

use std::arch::asm;
use std::arch::x86_64::*;

use crate::algorithms::secp256k1::field::{Bits, MaskVec, Stage};
use crate::algorithms::secp256k1::limbs::Limbs9x29;
use crate::algorithms::secp256k1::word_vec::WordVec;
use crate::parsed::Words;

/// Four field elements.
pub type Avx2Field = Limbs9x29<Words4>;

/// Four 64-bit words.
#[derive(Clone, Copy, Debug)]
pub struct Words4(__m256i);

// Every intrinsic below is sound wherever the level's features are there, which the proof in `isa`
// stands for; nothing here touches memory but through references.
macro_rules! v {
    ($intrinsic:expr) => {
        // SAFETY: only `isa` reaches this type, and only with the proof that the machine has the level.
        unsafe { $intrinsic }
    };
}

#[target_feature(enable = "avx2,bmi2")]
#[inline(never)]
fn enter<S: Stage>(stage: S) -> S::Out {
    stage.run()
}

/// The products of the low halves. The intrinsic of this name is a mask and a product of 64 bits to
/// the compiler, which drops the mask of a limb and in the next block no longer knows why: three
/// multiplications come of it.
#[target_feature(enable = "avx2")]
#[inline]
fn vpmuludq(a: __m256i, b: __m256i) -> __m256i {
    let product;
    // SAFETY: the instruction reads and writes these registers alone.
    unsafe {
        asm!(
            "vpmuludq {}, {}, {}",
            lateout(ymm_reg) product, in(ymm_reg) a, in(ymm_reg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    product
}

/// Transposes a 4 x 4 matrix of words.
#[inline(always)]
fn transpose([a, b, c, d]: [__m256i; 4]) -> [Words4; 4] {
    // Pairs of rows interleave within 128 bits, then the halves move.
    let (ab0, ab1) = v!((_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b)));
    let (cd0, cd1) = v!((_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d)));
    v!([
        Words4(_mm256_permute2x128_si256::<0x20>(ab0, cd0)),
        Words4(_mm256_permute2x128_si256::<0x20>(ab1, cd1)),
        Words4(_mm256_permute2x128_si256::<0x31>(ab0, cd0)),
        Words4(_mm256_permute2x128_si256::<0x31>(ab1, cd1)),
    ])
}

impl WordVec for Words4 {
    const LANES: usize = 4;
    type Mask = Bits<4>;

    #[inline(always)]
    fn enter<S: Stage>(stage: S) -> S::Out {
        v!(enter(stage))
    }

    #[inline(always)]
    fn set(word: u64) -> Self {
        Words4(v!(_mm256_set1_epi64x(word as i64)))
    }

    #[inline(always)]
    fn read<'a>(lane: impl Fn(usize) -> &'a Words) -> [Self; 4] {
        let load = |words: &Words| v!(_mm256_loadu_si256(std::ptr::from_ref(words).cast()));
        transpose([load(lane(0)), load(lane(1)), load(lane(2)), load(lane(3))])
    }

    #[inline(always)]
    fn write([a, b, c, d]: [Self; 4], out: &mut [Words]) {
        let out: &mut [Words; 4] = out.try_into().expect("an entry a lane");
        for (words, row) in out.iter_mut().zip(transpose([a.0, b.0, c.0, d.0])) {
            *words = v!(std::mem::transmute::<__m256i, Words>(row.0));
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Words4(v!(_mm256_add_epi64(self.0, other.0)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Words4(v!(_mm256_sub_epi64(self.0, other.0)))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Words4(v!(_mm256_and_si256(self.0, other.0)))
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Words4(v!(_mm256_or_si256(self.0, other.0)))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Words4(v!(_mm256_xor_si256(self.0, other.0)))
    }

    #[inline(always)]
    fn shl<const BITS: i32>(self) -> Self {
        Words4(v!(_mm256_slli_epi64::<BITS>(self.0)))
    }

    #[inline(always)]
    fn shr<const BITS: i32>(self) -> Self {
        Words4(v!(_mm256_srli_epi64::<BITS>(self.0)))
    }

    #[inline(always)]
    fn plus_mul(self, a: Self, b: Self) -> Self {
        self.add(Words4(v!(vpmuludq(a.0, b.0))))
    }

    #[inline(always)]
    fn zeros(self) -> Bits<4> {
        let equal = v!(_mm256_cmpeq_epi64(self.0, _mm256_setzero_si256()));
        Bits::from_bits(v!(_mm256_movemask_pd(_mm256_castsi256_pd(equal))) as u32)
    }

    #[inline(always)]
    fn select(mask: Bits<4>, a: Self, b: Self) -> Self {
        let lanes = v!(_mm256_setr_epi64x(1, 2, 4, 8));
        let set = Self::set(mask.bits().into()).and(Words4(lanes));
        let chosen = v!(_mm256_cmpeq_epi64(set.0, lanes));
        Words4(v!(_mm256_blendv_epi8(b.0, a.0, chosen)))
    }
}
