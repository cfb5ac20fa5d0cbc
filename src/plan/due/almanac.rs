//! All dues of a span of time at once, for planning: what asking [`Timetable::next`] again and again would give, where
//! every probe is made the moment it is due. An interval is laid out as one run for each window, whatever number of points
//! it has; cron fields and windows that several targets share are laid out once.
//!
//! What daemons meet (probes that were missed, clocks that jump, cold starts that were seen) is not in it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::beat::Beat;
use super::cron::Pattern;
use super::moment::{NANOSECONDS, at, length, nanoseconds};
use super::run::Run;
use super::timetable::{MAX_LEAD, SAME_MOMENT, Timetable, Warming};
use super::{CronBook, Past};
use crate::plan::{CronError, TargetSchedule, Windows};

/// A warm-up stands for a check that is due so shortly before it.
const BEFORE: i64 = SAME_MOMENT.as_secs() * NANOSECONDS;

/// The windows of a span of time, in their order: when each opens, and when it is closed.
pub(in crate::plan) type Spans = Arc<[(i64, i64)]>;

/// The times at which cron fields fire in a zone. They are kept by the pattern's place in memory, which the book holds.
type Times = (TimeZone, Arc<[i64]>);

/// A span of time, with what was laid out for it so far.
#[derive(Debug)]
pub struct Almanac {
    from: i64,
    to: i64,
    book: CronBook,
    crons: HashMap<usize, Vec<Times>>,
    windows: Vec<(Windows, Spans)>,
}

/// What is due for one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dues {
    /// Its warm-ups, in their order.
    pub(in crate::plan) warm: Vec<Run>,
    /// How many checks are made by themselves. Those that a warm-up stands for are not among them.
    pub checks: u64,
}

impl Dues {
    /// How many warm-ups there are.
    #[must_use]
    pub fn warm_ups(&self) -> u64 {
        self.warm.iter().map(Run::count).sum()
    }

    /// The moment of each warm-up, in nanoseconds since the epoch and in their order.
    pub(in crate::plan) fn moments(&self) -> impl Iterator<Item = i64> + '_ {
        self.warm.iter().flat_map(Run::moments)
    }

    /// How many warm-ups there are from one moment to before another, in nanoseconds since the epoch.
    pub(in crate::plan) fn between(&self, from: i64, to: i64) -> u64 {
        self.warm.iter().map(|run| run.between(from, to)).sum()
    }
}

impl Almanac {
    /// Of the time from one moment to before another.
    #[must_use]
    pub fn new(from: Timestamp, to: Timestamp) -> Self {
        Self {
            from: nanoseconds(from),
            to: nanoseconds(to),
            book: CronBook::default(),
            crons: HashMap::new(),
            windows: Vec::new(),
        }
    }

    /// What is due for a target of which nothing is remembered. The arguments are those of [`Timetable::new`].
    ///
    /// Fails where cron fields cannot be understood, or never fire.
    pub fn dues(&mut self, schedule: &TargetSchedule, cold_start: Duration, auto: Duration) -> Result<Dues, CronError> {
        let table = Timetable::new(schedule, cold_start, auto, &mut self.book)?;
        // A warm-up right after the end stands for a check right before it.
        let warm = table.warm.as_ref().map_or_else(Vec::new, |warming| self.warm_ups(warming, self.to + BEFORE + 1));
        let checks = table.auth.as_ref().map_or(0, |beat| self.checks(beat, &warm));
        let warm = warm.into_iter().filter_map(|run| run.before(self.to)).collect();
        Ok(Dues { warm, checks })
    }

    /// The windows that are open within the time, and those that open within an hour after it.
    pub(in crate::plan) fn spans(&mut self, windows: &Windows) -> Spans {
        if let Some((_, known)) = self.windows.iter().find(|(known, _)| known == windows) {
            return Arc::clone(known);
        }
        let numbers = |(open, close)| (nanoseconds(open), nanoseconds(close));
        let mut spans: Vec<(i64, i64)> = windows.span(at(self.from)).map(numbers).into_iter().collect();
        let last = self.to.saturating_add(length(MAX_LEAD)).saturating_add(BEFORE + 1);
        let mut from = spans.last().map_or(self.from - 1, |(_, close)| *close);
        while from < last
            && let Some(next) = windows.next_opening(at(from)).map(numbers).filter(|(open, _)| *open < last)
        {
            spans.push(next);
            from = next.1;
        }
        let spans: Spans = spans.into();
        self.windows.push((windows.clone(), Arc::clone(&spans)));
        spans
    }

