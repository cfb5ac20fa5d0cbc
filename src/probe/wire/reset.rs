//! When a limit ends, as the provider says it: in headers of many dialects, in its quota report, or in the error body.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::error_body::ErrorFacts;
use super::limits::{Left, limits};
pub use super::moment::parse_moment;
use super::moment::{parse_number, seconds, until};
use super::quota::synthetic_header;
use crate::outcome::{Limited, Reading, Reset, ResetSource, Unit};
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

/// The reset of the limit that is used up; of several, the one that ends last. Where an answer that refuses for want of
/// quota names resets but not what remains, the last of those.
fn rate_limit(head: &Head, now: Timestamp) -> Option<Duration> {
    let limits = limits(head, now);
    let last = |left: Left| limits.iter().filter(|limit| limit.left == left).filter_map(|limit| limit.after).max();
    last(Left::Nothing).or_else(|| if matches!(head.status, 402 | 429) { last(Left::NotSaid) } else { None })
}

/// The tick of Synthetic's quota that ends a refusal: the rolling window's where requests are gone, the week's where
/// credits are. Both must have something left, so the later one counts.
fn synthetic_quota(head: &Head, now: Timestamp) -> Option<Duration> {
    let readings = synthetic_header(head, now);
    readings.iter().filter(|reading| is_spent(reading)).filter_map(|reading| until(reading.next?, now)).max()
}

