//! The times of a week: `Mon-Fri 08:00-19:00`, as people write them, and whether a moment is within. When they open and
//! close next is reckoned in `spans.rs`.

use std::fmt;

use jiff::Zoned;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// The times at which an LLM is kept warm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    /// The times of a week. Always, where there are none.
    pub during: Vec<Daily>,
    /// The zone in which `during`, `except` and cron fields are meant. UTC unless said.
    pub timezone: TimeZone,
    /// Days on which no window begins.
    pub except: Vec<Date>,
}

impl Windows {
    /// Whether a moment is within a window. One that passes midnight belongs to the day on which it began.
    #[must_use]
    pub fn contains(&self, moment: &Zoned) -> bool {
        self.span(moment.timestamp()).is_some()
    }
}

/// A minute of a day, from 00:00 to 24:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    pub(super) const MIDNIGHT: Self = Self(0);
    pub(super) const END: Self = Self(24 * 60);

    /// Minutes since 00:00.
    #[must_use]
    pub fn minutes(self) -> u16 {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let digits = |part: &str, most: usize| {
            ((1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
                .then(|| part.parse::<u16>().ok())
                .flatten()
        };
        if minute.len() != 2 {
            return None;
        }
        let (hour, minute) = (digits(hour, 2)?, digits(minute, 2)?);
        (minute < 60 && hour * 60 + minute <= Self::END.0).then_some(Self(hour * 60 + minute))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// A range of time on some days of every week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daily {
    /// The days on which it begins, in order from Monday, each once. At least one.
    pub days: Vec<Weekday>,
    /// Its first minute.
    pub start: TimeOfDay,
    /// The minute at which it is over. Not later than `start` where it passes midnight; never equal to it.
    pub end: TimeOfDay,
}

/// Why a text is not a list of weekly times. The text fits after "failed to".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DuringError {
    /// A day is not one.
    #[error("`{0}` is not a day of the week")]
    Day(String),
    /// A time is not one.
    #[error("`{0}` is not a range of time")]
    Time(String),
    /// A range begins where it ends.
    #[error("`{0}` begins and ends at the same minute")]
    Empty(String),
    /// There is a comma too many, or no text at all.
    #[error("a part of it is empty")]
    Nothing,
}

const WEEK: [(Weekday, &str, &str); 7] = [
    (Weekday::Monday, "Mon", "monday"),
    (Weekday::Tuesday, "Tue", "tuesday"),
    (Weekday::Wednesday, "Wed", "wednesday"),
    (Weekday::Thursday, "Thu", "thursday"),
    (Weekday::Friday, "Fri", "friday"),
    (Weekday::Saturday, "Sat", "saturday"),
    (Weekday::Sunday, "Sun", "sunday"),
];

impl Daily {
    /// Reads `Mon-Fri 08:00-19:00, Sat 10:00-14:00`.
    ///
    /// Parts are separated by commas. A part has days, a range of time, or both. Days without a time belong to the
    /// next time (`Mon, Wed 08:00-12:00`), and are whole days where none follows; a time without days is on the days
    /// of the part before it (`Mon-Fri 08:00-12:00, 13:00-19:00`), and on every day at the beginning. A range that
    /// ends before it begins passes midnight.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, DuringError> {
        let mut out: Vec<Self> = Vec::new();
        let mut waiting: Vec<Weekday> = Vec::new();
        for part in text.split(',') {
            let words: Vec<&str> = part.split_whitespace().collect();
            let (days, time) = match words.as_slice() {
                [] => return Err(DuringError::Nothing),
                [one] if one.starts_with(|c: char| c.is_ascii_digit()) => (None, Some(*one)),
                [one] => (Some(*one), None),
                [days, time] => (Some(*days), Some(*time)),
                [_, _, rest @ ..] => {
                    return Err(DuringError::Time(rest.join(" ")));
                }
            };
            if let Some(days) = days {
                waiting.extend(parse_days(days)?);
            }
            let Some(time) = time else { continue };
            let (start, end) = parse_range(time)?;
            let days = match (waiting.is_empty(), out.last()) {
                (false, _) => in_order(&std::mem::take(&mut waiting)),
                (true, Some(before)) => before.days.clone(),
                (true, None) => WEEK.map(|(day, ..)| day).to_vec(),
            };
            out.push(Self { days, start, end });
        }
        if !waiting.is_empty() {
            out.push(Self { days: in_order(&waiting), start: TimeOfDay::MIDNIGHT, end: TimeOfDay::END });
        }
        Ok(out)
    }

    /// Whether it ends on the day after.
    pub(super) fn passes_midnight(&self) -> bool {
        self.end < self.start
    }
}

impl fmt::Display for Daily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days.len() < WEEK.len() {
            for (index, day) in self.days.iter().enumerate() {
                let name = WEEK.iter().find(|(known, ..)| known == day).map_or("", |(_, name, _)| name);
                let comma = if index == 0 { "" } else { ", " };
                write!(f, "{comma}{name}")?;
            }
        } else {
            f.write_str("Mon-Sun")?;
        }
        write!(f, " {}-{}", self.start, self.end)
    }
}

fn in_order(days: &[Weekday]) -> Vec<Weekday> {
    WEEK.iter().map(|(day, ..)| *day).filter(|day| days.contains(day)).collect()
}

