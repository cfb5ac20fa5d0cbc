//! What a single value must look like, continued: amounts, money, and the times of quotas.

use std::time::Duration;

use super::mask::quote;
use super::values::{self, DAY, Problem, duration};

/// Shortest and longest time over which a quota comes back.
const MIN_PERIOD: Duration = Duration::from_secs(1);
const MAX_PERIOD: Duration = Duration::from_secs(366 * DAY);
/// No amount is greater.
const MOST: f64 = 1e12;

/// An amount: a number greater than zero, with a point where it is not whole. `_` may part its digits.
pub(super) fn amount(text: &str) -> Result<f64, Problem> {
    let fix = "write a number greater than zero, such as `500` or `0.1`";
    let wrong = || Problem::new(format!("{} is not an amount", quote(text))).fix(fix);
    let plain = text.replace('_', "");
    if plain.is_empty() || !plain.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(wrong());
    }
    let number: f64 = plain.parse().map_err(|_| wrong())?;
    if number <= 0.0 {
        return Err(Problem::new(format!("{} is not greater than zero", quote(text))).fix(fix));
    }
    if number > MOST {
        return Err(Problem::new(format!("{} is more than a million million", quote(text))).fix(fix));
    }
    Ok(number)
}

/// US dollars, with or without their sign.
pub(super) fn money(text: &str) -> Result<f64, Problem> {
    let fix = "write US dollars, such as `$2.50`";
    let plain = text.strip_prefix('$').unwrap_or(text).trim();
    amount(plain).map_err(|_| Problem::new(format!("{} is not an amount of money", quote(text))).fix(fix))
}

/// A price, which may be nothing.
pub(super) fn price(text: &str) -> Result<f64, Problem> {
    let plain = text.strip_prefix('$').unwrap_or(text).trim();
    if !plain.is_empty() && plain.chars().all(|c| c == '0' || c == '.') && plain.parse::<f64>().is_ok() {
        return Ok(0.0);
    }
    money(text)
}

/// How many requests one counts as; nothing is a price too.
pub(super) fn weight(text: &str) -> Result<f64, Problem> {
    price(text).map_err(|_| {
        Problem::new(format!("{} is not a number of requests", quote(text)))
            .fix("write how many requests one counts as, such as `1` or `0.1`")
    })
}

/// A time over which a quota comes back. Days are meant here, so they are accepted here.
pub(super) fn period(text: &str) -> Result<Duration, Problem> {
    let fix = "write a time from `1s` to `366d`, such as `5h` or `1d`";
    let period = match values::days(text) {
        Some(days) => Duration::from_secs(days.saturating_mul(DAY)),
        None => duration(text)?,
    };
    if !(MIN_PERIOD..=MAX_PERIOD).contains(&period) {
        return Err(Problem::new(format!("{} is no time of a quota", quote(text))).fix(fix));
    }
    Ok(period)
}

/// A number as this file reads it.
pub(super) fn number_text(number: f64) -> String {
    // The shortest digits that are the same number.
    format!("{number}")
}

/// A model's id, or the beginning of some ids with a star behind it.
pub(super) fn pattern(text: &str) -> Result<(), Problem> {
    let beginning = text.strip_suffix('*').unwrap_or(text);
    if beginning.contains('*') {
        return Err(Problem::new(format!("{} has a star that is not at its end", quote(text)))
            .fix("write a model's id, or the beginning of some ids and a star: `hf:zai-org/*`"));
    }
    // `*` alone is every model.
    if beginning.is_empty() && text == "*" { Ok(()) } else { values::model(beginning) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_money_and_periods() {
        assert_eq!(amount("500"), Ok(500.0));
        assert_eq!(amount("1_000_000"), Ok(1e6));
        assert_eq!(amount("0.1"), Ok(0.1));
        for text in ["", "0", "-1", "1e3", "five", "1.2.3", ".", "inf", "NaN", "9999999999999"] {
            assert!(amount(text).is_err(), "{text}");
        }
        assert_eq!(money("$2.50"), Ok(2.5));
        assert_eq!(money("2.50"), Ok(2.5));
        for text in ["€2", "$", "$-1", "2.50$", "$0"] {
            assert!(money(text).is_err(), "{text}");
        }
        assert_eq!(price("$0"), Ok(0.0));
        assert_eq!(weight("0"), Ok(0.0));
        assert_eq!(period("1d"), Ok(Duration::from_secs(86_400)));
        assert_eq!(period("202m"), Ok(Duration::from_secs(12_120)));
        for text in ["0s", "500ms", "367d", "5", "week"] {
            assert!(period(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pattern_has_a_star_at_its_end_only() {
        for text in ["hf:zai-org/GLM-5.2", "hf:zai-org/*", "*"] {
            assert!(pattern(text).is_ok(), "{text}");
        }
        for text in ["", "a*b", "**", " x"] {
            assert!(pattern(text).is_err(), "{text}");
        }
    }
}
