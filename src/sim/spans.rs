//! Durations as a scenario writes them: `3s`, `250ms`, `1h 30m`, a bare number of seconds, or `never`.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;
use serde::de::{Deserializer, Error, Visitor};

/// Reads a duration.
pub(crate) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    match deserializer.deserialize_any(SpanVisitor)? {
        Some(span) => Ok(span),
        None => Err(D::Error::custom("`never` is not possible here; write a duration such as 3s")),
    }
}

/// Reads a duration, or `never` as `None`.
pub(crate) fn or_never<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    deserializer.deserialize_any(SpanVisitor)
}

/// Reads one duration from text: jiff's friendly format, or a number of seconds.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    text.parse::<SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok())
}

struct SpanVisitor;

impl Visitor<'_> for SpanVisitor {
    type Value = Option<Duration>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a duration such as 3s, 250ms or 1h 30m, or `never`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text == "never" {
            return Ok(None);
        }
        let invalid = || E::custom(format!("`{text}` is not a duration; write it like 3s or 250ms"));
        parse(text).map(Some).ok_or_else(invalid)
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Self::Value, E> {
        Ok(Some(Duration::from_secs(seconds)))
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Self::Value, E> {
        let seconds = u64::try_from(seconds).map_err(|_| E::custom("a duration cannot be negative"))?;
        Ok(Some(Duration::from_secs(seconds)))
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Self::Value, E> {
        let invalid = |_| E::custom(format!("{seconds} is not a number of seconds"));
        Duration::try_from_secs_f64(seconds).map(Some).map_err(invalid)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_people_write() {
        assert_eq!(parse("3s"), Some(Duration::from_secs(3)));
        assert_eq!(parse("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse("1h 30m"), Some(Duration::from_secs(5400)));
        assert_eq!(parse("1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(parse("-3s"), None);
        assert_eq!(parse("soon"), None);
    }
}