fn parse_day(text: &str) -> Result<Weekday, DuringError> {
    let wanted = text.to_ascii_lowercase();
    WEEK.iter()
        .find(|(_, _, long)| wanted.len() >= 2 && long.starts_with(&wanted))
        .map(|(day, ..)| *day)
        .ok_or_else(|| DuringError::Day(text.to_owned()))
}

fn parse_days(text: &str) -> Result<Vec<Weekday>, DuringError> {
    if text.eq_ignore_ascii_case("daily") {
        return Ok(WEEK.map(|(day, ..)| day).to_vec());
    }
    let Some((first, last)) = text.split_once('-') else {
        return parse_day(text).map(|day| vec![day]);
    };
    let (first, last) = (parse_day(first)?, parse_day(last)?);
    let mut days = vec![first];
    let mut day = first;
    // `Fri-Mon` goes round the end of the week.
    while day != last && days.len() < WEEK.len() {
        day = day.next();
        days.push(day);
    }
    Ok(days)
}

fn parse_range(text: &str) -> Result<(TimeOfDay, TimeOfDay), DuringError> {
    let wrong = || DuringError::Time(text.to_owned());
    let (start, end) = text.split_once('-').ok_or_else(wrong)?;
    let start = TimeOfDay::parse(start).ok_or_else(wrong)?;
    let end = TimeOfDay::parse(end).ok_or_else(wrong)?;
    if start == TimeOfDay::END {
        return Err(wrong());
    }
    if start == end {
        return Err(DuringError::Empty(text.to_owned()));
    }
    Ok((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(during: &str, except: &[&str]) -> Windows {
        Windows {
            during: Daily::parse_all(during).unwrap(),
            timezone: TimeZone::get("Europe/Berlin").unwrap(),
            except: except.iter().map(|day| day.parse().unwrap()).collect(),
        }
    }

    fn open(windows: &Windows, moment: &str) -> bool {
        windows.contains(&moment.parse().unwrap())
    }

    #[test]
    fn weekly_times_read_as_people_write_them() {
        for (text, shown) in [
            ("Mon-Fri 08:00-19:00", "Mon, Tue, Wed, Thu, Fri 08:00-19:00"),
            ("mon, WED 8:00-12:00", "Mon, Wed 08:00-12:00"),
            ("Fri-Mon 22:00-06:00", "Mon, Fri, Sat, Sun 22:00-06:00"),
            ("08:00-12:00", "Mon-Sun 08:00-12:00"),
            ("daily 00:00-24:00", "Mon-Sun 00:00-24:00"),
            ("Sat", "Sat 00:00-24:00"),
            ("Tue 08:00-12:00, 13:00-19:00, Sat", "Tue 08:00-12:00; Tue 13:00-19:00; Sat 00:00-24:00"),
        ] {
            let parsed = Daily::parse_all(text).unwrap();
            let words: Vec<String> = parsed.iter().map(ToString::to_string).collect();
            assert_eq!(words.join("; "), shown, "{text}");
            assert_eq!(Daily::parse_all(&words.join(", ")).unwrap(), parsed);
        }
    }

    #[test]
    fn what_is_not_a_weekly_time_is_named() {
        for (text, error) in [
            ("", DuringError::Nothing),
            ("Mon,,Tue", DuringError::Nothing),
            ("Moin 08:00-09:00", DuringError::Day("Moin".into())),
            ("M 08:00-09:00", DuringError::Day("M".into())),
            ("Mon 8-19", DuringError::Time("8-19".into())),
            ("Mon 08:00-24:01", DuringError::Time("08:00-24:01".into())),
            ("Mon 08:60-09:00", DuringError::Time("08:60-09:00".into())),
            ("Mon 08:00-08:00", DuringError::Empty("08:00-08:00".into())),
            ("Mon 08:00 - 19:00", DuringError::Time("- 19:00".into())),
        ] {
            assert_eq!(Daily::parse_all(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_window_is_meant_in_its_own_zone() {
        let office = windows("Mon-Fri 08:00-19:00", &["2026-12-25"]);
        assert!(open(&office, "2026-11-20T08:00:00+01:00[Europe/Berlin]"));
        assert!(open(&office, "2026-11-20T17:59:59+00:00[UTC]"));
        assert!(!open(&office, "2026-11-20T18:00:00+00:00[UTC]"));
        assert!(!open(&office, "2026-11-21T12:00:00+01:00[Europe/Berlin]"));
        assert!(!open(&office, "2026-12-25T12:00:00+01:00[Europe/Berlin]"));
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_began() {
        let night = windows("Fri 22:00-06:00", &["2026-11-27"]);
        assert!(open(&night, "2026-11-20T23:00:00+01:00[Europe/Berlin]"));
        assert!(open(&night, "2026-11-21T05:59:00+01:00[Europe/Berlin]"));
        assert!(!open(&night, "2026-11-21T06:00:00+01:00[Europe/Berlin]"));
        assert!(!open(&night, "2026-11-20T05:00:00+01:00[Europe/Berlin]"));
        assert!(!open(&night, "2026-11-28T05:00:00+01:00[Europe/Berlin]"));
    }
}
