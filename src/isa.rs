//! CPU levels: which vector the kernels run over.
//!
//! Holding an [`Isa`] proves that this machine has the level: only [`Isa::detect`] makes one. After
//! that nobody asks for a CPU flag again.

use std::fmt;

use crate::algorithms::secp256k1::field::FieldVec;
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::error::EngineError;

/// A level of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Level);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Portable,
}

/// A whole computation, written once over the vector.
pub trait Kernel {
    /// Runs it over one level's vector.
    fn run<V: FieldVec>(self);
}

impl Isa {
    /// Plain Rust, on every machine.
    pub const PORTABLE: Isa = Isa(Level::Portable);

    /// The best level of this machine, or the one that the environment variable `SIGMILL_ISA`
    /// forces.
    ///
    /// # Errors
    /// [`EngineError::Isa`] when the variable names no level of this machine.
    pub fn detect() -> Result<Isa, EngineError> {
        match std::env::var("SIGMILL_ISA") {
            Err(_) => Ok(Isa::PORTABLE),
            Ok(name) => Isa::named(&name).ok_or(EngineError::Isa(name)),
        }
    }

    fn named(name: &str) -> Option<Isa> {
        (name == "portable").then_some(Isa::PORTABLE)
    }

    /// Enters the level once, for the whole kernel.
    pub fn run(self, kernel: impl Kernel) {
        match self.0 {
            Level::Portable => kernel.run::<Scalar5x52>(),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Level::Portable => "portable",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_round_and_unknown_ones_are_refused() {
        assert_eq!(Isa::named(&Isa::PORTABLE.to_string()), Some(Isa::PORTABLE));
        assert_eq!(Isa::named("avx1024"), None);
    }
}
