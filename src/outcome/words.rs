//! How quantities are said to people: durations, waits, moments, counts, lists. The one place for it, so that the same
//! quantity reads the same in every format.
//!
//! Machine formats do not come here: they carry numbers with the unit in the field's name.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Cost, Unit};

/// A measured duration: `<1ms`, `350ms`, `4.2s`, `2m 10s`, `1h 5m`, `3d 4h`. Never more than two units, because nobody
/// acts on the third.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let micros = duration.as_micros();
    if micros == 0 {
        return "0ms".to_owned();
    }
    if micros < 1_000 {
        return "<1ms".to_owned();
    }
    // Rounding can carry into the next unit (999.6 ms is a second, 59.96 s is a minute), so each step rounds first.
    let millis = (micros + 500) / 1_000;
    if millis < 1_000 {
        return format!("{millis}ms");
    }
    let tenths = (micros + 50_000) / 100_000;
    if tenths < 600 {
        return format!("{}.{}s", tenths / 10, tenths % 10);
    }
    coarse(u64::try_from((micros + 500_000) / 1_000_000).unwrap_or(u64::MAX))
}

/// How long to wait: `45s`, `12m`, `3h 5m`, `2d 4h`. Rounded up, because coming back too early is what spends a quota.
#[must_use]
pub fn wait(duration: Duration) -> String {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    if seconds < 60 {
        return format!("{seconds}s");
    }
    let minutes = seconds.div_ceil(60);
    if minutes < 60 {
        return format!("{minutes}m");
    }
    coarse(minutes * 60)
}

/// How long ago something was, or is to be: `45s`, `3m 20s`, `3h 12m`, `2d 4h`. To the second below an hour, and never
/// more than has passed.
#[must_use]
pub fn span(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ ..60 => format!("{seconds}s"),
        seconds => coarse(seconds),
    }
}

/// Two units of a time of a minute or more.
fn coarse(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let (large, small) = if minutes < 60 {
        ((minutes, 'm'), (seconds % 60, 's'))
    } else if hours < 24 {
        ((hours, 'h'), (minutes % 60, 'm'))
    } else {
        ((days, 'd'), (hours % 24, 'h'))
    };
    match small.0 {
        0 => format!("{}{}", large.0, large.1),
        _ => format!("{}{} {}{}", large.0, large.1, small.0, small.1),
    }
}

/// When something that ends at `at` allows another try, said at the moment `now`: `in 12m, at 19:14`; with the day
/// where it is not today; `now` where it has passed.
#[must_use]
pub fn again(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let Ok(left) = Duration::try_from(at.duration_since(now)) else {
        return "now".to_owned();
    };
    if left.is_zero() {
        return "now".to_owned();
    }
    let (then, today) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    // A wait of seconds needs them on the clock too; a longer one would only be harder to read.
    let clock = if left < Duration::from_secs(60) { then.strftime("%H:%M:%S") } else { then.strftime("%H:%M") };
    if then.date() == today.date() {
        format!("in {}, at {clock}", wait(left))
    } else {
        format!("in {}, on {} at {clock}", wait(left), then.strftime("%a %-d %b"))
    }
}

/// How much of what a limit counts: `61.2 requests`, `$11.20`, `1200 tokens`, `46.7 %`. Small sums of money keep three
/// digits that count.
#[must_use]
pub fn quantity(amount: f64, unit: Unit) -> String {
    match unit {
        Unit::Usd => money(amount),
        Unit::OtherMoney => format!("{amount:.2}"),
        Unit::Percent => format!("{} %", number(amount)),
        Unit::Requests | Unit::Tokens => {
            let number = number(amount);
            let noun = if number == "1" { unit.name().trim_end_matches('s') } else { unit.name() };
            format!("{number} {noun}")
        }
    }
}

/// So much of a whole: `364 of 500 requests`, `$11.20 of $24.00`.
#[must_use]
pub fn part(amount: f64, whole: f64, unit: Unit) -> String {
    match unit {
        Unit::Requests | Unit::Tokens => format!("{} of {}", number(amount), quantity(whole, unit)),
        Unit::Usd | Unit::OtherMoney | Unit::Percent => {
            format!("{} of {}", quantity(amount, unit), quantity(whole, unit))
        }
    }
}

