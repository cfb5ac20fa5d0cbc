//! For how long history is kept.

use std::time::Duration;

/// For how long history is kept: what is over either bound goes, the oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Outcomes older than this go.
    pub age: Duration,
    /// The size of the store, in bytes, above which the oldest go.
    pub bytes: u64,
}

impl Default for Retention {
    /// 90 days, 256 MiB.
    fn default() -> Self {
        Self { age: Duration::from_hours(90 * 24), bytes: 256 << 20 }
    }
}
