//! All times at which cron fields fire within a span: what [`Pattern::next`] would find one by one, found by days.
//!
//! On a day on which the zone's clock does not change, the times of the day are the same as on any other; they are looked
//! up once. On the few others the pattern is asked time by time, so that its rules for gaps and repeats hold here too.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::cron::Pattern;
use super::moment::{NANOSECONDS, at, nanoseconds};

/// Seconds of a day without a change of the clock.
const DAY: i64 = 86_400;

impl Pattern {
    /// Every time from one moment to before another, in nanoseconds since the epoch.
    pub(super) fn within(&self, from: i64, to: i64, zone: &TimeZone) -> Vec<i64> {
        let seconds = self.times_of_day();
        let mut found = Vec::new();
        let mut begin = from;
        while begin < to {
            let shown = zone.to_datetime(at(begin));
            let end = after(shown.date(), zone).filter(|end| *end > begin).unwrap_or(to);
            if is_plain(begin, end, zone) {
                // Midnight, where the clock does not change between it and the end of the day.
                let midnight = end - DAY * NANOSECONDS;
                if self.has_day(shown.date()) {
                    let times = seconds.iter().map(|second| midnight + second * NANOSECONDS);
                    found.extend(times.filter(|time| (begin..end.min(to)).contains(time)));
                }
            } else {
                self.one_by_one(begin, end.min(to), zone, &mut found);
            }
            begin = end;
        }
        found
    }

    fn one_by_one(&self, from: i64, to: i64, zone: &TimeZone, found: &mut Vec<i64>) {
        let mut asked = from;
        while let Some(next) = self.next(at(asked), zone).map(nanoseconds).filter(|next| *next < to) {
            found.push(next);
            asked = next + 1;
        }
    }
}

/// The moment at which the day after a day begins.
fn after(day: Date, zone: &TimeZone) -> Option<i64> {
    let next = day.checked_add(1.day()).ok()?;
    Some(nanoseconds(zone.to_ambiguous_timestamp(next.to_datetime(jiff::civil::Time::midnight())).earlier().ok()?))
}

/// Whether the clock changes neither in the day that ends at `end`, nor within a second of it.
fn is_plain(begin: i64, end: i64, zone: &TimeZone) -> bool {
    let midnight = end - DAY * NANOSECONDS;
    let before: Timestamp = at(midnight - NANOSECONDS);
    let change = zone.following(before).next().map(|change| nanoseconds(change.timestamp()));
    begin >= midnight && change.is_none_or(|change| change > end)
}
