//! What stands in for the model where the crate was built without Verilator: it cannot be made.

use crate::{Absent, Stuck};

/// A simulated card, which this build does not have.
#[derive(Debug)]
pub enum Model {}

#[allow(missing_docs, clippy::missing_errors_doc, reason = "as the model's")]
impl Model {
    pub fn new() -> Result<Model, Absent> {
        Err(Absent)
    }

    pub fn reset(&mut self) {
        match *self {}
    }

    pub fn step(&mut self, _: u64) {
        match *self {}
    }

    pub fn step_until_irq(&mut self, _: u64) -> bool {
        match *self {}
    }

    pub fn cycles(&self) -> u64 {
        match *self {}
    }

    pub fn read32(&mut self, _: u32) -> Result<u32, Stuck> {
        match *self {}
    }

    pub fn write32(&mut self, _: u32, _: u32) -> Result<(), Stuck> {
        match *self {}
    }

    pub fn h2c(&mut self, _: u64, _: &[u8]) -> Result<(), Stuck> {
        match *self {}
    }

    pub fn c2h(&mut self, _: u64, _: &mut [u8]) -> Result<(), Stuck> {
        match *self {}
    }
}
