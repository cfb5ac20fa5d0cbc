//! When a target is due next. Pure: the moment and what was done so far are arguments, and nothing waits here.
//!
//! A [`Timetable`] is made of a target's schedule once. Whoever runs it asks [`Timetable::next`], keeps the [`Due`] until
//! it is made, tells [`Past::ran`], and asks again. A due that was handed out is to be kept: asking anew a moment after it
//! passed is taken for a run that was missed. After the clock was put back, ask anew.

mod almanac;
#[cfg(test)]
mod almanac_tests;
mod beat;
mod cron;
mod expand;
mod learned;
#[cfg(test)]
mod learned_tests;
mod moment;
mod run;
#[cfg(test)]
mod tests;
mod timetable;

use std::time::Duration;

use jiff::Timestamp;

pub use almanac::{Almanac, Dues};
pub use cron::CronBook;
pub use learned::Learned;
pub use timetable::Timetable;

pub(super) use almanac::Spans;
pub(super) use moment::{NANOSECONDS, at, length, nanoseconds};
pub(super) use run::Run;

use crate::target::Depth;

/// The interval of `every: auto` until the first warm-up has taught something, and the longest wait after one that taught
/// nothing: hosted LLMs that unload do so after five minutes at the earliest.
pub const AUTO: Duration = Duration::from_secs(240);

/// Why something is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// Its schedule says so.
    Schedule,
    /// A window opens soon, and the LLM is to be warm when it does.
    Prewarm,
    /// Runs were missed: this one makes up for all of them.
    Missed,
    /// A warm-up was withheld, and it may be made now.
    Resumed,
}

impl Why {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Schedule, Self::Prewarm, Self::Missed, Self::Resumed];

    /// The word used everywhere.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Prewarm => "prewarm",
            Self::Missed => "missed",
            Self::Resumed => "resumed",
        }
    }
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// When. Never before the moment that was asked at.
    pub at: Timestamp,
    /// How far the probe climbs. A warm-up proves the key too, so it stands for a check that is due with it.
    pub depth: Depth,
    /// Why.
    pub why: Why,
    /// How many runs were passed over since the last one. Counted up to 10,000 for an interval and 100 for cron; within
    /// the window that is open now, where there are windows.
    pub missed: u32,
}

/// What was done so far, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Past {
    /// When the key was last checked, by a warm-up too.
    pub auth: Option<Timestamp>,
    /// When it was last warmed.
    pub warm: Option<Timestamp>,
    /// How long the longest of the recent cold starts took.
    pub cold_start: Option<Duration>,
    /// What was learned of its LLM, for `every: auto`.
    pub learned: Option<Learned>,
}

impl Past {
    /// Notes a run. Also one that came to nothing: what was due is dealt with.
    pub fn ran(&mut self, depth: Depth, at: Timestamp) {
        match depth {
            Depth::Connect => {}
            Depth::Auth => self.auth = Some(at),
            Depth::Warm => (self.auth, self.warm) = (Some(at), Some(at)),
        }
    }
}
