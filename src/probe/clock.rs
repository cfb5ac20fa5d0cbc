//! The seam to time. `run/clock.rs` has the machine's clock; tests have one that they move by hand.

use std::time::Instant;

use jiff::Timestamp;

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// A monotonic instant: for durations.
    fn now(&self) -> Instant;
    /// The time of day: for reset times, certificates and log lines.
    fn wall(&self) -> Timestamp;
}
