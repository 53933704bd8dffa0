//! What stands in for the model where the crate was built without Verilator: it cannot be made.

use crate::{Absent, Stuck};

/// A simulated card, which this build does not have.
#[derive(Debug)]
pub struct Model(Never);

// In a private field: callers' code after `Model::new` is not called unreachable.
#[derive(Debug)]
enum Never {}

#[allow(missing_docs, clippy::missing_errors_doc, reason = "as the model's")]
impl Model {
    pub fn new() -> Result<Model, Absent> {
        Err(Absent)
    }

    pub fn reset(&mut self) {
        match self.0 {}
    }

    pub fn step(&mut self, _: u64) {
        match self.0 {}
    }

    pub fn step_until_irq(&mut self, _: u64) -> bool {
        match self.0 {}
    }

    pub fn cycles(&self) -> u64 {
        match self.0 {}
    }

    pub fn read32(&mut self, _: u32) -> Result<u32, Stuck> {
        match self.0 {}
    }

    pub fn write32(&mut self, _: u32, _: u32) -> Result<(), Stuck> {
        match self.0 {}
    }

    pub fn h2c(&mut self, _: u64, _: &[u8]) -> Result<(), Stuck> {
        match self.0 {}
    }

    pub fn c2h(&mut self, _: u64, _: &mut [u8]) -> Result<(), Stuck> {
        match self.0 {}
    }
}
