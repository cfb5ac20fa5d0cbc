//! stub
use std::time::Duration;
use jiff::Timestamp;
/// stub
#[must_use]
pub fn parse_moment(_text: &str, _now: Timestamp) -> Option<Duration> {
    None
}
