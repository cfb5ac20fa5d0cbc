//! What outlives the process: the history of outcomes, the standing of each target, and its changes.

mod retention;

pub use retention::Retention;
