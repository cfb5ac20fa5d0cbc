//! The timetable of one target: its checks and its warm-ups, as one row of dues.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::beat::Beat;
use super::{CronBook, Due, Past, Why};
use crate::plan::{CronError, TargetSchedule, WarmSchedule, WarmTrigger, Windows};
use crate::target::{Depth, TargetId};

/// Longest time before an opening at which an LLM is warmed.
pub(super) const MAX_LEAD: Duration = Duration::from_secs(3600);
/// Shortest lead that is made of a cold start that was seen.
const MIN_LEARNED_LEAD: Duration = Duration::from_secs(30);
/// A check this close to a warm-up is made by it.
pub(super) const SAME_MOMENT: SignedDuration = SignedDuration::from_secs(1);
const INSTANT: SignedDuration = SignedDuration::from_nanos(1);
/// How many windows are looked into for a time of cron that lies in one.
const WINDOWS: usize = 400;

/// When a target is due.
#[derive(Debug, Clone)]
pub struct Timetable {
    pub(super) auth: Option<Beat>,
    pub(super) warm: Option<Warming>,
}

/// When an LLM is warmed.
#[derive(Debug, Clone)]
pub(super) struct Warming {
    pub(super) beat: Beat,
    pub(super) windows: Windows,
    opening: Opening,
    learning: Learning,
}

/// Whether what was learned of the LLM says when it is due.
#[derive(Debug, Clone, Copy)]
enum Learning {
    /// The beat says it.
    Off,
    /// It does, once there is something; what came to nothing is tried again after this long at the latest.
    On(Duration),
}

/// What the opening of a window means.
#[derive(Debug, Clone, Copy)]
enum Opening {
    /// Nothing: there is none, or cron says its own times.
    Passed,
    /// A warm-up so long before it.
    Warmed(Lead),
}

#[derive(Debug, Clone, Copy)]
enum Lead {
    /// As it is written.
    Fixed(Duration),
    /// As long as a cold start takes; this long, where none was seen.
    Learned(Duration),
}

impl Timetable {
    /// Of a target's schedule. `cold_start` is the longest that its LLM is expected to load, which is the lead before
    /// a window opens until a cold start was seen; `auto` is the interval that `every: auto` stands for until
    /// something was learned.
    ///
    /// Fails where cron fields cannot be understood, or never fire.
    pub fn new(
        schedule: &TargetSchedule,
        cold_start: Duration,
        auto: Duration,
        book: &mut CronBook,
    ) -> Result<Self, CronError> {
        let target = &schedule.target;
        let auth = match &schedule.auth {
            Some(check) => Some(Beat::new(&check.trigger, &check.timezone, target, book)?),
            None => None,
        };
        let warm = match &schedule.warm {
            Some(warm) => Some(Warming::new(warm, target, cold_start, auto, book)?),
            None => None,
        };
        Ok(Self { auth, warm })
    }

    /// What is due next, at or after `now`. `None` where nothing ever is.
    #[must_use]
    pub fn next(&self, now: Timestamp, past: &Past) -> Option<Due> {
        // The clock was put back since: what is in the future has just been.
        let auth = past.auth.map(|at| at.min(now));
        let warm = past.warm.map(|at| at.min(now));
        let warm_due = self.warm.as_ref().and_then(|warming| warming.next(now, warm, past));
        let auth_due = self.auth.as_ref().and_then(|beat| match auth {
            None => beat.not_before(now).map(|at| Due { at, depth: Depth::Auth, why: Why::Schedule, missed: 0 }),
            Some(last) => {
                let free = beat.free_after(last);
                let by_warming = past.warm == past.auth;
                let free = if by_warming { free.max(later(last, SAME_MOMENT + INSTANT)) } else { free };
                beat.due(free, now, Depth::Auth)
            }
        });
        match (auth_due, warm_due) {
            (Some(auth), Some(warm)) if warm.at > later(auth.at, SAME_MOMENT) => Some(auth),
            (auth, warm) => warm.or(auth),
        }
    }

    /// The depths that it has, the least first.
    #[must_use]
    pub fn depths(&self) -> Vec<Depth> {
        let auth = self.auth.as_ref().map(|_| Depth::Auth);
        auth.into_iter().chain(self.warm.as_ref().map(|_| Depth::Warm)).collect()
    }

    /// Whether it is kept warm at a moment.
    #[must_use]
    pub fn warms_at(&self, at: Timestamp) -> bool {
        self.warm.as_ref().is_some_and(|warming| warming.windows.span(at).is_some())
    }

    /// How long before a window opens it is warmed, as long as no cold start was seen. Zero, where no opening is.
    #[must_use]
    pub fn lead(&self) -> Duration {
        self.lead_after(&Past::default())
    }

    /// The same, after what was seen.
    #[must_use]
    pub fn lead_after(&self, past: &Past) -> Duration {
        self.warm.as_ref().and_then(|warming| warming.lead(past)).unwrap_or_default()
    }
}

