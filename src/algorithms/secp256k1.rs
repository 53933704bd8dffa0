//! stub
pub mod ecdsa {
    use crate::error::Fault;
    use crate::isa::Isa;
    use crate::parsed::*;
    use crate::verdict::*;
    use std::ops::Range;
    pub fn verify(_: Isa, _: &EcdsaOperands, _: Range<usize>, _: &mut [Verdict]) {}
    pub fn judge(_: &EcdsaOperands, _: usize, _: &Point) -> Result<Verdict, Fault> {
        Ok(Verdict::Valid)
    }
}
pub mod schnorr {
    use crate::error::Fault;
    use crate::isa::Isa;
    use crate::parsed::*;
    use crate::verdict::*;
    use std::ops::Range;
    pub fn verify(_: Isa, _: &SchnorrOperands, _: Range<usize>, _: &mut [Verdict]) {}
    pub fn judge(_: &SchnorrOperands, _: usize, _: &Point) -> Result<Verdict, Fault> {
        Ok(Verdict::Valid)
    }
}
pub mod recover {
    use crate::isa::Isa;
    use crate::parsed::*;
    use std::ops::Range;
    pub fn recover(_: Isa, _: &RecoverOperands, _: Range<usize>, _: &mut [[u8; 64]]) {}
}
