//! Readers of the one event stream: the log, and the metrics. Traces will stand beside them.
//!
//! Nothing here judges, and nothing here knows standard error: whoever installs the log says where lines go.

mod escape;
mod fields;
mod gates;
mod line;
pub mod log;
pub mod metrics;
mod process;
mod service;
#[cfg(test)]
mod tests;
mod textfile;

pub use fields::log_markdown;
pub use metrics::{Exposition, Metrics, metrics_markdown};
pub use textfile::{TextfileError, write_textfile};
