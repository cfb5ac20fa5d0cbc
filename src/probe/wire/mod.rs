//! Reading what comes from the wire, all of it untrusted: bounded, cleaned, never panicking. Every file here has a
//! fuzz target.
//!
//! Nothing here judges: a reader turns bytes into facts, and `classify/` turns facts into codes.

pub mod catalogue;
pub mod embedding;
pub mod error_body;
mod html;
mod json;
mod limits;
pub mod listing;
pub(in crate::probe) mod moment;
mod nearest;
pub mod quota;
pub mod reset;
pub mod sse;
pub mod text;

pub use json::ScanFault;
