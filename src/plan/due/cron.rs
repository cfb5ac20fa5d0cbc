//! Cron fields, understood: when they fire next.
//!
//! croner reads the fields and walks the calendar. The changes of the clock are ours, because croner takes only a single
//! time of day for a fixed one: `30 2,14 * * *` would be skipped in spring and fire twice in autumn. As in Vixie cron,
//! fields that say a time of day fire once on each day, right after the gap where the clock skips it; those with a `*`
//! in the minutes or hours mean "so often", and fire by what has elapsed. And where both the day of the month and the
//! day of the week are said, either will do.

use std::collections::HashMap;
use std::sync::Arc;

use croner::errors::CronError as Told;
use croner::parser::CronParser;
use croner::{Cron, Weekday};
use jiff::civil::{Date, DateTime, date};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan as _};

use super::super::spans::after_gap;
use super::super::{CronError, CronText, Windows};

/// Times in a row that lie in the past because the clock shows them twice: an hour of seconds, and one more.
const REPEATED: usize = 3601;
/// How far ahead a date is looked for, in years: the calendar repeats itself after 28, and after 40 across 2100.
const AHEAD: i16 = 40;
const LEAP_YEAR: i16 = 2020;

/// How many windows are looked into for one that they fire in.
const LOOKED_AT: usize = 400;
/// The fields, of which the first may be left out.
const FIELDS: [&str; 6] = ["second", "minute", "hour", "day of the month", "month", "weekday"];

/// Cron fields that were read, each text once: one takes about 5 KB, and a thousand targets share a few.
#[derive(Debug, Default)]
pub struct CronBook(HashMap<CronText, Result<Arc<Pattern>, CronError>>);

impl CronBook {
    /// Whether fields can be understood and will ever fire.
    pub fn check(&mut self, text: &CronText) -> Result<(), CronError> {
        self.pattern(text).map(drop)
    }

    /// Whether fields never fire within windows, as far as one can see: in their first 400 times from 2026 on. Not so
    /// where they cannot be understood.
    pub fn never_within(&mut self, text: &CronText, windows: &Windows) -> bool {
        let Ok(pattern) = self.pattern(text) else { return false };
        let mut from = Timestamp::constant(1_767_225_600, 0);
        for _ in 0..LOOKED_AT {
            let Some(next) = pattern.next(from, &windows.timezone) else { return true };
            if windows.span(next).is_some() {
                return false;
            }
            let Some((open, _)) = windows.next_opening(next) else { return true };
            from = open;
        }
        true
    }

    /// How many different fields are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was read yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn pattern(&mut self, text: &CronText) -> Result<Arc<Pattern>, CronError> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let read = Pattern::new(text).map(Arc::new);
        self.0.insert(text.clone(), read.clone());
        read
    }
}

/// What fields count: times of day, or what has elapsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    TimesOfDay,
    Elapsed,
}

/// Fields that were read.
#[derive(Debug)]
pub(super) struct Pattern {
    cron: Cron,
    counts: Counts,
}

impl Pattern {
    fn new(text: &CronText) -> Result<Self, CronError> {
        let parser = CronParser::builder().dom_and_dow(false).build();
        let cron = parser.parse(text.as_str()).map_err(|error| refused(text, &parser, &error))?;
        // Seconds, where they are said, come first; then minutes and hours.
        let fields: Vec<&str> = text.as_str().split(' ').collect();
        let often = fields.iter().take(fields.len().saturating_sub(3)).any(|field| field.starts_with('*'));
        if !has_a_day(&cron) {
            return Err(CronError::Never);
        }
        Ok(Self { cron, counts: if often { Counts::Elapsed } else { Counts::TimesOfDay } })
    }

    /// The first moment that is not before another. `None` where there is none.
    pub(super) fn next(&self, from: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        // Fields mean whole seconds.
        let from = match from.subsec_nanosecond() {
            0 => from,
            _ => Timestamp::from_second(from.as_second().checked_add(1)?).ok()?,
        };
        match self.counts {
            Counts::Elapsed => {
                let found = self.cron.find_next_occurrence(&from.to_zoned(zone.clone()), true).ok()?;
                Some(found.timestamp())
            }
            Counts::TimesOfDay => self.next_time_of_day(from, zone),
        }
    }

