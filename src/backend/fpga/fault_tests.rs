//! Cards that fail
