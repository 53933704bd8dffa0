//! An FPGA card: its images, and how they are checked and loaded.

pub mod bitstream;
pub mod load;
pub mod manifest;
