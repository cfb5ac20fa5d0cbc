//! stub
use super::ScanFault;
use crate::target::CatalogueShape;
/// stub
#[derive(Debug)]
pub struct CatalogueScan {}
/// What a catalogue says of the LLM that is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogueFinding {
    /// stub
    pub listed: bool,
    /// stub
    pub total: usize,
    /// stub
    pub nearest: Vec<String>,
    /// stub
    pub efforts: Vec<String>,
    /// stub
    pub is_catalogue: bool,
}
impl CatalogueScan {
    /// stub
    #[must_use]
    pub fn new(_shape: CatalogueShape, _wanted: &str, _id_prefix: Option<&str>) -> Self {
        Self {}
    }
    /// stub
    pub fn push(&mut self, _bytes: &[u8]) -> Result<(), ScanFault> {
        Ok(())
    }
    /// stub
    pub fn finish(self) -> Result<CatalogueFinding, ScanFault> {
        Err(ScanFault::TooLarge)
    }
}
