//! Times and lengths of time in seconds, as numbers that cannot hurt: finite, bounded, whole milliseconds.
//!
//! Milliseconds, because such a number survives being written as decimal text and read again, so that a recorded
//! history replays to the bit. Nothing here knows what time it is.

use serde::{Deserialize, Serialize};

/// The longest [`Span`]: ten years. What is longer is this long.
const LONGEST: f64 = 10.0 * 365.25 * 86_400.0;

/// The furthest [`Moment`] from its epoch: three thousand years.
const FURTHEST: f64 = 1e11;

/// Rounds to milliseconds within bounds; what is not a number is 0.
fn tame(seconds: f64, least: f64, most: f64) -> f64 {
    if seconds.is_nan() { 0.0 } else { (seconds.clamp(least, most) * 1000.0).round() / 1000.0 }
}

/// A length of time, from nothing to ten years.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Span(f64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0.0);

    /// From seconds. A negative number and what is not a number become nothing; infinity becomes ten years.
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Self {
        Self(tame(seconds, 0.0, LONGEST))
    }

    /// In seconds: finite and not negative.
    #[must_use]
    pub const fn seconds(self) -> f64 {
        self.0
    }
}

impl From<f64> for Span {
    fn from(seconds: f64) -> Self {
        Self::from_seconds(seconds)
    }
}

impl From<Span> for f64 {
    fn from(span: Span) -> Self {
        span.0
    }
}

/// A point in time: seconds since an epoch that the caller chooses (Unix time, the start of a simulation).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Moment(f64);

impl Moment {
    /// From seconds since the epoch. What is not a number is the epoch; three thousand years away is far enough.
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Self {
        Self(tame(seconds, -FURTHEST, FURTHEST))
    }

    /// In seconds since the epoch: finite.
    #[must_use]
    pub const fn seconds(self) -> f64 {
        self.0
    }

    /// How long ago `earlier` was; nothing if it is yet to come.
    #[must_use]
    pub fn since(self, earlier: Self) -> Span {
        Span::from_seconds(self.0 - earlier.0)
    }

    /// This much later.
    #[must_use]
    pub fn plus(self, span: Span) -> Self {
        Self::from_seconds(self.0 + span.0)
    }
}

impl From<f64> for Moment {
    fn from(seconds: f64) -> Self {
        Self::from_seconds(seconds)
    }
}

impl From<Moment> for f64 {
    fn from(moment: Moment) -> Self {
        moment.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_time_becomes_one() {
        assert_eq!(Span::from_seconds(f64::NAN), Span::ZERO);
        assert_eq!(Span::from_seconds(-3.0), Span::ZERO);
        assert_eq!(Span::from_seconds(f64::INFINITY).seconds(), LONGEST);
        assert_eq!(Moment::from_seconds(f64::NEG_INFINITY).seconds(), -FURTHEST);
        assert_eq!(Moment::from_seconds(5.0).since(Moment::from_seconds(9.0)), Span::ZERO);
    }

    proptest! {
        #[test]
        fn a_time_survives_being_written_down(seconds in -2e11_f64..2e11) {
            let moment = Moment::from_seconds(seconds);
            let text = serde_json::to_string(&moment).unwrap();
            let again: Moment = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(moment.seconds().to_bits(), again.seconds().to_bits());
        }
    }
}
