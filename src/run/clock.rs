//! The machine's clock: the only place that reads it.

use std::time::Instant;

use jiff::Timestamp;

use crate::probe::clock::Clock;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
impl Clock for SystemClock {
    fn now(&self) -> Instant {
        // tokio's instant is the standard one, except where a test has paused it.
        tokio::time::Instant::now().into_std()
    }

    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }
}
