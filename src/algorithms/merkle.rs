//! stub
use crate::batch::*;
use std::ops::Range;
pub fn roots(_: &Column, _: Range<usize>, _: &mut [[u8; 32]]) {}
pub fn verify_proofs(_: &Batch, _: Range<usize>, _: &mut [crate::Verdict]) {}
