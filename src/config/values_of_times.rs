//! What a single value must look like, continued: leads, ages, sizes, moments and witnesses.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::mask::quote;
use super::values::{self, DAY, Problem, duration, duration_text};
use crate::outcome::WitnessAddress;

/// Shortest time for which outcomes are kept.
const MIN_AGE: Duration = Duration::from_secs(3600);
/// Longest time for which outcomes are kept.
const MAX_AGE: Duration = Duration::from_secs(3650 * DAY);
/// Shortest and longest time after which a model is said to unload.
const MIN_IDLE: Duration = Duration::from_secs(1);
const MAX_IDLE: Duration = Duration::from_secs(7 * DAY);
/// Most requests that users are said to make in an hour.
const MAX_HOURLY: f64 = 100_000.0;
/// Smallest size of the store, in bytes.
const MIN_SIZE: u64 = 1 << 20;
/// The units of a size, the largest first.
const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// How long before a window opens: an hour at most, and none is a choice too.
pub(super) fn lead(text: &str) -> Result<Duration, Problem> {
    if text.parse::<SignedDuration>().is_ok_and(|lead| lead.is_zero()) {
        return Ok(Duration::ZERO);
    }
    let lead = duration(text)?;
    if lead > Duration::from_secs(3600) {
        return Err(Problem::new(format!("{} is longer than an hour", quote(text)))
            .fix("write `1h` at most, such as `3m`, or `0s` for no lead"));
    }
    Ok(lead)
}

/// After how long without a request a model unloads: a week at most.
pub(super) fn idle(text: &str) -> Result<Duration, Problem> {
    let idle = duration(text)?;
    if idle < MIN_IDLE || idle > MAX_IDLE {
        return Err(Problem::new(format!("{} is not between a second and a week", quote(text)))
            .fix("write a time such as `15m`; leave the key out where nobody knows"));
    }
    Ok(idle)
}

/// How many in an hour: a number that is not negative, and may have decimals.
pub(super) fn hourly(text: &str) -> Result<f64, Problem> {
    let digits = !text.is_empty() && text.chars().all(|character| character.is_ascii_digit() || character == '.');
    match text.parse::<f64>() {
        Ok(number) if digits && number <= MAX_HOURLY => Ok(number),
        Ok(_) if digits => Err(Problem::new(format!("{} is more than anybody asks in an hour", quote(text)))
            .fix("write a number up to 100000")),
        _ => Err(Problem::new(format!("{} is not a number", quote(text)))
            .fix("write how many requests come in an hour, such as `20` or `0.5`")),
    }
}

/// For how long something is kept. Days are meant here, so they are accepted here.
pub(super) fn age(text: &str) -> Result<Duration, Problem> {
    let fix = "write a time from `1h` to `3650d`, such as `90d`";
    let age = match values::days(text) {
        Some(days) => Duration::from_secs(days.saturating_mul(DAY)),
        None => duration(text)?,
    };
    if age < MIN_AGE {
        return Err(Problem::new(format!("{} is shorter than an hour", quote(text))).fix(fix));
    }
    if age > MAX_AGE {
        return Err(Problem::new(format!("{} is longer than ten years", quote(text))).fix(fix));
    }
    Ok(age)
}

/// An age as this file reads it: `90d`.
pub(super) fn age_text(age: Duration) -> String {
    match (age.as_secs() / DAY, age.as_secs() % DAY, age.subsec_nanos()) {
        (days, 0, 0) => format!("{days}d"),
        _ => duration_text(age),
    }
}

/// A number of bytes: `256MiB`.
pub(super) fn size(text: &str) -> Result<u64, Problem> {
    let fix = "write a whole number with `KiB`, `MiB`, `GiB` or `TiB`, such as `256MiB`";
    let wrong = || Problem::new(format!("{} is not a size", quote(text))).fix(fix);
    let (number, unit) =
        UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit))).ok_or_else(wrong)?;
    let number = number.trim_end();
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(wrong)?;
    if bytes < MIN_SIZE {
        return Err(Problem::new(format!("{} is smaller than 1 MiB", quote(text))).fix("write `1MiB` at least"));
    }
    Ok(bytes)
}

