//! How the host reaches a card: registers, card memory, events.
//!
//! A transport moves words and bytes and believes nothing: what they mean, and whether they can be
//! true, is decided above it.

use std::time::Duration;

use crate::error::Fault;

/// The way to one card, from one thread.
pub trait Transport: Send {
    /// What it is, in words.
    fn describe(&self) -> String;

    /// Reads a register. A card that is gone reads as all ones.
    ///
    /// # Errors
    /// Any [`TransportError`].
    fn read32(&mut self, register: u32) -> Result<u32, TransportError>;

    /// Writes a register.
    ///
    /// # Errors
    /// Any [`TransportError`].
    fn write32(&mut self, register: u32, value: u32) -> Result<(), TransportError>;

    /// Writes whole lines to card memory, before any register that is written afterwards.
    ///
    /// # Errors
    /// Any [`TransportError`].
    fn h2c(&mut self, address: u64, data: &[u8]) -> Result<(), TransportError>;

    /// Reads whole lines of card memory.
    ///
    /// # Errors
    /// Any [`TransportError`].
    fn c2h(&mut self, address: u64, out: &mut [u8]) -> Result<(), TransportError>;

    /// Waits for the card's event, at most so long, and says whether it came. It may come when
    /// nothing happened, and stay out when something did.
    ///
    /// # Errors
    /// Any [`TransportError`].
    fn wait_event(&mut self, limit: Duration) -> Result<bool, TransportError>;

    /// Clock cycles so far, of a card whose clock moves only while the host waits.
    fn cycles(&self) -> Option<u64> {
        None
    }
}

/// Why words or bytes did not go to a card or come from it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Fewer bytes than were asked for.
    #[error("{got} of {want} bytes were transferred")]
    Short {
        /// Bytes transferred.
        got: usize,
        /// Bytes asked for.
        want: usize,
    },
    /// The card took or gave nothing for as long as it may.
    #[error("the card is not ready")]
    Stuck,
    /// An access past what is mapped.
    #[error("address {address:#x} lies outside the card's window")]
    Outside {
        /// The first byte.
        address: u64,
    },
    /// The operating system's word.
    #[error("{0}")]
    System(String),
}

impl From<std::io::Error> for TransportError {
    fn from(error: std::io::Error) -> Self {
        TransportError::System(error.to_string())
    }
}

impl From<TransportError> for Fault {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Stuck => Fault::Timeout,
            other => Fault::Device(other.to_string()),
        }
    }
}
