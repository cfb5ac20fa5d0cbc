//! What a single value must look like: durations, names, URLs, variables, headers and the like.
//!
//! Each function reads one text and says what is wrong with it and how to write it, and knows nothing of the file
//! around it. The table of keys points at these functions, so that a value is judged in one place.

use std::time::Duration;

use jiff::SignedDuration;

use super::mask::{looks_like_a_key, quote};
use crate::plan::{CronText, Daily};
use crate::quota::Percent;
use crate::target::{BaseUrl, BaseUrlError, TargetId};

/// What is wrong with a value, and how to write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) reason: String,
    pub(super) fix: Option<String>,
}

impl Problem {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), fix: None }
    }

    pub(super) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// Longest wait that is accepted.
const MAX_WAIT: Duration = Duration::from_secs(3600);
/// Longest interval between two passes.
const MAX_INTERVAL: Duration = Duration::from_secs(7 * 24 * 3600);
/// Shortest interval between two passes. Providers take more frequent ones for abuse.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
/// Longest time before a certificate's end.
const MAX_CERTIFICATE_DAYS: u64 = 3650;
pub(super) const DAY: u64 = 24 * 3600;
/// How cron fields are written.
pub(super) const CRON_FIX: &str =
    "five fields, `minute hour day month weekday`, such as `*/15 8-19 * * Mon-Fri`; six begin with seconds";

/// A deadline: positive, an hour at most.
pub(super) fn wait(text: &str) -> Result<Duration, Problem> {
    let wait = duration(text)?;
    if wait > MAX_WAIT {
        return Err(
            Problem::new(format!("{} is longer than an hour", quote(text))).fix("a probe waits for an hour at most")
        );
    }
    Ok(wait)
}

/// A time between passes.
pub(super) fn interval(text: &str) -> Result<Duration, Problem> {
    let interval = duration(text)?;
    if interval < MIN_INTERVAL {
        return Err(Problem::new(format!("{} is shorter than a second", quote(text)))
            .fix("the shortest interval is `1s`; `1m` is usual"));
    }
    if interval > MAX_INTERVAL {
        return Err(Problem::new(format!("{} is longer than a week", quote(text)))
            .fix("the longest interval is `168h`; use `cron` for rarer passes"));
    }
    Ok(interval)
}

/// How long before its end a certificate is warned of. Days are meant here, so they are accepted here.
pub(super) fn certificate(text: &str) -> Result<Duration, Problem> {
    let time = match days(text) {
        Some(0) => {
            return Err(Problem::new(format!("{} is no time at all", quote(text))).fix("write `14d`"));
        }
        Some(days) => Duration::from_secs(days.saturating_mul(DAY)),
        None => duration(text)?,
    };
    if time > Duration::from_secs(MAX_CERTIFICATE_DAYS * DAY) {
        return Err(Problem::new(format!("{} is longer than ten years", quote(text)))
            .fix("no certificate lives that long; write `14d`"));
    }
    Ok(time)
}

/// The number of `14d`.
pub(super) fn days(text: &str) -> Option<u64> {
    let number = ["days", "day", "d"].iter().find_map(|unit| text.strip_suffix(unit))?;
    number.trim().parse().ok()
}

/// A positive duration with units.
pub(super) fn duration(text: &str) -> Result<Duration, Problem> {
    let example = "write a number with a unit, such as `500ms`, `10s`, `2m30s` or `1h`";
    if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(Problem::new(format!("{} has no unit", quote(text)))
            .fix(format!("write `{text}s` for seconds, or `{text}m` for minutes")));
    }
    let parsed: SignedDuration = text.parse().map_err(|_| {
        let fix = match text.strip_suffix('d').map(str::parse::<u64>) {
            Some(Ok(days)) => format!("days are written in hours here: `{}h`", days.saturating_mul(24)),
            _ => example.to_owned(),
        };
        Problem::new(format!("{} is not a duration", quote(text))).fix(fix)
    })?;
    if parsed.is_zero() || parsed.is_negative() {
        return Err(Problem::new(format!("{} is not longer than zero", quote(text))).fix(example));
    }
    Duration::try_from(parsed).map_err(|_| Problem::new(format!("{} is not a duration", quote(text))).fix(example))
}

/// A duration as this file reads it: `2m30s`, `14d`.
pub(super) fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let nanos = duration.subsec_nanos();
    let mut out = String::new();
    if duration.is_zero() {
        out.push_str("0s");
    }
    for (amount, unit) in [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (u64::from(nanos / 1_000_000), "ms"),
        (u64::from(nanos / 1000 % 1000), "us"),
        (u64::from(nanos % 1000), "ns"),
    ] {
        if amount > 0 {
            out.push_str(&format!("{amount}{unit}"));
        }
    }
    out
}