/// What was spent: `3 requests, $0.00004`. What is not known is left out; `None` where neither is.
#[must_use]
pub fn cost(cost: Cost) -> Option<String> {
    let requests = cost.requests.map(|requests| quantity(requests, Unit::Requests));
    let words: Vec<String> = requests.into_iter().chain(cost.usd.map(money)).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// How many tokens: `1 token`, `940 tokens`, `2.9k tokens`, `1.2M tokens`.
#[must_use]
pub fn tokens(tokens: u64) -> String {
    match tokens {
        1 => "1 token".to_owned(),
        0..1_000 => format!("{tokens} tokens"),
        // Rounded down: below a million it is never "1000k".
        1_000..1_000_000 => format!("{}.{}k tokens", tokens / 1_000, tokens % 1_000 / 100),
        _ => format!("{}.{}M tokens", tokens / 1_000_000, tokens % 1_000_000 / 100_000),
    }
}

/// A number with a digit after the point where it is not whole; two where it is less than ten.
fn number(amount: f64) -> String {
    let digits = if amount.abs() < 10.0 { 2 } else { 1 };
    let text = format!("{amount:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// US dollars: `$11.20`, `$0.00142`, `$0`.
#[must_use]
pub fn money(usd: f64) -> String {
    if usd == 0.0 {
        return "$0".to_owned();
    }
    if !(0.0..0.1).contains(&usd) {
        return format!("${usd:.2}");
    }
    // Three digits that count, down to a billionth.
    let digits =
        (1..=9_usize).find(|digits| usd * 10_f64.powi(i32::try_from(*digits).unwrap_or(9)) >= 1.0).unwrap_or(9);
    format!("${}", format!("{usd:.0$}", digits + 2).trim_end_matches('0').trim_end_matches('.'))
}

/// A count with its noun: `1 target`, `40 targets`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Text that is safe on a terminal: control characters and the marks that reorder a line are spelled out. What comes
/// from the wire is clean already; an LLM's id comes from a file and is not.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unsafe(character) {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Whether a character could act on a terminal: move the cursor, or turn the line.
#[must_use]
pub fn is_unsafe(character: char) -> bool {
    character.is_control() || is_reordering(character)
}

/// Whether a character changes the direction of what follows it, and so can make a line read as another.
fn is_reordering(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_at_most_two_units_and_carry_when_rounded() {
        for (micros, said) in [
            (0, "0ms"),
            (400, "<1ms"),
            (1_000, "1ms"),
            (350_400, "350ms"),
            (999_499, "999ms"),
            (999_600, "1.0s"),
            (4_210_000, "4.2s"),
            (59_940_000, "59.9s"),
            (59_960_000, "1m"),
            (130_000_000, "2m 10s"),
            (3_599_700_000, "1h"),
            (3_900_000_000, "1h 5m"),
            (273_600_000_000, "3d 4h"),
        ] {
            assert_eq!(duration(Duration::from_micros(micros)), said, "{micros} µs");
        }
        assert!(!duration(Duration::MAX).is_empty());
    }

    #[test]
    fn quantities_costs_and_tokens() {
        assert_eq!(quantity(1.0, Unit::Requests), "1 request");
        assert_eq!(quantity(0.1, Unit::Requests), "0.1 requests");
        assert_eq!(part(364.0, 500.0, Unit::Requests), "364 of 500 requests");
        assert_eq!(part(11.2, 24.0, Unit::Usd), "$11.20 of $24.00");
        let of = |requests, usd| cost(Cost { requests, usd });
        assert_eq!(of(Some(3.0), Some(0.00004)).as_deref(), Some("3 requests, $0.00004"));
        assert_eq!(of(None, Some(0.012)).as_deref(), Some("$0.012"));
        assert_eq!(of(None, None), None);
        for (number, said) in
            [(0, "0 tokens"), (1, "1 token"), (999, "999 tokens"), (2_949, "2.9k tokens"), (1_260_000, "1.2M tokens")]
        {
            assert_eq!(tokens(number), said);
        }
    }

    #[test]
    fn waits_round_up() {
        for (seconds, said) in [(0.2, "1s"), (45.0, "45s"), (61.0, "2m"), (719.5, "12m"), (3_541.0, "1h")] {
            assert_eq!(wait(Duration::from_secs_f64(seconds)), said, "{seconds} s");
        }
        assert_eq!(wait(Duration::from_secs(11_100)), "3h 5m");
        assert_eq!(wait(Duration::from_secs(187_200)), "2d 4h");
    }

    #[test]
    fn spans_round_down() {
        for (seconds, said) in
            [(0.9, "0s"), (59.9, "59s"), (200.0, "3m 20s"), (11_579.0, "3h 12m"), (190_000.0, "2d 4h")]
        {
            assert_eq!(span(Duration::from_secs_f64(seconds)), said, "{seconds} s");
        }
    }

    #[test]
    fn a_wait_names_the_clock_and_the_day_when_it_is_another() {
        let now: Timestamp = "2026-11-20T19:02:11Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let after = |seconds: i64| again(now + jiff::SignedDuration::from_secs(seconds), now, &zone);
        assert_eq!(after(20), "in 20s, at 20:02:31");
        assert_eq!(after(700), "in 12m, at 20:13");
        assert_eq!(after(20_000), "in 5h 34m, on Sat 21 Nov at 01:35");
        assert_eq!(after(0), "now");
        assert_eq!(after(-5), "now");
    }

    #[test]
    fn what_could_move_the_cursor_or_turn_the_line_is_spelled_out() {
        assert_eq!(plain("a\u{1b}[2Jb\u{202e}c\u{9b}"), "a\\u{1b}[2Jb\\u{202e}c\\u{9b}");
        assert_eq!(plain("模型 é"), "模型 é");
    }
}
