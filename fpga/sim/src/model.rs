//! The model behind its C ABI.
#![expect(
    unsafe_code,
    reason = "the model is C++: one call each, over a pointer that this file owns"
)]

use std::ffi::c_int;

use crate::{Absent, LINE, Stuck};

enum Card {}

unsafe extern "C" {
    safe fn fpga_sim_new() -> *mut Card;
    fn fpga_sim_free(card: *mut Card);
    fn fpga_sim_reset(card: *mut Card);
    fn fpga_sim_step(card: *mut Card, cycles: u64);
    fn fpga_sim_step_until_irq(card: *mut Card, cycles: u64) -> c_int;
    fn fpga_sim_cycles(card: *const Card) -> u64;
    fn fpga_sim_read32(card: *mut Card, address: u32, value: *mut u32) -> c_int;
    fn fpga_sim_write32(card: *mut Card, address: u32, value: u32) -> c_int;
    fn fpga_sim_h2c(card: *mut Card, address: u32, bytes: *const u8, lines: u64) -> c_int;
    fn fpga_sim_c2h(card: *mut Card, address: u32, bytes: *mut u8, lines: u64) -> c_int;
}

/// A simulated card; its clock runs only in calls.
#[derive(Debug)]
pub struct Model(*mut Card);

// SAFETY: nothing of a card is shared with another or tied to a thread.
unsafe impl Send for Model {}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `fpga_sim_new` and is freed once.
        unsafe { fpga_sim_free(self.0) }
    }
}

fn done(ok: c_int) -> Result<(), Stuck> {
    if ok == 1 { Ok(()) } else { Err(Stuck) }
}

fn lines(address: u64, bytes: usize) -> Result<(u32, u64), Stuck> {
    assert!(bytes.is_multiple_of(LINE), "whole lines of 64 bytes, not {bytes} bytes");
    Ok((u32::try_from(address).map_err(|_| Stuck)?, (bytes / LINE) as u64))
}

impl Model {
    /// A card after reset.
    ///
    /// # Errors
    /// Where this crate was built without Verilator.
    pub fn new() -> Result<Model, Absent> {
        let mut model = Model(fpga_sim_new());
        model.reset();
        Ok(model)
    }

    /// Reset by the pin: all state but the memories' contents is lost.
    pub fn reset(&mut self) {
        // SAFETY: the pointer is this model's own, for all calls here.
        unsafe { fpga_sim_reset(self.0) }
    }

    /// Lets cycles pass.
    pub fn step(&mut self, cycles: u64) {
        // SAFETY: as above.
        unsafe { fpga_sim_step(self.0, cycles) }
    }

    /// Lets cycles pass until the card interrupts, `limit` at most. Returns whether it did.
    pub fn step_until_irq(&mut self, limit: u64) -> bool {
        // SAFETY: as above.
        unsafe { fpga_sim_step_until_irq(self.0, limit) == 1 }
    }

    /// Cycles since the model was made.
    pub fn cycles(&self) -> u64 {
        // SAFETY: as above.
        unsafe { fpga_sim_cycles(self.0) }
    }

    /// Reads a register.
    ///
    /// # Errors
    /// If the card does not answer within 10,000 cycles, as for all that follows.
    pub fn read32(&mut self, address: u32) -> Result<u32, Stuck> {
        let mut value = 0;
        // SAFETY: as above; the value outlives the call.
        done(unsafe { fpga_sim_read32(self.0, address, &mut value) })?;
        Ok(value)
    }

    /// Writes a register.
    ///
    /// # Errors
    /// As [`Model::read32`].
    pub fn write32(&mut self, address: u32, value: u32) -> Result<(), Stuck> {
        // SAFETY: as above.
        done(unsafe { fpga_sim_write32(self.0, address, value) })
    }

    /// Writes whole lines to card memory.
    ///
    /// # Errors
    /// As [`Model::read32`], and for an address past 2^32.
    ///
    /// # Panics
    /// If `bytes` are no whole lines.
    pub fn h2c(&mut self, address: u64, bytes: &[u8]) -> Result<(), Stuck> {
        let (address, lines) = lines(address, bytes.len())?;
        // SAFETY: as above; `bytes` has that many lines.
        done(unsafe { fpga_sim_h2c(self.0, address, bytes.as_ptr(), lines) })
    }

    /// Reads whole lines of card memory.
    ///
    /// # Errors
    /// As [`Model::h2c`].
    ///
    /// # Panics
    /// As [`Model::h2c`].
    pub fn c2h(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), Stuck> {
        let (address, lines) = lines(address, bytes.len())?;
        // SAFETY: as above.
        done(unsafe { fpga_sim_c2h(self.0, address, bytes.as_mut_ptr(), lines) })
    }
}
