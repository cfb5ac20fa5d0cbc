//! What a provider says of its limits, from the bodies of its free endpoints and from the headers of its answers.
//!
//! What is not said is absent, never zero. Nothing here judges whether a limit binds: that is the room `quota/`. No text
//! from the wire is kept: what comes out are names of ours, numbers and moments.

mod balance;
mod headers;
mod openrouter;
mod synthetic;
#[cfg(test)]
mod tests;
mod zai;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
pub(super) use synthetic::in_header as synthetic_header;

use super::moment::{parse_moment, parse_number};
use crate::outcome::{Limited, Reading, Unit, WindowName};
use crate::probe::transport::Head;
use crate::target::Family;

/// No provider has so many limits.
const READINGS: usize = 16;
/// No amount of money or requests needs more bytes.
const LONGEST_AMOUNT: usize = 32;
/// What is left and what there is, where only a share of the whole is told.
const WHOLE: f64 = 100.0;

/// What the body of a family's free endpoint says of its limits: at most 16 readings, each limit once.
#[must_use]
pub fn body(family: Family, value: &Value, now: Timestamp) -> Vec<Reading> {
    bounded(match family {
        Family::Synthetic => synthetic::read(value, now),
        Family::Zai => zai::read(value, now),
        Family::OpenRouter => openrouter::read(value, now).into_iter().collect(),
        Family::DeepSeek => balance::deepseek(value).into_iter().collect(),
        Family::Moonshot => balance::moonshot(value).into_iter().collect(),
        _ => Vec::new(),
    })
}

/// What the headers of any answer say of its provider's limits: at most 16 readings, each limit once.
#[must_use]
pub fn headers(family: Family, head: &Head, now: Timestamp) -> Vec<Reading> {
    let mut readings = synthetic::in_header(head, now);
    readings.extend(headers::read(family, head, now));
    bounded(readings)
}

/// Each limit once, and no more of them than any provider has.
fn bounded(readings: Vec<Reading>) -> Vec<Reading> {
    let mut kept: Vec<Reading> = Vec::new();
    for reading in readings {
        if kept.len() < READINGS && !kept.iter().any(|other| other.window == reading.window) {
            kept.push(reading);
        }
    }
    kept
}

/// A reading of which nothing is known yet.
fn unread(window: WindowName, unit: Unit) -> Reading {
    Reading { window, unit, remaining: None, max: None, next: None, gives: None, limited: Limited::No }
}

/// A number, or a text of one, with or without a dollar sign and commas (`"$1,234.50"`). What is below zero is owed, so
/// there is nothing left.
fn amount(value: Option<&Value>) -> Option<f64> {
    let number = match value? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text.len() <= LONGEST_AMOUNT => parse_number(&text.trim().replace(['$', ','], "")),
        _ => None,
    };
    number.filter(|number| number.is_finite()).map(|number| if number > 0.0 { number } else { 0.0 })
}

/// A share of the whole in hundredths.
fn percent(value: Option<&Value>) -> Option<f64> {
    Some(amount(value)?.min(WHOLE))
}

/// The moment that a field names, in any of the ways of [`parse_moment`]; a past one is now.
fn moment(value: Option<&Value>, now: Timestamp) -> Option<Timestamp> {
    let after = match value? {
        Value::String(text) => parse_moment(text, now),
        Value::Number(number) => parse_moment(&number.to_string(), now),
        _ => None,
    };
    now.checked_add(SignedDuration::try_from(after?).ok()?).ok()
}

/// Whether a field is `true`.
fn is_true(value: Option<&Value>) -> bool {
    value == Some(&Value::Bool(true))
}