    /// The seconds of a day at which it fires, on a day that it fires on at all.
    pub(super) fn times_of_day(&self) -> Vec<i64> {
        let pattern = &self.cron.pattern;
        let fits = |number: u32, matches: &dyn Fn(u32) -> Result<bool, Told>| matches(number).unwrap_or(false);
        let mut found = Vec::new();
        for hour in (0..24).filter(|hour| fits(*hour, &|hour| pattern.hour_match(hour))) {
            for minute in (0..60).filter(|minute| fits(*minute, &|minute| pattern.minute_match(minute))) {
                let seconds = (0..60).filter(|second| fits(*second, &|second| pattern.second_match(second)));
                found.extend(seconds.map(|second| i64::from(hour * 3600 + minute * 60 + second)));
            }
        }
        found
    }

    /// Whether it fires on a day.
    pub(super) fn has_day(&self, day: Date) -> bool {
        fits_day(&self.cron, day)
    }

    fn next_time_of_day(&self, from: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        // From the second before, because what is skipped belongs to the moment after the gap.
        let before = zone.to_datetime(from.checked_sub(1.second()).ok()?);
        let mut shown = before.checked_add(1.second()).ok()?;
        for _ in 0..REPEATED {
            let found = self.shown(shown)?;
            let ambiguous = zone.to_ambiguous_timestamp(found);
            let moment = match ambiguous.offset() {
                AmbiguousOffset::Gap { .. } => after_gap(zone, found)?,
                _ => ambiguous.earlier().ok()?,
            };
            if moment >= from {
                return Some(moment);
            }
            shown = found.checked_add(1.second()).ok()?;
        }
        None
    }

    /// The first time that a clock without a zone shows, not before another.
    fn shown(&self, from: DateTime) -> Option<DateTime> {
        let found = self.cron.find_next_occurrence(&from, true).ok()?;
        (found.year() <= from.year().saturating_add(AHEAD)).then_some(found)
    }
}

/// Whether there is a day that fits. croner's own search would go on for millennia.
fn has_a_day(cron: &Cron) -> bool {
    // Without weekdays a leap year has every day there is. With them, a fifth Monday of February is the rarest.
    let years = if cron.pattern.is_dow_wildcard() { 1 } else { AHEAD };
    let end = date(LEAP_YEAR + years, 1, 1);
    date(LEAP_YEAR, 1, 1).series(1.day()).take_while(|day| *day < end).any(|day| fits_day(cron, day))
}

/// Whether a day is one of those that fields say.
fn fits_day(cron: &Cron, day: Date) -> bool {
    let [month, number] = [day.month(), day.day()].map(|part| u32::from(part.unsigned_abs()));
    let weekday = Weekday::from_days_from_sunday(u32::from(day.weekday().to_sunday_zero_offset().unsigned_abs()));
    cron.pattern.month_match(month).unwrap_or(false)
        && cron.pattern.day_match(i32::from(day.year()), month, number, weekday).unwrap_or(false)
}

/// Why fields are refused: the first that is refused by itself, and what croner says of it.
fn refused(text: &CronText, parser: &CronParser, error: &Told) -> CronError {
    let fields: Vec<&str> = text.as_str().split(' ').collect();
    let skipped = FIELDS.len().saturating_sub(fields.len());
    for (index, name) in FIELDS.iter().skip(skipped).enumerate() {
        let alone: Vec<&str> =
            fields.iter().enumerate().map(|(place, field)| if place == index { *field } else { "*" }).collect();
        if let (Err(error), Some(field)) = (parser.parse(&alone.join(" ")), fields.get(index)) {
            return CronError::Refused(format!("the {name} `{field}`: {}", told(&error)));
        }
    }
    CronError::Refused(told(error))
}

