//! Rate-limit headers in our words: the window that each limit of each provider is (providers.md 3.1).
//!
//! The names of headers do not say over which time a limit counts, so the family does; where it is not known, the window
//! is `requests` or `tokens`, "over a time that is not said". The headers themselves are read in `limits.rs`.

use jiff::{SignedDuration, Timestamp};

use super::super::limits::{Form, Limit, limits};
use super::{WHOLE, unread};
use crate::outcome::{Limited, Reading, Unit, WindowName};
use crate::probe::transport::Head;
use crate::target::Family;

/// Every limit that an answer's headers speak of and that we have a name for.
pub(super) fn read(family: Family, head: &Head, now: Timestamp) -> Vec<Reading> {
    limits(head, now).iter().filter_map(|limit| reading(family, limit, now)).collect()
}

fn reading(family: Family, limit: &Limit<'_>, now: Timestamp) -> Option<Reading> {
    let (window, unit) = match limit.form {
        Form::OpenAi => of_openai(family, limit.what)?,
        Form::Anthropic => of_anthropic(limit.what)?,
        Form::Plain => of_plain(family, limit.what),
        Form::Draft => (WindowName::REQUESTS, Unit::Requests),
    };
    let next = limit.after.and_then(|after| now.checked_add(SignedDuration::try_from(after).ok()?).ok());
    let limited = if limit.rejects { Limited::Yes } else { Limited::No };
    let (remaining, max) = match unit {
        Unit::Percent => {
            let left = limit.used.map(|used| WHOLE * (1.0 - used.clamp(0.0, 1.0)));
            (left, left.map(|_| WHOLE))
        }
        // A limit of nothing is how Azure says that it does not know, and then what remains says nothing either.
        _ if limit.max.is_some_and(|max| max <= 0.0) => (None, None),
        _ => (limit.remaining, limit.max),
    };
    let told = remaining.is_some() || max.is_some() || limited == Limited::Yes;
    told.then_some(Reading { remaining, max, next, limited, ..unread(window, unit) })
}

/// `x-ratelimit-FIELD-WHAT`. At OpenAI, Azure and Fireworks limits are a minute's; at Groq requests are a day's under
/// the same name.
fn of_openai(family: Family, what: &str) -> Option<(WindowName, Unit)> {
    let by_minute = matches!(family, Family::OpenAi | Family::Fireworks);
    Some(match what {
        "requests" if family == Family::Groq => (WindowName::REQUESTS_DAY, Unit::Requests),
        "requests" if by_minute => (WindowName::REQUESTS_MINUTE, Unit::Requests),
        "requests" => (WindowName::REQUESTS, Unit::Requests),
        "tokens" if by_minute || family == Family::Groq => (WindowName::TOKENS_MINUTE, Unit::Tokens),
        "tokens" => (WindowName::TOKENS, Unit::Tokens),
        "requests-second" => (WindowName::REQUESTS_SECOND, Unit::Requests),
        "requests-minute" => (WindowName::REQUESTS_MINUTE, Unit::Requests),
        "requests-day" => (WindowName::REQUESTS_DAY, Unit::Requests),
        "tokens-minute" => (WindowName::TOKENS_MINUTE, Unit::Tokens),
        "tokens-day" => (WindowName::TOKENS_DAY, Unit::Tokens),
        "tokens-prompt" | "input-tokens" => (WindowName::INPUT_TOKENS, Unit::Tokens),
        "tokens-generated" | "output-tokens" => (WindowName::OUTPUT_TOKENS, Unit::Tokens),
        // `tokens_usage_based` stands beside `tokens`, and a month's or an hour's limit has no name here.
        _ => return None,
    })
}

/// `anthropic-ratelimit-WHAT-FIELD`. Keys have a minute's limits; plans (`unified-*`, with OAuth) have windows of which
/// only the used share is told.
fn of_anthropic(what: &str) -> Option<(WindowName, Unit)> {
    Some(match what {
        "requests" => (WindowName::REQUESTS_MINUTE, Unit::Requests),
        "tokens" => (WindowName::TOKENS_MINUTE, Unit::Tokens),
        "input-tokens" => (WindowName::INPUT_TOKENS, Unit::Tokens),
        "output-tokens" => (WindowName::OUTPUT_TOKENS, Unit::Tokens),
        "unified-5h" => (WindowName::FIVE_HOUR, Unit::Percent),
        "unified-7d" => (WindowName::WEEK, Unit::Percent),
        _ => return None,
    })
}

/// A limit that is alone in the answer. At Together and Mistral it is a second's.
fn of_plain(family: Family, stem: &str) -> (WindowName, Unit) {
    match stem {
        "x-tokenlimit" | "x-ratelimitbysize" | "ratelimitbysize" => (WindowName::TOKENS, Unit::Tokens),
        _ if matches!(family, Family::Together | Family::Mistral) => (WindowName::REQUESTS_SECOND, Unit::Requests),
        _ => (WindowName::REQUESTS, Unit::Requests),
    }
}
