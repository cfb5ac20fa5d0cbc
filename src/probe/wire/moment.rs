//! Reading "when" in all the ways in which providers write it, as a duration from now.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Longer waits than this are a unit that was misread, or nonsense. The longest real one is a month's spending limit.
const LONGEST: Duration = Duration::from_secs(40 * 24 * 3600);
/// No way of writing a moment needs more bytes.
const LONGEST_TEXT: usize = 64;

/// How long from now until the moment, or for the duration, that a text names: a Go duration (`1m26.4s`), bare seconds,
/// seconds or milliseconds since 1970, RFC 3339, or an HTTP date in any of its three forms.
///
/// What is past or negative is zero; what is further than 40 days, or not understood, is nothing.
#[must_use]
pub fn parse_moment(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST_TEXT {
        return None;
    }
    if let Some(number) = parse_number(text) {
        return bare_number(number, now);
    }
    if let Ok(duration) = text.parse::<SignedDuration>() {
        return within(duration);
    }
    let moment = text.parse().ok().or_else(|| http_date(text))?;
    until(moment, now)
}

/// How long until a moment.
pub(super) fn until(moment: Timestamp, now: Timestamp) -> Option<Duration> {
    within(moment.duration_since(now))
}

/// How long a number of seconds is, where that is a wait one would believe.
pub(super) fn seconds(seconds: f64) -> Option<Duration> {
    let duration = Duration::try_from_secs_f64(seconds.max(0.0)).ok()?;
    (duration <= LONGEST).then_some(duration)
}

/// A decimal number and nothing else: no exponent, no `inf`.
pub(super) fn parse_number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    text.parse().ok().filter(|number: &f64| plain && number.is_finite())
}

/// Providers write seconds, seconds since 1970 and milliseconds since 1970 without a word on which. The three ranges
/// are far apart: 40 days are 3.5 million seconds, and 2001 began 978 million seconds after 1970.
fn bare_number(number: f64, now: Timestamp) -> Option<Duration> {
    let now = now.as_duration().as_secs_f64();
    if number >= 1e11 {
        seconds(number / 1e3 - now)
    } else if number >= 9e8 {
        seconds(number - now)
    } else {
        seconds(number)
    }
}

fn within(duration: SignedDuration) -> Option<Duration> {
    if duration.is_negative() {
        return Some(Duration::ZERO);
    }
    duration.try_into().ok().filter(|duration| *duration <= LONGEST)
}

/// RFC 9110, 5.6.7: the form that is sent, and the two old ones that must be accepted. The day of the week is not
/// compared with the date: a server that gets it wrong still means the date.
pub(in crate::probe) fn http_date(text: &str) -> Option<Timestamp> {
    let parser = rfc2822::DateTimeParser::new().relaxed_weekday(true);
    if let Ok(moment) = parser.parse_timestamp(text) {
        return Some(moment);
    }
    // `Sunday, 06-Nov-94 08:49:37 GMT`
    let rfc850 = text
        .split_once(", ")
        .and_then(|(_, date)| DateTime::strptime("%d-%b-%y %H:%M:%S", date.strip_suffix(" GMT")?).ok());
    // `Sun Nov  6 08:49:37 1994`
    let asctime = || text.split_once(' ').and_then(|(_, date)| DateTime::strptime("%b %e %H:%M:%S %Y", date).ok());
    rfc850.or_else(asctime)?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: &str = "2026-09-29T12:00:00Z";

    fn read(text: &str) -> Option<f64> {
        parse_moment(text, NOW.parse().unwrap()).map(|duration| duration.as_secs_f64())
    }

    #[test]
    fn every_way_of_writing_a_moment_is_read() {
        for (text, expected) in [
            // Go durations (OpenAI, Groq).
            ("12ms", Some(0.012)),
            ("1s", Some(1.0)),
            ("6m0s", Some(360.0)),
            ("1h2m3.5s", Some(3723.5)),
            ("1m26.4s", Some(86.4)),
            ("2m59.56s", Some(179.56)),
            ("100µs", Some(0.0001)),
            ("-5s", Some(0.0)),
            ("34s", Some(34.0)),
            ("0s", Some(0.0)),
            ("6 seconds", Some(6.0)),
            // Bare seconds (Azure, Cerebras, Retry-After).
            ("20", Some(20.0)),
            ("0.25", Some(0.25)),
            ("-1", Some(0.0)),
            ("86400", Some(86400.0)),
            (" 7 ", Some(7.0)),
            // Since 1970, in seconds (Anthropic unified) and milliseconds (OpenRouter).
            ("1790683260", Some(60.0)),
            ("1790683260000", Some(60.0)),
            ("1790683140", Some(0.0)),
            // RFC 3339 (Anthropic).
            ("2026-09-29T12:01:00Z", Some(60.0)),
            ("2026-09-29T14:01:00.5+02:00", Some(60.5)),
            ("2026-09-29T11:59:00Z", Some(0.0)),
            // HTTP dates.
            ("Tue, 29 Sep 2026 12:01:00 GMT", Some(60.0)),
            ("Tuesday, 29-Sep-26 12:01:00 GMT", Some(60.0)),
            ("Tue Sep 29 12:01:00 2026", Some(60.0)),
            ("Sun Nov  6 08:49:37 1994", Some(0.0)),
            ("Fri, 29 Sep 2026 12:01:00 GMT", Some(60.0)),
            // Absurd or not a moment.
            ("3456001", None),
            ("99999999999999999999", None),
            ("1000h", None),
            ("9999-12-31T23:59:59Z", None),
            ("inf", None),
            ("1e9", None),
            ("NaN", None),
            ("soon", None),
            ("", None),
            ("-", None),
            ("1.2.3", None),
            ("2026-09-29T12:01:00", None),
        ] {
            let read = read(text);
            let same = match (read, expected) {
                (Some(read), Some(expected)) => (read - expected).abs() < 1e-3,
                (read, expected) => read == expected,
            };
            assert!(same, "{text}: {read:?}, not {expected:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "(?s).{0,40}", second in -377_705_023_201_i64..253_402_207_200) {
            let read = parse_moment(&text, Timestamp::from_second(second).unwrap());
            prop_assert!(read.is_none_or(|duration| duration <= LONGEST));
        }

        #[test]
        fn nothing_that_looks_like_a_moment_is_too_much(
            text in "-?[0-9]{0,20}(\\.[0-9]{1,12})?(h|m|s|ms|us|ns|d|y)?[0-9]{0,20}(s|Z| GMT)?"
        ) {
            let read = parse_moment(&text, NOW.parse().unwrap());
            prop_assert!(read.is_none_or(|duration| duration <= LONGEST));
        }
    }
}