/// What croner says, as the end of a sentence.
fn told(error: &Told) -> String {
    let text = match error {
        Told::InvalidPattern(text) | Told::ComponentError(text) => text.clone(),
        Told::IllegalCharacters(_) => "it is neither a number nor a name such as `Mon` or `Jan`".to_owned(),
        other => other.to_string(),
    };
    let mut text = text.trim_end_matches('.').to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fires(text: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let zone = TimeZone::get(zone).unwrap();
        let pattern = CronBook::default().pattern(&CronText::new(text).unwrap()).unwrap();
        let mut from: Timestamp = from.parse().unwrap();
        let mut fired = Vec::new();
        for _ in 0..count {
            let next = pattern.next(from, &zone).unwrap();
            assert!(next >= from);
            fired.push(next.to_zoned(zone.clone()).strftime("%m-%dT%H:%M:%S%:z").to_string());
            from = next + 1.nanosecond();
        }
        fired
    }

    #[test]
    fn a_time_that_the_clock_skips_is_made_once_right_after() {
        for (zone, text, from, expected) in [
            ("Europe/Berlin", "30 2 * * *", "2026-03-28T12:00Z", ["03-29T03:00:00+02:00", "03-30T02:30:00+02:00"]),
            ("Europe/Berlin", "0,30 2 * * *", "2026-03-28T12:00Z", ["03-29T03:00:00+02:00", "03-30T02:00:00+02:00"]),
            ("Europe/Berlin", "0 2,3 * * *", "2026-03-28T12:00Z", ["03-29T03:00:00+02:00", "03-30T02:00:00+02:00"]),
            ("Europe/London", "30 1 * * *", "2026-03-28T12:00Z", ["03-29T02:00:00+01:00", "03-30T01:30:00+01:00"]),
            ("America/New_York", "5 2 * * *", "2026-03-07T12:00Z", ["03-08T03:00:00-04:00", "03-09T02:05:00-04:00"]),
        ] {
            assert_eq!(fires(text, zone, from, 2), expected, "{zone} {text}");
        }
        // The days around are as ever: croner 3 fired London's midnight twice on this one.
        let midnights = fires("0 0 * * *", "Europe/London", "2026-03-28T12:00Z", 2);
        assert_eq!(midnights, ["03-29T00:00:00+00:00", "03-30T00:00:00+01:00"]);
        let evening = fires("1 0 18 * * *", "Europe/London", "2026-03-29T00:30Z", 1);
        assert_eq!(evening, ["03-29T18:00:01+01:00"]);
    }

    #[test]
    fn a_time_that_the_clock_shows_twice_is_made_once() {
        for (zone, text, from, expected) in [
            ("Europe/Berlin", "30 2 * * *", "2026-10-24T12:00Z", ["10-25T02:30:00+02:00", "10-26T02:30:00+01:00"]),
            ("Europe/Berlin", "30 2,14 * * *", "2026-10-25T00:00Z", ["10-25T02:30:00+02:00", "10-25T14:30:00+01:00"]),
            ("Europe/London", "0 1 * * *", "2026-10-24T12:00Z", ["10-25T01:00:00+01:00", "10-26T01:00:00+00:00"]),
            ("America/New_York", "59 1 * * *", "2026-10-31T12:00Z", ["11-01T01:59:00-04:00", "11-02T01:59:00-05:00"]),
        ] {
            assert_eq!(fires(text, zone, from, 2), expected, "{zone} {text}");
        }
        // Asked between the two.
        assert_eq!(fires("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10Z", 1), ["10-26T02:30:00+01:00"]);
    }

    #[test]
    fn so_often_goes_on_through_a_change_of_the_clock() {
        let autumn = fires("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00Z", 5);
        let both = ["02:00:00+02:00", "02:30:00+02:00", "02:00:00+01:00", "02:30:00+01:00", "03:00:00+01:00"];
        assert_eq!(autumn, both.map(|time| format!("10-25T{time}")));
        let spring = fires("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:30Z", 3);
        assert_eq!(spring, ["01:30:00+01:00", "03:00:00+02:00", "03:30:00+02:00"].map(|time| format!("03-29T{time}")));
    }

    #[test]
    fn either_day_will_do() {
        let days = fires("0 0 13 * Fri", "UTC", "2026-11-10T00:00Z", 3);
        assert_eq!(days, ["11-13", "11-20", "11-27"].map(|day| format!("{day}T00:00:00+00:00")));
        let days = fires("0 0 25 * Fri", "UTC", "2026-11-20T00:00Z", 3);
        assert_eq!(days, ["11-20", "11-25", "11-27"].map(|day| format!("{day}T00:00:00+00:00")));
    }

    #[test]
    fn what_cannot_be_understood_or_never_fires_is_told() {
        let check = |text: &str| CronBook::default().check(&CronText::new(text).unwrap());
        for text in [
            "*/5 8-19 * * Mon-Fri",
            "0 0 29 2 *",
            "0 0 L * ?",
            "30 0 9 * * 1#2",
            "0 0 31 1,3 *",
            "0 0 * 2 Mon#5",
            "0 0 15W * *",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for text in ["0 0 30 2 *", "0 0 31 4,6 *", "0 0 31 2,4,6,9,11 ?"] {
            assert_eq!(check(text), Err(CronError::Never), "{text}");
        }
        for (text, told) in [
            ("61 * * * *", "the minute `61`: number out of bounds"),
            ("* 25 * * *", "the hour `25`: number out of bounds"),
            ("0 * * * * Foo", "the weekday `Foo`: it is neither a number nor a name such as `Mon` or `Jan`"),
            ("5-1 * * * *", "the minute `5-1`: range out of bounds"),
            ("* * * 13 *", "the month `13`: number out of bounds"),
        ] {
            assert_eq!(check(text), Err(CronError::Refused(told.to_owned())), "{text}");
        }
    }
}
