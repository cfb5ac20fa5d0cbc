//! stub
use super::ScanFault;
/// stub
#[derive(Debug, Default)]
pub struct EmbeddingScan {}
/// How far the answer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbeddingProgress {
    /// No part of a vector has been seen.
    Waiting,
    /// The first element of the first vector has been seen.
    FirstElement,
}
/// What the answer holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmbeddingFinding {
    /// stub
    pub dimensions: usize,
    /// stub
    pub input_tokens: Option<u64>,
    /// stub
    pub error: bool,
}
impl EmbeddingScan {
    /// stub
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
    /// stub
    pub fn push(&mut self, _bytes: &[u8]) -> Result<EmbeddingProgress, ScanFault> {
        Ok(EmbeddingProgress::Waiting)
    }
    /// stub
    pub fn finish(self) -> Result<EmbeddingFinding, ScanFault> {
        Err(ScanFault::TooLarge)
    }
}
