//! Notices when the time of day moves against the monotonic clock: it was set, or the machine was suspended (while it
//! sleeps, the monotonic clock stands).

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// Alarms are set again when the two clocks are this far apart, so that a slewed clock keeps them on time.
const ARMED_AGAIN: SignedDuration = SignedDuration::from_millis(50);
/// A jump of this much between two looks is worth telling: no slewing clock gains it within seconds.
const TOLD: SignedDuration = SignedDuration::from_millis(1_500);

/// What a look at both clocks showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// They go together.
    None,
    /// They have come apart a little: what is armed by one must be armed again by the other.
    Slewed,
    /// The time of day jumped by this.
    Jumped(SignedDuration),
}

/// The two clocks, as they stood when they were last brought together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drift {
    wall: Timestamp,
    monotonic: Instant,
}

impl Drift {
    pub(super) fn new(wall: Timestamp, monotonic: Instant) -> Self {
        Self { wall, monotonic }
    }

    /// Looks at both clocks. After anything but [`Step::None`] they count as brought together.
    pub(super) fn look(&mut self, wall: Timestamp, monotonic: Instant) -> Step {
        let passed = monotonic.saturating_duration_since(self.monotonic);
        let apart = wall.duration_since(self.wall) - signed(passed);
        if apart.abs() < ARMED_AGAIN {
            return Step::None;
        }
        (self.wall, self.monotonic) = (wall, monotonic);
        if apart.abs() < TOLD { Step::Slewed } else { Step::Jumped(apart) }
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::clock::Clock;
    use crate::run::SystemClock;

    #[test]
    fn a_suspend_a_set_clock_and_a_slewed_one_are_told_apart() {
        let (wall, monotonic) = (Timestamp::from_second(1_790_000_000).unwrap(), SystemClock.now());
        let mut drift = Drift::new(wall, monotonic);
        let after = |wall_ms: i64, monotonic_ms: u64| {
            (wall + SignedDuration::from_millis(wall_ms), monotonic + Duration::from_millis(monotonic_ms))
        };
        let mut look = |(wall, monotonic)| drift.look(wall, monotonic);
        assert_eq!(look(after(1_000, 1_000)), Step::None);
        assert_eq!(look(after(2_030, 2_000)), Step::None, "30 ms are not worth a second alarm");
        assert_eq!(look(after(3_060, 3_000)), Step::Slewed);
        assert_eq!(look(after(4_060, 4_000)), Step::None, "brought together");
        let hours = 8 * 3_600_000;
        assert_eq!(look(after(hours + 5_060, 5_000)), Step::Jumped(SignedDuration::from_hours(8)), "suspended");
        assert_eq!(look(after(hours + 6_060, 6_000)), Step::None);
        assert_eq!(look(after(6_060, 6_000)), Step::Jumped(SignedDuration::from_hours(-8)), "set back");
    }
}
