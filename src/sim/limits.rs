//! Requests per minute, and the header dialects in which providers state such a limit (providers.md, section 3.1).

use std::time::Duration;

use super::clock::{Clock, Moment};
use super::flavour::RateDialect;

const MINUTE: Duration = Duration::from_secs(60);

/// Requests of one account in the present minute. The minute begins with its first request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Minute {
    began: Option<Moment>,
    used: u32,
}

/// What a limit allows at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// Virtual time until the limit is whole again.
    pub(crate) reset: Duration,
    /// Whether this request was let through.
    pub(crate) granted: Granted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Granted {
    Yes,
    No,
}

impl Minute {
    /// Counts one request, unless the limit is reached.
    pub(crate) fn take(&mut self, limit: u32, now: Moment) -> Allowance {
        let began = match self.began {
            Some(began) if now.since(began) < MINUTE => began,
            _ => {
                self.used = 0;
                now
            }
        };
        self.began = Some(began);
        let granted = if self.used < limit { Granted::Yes } else { Granted::No };
        if granted == Granted::Yes {
            self.used += 1;
        }
        let reset = MINUTE.saturating_sub(now.since(began));
        Allowance { limit, remaining: limit.saturating_sub(self.used), reset, granted }
    }
}

/// The headers that state an allowance.
pub(crate) fn headers(dialect: RateDialect, allowance: Allowance, clock: &Clock) -> Vec<(String, String)> {
    let reset = clock.real(allowance.reset);
    let limit = allowance.limit.to_string();
    let remaining = allowance.remaining.to_string();
    let refused = allowance.granted == Granted::No;
    let mut pairs: Vec<(&str, String)> = match dialect {
        RateDialect::Openai => vec![
            ("x-ratelimit-limit-requests", limit),
            ("x-ratelimit-remaining-requests", remaining),
            ("x-ratelimit-reset-requests", go_duration(reset)),
        ],
        RateDialect::Groq => vec![
            // A day's requests under OpenAI's names: only the number tells.
            ("x-ratelimit-limit-requests", (u64::from(allowance.limit) * 1440).to_string()),
            ("x-ratelimit-remaining-requests", (u64::from(allowance.remaining) * 1440).to_string()),
            ("x-ratelimit-reset-requests", go_duration(reset)),
            ("x-ratelimit-limit-tokens", "6000".to_owned()),
            ("x-ratelimit-remaining-tokens", "5990".to_owned()),
            ("x-ratelimit-reset-tokens", "100ms".to_owned()),
        ],
        RateDialect::Azure => vec![
            ("x-ratelimit-limit-requests", limit),
            ("x-ratelimit-remaining-requests", remaining),
            ("x-ratelimit-reset-requests", whole_seconds(reset).to_string()),
        ],
        RateDialect::Anthropic => vec![
            ("anthropic-ratelimit-requests-limit", limit),
            ("anthropic-ratelimit-requests-remaining", remaining),
            ("anthropic-ratelimit-requests-reset", clock.stamp_in(allowance.reset)),
        ],
        RateDialect::Together => vec![
            ("x-ratelimit-limit", limit),
            ("x-ratelimit-remaining", remaining),
            ("x-ratelimit-reset", whole_seconds(reset).to_string()),
        ],
        RateDialect::Mistral => vec![("x-ratelimit-remaining", remaining)],
        RateDialect::Openrouter if refused => vec![
            ("x-ratelimit-limit", limit),
            ("x-ratelimit-remaining", remaining),
            ("x-ratelimit-reset", clock.timestamp_in(allowance.reset).as_millisecond().to_string()),
        ],
        RateDialect::Openrouter | RateDialect::None => Vec::new(),
    };
    if refused && dialect != RateDialect::None {
        pairs.push(("retry-after", whole_seconds(reset).to_string()));
        if matches!(dialect, RateDialect::Openai | RateDialect::Azure) {
            pairs.push(("retry-after-ms", reset.as_millis().to_string()));
        }
    }
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Seconds, rounded up: a client that waits so long does not come too early.
pub(crate) fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

/// A duration the way Go prints it: `12ms`, `1s`, `6m0s`.
fn go_duration(span: Duration) -> String {
    if span < Duration::from_secs(1) {
        return format!("{}ms", span.as_millis());
    }
    let (minutes, seconds) = (span.as_secs() / 60, span.as_secs() % 60);
    let fraction = match span.subsec_millis() {
        0 => String::new(),
        millis => format!(".{millis:03}").trim_end_matches('0').to_owned(),
    };
    if minutes == 0 { format!("{seconds}{fraction}s") } else { format!("{minutes}m{seconds}{fraction}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minute_refuses_and_renews() {
        let at = |seconds| Moment::after_start(Duration::from_secs(seconds));
        let mut minute = Minute::default();
        assert_eq!(minute.take(2, at(10)).granted, Granted::Yes);
        assert_eq!(minute.take(2, at(20)).remaining, 0);
        let refused = minute.take(2, at(30));
        assert_eq!((refused.granted, refused.reset), (Granted::No, Duration::from_secs(40)));
        assert_eq!(minute.take(2, at(70)).granted, Granted::Yes);
    }

    #[test]
    fn go_durations() {
        let go = |millis| go_duration(Duration::from_millis(millis));
        assert_eq!([go(12), go(1000), go(360_000), go(61_500)], ["12ms", "1s", "6m0s", "1m1.5s"]);
    }

    #[tokio::test(start_paused = true)]
    async fn every_dialect_has_its_names() {
        let clock = Clock::start(1.0);
        let names = |dialect, granted| {
            let allowance = Allowance { limit: 10, remaining: 0, reset: Duration::from_millis(1500), granted };
            headers(dialect, allowance, &clock)
                .into_iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
        };
        assert!(names(RateDialect::Openai, Granted::No).contains(&"x-ratelimit-reset-requests=1.5s".to_owned()));
        assert!(names(RateDialect::Azure, Granted::No).contains(&"x-ratelimit-reset-requests=2".to_owned()));
        assert!(names(RateDialect::Openai, Granted::No).contains(&"retry-after-ms=1500".to_owned()));
        assert!(names(RateDialect::Openrouter, Granted::Yes).is_empty());
        assert!(names(RateDialect::None, Granted::No).is_empty());
    }
}
