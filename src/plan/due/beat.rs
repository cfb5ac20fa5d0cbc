//! What sets a run off: the points of a grid, or cron fields.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::cron::{CronBook, Pattern};
use super::{Due, Why};
use crate::plan::{CronError, CronText, Trigger};
use crate::target::{Depth, TargetId};

/// How many missed points of a grid are counted.
const COUNTED: u32 = 10_000;
/// How many missed times of cron are counted, each of which has to be looked for.
const COUNTED_CRON: u32 = 100;
/// A single run that was missed is made up for, where the next is further away than this.
const LONG: SignedDuration = SignedDuration::from_hours(1);
const MILLISECOND: u64 = 1_000_000;

/// The points in time at which something is to be done.
#[derive(Debug, Clone)]
pub(super) enum Beat {
    /// A grid from the epoch on, moved by a part of the interval that depends on the target's name alone: many targets
    /// are spread over the interval, in the same way after each start. In nanoseconds.
    Grid { every: u64, offset: u64 },
    /// Cron fields, to the second.
    Cron { pattern: Arc<Pattern>, zone: TimeZone },
}

impl Beat {
    /// Of a trigger.
    pub(super) fn new(
        trigger: &Trigger,
        zone: &TimeZone,
        target: &TargetId,
        book: &mut CronBook,
    ) -> Result<Self, CronError> {
        match trigger {
            Trigger::Every(interval) => Ok(Self::grid(*interval, target)),
            Trigger::Cron(text) => Self::cron(text, zone, book),
        }
    }

    /// Of an interval.
    pub(super) fn grid(interval: Duration, target: &TargetId) -> Self {
        let every = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX).clamp(MILLISECOND, u64::MAX >> 2);
        // Whole milliseconds, which read better. An interval that another divides keeps meeting it: the 5 minutes of a
        // warm-up are among the minutes of the checks, and it makes up for one of them.
        let offset = spread(target.as_str()) % every / MILLISECOND * MILLISECOND;
        Self::Grid { every, offset }
    }

    fn cron(text: &CronText, zone: &TimeZone, book: &mut CronBook) -> Result<Self, CronError> {
        Ok(Self::Cron { pattern: book.pattern(text)?, zone: zone.clone() })
    }

    /// The interval of a grid.
    pub(super) fn every(&self) -> Option<Duration> {
        match self {
            Self::Grid { every, .. } => Some(Duration::from_nanos(*every)),
            Self::Cron { .. } => None,
        }
    }

    /// The first point that is not before a moment.
    pub(super) fn not_before(&self, moment: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Grid { every, offset } => {
                let (every, offset) = (i128::from(*every), i128::from(*offset));
                let since = moment.as_nanosecond() - offset;
                let steps = since.div_euclid(every) + i128::from(since.rem_euclid(every) != 0);
                Timestamp::from_nanosecond(steps * every + offset).ok()
            }
            Self::Cron { pattern, zone } => pattern.next(moment, zone),
        }
    }

    /// The moment from which points count again after a run. A run begins a little late, or between two points when it
    /// makes up for others; a point that follows too closely is left out.
    pub(super) fn free_after(&self, run: Timestamp) -> Timestamp {
        let quiet = match self {
            Self::Grid { every, .. } => SignedDuration::try_from(Duration::from_nanos(every / 4)).unwrap_or_default(),
            Self::Cron { .. } => SignedDuration::from_nanos(1),
        };
        run.saturating_add(quiet).unwrap_or(run)
    }

    /// How many points there are from one moment to before another.
    pub(super) fn count(&self, from: Timestamp, to: Timestamp) -> u32 {
        let Some(first) = self.not_before(from).filter(|first| *first < to) else {
            return 0;
        };
        match self {
            Self::Grid { every, .. } => {
                let steps = (to.as_nanosecond() - first.as_nanosecond() - 1) / i128::from(*every) + 1;
                u32::try_from(steps).unwrap_or(COUNTED).min(COUNTED)
            }
            Self::Cron { .. } => {
                let mut counted = 1;
                let mut last = first;
                while counted < COUNTED_CRON
                    && let Some(next) = self.not_before(self.free_after(last)).filter(|next| *next < to)
                {
                    (counted, last) = (counted + 1, next);
                }
                counted
            }
        }
    }

    /// What is due at `now`, if points count from a moment on. Points that have passed are made up for at once, and once.
    /// After a single one the next does, unless it is far, or the LLM would be unloaded by then.
    pub(super) fn due(&self, from: Timestamp, now: Timestamp, depth: Depth) -> Option<Due> {
        let missed = self.count(from, now);
        let next = self.not_before(now.max(from));
        let far = next.is_none_or(|next| next.duration_since(now) > LONG);
        if missed > 1 || (missed == 1 && (far || depth == Depth::Warm)) {
            return Some(Due { at: now, depth, why: Why::Missed, missed });
        }
        next.map(|at| Due { at, depth, why: Why::Schedule, missed })
    }
}

/// A number that depends on a name alone, the same in every version of the program: FNV-1a, and the end of MurmurHash3,
/// which carries every bit into every other.
fn spread(name: &str) -> u64 {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_of_a_name_is_fixed() {
        assert_eq!(spread(""), 0xefd0_1f60_ba99_2926);
        assert_eq!(spread("glm"), 0xfc1b_9f59_41b1_abd7);
    }

    #[test]
    fn a_thousand_targets_are_spread_evenly() {
        let mut seconds = [0_u32; 60];
        for number in 0..1000 {
            let target = TargetId::new(&format!("target-{number}")).unwrap();
            let beat = Beat::grid(Duration::from_secs(60), &target);
            let first = beat.not_before(Timestamp::UNIX_EPOCH).unwrap();
            seconds[usize::try_from(first.as_second()).unwrap()] += 1;
        }
        let most = seconds.iter().max().unwrap();
        assert!(seconds.iter().all(|count| *count > 3) && *most < 36, "{seconds:?}");
    }

    #[test]
    fn counting_takes_no_time() {
        let target = TargetId::new("t").unwrap();
        let beat = Beat::grid(Duration::from_secs(1), &target);
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        assert_eq!(beat.count(at(0), at(10)), 10);
        assert_eq!(beat.count(at(0), at(0)), 0);
        assert_eq!(beat.count(at(0), at(1_000_000_000)), COUNTED);
        let first = beat.not_before(at(0)).unwrap();
        assert_eq!(beat.count(first, first), 0);
        assert_eq!(beat.count(first, first + SignedDuration::from_nanos(1)), 1);
    }
}
