//! When weekly windows open and close, as moments: with their zone's changes of the clock, and with those that touch
//! taken as one (`Mon 20:00-24:00, Tue 00:00-06:00`).
//!
//! A time that the clock skips in spring is the moment right after the gap. A time that it shows twice in autumn opens a
//! window at the first and closes it at the second, so that the whole of it is covered.

use jiff::Timestamp;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::{Daily, TimeOfDay, Windows};

/// Windows that touch are followed this far, in windows: a week of whole days and a bit. What is longer has no end that
/// a schedule could meet, for the longest interval is a week.
const FOLLOWED: usize = 16;
/// How many days are looked at for the next opening. A year, for lists of exceptions.
const AHEAD: usize = 400;

/// From when, and until when it is not any more.
pub(super) type Span = (Timestamp, Timestamp);

/// Which of the two moments is meant, where the clock shows a time twice.
#[derive(Clone, Copy)]
enum Twice {
    First,
    Second,
}

impl Windows {
    /// Whether there is no time at which they are closed.
    pub(super) fn always(&self) -> bool {
        self.during.is_empty() && self.except.is_empty()
    }

    /// The window that a moment is in: when it opened and when it closes.
    #[must_use]
    pub fn span(&self, moment: Timestamp) -> Option<(Timestamp, Timestamp)> {
        if self.always() {
            return Some((Timestamp::MIN, Timestamp::MAX));
        }
        let (mut open, mut close) =
            self.around(moment).into_iter().find(|(open, close)| (*open..*close).contains(&moment))?;
        for _ in 0..FOLLOWED {
            let Some(later) = self.around(close).into_iter().filter(|(from, _)| *from <= close).map(|(_, to)| to).max()
            else {
                break;
            };
            if later <= close {
                break;
            }
            close = later;
        }
        for _ in 0..FOLLOWED {
            let Some(earlier) = self.around(open).into_iter().filter(|(_, to)| *to >= open).map(|(from, _)| from).min()
            else {
                break;
            };
            if earlier >= open {
                break;
            }
            open = earlier;
        }
        Some((open, close))
    }

