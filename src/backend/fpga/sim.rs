//! The simulated card of this build: the RTL itself, whose clock moves only while the host waits.

use std::time::{Duration, Instant};

use fpga_sim::{CORES, Model, SOURCE_HASH, Stuck};

use crate::backend::fpga::manifest::Core;
use crate::backend::fpga::registers::{ABI, Expected};
use crate::backend::fpga::transport::{Transport, TransportError};

/// The model as a transport.
pub(crate) struct Simulated(Model);

impl Simulated {
    /// A card of its own.
    ///
    /// # Errors
    /// Why this build has no model.
    pub fn open() -> Result<Self, String> {
        Model::new().map(Simulated).map_err(|absent| absent.to_string())
    }
}

/// What the card of this build has to be.
///
/// # Errors
/// Why this build has no model.
pub(crate) fn expected() -> Result<Expected, String> {
    if !fpga_sim::AVAILABLE {
        return Err(fpga_sim::Absent.to_string());
    }
    let bits = Core::ALL.into_iter().filter(|core| CORES.contains(&core.name())).map(Core::bit);
    Ok(Expected { abi_version: ABI, source_hash: SOURCE_HASH, caps: bits.sum() })
}

/// Cycles between two looks at the host's clock: well below a millisecond of simulation.
const CYCLES: u64 = 100;

impl From<Stuck> for TransportError {
    fn from(_: Stuck) -> Self {
        TransportError::Stuck
    }
}

impl Transport for Simulated {
    fn describe(&self) -> String {
        "simulated by Verilator".to_owned()
    }

    fn read32(&mut self, register: u32) -> Result<u32, TransportError> {
        Ok(self.0.read32(register)?)
    }

    fn write32(&mut self, register: u32, value: u32) -> Result<(), TransportError> {
        Ok(self.0.write32(register, value)?)
    }

    fn h2c(&mut self, address: u64, data: &[u8]) -> Result<(), TransportError> {
        Ok(self.0.h2c(address, data)?)
    }

    fn c2h(&mut self, address: u64, out: &mut [u8]) -> Result<(), TransportError> {
        Ok(self.0.c2h(address, out)?)
    }

    fn wait_event(&mut self, limit: Duration) -> Result<bool, TransportError> {
        let until = Instant::now() + limit;
        loop {
            if self.0.step_until_irq(CYCLES) {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
        }
    }

    fn cycles(&self) -> Option<u64> {
        Some(self.0.cycles())
    }
}
