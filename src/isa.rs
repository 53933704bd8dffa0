//! Stub
#[derive(Clone, Copy, Debug)]
pub enum Isa {
    Portable,
}
impl Isa {
    pub fn detect() -> Result<Isa, crate::error::EngineError> {
        Ok(Isa::Portable)
    }
}
impl std::fmt::Display for Isa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("portable")
    }
}
