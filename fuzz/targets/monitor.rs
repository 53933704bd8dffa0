//! Requests and answers of the monitor's socket.
#![no_main]

libfuzzer_sys::fuzz_target!(|line: &[u8]| sigmill::monitor::read(line));
