//! When something was reckoned: by the wall, and by a clock that nobody can set.
//!
//! A ledger gives back by the time that has passed. The wall clock is set forward and back, so within one boot of the
//! machine the steady clock counts, which runs on while it sleeps; only across a boot is the wall believed.

use serde::{Deserialize, Serialize};

/// A moment, by two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Unix milliseconds.
    pub wall_ms: i64,
    /// The steady clock, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steady: Option<Steady>,
}

/// A clock that is never set: it counts from the machine's boot, sleep included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steady {
    /// Which boot it counts from. Another number is another boot, whose times cannot be compared.
    pub boot: u64,
    /// Milliseconds since then.
    pub ms: u64,
}

impl Stamp {
    /// A moment by the wall alone.
    #[must_use]
    pub fn of_wall(wall_ms: i64) -> Self {
        Self { wall_ms, steady: None }
    }

    /// The seconds from an earlier moment to this one; zero where this is the earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> f64 {
        let ms = match (self.steady, earlier.steady) {
            (Some(now), Some(then)) if now.boot == then.boot => now.ms.saturating_sub(then.ms),
            _ => u64::try_from(self.wall_ms.saturating_sub(earlier.wall_ms)).unwrap_or(0),
        };
        #[expect(clippy::cast_precision_loss, reason = "milliseconds beyond 2^53 are 285,000 years")]
        let ms = ms as f64;
        ms / 1000.0
    }

    /// The seconds from here to the next midnight, UTC.
    #[must_use]
    pub fn to_midnight(self) -> f64 {
        const DAY_MS: i64 = 86_400_000;
        #[expect(clippy::cast_precision_loss, reason = "at most a day")]
        let left = (DAY_MS - self.wall_ms.rem_euclid(DAY_MS)) as f64;
        left / 1000.0
    }
}
