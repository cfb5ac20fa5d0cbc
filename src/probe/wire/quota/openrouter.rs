//! What an OpenRouter key may spend: `GET /key` (openrouter.ai/docs limits, providers.md 3).
//!
//! The account's credit is behind another endpoint and another permission; it is not asked for.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::Value;

use super::{amount, unread};
use crate::outcome::{Reading, Unit, WindowName};

/// The reading of a key with a limit; `null` is a key without one.
pub(super) fn read(value: &Value, now: Timestamp) -> Option<Reading> {
    let key = value.get("data")?;
    let max = amount(key.get("limit"))?;
    let next = key.get("limit_reset").and_then(Value::as_str).and_then(|word| reset(word, now));
    Some(Reading {
        remaining: Some(amount(key.get("limit_remaining"))?),
        max: Some(max),
        next,
        // The limit begins anew then.
        gives: next.map(|_| max),
        ..unread(WindowName::KEY, Unit::Usd)
    })
}

/// When a key's limit begins anew: at midnight UTC, weeks on Monday, months on the first [M].
fn reset(word: &str, now: Timestamp) -> Option<Timestamp> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let date = match word {
        "daily" => today.tomorrow().ok()?,
        "weekly" => today.nth_weekday(1, Weekday::Monday).ok()?,
        "monthly" => today.first_of_month().checked_add(1.month()).ok()?,
        _ => return None,
    };
    date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}
