//! What one process says to another of a device: messages, greetings, batches.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigmill::backend::isolated::fuzz;

fuzz_target!(|bytes: &[u8]| fuzz::read(bytes));
