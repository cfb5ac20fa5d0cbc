//! The limits of a provider as values: how much there is, of what, and how it comes back.

use std::time::Duration;

use crate::outcome::{Unit, WindowName};

/// One limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// Its name.
    pub name: WindowName,
    /// What it counts.
    pub unit: Unit,
    /// What there is when nothing is used, in its unit. Greater than zero.
    pub max: f64,
    /// How what was used comes back.
    pub refill: Refill,
}

/// How what was used comes back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Refill {
    /// So much at a time, up to the maximum: Synthetic gives 5 % of its five hours back every 15 minutes.
    Steps {
        /// The time between two steps.
        every: Duration,
        /// What a step gives back, in the limit's unit.
        amount: f64,
    },
    /// All of it, at moments that are so far apart (counted from the epoch: midnight UTC for a day).
    Fixed {
        /// The time between two of them.
        every: Duration,
    },
    /// All of it, on the first of each month, UTC.
    Monthly,
    /// Each part, so long after it was used.
    Rolling {
        /// How long after.
        over: Duration,
    },
    /// Not by itself: a balance that somebody pays in.
    Never,
}

/// A month has 30.44 days on average.
const MONTH: Duration = Duration::from_secs(2_629_800);

impl Refill {
    /// The time over which a limit of `max` comes back as a whole. `None` where it does not.
    #[must_use]
    pub fn period(self, max: f64) -> Option<Duration> {
        match self {
            Self::Steps { every, amount } => Duration::try_from_secs_f64(every.as_secs_f64() * max / amount).ok(),
            Self::Fixed { every } | Self::Rolling { over: every } => Some(every),
            Self::Monthly => Some(MONTH),
            Self::Never => None,
        }
    }
}

impl Limit {
    /// What comes back at a time, and how long that takes: a step where there are steps; else a hundredth of the whole
    /// in a hundredth of its time, which spreads what a window gives over all of it. `None` where nothing comes back.
    #[must_use]
    pub fn tick(&self) -> Option<(f64, Duration)> {
        /// Parts that a window without steps is cut into.
        const PARTS: u32 = 100;
        match self.refill {
            Refill::Steps { every, amount } => Some((amount, every)),
            _ => {
                let period = self.refill.period(self.max)?;
                Some((self.max / f64::from(PARTS), period / PARTS))
            }
        }
    }

    /// What comes back in a second, in its unit.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.tick().map_or(0.0, |(amount, every)| amount / every.as_secs_f64().max(f64::MIN_POSITIVE))
    }

    /// Whether it spans more than a day, so that what is lost of it is missed for long.
    #[must_use]
    pub fn is_long(&self) -> bool {
        /// A day and a bit: a day's own limit is not long.
        const DAY: Duration = Duration::from_secs(25 * 3600);
        self.refill.period(self.max).is_none_or(|period| period > DAY)
    }
}