/// Less than one request is none; of money and shares any part is something.
fn is_spent(reading: &Reading) -> bool {
    let enough = if reading.unit == Unit::Requests { 1.0 } else { f64::MIN_POSITIVE };
    reading.limited == Limited::Yes || reading.remaining.is_some_and(|remaining| remaining < enough)
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-09-29T12:00:00Z";

    fn read(status: u16, headers: &[(&str, &str)], body: &str, family: Family) -> Option<(f64, ResetSource)> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let facts = ErrorFacts::read(body.as_bytes());
        let reset = reset(&Head { status, headers }, &facts, family, NOW.parse().unwrap())?;
        let now: Timestamp = NOW.parse().unwrap();
        assert_eq!(now.checked_add(SignedDuration::try_from(reset.after).unwrap()).unwrap(), reset.at);
        Some((reset.after.as_secs_f64(), reset.source))
    }

    fn header(headers: &[(&str, &str)]) -> Option<f64> {
        read(429, headers, "", Family::Generic).map(|(seconds, _)| seconds)
    }

    #[test]
    fn the_most_trustworthy_source_wins() {
        let all = [
            ("retry-after-ms", "1500"),
            ("x-ms-retry-after-ms", "2500"),
            ("retry-after", "3"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "4s"),
            ("x-synthetic-quotas", r#"{"rollingFiveHourLimit":{"limited":true,"nextTickAt":"2026-09-29T12:00:05Z"}}"#),
        ];
        let body = r#"{"error":{"message":"try again in 9s","details":[{"retryDelay":"6s"}]}}"#;
        let sources = [
            (0, 1.5, ResetSource::RetryAfter),
            (1, 2.5, ResetSource::RetryAfter),
            (2, 3.0, ResetSource::RetryAfter),
            (3, 4.0, ResetSource::RateLimitHeader),
            (5, 5.0, ResetSource::Quota),
            (6, 6.0, ResetSource::Body),
        ];
        for (from, seconds, source) in sources {
            assert_eq!(read(429, all.get(from..).unwrap(), body, Family::Generic), Some((seconds, source)));
        }
        assert_eq!(read(429, &[], r#"{"error":"try again in 9s"}"#, Family::Generic), Some((9.0, ResetSource::Body)));
        assert_eq!(read(429, &[], r#"{"error":"try again later"}"#, Family::Generic), None);
    }

    #[test]
    fn a_retry_after_is_seconds_or_a_date() {
        for (value, expected) in [
            ("20", Some(20.0)),
            ("0.5", Some(0.5)),
            ("0", Some(0.0)),
            ("Tue, 29 Sep 2026 12:01:00 GMT", Some(60.0)),
            ("Tue, 29 Sep 2026 11:00:00 GMT", Some(0.0)),
            ("soon", None),
            ("99999999", None),
        ] {
            assert_eq!(header(&[("retry-after", value)]), expected, "{value}");
        }
        assert_eq!(header(&[("retry-after-ms", "x"), ("retry-after", "2")]), Some(2.0));
    }

    #[test]
    fn the_limit_that_is_used_up_counts() {
        let openai = |requests, tokens| {
            header(&[
                ("x-ratelimit-remaining-requests", requests),
                ("x-ratelimit-reset-requests", "6m0s"),
                ("x-ratelimit-remaining-tokens", tokens),
                ("x-ratelimit-reset-tokens", "12ms"),
            ])
        };
        assert_eq!(openai("0", "5"), Some(360.0));
        assert_eq!(openai("5", "0"), Some(0.012));
        assert_eq!(openai("0", "0"), Some(360.0));
        // Nothing is used up as far as the headers say, or the provider does not know.
        assert_eq!(openai("5", "5"), None);
        assert_eq!(openai("-1", "5"), None);
        assert_eq!(openai("-1", "0"), Some(0.012));
    }

    #[test]
    fn every_dialect_of_headers_is_read() {
        for (headers, expected) in [
            (
                &[
                    ("anthropic-ratelimit-tokens-remaining", "0"),
                    ("anthropic-ratelimit-tokens-reset", "2026-09-29T12:00:30Z"),
                ][..],
                30.0,
            ),
            (
                &[
                    ("anthropic-ratelimit-unified-5h-status", "rejected"),
                    ("anthropic-ratelimit-unified-5h-reset", "1790683260"),
                ],
                60.0,
            ),
            // Together.
            (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")], 1.0),
            // OpenRouter, in milliseconds since 1970; others in seconds.
            (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1790683260000")], 60.0),
            (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1790683260")], 60.0),
            // Cerebras.
            (&[("x-ratelimit-remaining-requests-day", "0"), ("x-ratelimit-reset-requests-day", "33011.5")], 33011.5),
            (&[("ratelimit-remaining", "0"), ("ratelimit-reset", "55")], 55.0),
            (&[("ratelimit", "\"api\";r=0;t=55")], 55.0),
            (&[("x-ratelimitbysize-remaining", "0"), ("x-ratelimitbysize-reset", "20")], 20.0),
            // What remains is not said, but the answer is a refusal.
            (&[("x-ratelimit-reset", "7")], 7.0),
        ] {
            assert_eq!(header(headers), Some(expected), "{headers:?}");
        }
        for headers in [
            &[("anthropic-ratelimit-x-status", "allowed"), ("anthropic-ratelimit-x-reset", "1790683260")][..],
            &[("ratelimit", "\"api\";r=3;t=55")],
            &[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "-1")],
            &[("x-ratelimit-limit", "5")],
        ] {
            assert_eq!(header(headers), None, "{headers:?}");
        }
        assert_eq!(read(200, &[("x-ratelimit-reset", "7")], "", Family::Generic), None);
    }

    #[test]
    fn synthetic_ticks_are_read_in_every_generation() {
        for (quotas, expected) in [
            (
                r#"{"rollingFiveHourLimit":{"limited":true,"remaining":3,"nextTickAt":"2026-09-29T12:01:00Z"}}"#,
                Some(60.0),
            ),
            (
                r#"{"rollingFiveHourLimit":{"limited":false,"remaining":0.9,"nextTickAt":"2026-09-29T12:01:00Z"}}"#,
                Some(60.0),
            ),
            (r#"{"rollingFiveHourLimit":{"limited":false,"remaining":1,"nextTickAt":"2026-09-29T12:01:00Z"}}"#, None),
            (r#"{"data":{"rollingFiveHourLimit":{"limited":true,"nextTickAt":"2026-09-29T12:01:00Z"}}}"#, Some(60.0)),
            (r#"{"weeklyTokenLimit":{"remainingCredits":"$0.00","nextRegenAt":"2026-09-29T13:00:00Z"}}"#, Some(3600.0)),
            (
                r#"{"weeklyTokenLimit":{"remainingCredits":"-$1.20","nextRegenAt":"2026-09-29T13:00:00Z"}}"#,
                Some(3600.0),
            ),
            (r#"{"weeklyTokenLimit":{"remainingCredits":"$0.01","nextRegenAt":"2026-09-29T13:00:00Z"}}"#, None),
            (r#"{"weeklyTokenLimit":{"percentRemaining":0,"nextRegenAt":"2026-09-29T13:00:00Z"}}"#, Some(3600.0)),
            (r#"{"subscription":{"limit":135,"requests":134.5,"renewsAt":"2026-09-29T12:01:00Z"}}"#, Some(60.0)),
            (r#"{"subscription":{"limit":500,"requests":0,"renewsAt":"2026-09-29T12:01:00Z"}}"#, None),
            // Pay as you go.
            ("{}", None),
            ("not json", None),
        ] {
            assert_eq!(header(&[("x-synthetic-quotas", quotas)]), expected, "{quotas}");
        }
    }

    #[test]
    fn prose_is_read_last() {
        for (family, message, expected) in [
            (Family::Zai, "Your limit will reset at 2026-09-29 23:10:05", Some(11405.0)),
            (Family::Zai, "Your limit will reset at 2026-09-29 23:10:05.", Some(11405.0)),
            (Family::Zai, "limit will reset at 2026-09-29T23:10:05+08:00", Some(11405.0)),
            (Family::Zai, "Usage limit reached, next_flush_time: 2026-09-29T17:00:00Z", Some(18000.0)),
            (Family::Generic, "Your limit will reset at 2026-09-29 23:10:05", None),
            (Family::OpenAi, "Please try again in 6m0s. Visit https://x", Some(360.0)),
            (Family::OpenAi, "Please try again in 20s", Some(20.0)),
            (Family::OpenAi, "Please retry after 6 seconds.", Some(6.0)),
            (Family::LiteLlm, "Try again in 5 seconds. Passed model=x", Some(5.0)),
            (Family::Generic, "Please try again in a while", None),
            (Family::Generic, "İİİ try again in ", None),
        ] {
            let body = serde_json::json!({"error": message}).to_string();
            assert_eq!(read(429, &[], &body, family).map(|(seconds, _)| seconds), expected, "{message}");
        }
        let loading = r#"{"error":"Model is currently loading","estimated_time":20.0}"#;
        assert_eq!(read(503, &[], loading, Family::HuggingFace), Some((20.0, ResetSource::Body)));
    }
}
