//! Synthetic's quota: `GET /v2/quotas`, and the same JSON in the header `x-synthetic-quotas` of every generation and of
//! a 429 (providers.md 1.3). All four generations of it are read.
//!
//! Searches and tool calls have limits of their own there; a probe makes none, so they are passed over. So an account
//! that pays as it goes, which has `{}` or only these, has no reading.

use jiff::Timestamp;
use serde_json::Value;

use super::{WHOLE, amount, is_true, moment, percent, unread};
use crate::outcome::{Limited, Reading, Unit, WindowName};
use crate::probe::transport::Head;

/// A header is at most so long; the longest seen has 700 bytes.
const LONGEST_HEADER: usize = 16 * 1024;

/// The quota that an answer carries.
pub(in crate::probe::wire) fn in_header(head: &Head, now: Timestamp) -> Vec<Reading> {
    let text = head.header("x-synthetic-quotas").filter(|text| text.len() <= LONGEST_HEADER);
    let quotas = text.and_then(|text| serde_json::from_str(text).ok());
    quotas.map_or_else(Vec::new, |quotas| read(&quotas, now))
}

/// The quota that the JSON states, which may also stand under `data`.
pub(super) fn read(value: &Value, now: Timestamp) -> Vec<Reading> {
    let quotas = value.get("data").filter(|data| data.is_object()).unwrap_or(value);
    let section = |name| quotas.get(name).filter(|section| section.is_object());
    let requests = match section("rollingFiveHourLimit") {
        Some(rolling) => five_hours(rolling, now),
        // Before March 2026 there was only this; since then it stays at zero.
        None => section("subscription").and_then(|subscription| subscribed(subscription, now)),
    };
    let week = section("weeklyTokenLimit").and_then(|credit| week(credit, now));
    [requests, week].into_iter().flatten().collect()
}

/// The rolling five hours, from March 2026. `tickPercent` is the share of the maximum that a tick gives back, from 0 to
/// 1: neither hundredths nor what is used, as some took it for.
fn five_hours(rolling: &Value, now: Timestamp) -> Option<Reading> {
    let limited = if is_true(rolling.get("limited")) { Limited::Yes } else { Limited::No };
    let max = amount(rolling.get("max"));
    // An account without requests has no such window rather than an empty one.
    let remaining = amount(rolling.get("remaining")).filter(|_| max != Some(0.0));
    if remaining.is_none() && limited == Limited::No {
        return None;
    }
    let share = amount(rolling.get("tickPercent")).filter(|share| *share <= 1.0);
    Some(Reading {
        remaining,
        max: max.filter(|max| *max > 0.0),
        next: moment(rolling.get("nextTickAt"), now),
        gives: max.zip(share).map(|(max, share)| max * share),
        limited,
        ..unread(WindowName::FIVE_HOUR, Unit::Requests)
    })
}

/// The five hours of the first two generations, which count up. How much comes back at `renewsAt` is not said.
fn subscribed(subscription: &Value, now: Timestamp) -> Option<Reading> {
    let max = amount(subscription.get("limit")).filter(|max| *max > 0.0)?;
    let used = amount(subscription.get("requests"))?;
    Some(Reading {
        remaining: Some((max - used).max(0.0)),
        max: Some(max),
        next: moment(subscription.get("renewsAt"), now),
        ..unread(WindowName::FIVE_HOUR, Unit::Requests)
    })
}

/// The week's credit: in dollars from April 2026, in hundredths before.
fn week(credit: &Value, now: Timestamp) -> Option<Reading> {
    let next = moment(credit.get("nextRegenAt"), now);
    if let Some(remaining) = amount(credit.get("remainingCredits")) {
        return Some(Reading {
            remaining: Some(remaining),
            max: amount(credit.get("maxCredits")).filter(|max| *max > 0.0),
            next,
            gives: amount(credit.get("nextRegenCredits")),
            ..unread(WindowName::WEEK, Unit::Usd)
        });
    }
    let remaining = percent(credit.get("percentRemaining"))?;
    Some(Reading { remaining: Some(remaining), max: Some(WHOLE), next, ..unread(WindowName::WEEK, Unit::Percent) })
}