impl Lead {
    fn after(self, past: &Past) -> Duration {
        let lead = match (self, past.cold_start) {
            (Self::Fixed(lead), _) | (Self::Learned(lead), None) => lead,
            (Self::Learned(_), Some(seen)) => seen.saturating_add(seen / 2).max(MIN_LEARNED_LEAD),
        };
        lead.min(MAX_LEAD)
    }
}

impl Warming {
    fn new(
        warm: &WarmSchedule,
        target: &TargetId,
        cold_start: Duration,
        auto: Duration,
        book: &mut CronBook,
    ) -> Result<Self, CronError> {
        let windows = warm.windows.clone();
        let beat = match &warm.trigger {
            WarmTrigger::Auto => Beat::grid(auto, target),
            WarmTrigger::Fixed(trigger) => Beat::new(trigger, &windows.timezone, target, book)?,
        };
        let opening = match (warm.lead, &beat) {
            _ if windows.always() => Opening::Passed,
            (Some(lead), Beat::Cron { .. }) if lead.is_zero() => Opening::Passed,
            (Some(lead), _) => Opening::Warmed(Lead::Fixed(lead)),
            (None, Beat::Grid { .. }) => Opening::Warmed(Lead::Learned(cold_start)),
            (None, Beat::Cron { .. }) => Opening::Passed,
        };
        let learning = match warm.trigger {
            WarmTrigger::Auto => Learning::On(auto),
            WarmTrigger::Fixed(_) => Learning::Off,
        };
        Ok(Self { beat, windows, opening, learning })
    }

    /// How long before a window opens it is warmed, after what was seen. `None` where no opening means anything.
    pub(super) fn lead(&self, past: &Past) -> Option<Duration> {
        match self.opening {
            Opening::Warmed(lead) => Some(lead.after(past)),
            Opening::Passed => None,
        }
    }

    /// The next warm-up after the last one.
    fn next(&self, now: Timestamp, last: Option<Timestamp>, past: &Past) -> Option<Due> {
        if let (Learning::On(retry), Some(learned)) = (self.learning, &past.learned) {
            return learned.due(now, &self.windows, self.fixed_lead(), retry);
        }
        let depth = Depth::Warm;
        let scheduled = |at: Timestamp| Due { at, depth, why: Why::Schedule, missed: 0 };
        // The first moment at which another warm-up makes sense.
        let free = last.map_or(now, |last| self.beat.free_after(last));
        let mut from = now;
        if let Some((open, close)) = self.windows.span(now) {
            let due = match last {
                None => self.beat.not_before(now).map(scheduled),
                Some(last) if self.is_cold_at(open, last, past) => {
                    let missed = self.beat.count(open, now).saturating_add(1);
                    Some(Due { at: now, depth, why: Why::Missed, missed })
                }
                Some(_) => self.beat.due(free.max(open), now, depth),
            };
            if let Some(due) = due.filter(|due| due.at < close) {
                return Some(due);
            }
            from = close;
        }
        for _ in 0..WINDOWS {
            let (open, close) = self.windows.next_opening(from)?;
            if let Opening::Warmed(lead) = self.opening
                && last.is_none_or(|last| self.is_cold_at(open, last, past))
            {
                let lead = lead.after(past);
                let why = if lead.is_zero() { Why::Schedule } else { Why::Prewarm };
                return Some(Due { at: earlier(open, lead).max(now), depth, why, missed: 0 });
            }
            let point = self.beat.not_before(free.max(open))?;
            if point < close {
                return Some(scheduled(point));
            }
            from = match self.opening {
                // The windows before that point may have to be warmed ahead.
                Opening::Warmed(_) => close,
                Opening::Passed if self.windows.span(point).is_some() => return Some(scheduled(point)),
                Opening::Passed => point,
            };
        }
        None
    }

    /// The lead that the schedule says.
    fn fixed_lead(&self) -> Option<Duration> {
        match self.opening {
            Opening::Warmed(Lead::Fixed(lead)) => Some(lead.min(MAX_LEAD)),
            Opening::Warmed(Lead::Learned(_)) | Opening::Passed => None,
        }
    }

    /// Whether the opening of a window finds the LLM unloaded, after a last warm-up. Not so where it was warmed for
    /// this opening, or so lately that it would not be warmed again yet.
    fn is_cold_at(&self, open: Timestamp, last: Timestamp, past: &Past) -> bool {
        let Opening::Warmed(lead) = self.opening else {
            return false;
        };
        // What was seen since may have made the lead shorter.
        let before = lead.after(past).max(lead.after(&Past::default()));
        last < earlier(open, before.max(self.beat.every().unwrap_or_default()))
    }
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(moment)
}

fn earlier(moment: Timestamp, by: Duration) -> Timestamp {
    moment.saturating_sub(by).unwrap_or(moment)
}
