//! Readers of the one event stream. Here: the log. Metrics and traces will stand beside it.
//!
//! Nothing here judges, and nothing here knows standard error: whoever installs the log says where lines go.

mod escape;
mod fields;
mod line;
pub mod log;
mod service;
#[cfg(test)]
mod tests;

pub use fields::log_markdown;
