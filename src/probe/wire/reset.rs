//! When a limit ends, as the provider says it: in headers of many dialects, in its quota report, or in the error body.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::error_body::ErrorFacts;
pub use super::moment::parse_moment;
use super::moment::{parse_number, seconds, until};
use crate::outcome::{Reset, ResetSource};
use crate::probe::transport::Head;
use crate::target::Family;

/// When the limit that an answer speaks of ends, by the most trustworthy source in it: a `retry-after`, then the
/// rate-limit headers, then the quota, then the body.
#[must_use]
pub fn reset(head: &Head, facts: &ErrorFacts, family: Family, now: Timestamp) -> Option<Reset> {
    let found = None
        .or_else(|| Some((retry_after(head, now)?, ResetSource::RetryAfter)))
        .or_else(|| Some((rate_limit(head, now)?, ResetSource::RateLimitHeader)))
        .or_else(|| Some((synthetic_quota(head, now)?, ResetSource::Quota)))
        .or_else(|| Some((body(facts, family, now)?, ResetSource::Body)));
    let (after, source) = found?;
    let at = SignedDuration::try_from(after).ok().and_then(|after| now.checked_add(after).ok());
    Some(Reset { after, at: at.unwrap_or(Timestamp::MAX), source })
}

/// OpenAI and Azure send milliseconds beside the seconds, which are rounded up; so these come first.
fn retry_after(head: &Head, now: Timestamp) -> Option<Duration> {
    let milliseconds = |name| seconds(parse_number(head.header(name)?.trim())? / 1e3);
    milliseconds("retry-after-ms")
        .or_else(|| milliseconds("x-ms-retry-after-ms"))
        .or_else(|| parse_moment(head.header("retry-after")?, now))
}

/// The names of limits that say what remains and when it is full again: (reset, remaining).
const PLAIN_LIMITS: [(&str, &str); 5] = [
    // Together, OpenRouter, Mistral.
    ("x-ratelimit-reset", "x-ratelimit-remaining"),
    // The IETF draft's older form.
    ("ratelimit-reset", "ratelimit-remaining"),
    ("x-rate-limit-reset", "x-rate-limit-remaining"),
    // Mistral's older form.
    ("x-ratelimitbysize-reset", "x-ratelimitbysize-remaining"),
    ("ratelimitbysize-reset", "ratelimitbysize-remaining"),
];

/// One limit of those that an answer's headers report.
struct Limit {
    after: Duration,
    left: Left,
}

#[derive(PartialEq, Eq)]
enum Left {
    Nothing,
    Something,
    NotSaid,
}

/// The reset of the limit that is used up; of several, the one that ends last. Where an answer that refuses for want of
/// quota names resets but not what remains, the last of those.
fn rate_limit(head: &Head, now: Timestamp) -> Option<Duration> {
    let limits: Vec<Limit> = head.headers.iter().filter_map(|(name, value)| limit(head, name, value, now)).collect();
    let last = |left: Left| limits.iter().filter(|limit| limit.left == left).map(|limit| limit.after).max();
    last(Left::Nothing).or_else(|| if matches!(head.status, 402 | 429) { last(Left::NotSaid) } else { None })
}

fn limit(head: &Head, name: &str, value: &str, now: Timestamp) -> Option<Limit> {
    let left = if let Some(what) = name.strip_prefix("x-ratelimit-reset-") {
        // OpenAI, Groq and Azure (`requests`, `tokens`), Cerebras (`tokens-minute`, `requests-day`).
        remaining(head.header(&format!("x-ratelimit-remaining-{what}")))?
    } else if let Some(what) = name.strip_prefix("anthropic-ratelimit-").and_then(|rest| rest.strip_suffix("-reset")) {
        // The limits of plans (`unified`, `unified-5h`) have a status instead of what remains.
        match head.header(&format!("anthropic-ratelimit-{what}-status")) {
            Some("rejected") => Left::Nothing,
            Some(_) => Left::Something,
            None => remaining(head.header(&format!("anthropic-ratelimit-{what}-remaining")))?,
        }
    } else if let Some((_, left)) = PLAIN_LIMITS.iter().find(|(reset, _)| *reset == name) {
        remaining(head.header(left))?
    } else if name == "ratelimit" {
        return draft_limit(value);
    } else {
        return None;
    };
    // Azure's `-1` is "not known", not "now".
    let after = parse_moment(value, now).filter(|_| !value.trim_start().starts_with('-'))?;
    Some(Limit { after, left })
}

