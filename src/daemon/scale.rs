//! How the seconds of what is learned relate to those of the clock: one to one, but where a simulated provider lives faster.
//!
//! The policy's gaps are from two minutes to four hours. Beside a simulator whose time is sped up, the daemon multiplies
//! what it measures by the same factor before the policy sees it, and divides what the policy answers.

use std::time::Duration;

use jiff::Timestamp;

use crate::warmth::{Moment, Span};

/// Where the scaled times begin to differ, in Unix seconds: near to now, so that no precision is lost.
const BASE: f64 = 1_790_000_000.0;

/// A factor for times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeScale(f64);

impl TimeScale {
    /// The provider lives as fast as we do.
    pub const REAL: Self = Self(1.0);

    /// The provider lives so many times faster: from once to a million times.
    #[must_use]
    pub fn new(times: f64) -> Self {
        if times.is_nan() { Self::REAL } else { Self(times.clamp(1.0, 1e6)) }
    }

    pub(super) fn moment(self, at: Timestamp) -> Moment {
        #[expect(clippy::cast_precision_loss, reason = "a third of a microsecond is lost, and milliseconds are kept")]
        let seconds = at.as_microsecond() as f64 / 1e6;
        Moment::from_seconds(BASE + (seconds - BASE) * self.0)
    }

    pub(super) fn timestamp(self, moment: Moment) -> Timestamp {
        let seconds = BASE + (moment.seconds() - BASE) / self.0;
        #[expect(clippy::cast_possible_truncation, reason = "a moment is within three thousand years")]
        let microseconds = (seconds * 1e6).round() as i64;
        let far = if microseconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_microsecond(microseconds).unwrap_or(far)
    }

    pub(super) fn span(self, time: Duration) -> Span {
        Span::from_seconds(time.as_secs_f64() * self.0)
    }

    pub(super) fn duration(self, span: Span) -> Duration {
        Duration::try_from_secs_f64(span.seconds() / self.0).unwrap_or_default()
    }

    /// A time of the policy's, as it is here.
    pub(super) fn shrink(self, time: Duration) -> Duration {
        Duration::try_from_secs_f64(time.as_secs_f64() / self.0).unwrap_or(time)
    }
}

impl Default for TimeScale {
    fn default() -> Self {
        Self::REAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_comes_back_to_the_millisecond() {
        let at: Timestamp = "2026-11-20T08:00:00.123Z".parse().unwrap();
        for scale in [TimeScale::REAL, TimeScale::new(30.0), TimeScale::new(600.0)] {
            assert_eq!(scale.timestamp(scale.moment(at)).as_millisecond(), at.as_millisecond(), "{scale:?}");
        }
        assert_eq!(TimeScale::REAL.moment(at).seconds().to_bits(), 1_795_161_600.123_f64.to_bits());
        let later = at + Duration::from_secs(2);
        let scale = TimeScale::new(30.0);
        assert_eq!(scale.moment(later).since(scale.moment(at)), Span::from_seconds(60.0));
        assert_eq!(scale.duration(Span::from_seconds(60.0)), Duration::from_secs(2));
    }
}
