use crate::{Algorithm, Batch, error::Fault, Answers};
pub(crate) fn check(_a: Algorithm, _run: &mut dyn FnMut(Batch) -> Result<Answers, Fault>) -> Result<usize, String> { Ok(0) }
