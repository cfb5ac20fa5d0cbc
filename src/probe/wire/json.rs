//! A JSON answer of any size, read piece by piece in little memory.

/// Why an answer cannot be read as the JSON it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScanFault {
    /// It is not JSON, or it ends too soon.
    #[error("the answer is not JSON")]
    NotJson {
        /// It begins like a web page.
        looks_like_html: bool,
    },
    /// A single text of it is longer than 64 KiB, it is nested deeper than 64, or it is larger than 8 MiB.
    #[error("the answer is too large")]
    TooLarge,
}
