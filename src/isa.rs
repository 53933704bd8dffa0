//! CPU levels: which vectors the kernels run over.
//!
//! Holding an [`Isa`], or one of the tokens inside it, proves that this machine has the level:
//! only this file makes them. After that nobody asks for a CPU flag again.

use std::fmt;
use std::marker::PhantomData;

#[cfg(target_arch = "x86_64")]
use crate::algorithms::secp256k1::avx2::Avx2Field;
#[cfg(target_arch = "x86_64")]
use crate::algorithms::secp256k1::avx512::Ifma5x52;
use crate::algorithms::secp256k1::field::{FieldVec, Stage};
#[cfg(target_arch = "aarch64")]
use crate::algorithms::secp256k1::neon::NeonField;
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::error::EngineError;

/// Proof of AVX-512 with IFMA: F, BW, DQ, VL, IFMA, VBMI2; and of what [`Avx2`] proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx512(());

/// Proof of AVX2 and BMI2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx2(());

/// Proof of Advanced SIMD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neon(());

/// Proof of the SHA extensions of x86, with SSSE3 and SSE4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShaNi(());

/// What the vectors of a level are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Plain Rust.
    Portable,
    /// 128 bits: 2 lanes of the field.
    Neon(Neon),
    /// 256 bits: 4 lanes of the field.
    Avx2(Avx2),
    /// 512 bits with 52-bit multiply-add: 8 lanes of the field.
    Avx512(Avx512),
}

/// A level of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa {
    level: Level,
    sha: Option<ShaNi>,
}

/// A whole computation, written once over the vector.
pub trait Kernel {
    /// What it gives.
    type Out;

    /// Runs it over one level's vector. Implementations are `#[inline(always)]`, so that they become
    /// part of the one function that is compiled for the level.
    fn run<V: FieldVec>(self) -> Self::Out;
}

impl Isa {
    /// Plain Rust, on every machine.
    pub const PORTABLE: Isa = Isa { level: Level::Portable, sha: None };

    /// Every level of this machine, the best one last.
    pub fn all() -> Vec<Isa> {
        let mut all = vec![Isa::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        {
            let sha = (is_x86_feature_detected!("sha")
                && is_x86_feature_detected!("ssse3")
                && is_x86_feature_detected!("sse4.1"))
            .then_some(ShaNi(()));
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2");
            if avx2 {
                all.push(Isa { level: Level::Avx2(Avx2(())), sha });
            }
            if avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512ifma")
                && is_x86_feature_detected!("avx512vbmi2")
            {
                all.push(Isa { level: Level::Avx512(Avx512(())), sha });
            }
        }
        #[cfg(target_arch = "aarch64")]
        all.push(Isa { level: Level::Neon(Neon(())), sha: None });
        all
    }

    /// The best level of this machine, or the one that the environment variable `SIGMILL_ISA`
    /// forces: `portable`, `neon`, `avx2` or `avx512`.
    ///
    /// # Errors
    /// [`EngineError::Isa`] when the variable names no level of this machine.
    pub fn detect() -> Result<Isa, EngineError> {
        let all = Isa::all();
        match std::env::var("SIGMILL_ISA") {
            Err(_) => Ok(*all.last().expect("portable is always there")),
            Ok(name) => {
                let named = all.iter().find(|isa| isa.to_string() == name);
                named.copied().ok_or_else(|| EngineError::Isa {
                    name,
                    known: all.iter().map(Isa::to_string).collect::<Vec<_>>().join(", "),
                })
            }
        }
    }

    /// What its vectors are made of.
    pub fn level(self) -> Level {
        self.level
    }

    /// The SHA extensions, where the machine has them and the level is not the portable one.
    pub fn sha(self) -> Option<ShaNi> {
        self.sha
    }

    /// Enters the level once, for the whole kernel.
    pub fn run<K: Kernel>(self, kernel: K) -> K::Out {
        match self.level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(_) => Avx2Field::enter(Entry::<_, Avx2Field>(kernel, PhantomData)),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(_) => Ifma5x52::enter(Entry::<_, Ifma5x52>(kernel, PhantomData)),
            #[cfg(target_arch = "aarch64")]
            Level::Neon(_) => NeonField::enter(Entry::<_, NeonField>(kernel, PhantomData)),
            // The portable level: no token of another machine's level exists.
            _ => kernel.run::<Scalar5x52>(),
        }
    }
}

/// A kernel over one vector, as a stage.
struct Entry<K, V>(K, PhantomData<V>);

impl<K: Kernel, V: FieldVec> Stage for Entry<K, V> {
    type Out = K::Out;

    #[inline(always)]
    fn run(self) -> K::Out {
        self.0.run::<V>()
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.level {
            Level::Portable => "portable",
            Level::Neon(_) => "neon",
            Level::Avx2(_) => "avx2",
            Level::Avx512(_) => "avx512",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portable_level_is_everywhere_and_names_differ() {
        let all = Isa::all();
        assert_eq!(all[0], Isa::PORTABLE);
        let mut names: Vec<_> = all.iter().map(Isa::to_string).collect();
        names.dedup();
        assert_eq!(names.len(), all.len());
        assert_eq!(Isa::PORTABLE.sha(), None);
    }
}