/// A part of a whole: `30%`.
pub(super) fn percent(text: &str) -> Result<Percent, Problem> {
    let wrong = |reason: String| Problem::new(reason).fix("write a percentage from `1%` to `100%`");
    let Some(number) = text.strip_suffix('%') else {
        return Err(wrong(format!("{} has no percent sign", quote(text))));
    };
    number
        .trim()
        .parse::<u8>()
        .ok()
        .and_then(Percent::new)
        .ok_or_else(|| wrong(format!("{} is not a percentage", quote(text))))
}

/// The name of a provider, target or gate.
pub(super) fn name(text: &str) -> Result<(), Problem> {
    TargetId::new(text).map(drop).map_err(|error| {
        let problem = Problem::new(error.to_string());
        let nearby: String = text.chars().take(100).map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        match nearby.trim_matches('-') {
            "" => problem.fix("write a name such as `glm`"),
            nearby => problem.fix(format!("write {}", quote(nearby))),
        }
    })
}

/// A word to select targets by: written like a name.
pub(super) fn tag(text: &str) -> Result<(), Problem> {
    name(text).map_err(|problem| Problem { reason: problem.reason.replace("a name", "a tag"), ..problem })
}

/// An LLM's id.
pub(super) fn model(text: &str) -> Result<(), Problem> {
    if text.is_empty() {
        return Err(Problem::new("the model's id is empty").fix("copy it from the provider's list"));
    }
    if text.trim() != text {
        return Err(
            Problem::new("the model's id begins or ends with a space").fix(format!("write {}", quote(text.trim())))
        );
    }
    if text.chars().any(char::is_control) {
        return Err(Problem::new("the model's id has a control character in it")
            .fix("copy the id again from the provider's list"));
    }
    if text.len() > 500 {
        return Err(
            Problem::new("the model's id is longer than 500 bytes").fix("copy the id alone from the provider's list")
        );
    }
    Ok(())
}

/// Any text of one line.
pub(super) fn line(text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(Problem::new("the text is empty").fix("write a text, or remove the line"));
    }
    if text.chars().any(char::is_control) {
        return Err(
            Problem::new("the text has a line break or another control character in it").fix("write it on one line")
        );
    }
    Ok(())
}

/// A page for people.
pub(super) fn page(text: &str) -> Result<(), Problem> {
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => line(text),
        _ => Err(Problem::new(format!("{} is not a URL", quote(text))).fix("write the whole address, with `https://`")),
    }
}

/// A provider's base URL.
pub(super) fn base_url(text: &str) -> Result<BaseUrl, Problem> {
    BaseUrl::parse(text).map_err(|error| match error {
        BaseUrlError::Operation { suffix, fixed } => {
            Problem::new(format!("this is the address of one operation: `{suffix}` is added by the dialect"))
                .fix(format!("write {fixed}"))
        }
        BaseUrlError::Syntax(_) if !text.contains("://") => Problem::new("this is not a URL: the scheme is missing")
            .fix("begin it with `https://`, or with `http://` for a server of your own"),
        other => Problem::new(format!("this cannot be a base URL: {other}"))
            .fix("write scheme, host and path only, such as `https://api.example.com/v1`"),
    })
}

/// A path at the provider: relative to the base URL, or to its origin when it begins with a slash.
pub(super) fn path(text: &str) -> Result<(), Problem> {
    let fix = "write a path such as `models` (after the base URL) or `/v2/quotas` (at the same host)";
    let wrong = |reason: &str| Err(Problem::new(reason).fix(fix));
    if text.is_empty() {
        return wrong("the path is empty");
    }
    if text.contains("://") || text.starts_with("//") {
        return wrong("a path cannot lead to another host: the key would be sent there");
    }
    if text.split(['/', '?']).any(|part| part == "..") {
        return wrong("a path cannot go up with `..`");
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '\\' | '#')) {
        return wrong("the path has a character in it that a path cannot have");
    }
    Ok(())
}

/// A key that is written in the file. It is never repeated.
pub(super) fn literal_key(text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(Problem::new("the key is empty")
            .fix("write `api_key: { env: NAME }`, or `api_key: none` if the server asks for no key"));
    }
    Ok(())
}

/// The name of an environment variable. The value is never repeated: keys get pasted here.
pub(super) fn variable(text: &str) -> Result<(), Problem> {
    // `syn_…` and `gsk_…` could be names, and are keys.
    if is_variable_name(text) && !looks_like_a_key(text) {
        return Ok(());
    }
    let inner = text.trim_start_matches('$').trim_matches(['{', '}']);
    if is_variable_name(inner) && !looks_like_a_key(inner) {
        return Err(Problem::new("the variable is named without `$`").fix(format!("write `{inner}`")));
    }
    Err(Problem::new("this is not the name of an environment variable")
        .fix("name the variable that holds the key, such as `OPENAI_API_KEY`; do not write the key itself"))
}

/// Whether a text can name a variable.
pub fn is_variable_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.len() <= 200
}