/// A size as this file reads it.
pub(super) fn size_text(bytes: u64) -> String {
    let unit = UNITS.iter().find(|(_, unit)| bytes.is_multiple_of(*unit));
    let (name, unit) = unit.copied().unwrap_or(("KiB", 1 << 10));
    format!("{}{name}", bytes / unit)
}

/// A date and a time, as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// With its distance from UTC.
    Fixed(Timestamp),
    /// As a clock shows it, somewhere.
    Shown(DateTime),
}

impl Moment {
    /// The moment, if clocks are those of a zone. What they skip is as much later; what they show twice is the first.
    pub(super) fn within(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Fixed(moment) => Some(moment),
            Self::Shown(shown) => zone.to_timestamp(shown).ok(),
        }
    }
}

/// `2026-12-01T22:00`, which is meant in some zone, or `2026-12-01T22:00+01:00`.
pub(super) fn moment(text: &str) -> Result<Moment, Problem> {
    let fix = "write it as `2026-12-01T22:00`, or with the distance from UTC as `2026-12-01T22:00+01:00`";
    // jiff takes a date for its midnight, which could be meant as its end just as well.
    if text.parse::<jiff::civil::Date>().is_ok() && text.len() <= 10 {
        return Err(Problem::new(format!("{} has no time of the day", quote(text))).fix(fix));
    }
    let fixed = text.parse().map(Moment::Fixed);
    fixed
        .or_else(|_| text.parse().map(Moment::Shown))
        .map_err(|_| Problem::new(format!("{} is not a date and a time", quote(text))).fix(fix))
}

/// A host and a port.
pub(super) fn witness(text: &str) -> Result<WitnessAddress, Problem> {
    WitnessAddress::parse(text).ok_or_else(|| {
        Problem::new(format!("{} is not a host with a port", quote(text)))
            .fix("write it as `example.com:443` or `[2001:db8::1]:443`, without `https://`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_sizes_read_as_they_are_shown() {
        for text in ["1h", "90d", "3650d", "36h"] {
            assert_eq!(age_text(age(text).unwrap()), text);
        }
        for text in ["1MiB", "256MiB", "1GiB", "2000KiB", "3TiB"] {
            assert_eq!(size_text(size(text).unwrap()), text);
        }
        for text in ["59m", "3651d", "0d", "", "90"] {
            assert!(age(text).is_err(), "{text}");
        }
        for text in ["64KiB", "256MB", "256", "MiB", "1.5GiB", "-1MiB", "99999999999999TiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_of_an_hour_are_plain() {
        for (text, number) in [("20", 20.0), ("0", 0.0), ("0.5", 0.5), ("100000", 100_000.0)] {
            assert_eq!(hourly(text), Ok(number));
        }
        for text in ["-1", "1e3", "inf", "NaN", "", "20/h", ".", "100001"] {
            assert!(hourly(text).is_err(), "{text}");
        }
        for text in ["500ms", "8d", "169h", "never"] {
            assert!(idle(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_lead_may_be_none() {
        assert_eq!(lead("0s"), Ok(Duration::ZERO));
        assert_eq!(lead("3m"), Ok(Duration::from_secs(180)));
        for text in ["61m", "-3m", "3", "soon"] {
            assert!(lead(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_is_meant_where_it_says() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let read = |text: &str| moment(text).unwrap().within(&zone).unwrap().to_string();
        for text in ["2026-12-01T22:00", "2026-12-01 22:00:00", "2026-12-01T22:00+01:00", "2026-12-01T21:00Z"] {
            assert_eq!(read(text), "2026-12-01T21:00:00Z", "{text}");
        }
        for text in ["2026-12-01", "22:00", "2026-12-01T25:00", "tomorrow", "2026-02-30T10:00"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
