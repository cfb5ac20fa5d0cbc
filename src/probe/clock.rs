//! The seam to time. `run/clock.rs` has the machine's clock; tests have one that they move by hand.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// A monotonic instant: for durations.
    fn now(&self) -> Instant;
    /// The time of day: for reset times, certificates and log lines.
    fn wall(&self) -> Timestamp;
    /// The time since the machine began, sleep included, which no one can set and which outlives the process. `None`
    /// where it is not known.
    fn since_boot(&self) -> Option<SinceBoot> {
        None
    }
}

/// A time since the machine began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SinceBoot {
    /// Which beginning: times since different ones cannot be compared.
    pub boot: u64,
    /// The time since then.
    pub elapsed: Duration,
}
