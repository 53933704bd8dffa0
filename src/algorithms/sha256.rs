//! stub
use crate::batch::Column;
use std::ops::Range;
pub fn digest(_: &Column, _: Range<usize>, _: &mut [[u8; 32]]) {}
pub fn digest_twice(_: &Column, _: Range<usize>, _: &mut [[u8; 32]]) {}
pub fn hash(_: &[u8]) -> [u8;32] { [0;32] }
