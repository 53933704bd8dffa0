//! The kernels, one folder an algorithm, the same file names in each, `SPEC.md` in each.

/// A loop written out: where indices are constants, vectors stay in registers, and the compiler
/// does not unroll a long body by itself.
macro_rules! unrolled {
    ($i:ident in $($n:literal)* => $body:expr) => {
        $({
            const $i: usize = $n;
            $body;
        })*
    };
}

mod bytes;
pub mod keccak256;
pub mod merkle;
pub mod secp256k1;
pub mod sha256;
