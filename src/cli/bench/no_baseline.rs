//! Stands for other libraries in a build without the feature `baseline`.

use std::ops::Range;

use sigmill::Algorithm;

use crate::cli::Failure;
use crate::cli::workload::Source;

/// Whether this build has it.
pub(in crate::cli) const BUILT: bool = false;

/// There is none.
pub(in crate::cli) enum Baseline {}

/// All of them.
pub(in crate::cli) fn at_once(_: Algorithm, wanted: usize) -> usize {
    wanted
}

/// The library that an algorithm is compared with.
pub(in crate::cli) fn library(_: Algorithm) -> Option<&'static str> {
    None
}

impl Baseline {
    /// None.
    pub fn new(_: usize) -> Result<Option<Self>, Failure> {
        Ok(None)
    }

    /// Is never called.
    pub fn run(&self, _: &Source, _: Algorithm, _: usize, _: Range<usize>) -> Result<(), Failure> {
        match *self {}
    }
}
