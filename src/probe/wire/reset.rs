//! stub
use jiff::Timestamp;
pub use super::moment::parse_moment;
use super::error_body::ErrorFacts;
use crate::outcome::Reset;
use crate::probe::transport::Head;
use crate::target::Family;
/// stub
#[must_use]
pub fn reset(_head: &Head, _facts: &ErrorFacts, _family: Family, _now: Timestamp) -> Option<Reset> {
    None
}