/// What remains of a limit; nothing at all where the provider says that it does not know.
fn remaining(value: Option<&str>) -> Option<Left> {
    let Some(value) = value else { return Some(Left::NotSaid) };
    let number = parse_number(value.trim())?;
    // Less than one request, or less than one token, is none: Synthetic counts in fractions.
    if number < 0.0 { None } else { Some(if number < 1.0 { Left::Nothing } else { Left::Something }) }
}

/// The IETF draft's newer form, as Hugging Face sends it: `"api";r=0;t=55`.
fn draft_limit(value: &str) -> Option<Limit> {
    let parameter =
        |name: &str| value.split([';', ',']).find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    Some(Limit { after: seconds(parse_number(parameter("t")?)?)?, left: remaining(parameter("r"))? })
}

/// The tick of Synthetic's quota that ends a refusal: the rolling window's where requests are gone, the week's where
/// credits are. Both must have something left, so the later one counts.
fn synthetic_quota(head: &Head, now: Timestamp) -> Option<Duration> {
    let quotas: Value = serde_json::from_str(head.header("x-synthetic-quotas")?).ok()?;
    let quotas = quotas.get("data").filter(|data| data.is_object()).unwrap_or(&quotas);
    let moment = |quota: &Value, name: &str| parse_moment(quota.get(name)?.as_str()?, now);
    let rolling = quotas.get("rollingFiveHourLimit");
    let requests = rolling
        .filter(|quota| quota.get("limited") == Some(&Value::Bool(true)) || less(quota.get("remaining"), 1.0))
        .and_then(|quota| moment(quota, "nextTickAt"));
    let credits = quotas
        .get("weeklyTokenLimit")
        .filter(|quota| {
            let credits = quota.get("remainingCredits");
            less(credits, f64::MIN_POSITIVE)
                || (credits.is_none() && less(quota.get("percentRemaining"), f64::MIN_POSITIVE))
        })
        .and_then(|quota| moment(quota, "nextRegenAt"));
    // Before March 2026 there was only this; since then it stays at zero.
    let subscription = quotas
        .get("subscription")
        .filter(|quota| rolling.is_none() && spent(quota))
        .and_then(|quota| moment(quota, "renewsAt"));
    [requests, credits, subscription].into_iter().flatten().max()
}

/// Whether a number, or dollars as text (`"$11.20"`), is less than a limit.
fn less(value: Option<&Value>, limit: f64) -> bool {
    let number = match value {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => parse_number(&text.trim().replace(['$', ','], "")),
        _ => None,
    };
    number.is_some_and(|number| number < limit)
}

fn spent(quota: &Value) -> bool {
    let number = |name| quota.get(name).and_then(Value::as_f64);
    number("limit").zip(number("requests")).is_some_and(|(limit, requests)| limit > 0.0 && limit - requests < 1.0)
}

/// Words before a reset time in prose, in lower case, as OpenAI, Groq, Azure and Z.AI write it.
const PHRASES: [&str; 5] = ["will reset at ", "next_flush_time: ", "try again in ", "retry after ", "retry in "];

fn body(facts: &ErrorFacts, family: Family, now: Timestamp) -> Option<Duration> {
    facts
        .retry_delay_s
        .or(facts.estimated_time_s)
        .and_then(seconds)
        .or_else(|| prose(facts.message.as_deref()?, family, now))
}

fn prose(message: &str, family: Family, now: Timestamp) -> Option<Duration> {
    // ASCII case only, so that positions are the same in both.
    let lower = message.to_ascii_lowercase();
    PHRASES.iter().find_map(|phrase| {
        let from = lower.find(phrase)? + phrase.len();
        let rest = message.get(from..)?;
        let words: Vec<&str> =
            rest.split_whitespace().take(2).map(|word| word.trim_end_matches(['.', ',', ';', ')'])).collect();
        let both = words.join(" ");
        let first = *words.first()?;
        china_time(&both, family, now).or_else(|| parse_moment(&both, now)).or_else(|| parse_moment(first, now))
    })
}

/// Z.AI writes its reset times without a zone, in China's time, wherever the account is.
fn china_time(text: &str, family: Family, now: Timestamp) -> Option<Duration> {
    if family != Family::Zai {
        return None;
    }
    let time = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    let zoned = time.to_zoned(TimeZone::fixed(Offset::constant(8))).ok()?;
    until(zoned.timestamp(), now)
}
