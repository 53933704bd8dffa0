use crate::{Algorithm, Answers, Batch, error::Fault};
pub(crate) fn check(
    _a: Algorithm,
    _run: &mut dyn FnMut(Batch) -> Result<Answers, Fault>,
) -> Result<usize, String> {
    Ok(0)
}