    /// The first window that opens after a moment which is in none. `None` where there is none within a year.
    #[must_use]
    pub fn next_opening(&self, moment: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let mut day = self.day_of(moment);
        for _ in 0..AHEAD {
            let opening = self.beginning_on(day).into_iter().map(|(open, _)| open).filter(|open| *open > moment).min();
            if let Some(opening) = opening {
                return self.span(opening);
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// The windows that begin on the day of a moment, or on the day before.
    fn around(&self, moment: Timestamp) -> Vec<Span> {
        let today = self.day_of(moment);
        let mut spans = today.yesterday().map_or_else(|_| Vec::new(), |day| self.beginning_on(day));
        spans.extend(self.beginning_on(today));
        spans
    }

    fn day_of(&self, moment: Timestamp) -> Date {
        self.timezone.to_datetime(moment).date()
    }

    /// The windows that begin on a day.
    fn beginning_on(&self, day: Date) -> Vec<Span> {
        if self.except.contains(&day) {
            return Vec::new();
        }
        if self.during.is_empty() {
            return self.bounds(day, TimeOfDay::MIDNIGHT, TimeOfDay::END, day).into_iter().collect();
        }
        let starts = |daily: &&Daily| daily.days.contains(&day.weekday());
        let bounds = |daily: &Daily| {
            let last = if daily.passes_midnight() { day.tomorrow().ok()? } else { day };
            self.bounds(day, daily.start, daily.end, last)
        };
        self.during.iter().filter(starts).filter_map(bounds).collect()
    }

    fn bounds(&self, first: Date, start: TimeOfDay, end: TimeOfDay, last: Date) -> Option<Span> {
        let open = moment(&self.timezone, first, start, Twice::First)?;
        let close = moment(&self.timezone, last, end, Twice::Second)?;
        // Nothing is left of a window that is wholly within a gap.
        (open < close).then_some((open, close))
    }
}

/// The moment at which a zone's clock shows a time of a day.
fn moment(zone: &TimeZone, day: Date, time: TimeOfDay, twice: Twice) -> Option<Timestamp> {
    let shown = day.to_datetime(jiff::civil::Time::midnight()).checked_add(i64::from(time.minutes()).minutes()).ok()?;
    match (zone.to_ambiguous_timestamp(shown).offset(), twice) {
        (AmbiguousOffset::Gap { .. }, _) => after_gap(zone, shown),
        (_, Twice::First) => zone.to_ambiguous_timestamp(shown).earlier().ok(),
        (_, Twice::Second) => zone.to_ambiguous_timestamp(shown).later().ok(),
    }
}

/// The moment right after the gap that a time is in.
pub(super) fn after_gap(zone: &TimeZone, skipped: DateTime) -> Option<Timestamp> {
    // The later reading of a skipped time lies after the change of the clock, by no more than the gap.
    let after = zone.to_ambiguous_timestamp(skipped).later().ok()?;
    let change = zone.preceding(after.checked_add(1.second()).ok()?).next()?;
    Some(change.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(during: &str, zone: &str, except: &[&str]) -> Windows {
        Windows {
            during: if during.is_empty() { Vec::new() } else { Daily::parse_all(during).unwrap() },
            timezone: TimeZone::get(zone).unwrap(),
            except: except.iter().map(|day| day.parse().unwrap()).collect(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn span(from: &str, to: &str) -> Option<Span> {
        Some((at(from), at(to)))
    }

    #[test]
    fn a_window_opens_and_closes_by_the_clock_of_its_zone() {
        let office = windows("Mon-Fri 08:00-19:00", "Europe/Berlin", &["2026-11-24"]);
        let friday = span("2026-11-20T08:00+01:00", "2026-11-20T19:00+01:00");
        assert_eq!(office.span(at("2026-11-20T08:00+01:00")), friday);
        assert_eq!(office.span(at("2026-11-20T07:59:59.999+01:00")), None);
        assert_eq!(office.span(at("2026-11-20T19:00+01:00")), None);
        assert_eq!(office.next_opening(at("2026-11-20T07:00+01:00")), friday);
        let monday = span("2026-11-23T08:00+01:00", "2026-11-23T19:00+01:00");
        assert_eq!(office.next_opening(at("2026-11-20T19:00+01:00")), monday);
        let wednesday = span("2026-11-25T08:00+01:00", "2026-11-25T19:00+01:00");
        assert_eq!(office.next_opening(at("2026-11-23T19:00+01:00")), wednesday);
    }

    #[test]
    fn windows_that_touch_are_one() {
        let nights = windows("Mon 20:00-24:00, Tue 00:00-06:00, Tue 05:00-07:00", "UTC", &[]);
        let night = span("2026-11-23T20:00Z", "2026-11-24T07:00Z");
        for moment in ["2026-11-23T21:00Z", "2026-11-24T00:00Z", "2026-11-24T06:30Z"] {
            assert_eq!(nights.span(at(moment)), night, "{moment}");
        }
        let all = windows("daily 00:00-24:00", "Europe/Berlin", &[]);
        let (open, close) = all.span(at("2026-11-23T21:00Z")).unwrap();
        let hours = |from: Timestamp, to: Timestamp| to.duration_since(from).as_hours();
        assert!(hours(open, close) > 30 * 24, "{open} {close}");
    }

    #[test]
    fn whole_days_can_be_excepted() {
        let days = windows("", "Europe/Berlin", &["2026-11-24"]);
        assert_eq!(days.span(at("2026-11-24T12:00+01:00")), None);
        let opening = days.next_opening(at("2026-11-24T12:00+01:00")).unwrap();
        assert_eq!(opening.0, at("2026-11-25T00:00+01:00"));
        assert!(windows("", "UTC", &[]).always());
    }

    #[test]
    fn a_time_that_is_skipped_is_right_after_the_gap() {
        for (zone, day, before, after) in [
            ("Europe/Berlin", "Sun 02:30-05:00", "2026-03-29T01:59:59+01:00", "2026-03-29T03:00+02:00"),
            ("Europe/London", "Sun 01:00-05:00", "2026-03-29T00:59:59+00:00", "2026-03-29T02:00+01:00"),
            ("America/New_York", "Sun 02:59-05:00", "2026-03-08T01:59:59-05:00", "2026-03-08T03:00-04:00"),
        ] {
            let spring = windows(day, zone, &[]);
            assert_eq!(spring.next_opening(at(before)).unwrap().0, at(after), "{zone}");
            assert_eq!(spring.span(at(after)).unwrap().0, at(after), "{zone}");
            assert_eq!(spring.span(at(before)), None, "{zone}");
        }
        let within = windows("Sun 02:10-02:50", "Europe/Berlin", &[]);
        let next = within.next_opening(at("2026-03-29T00:00+01:00")).unwrap();
        assert_eq!(next.0, at("2026-04-05T02:10+02:00"));
    }

    #[test]
    fn a_time_that_is_shown_twice_is_covered_twice() {
        let autumn = windows("Sun 02:10-02:50", "Europe/Berlin", &[]);
        let both = span("2026-10-25T02:10+02:00", "2026-10-25T02:50+01:00");
        assert_eq!(autumn.next_opening(at("2026-10-25T00:00+02:00")), both);
        assert_eq!(autumn.span(at("2026-10-25T02:05+01:00")), both);
    }
}