    fn listed(&mut self, pattern: &Arc<Pattern>, zone: &TimeZone) -> Arc<[i64]> {
        let known = self.crons.entry(Arc::as_ptr(pattern).addr()).or_default();
        if let Some((_, times)) = known.iter().find(|(known, _)| known == zone) {
            return Arc::clone(times);
        }
        let times: Arc<[i64]> = pattern.within(self.from, self.to + BEFORE + 1, zone).into();
        known.push((zone.clone(), Arc::clone(&times)));
        times
    }

    fn points(&mut self, beat: &Beat) -> Points {
        match beat {
            Beat::Grid { every, offset } => Points::Grid {
                every: i64::try_from(*every).unwrap_or(i64::MAX),
                offset: i64::try_from(*offset).unwrap_or(0),
            },
            Beat::Cron { pattern, zone } => Points::Listed(self.listed(pattern, zone)),
        }
    }

    /// The warm-ups before `end`, window by window, as `Warming::next` finds them one by one.
    fn warm_ups(&mut self, warming: &Warming, end: i64) -> Vec<Run> {
        let points = self.points(&warming.beat);
        let spans = self.spans(&warming.windows);
        let lead = warming.lead(&Past::default()).map(length);
        let pause = lead.map(|lead| lead.max(points.every().unwrap_or(0)));
        let mut runs: Vec<Run> = Vec::new();
        let mut last: Option<i64> = None;
        for (open, close) in spans.iter().copied() {
            // A start within a window is not its opening.
            if (last.is_some() || open > self.from)
                && let (Some(lead), Some(pause)) = (lead, pause)
                && last.is_none_or(|last| last < open.saturating_sub(pause))
            {
                let early = (open - lead).max(self.from);
                runs.push(Run::single(early));
                last = Some(early);
            }
            let free = last.map_or(self.from, |last| last + points.quiet());
            let point = points.not_before(free.max(open)).filter(|point| *point < close);
            if let Some(run) = point.and_then(|point| points.run(point, close.min(end))) {
                last = run.last();
                runs.push(run);
            }
        }
        runs.retain(|run| run.first().is_some_and(|first| first < end));
        runs
    }

    /// How many points of the checks are not made by a warm-up.
    fn checks(&mut self, beat: &Beat, warm: &[Run]) -> u64 {
        let points = self.points(beat);
        let after = points.every().map_or(0, |every| every / 4).max(BEFORE + 1);
        let mut made = points.between(self.from, self.to);
        let mut counted = self.from;
        for moment in warm.iter().flat_map(Run::moments) {
            let (begin, end) = ((moment - BEFORE).max(counted), (moment + after).min(self.to));
            if begin < end {
                made -= points.between(begin, end);
                counted = end;
            }
        }
        made
    }
}

/// The points of a beat, as numbers.
#[derive(Debug)]
enum Points {
    Grid { every: i64, offset: i64 },
    Listed(Arc<[i64]>),
}

impl Points {
    fn every(&self) -> Option<i64> {
        match self {
            Self::Grid { every, .. } => Some(*every),
            Self::Listed(_) => None,
        }
    }

    /// [`Beat::free_after`].
    fn quiet(&self) -> i64 {
        self.every().map_or(1, |every| every / 4)
    }

    fn not_before(&self, moment: i64) -> Option<i64> {
        match self {
            Self::Grid { every, offset } => {
                let over = (moment - offset).rem_euclid(*every);
                if over == 0 { Some(moment) } else { moment.checked_add(every - over) }
            }
            Self::Listed(times) => times.get(times.partition_point(|time| *time < moment)).copied(),
        }
    }

    fn between(&self, from: i64, to: i64) -> u64 {
        match self {
            Self::Grid { every, offset } => {
                // Points before a moment, counted from the offset.
                let before = |moment: i64| (moment - offset - 1).div_euclid(*every);
                u64::try_from(before(to) - before(from)).unwrap_or(0)
            }
            Self::Listed(times) => {
                let before = |moment: i64| times.partition_point(|time| *time < moment);
                u64::try_from(before(to).saturating_sub(before(from))).unwrap_or(0)
            }
        }
    }

    /// The points from one of them to before a moment.
    fn run(&self, first: i64, until: i64) -> Option<Run> {
        match self {
            Self::Grid { every, .. } => Run::even(first, *every, until),
            Self::Listed(times) => Run::listed(times, first, until),
        }
    }
}