/// A file's path.
pub(super) fn file(text: &str) -> Result<(), Problem> {
    if text.starts_with('~') {
        return Err(Problem::new("`~` is not expanded").fix("write the whole path"));
    }
    line(text)
}

/// The name of a request header.
pub(super) fn header_name(text: &str) -> Result<(), Problem> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if !text.is_empty() && text.len() <= 200 && text.chars().all(token) {
        return Ok(());
    }
    Err(Problem::new("this is not the name of a header")
        .fix("a name such as `x-api-key`, without the colon and the value"))
}

/// The value of a request header. It may be a secret, so it is never repeated.
pub(super) fn header_value(text: &str) -> Result<(), Problem> {
    if text.chars().all(|c| (' '..='~').contains(&c) || c == '\t') && text.trim() == text {
        return Ok(());
    }
    Err(Problem::new("this cannot be the value of a header")
        .fix("a value has only visible ASCII characters, and no space around it"))
}

/// The times of a week.
pub(super) fn during(text: &str) -> Result<Vec<Daily>, Problem> {
    Daily::parse_all(text).map_err(|error| {
        Problem::new(format!("{}: {error}", quote(text)))
            .fix("write days and times such as `Mon-Fri 08:00-19:00, Sat 10:00-14:00`")
    })
}

/// Cron fields.
pub(super) fn cron(text: &str) -> Result<CronText, Problem> {
    CronText::new(text).map_err(|error| Problem::new(format!("{}: {error}", quote(text))).fix(CRON_FIX))
}

/// A day of the calendar.
pub(super) fn date(text: &str) -> Result<jiff::civil::Date, Problem> {
    let wrong = || Problem::new(format!("{} is not a date", quote(text))).fix("write it as `2026-12-25`");
    // jiff reads date-times too, of which the time would be lost.
    if text.len() != 10 {
        return Err(wrong());
    }
    text.parse().map_err(|_| wrong())
}

/// The version of the file's format.
pub(super) fn version(text: &str) -> Result<(), Problem> {
    if text == "1" {
        return Ok(());
    }
    Err(Problem::new(format!("version {} is not known", quote(text)))
        .fix("this pilotlight knows version 1: write `version: 1`, or use a newer pilotlight"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_and_bounds() {
        assert_eq!(wait("2m30s"), Ok(Duration::from_secs(150)));
        assert_eq!(wait("500ms"), Ok(Duration::from_millis(500)));
        for (text, reason, fix) in [
            ("10", "`10` has no unit", "write `10s` for seconds, or `10m` for minutes"),
            ("1d", "`1d` is not a duration", "days are written in hours here: `24h`"),
            ("0s", "`0s` is not longer than zero", "write a number"),
            ("-5s", "`-5s` is not longer than zero", "write a number"),
            ("soon", "`soon` is not a duration", "write a number"),
            ("61m", "`61m` is longer than an hour", "an hour at most"),
        ] {
            let problem = wait(text).unwrap_err();
            assert_eq!(problem.reason, reason);
            assert!(problem.fix.unwrap().contains(fix), "{text}");
        }
        assert_eq!(certificate("14d"), Ok(Duration::from_secs(14 * DAY)));
        assert_eq!(certificate("36h"), Ok(Duration::from_secs(36 * 3600)));
        assert!(certificate("9999d").is_err());
        assert!(certificate("0d").is_err());
        assert!(interval("1ms").is_err());
        assert!(interval("169h").is_err());
    }

    #[test]
    fn a_duration_reads_as_it_is_shown() {
        for text in ["2m30s", "10s", "1h", "500ms", "336h", "1h1ms", "1us"] {
            assert_eq!(duration_text(duration(text).unwrap()), text);
        }
    }

    #[test]
    fn a_path_stays_at_the_provider() {
        for text in ["models", "/v2/quotas", "v1/models?limit=1000", "users/me/balance"] {
            assert_eq!(path(text), Ok(()), "{text}");
        }
        for text in ["", "//evil.example/x", "https://evil.example", "../x", "a/../b", "a b", "a#b", "\\x"] {
            assert!(path(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_variable_is_named_not_quoted_in_errors() {
        assert_eq!(variable("OPENAI_API_KEY"), Ok(()));
        assert_eq!(variable("$OPENAI_API_KEY").unwrap_err().fix.unwrap(), "write `OPENAI_API_KEY`");
        let problem = variable("sk-hunter2").unwrap_err();
        assert!(!format!("{problem:?}").contains("hunter2"));
    }

    #[test]
    fn percentages_and_dates() {
        assert!(percent("30%").is_ok());
        for text in ["30", "0%", "101%", "x%", "-1%", "3.5%"] {
            assert!(percent(text).is_err(), "{text}");
        }
        assert!(date("2026-12-25").is_ok());
        for text in ["2026-13-01", "25.12.2026", "2026-12-25T00:00", "2026-02-30"] {
            assert!(date(text).is_err(), "{text}");
        }
    }
}
