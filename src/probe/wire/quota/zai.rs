//! Z.AI's coding plan: `GET /api/monitor/usage/quota/limit` (providers.md 3; its fields: CodexBar docs/zai).
//!
//! Only the windows of tokens count against a warm-up; `TIME_LIMIT` is for the tools of the plan.

use jiff::Timestamp;
use serde_json::Value;

use super::{READINGS, WHOLE, moment, percent, unread};
use crate::outcome::{Reading, Unit, WindowName};

/// Hours of a day and of a week.
const DAY: u64 = 24;
const WEEK: u64 = 7 * DAY;

pub(super) fn read(value: &Value, now: Timestamp) -> Vec<Reading> {
    let limits = value.get("data").and_then(|data| data.get("limits")).and_then(Value::as_array);
    let limits = limits.into_iter().flatten().take(4 * READINGS);
    limits.filter_map(|limit| tokens(limit, now)).collect()
}

fn tokens(limit: &Value, now: Timestamp) -> Option<Reading> {
    if limit.get("type").and_then(Value::as_str) != Some("TOKENS_LIMIT") {
        return None;
    }
    let number = |name| limit.get(name).and_then(Value::as_u64);
    Some(Reading {
        // What is told is the share that is used.
        remaining: Some(WHOLE - percent(limit.get("percentage"))?),
        max: Some(WHOLE),
        next: moment(limit.get("nextResetTime"), now),
        // The window begins anew then.
        gives: Some(WHOLE),
        ..unread(window(number("unit")?, number("number")?)?, Unit::Percent)
    })
}

/// The window of so many units. Clients agree on 3, hours [C2]; 1 for days and 6 for weeks are read in some [U]; 5 is
/// minutes to some and a month to others, so it is left out.
fn window(unit: u64, number: u64) -> Option<WindowName> {
    let hours = match unit {
        1 => number.checked_mul(DAY)?,
        3 => number,
        6 => number.checked_mul(WEEK)?,
        _ => return None,
    };
    match hours {
        5 => Some(WindowName::FIVE_HOUR),
        DAY => Some(WindowName::TOKENS_DAY),
        WEEK => Some(WindowName::WEEK),
        _ => None,
    }
}
