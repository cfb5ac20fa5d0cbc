//! This machine's clock against the `Date` header of an answer. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::outcome::Skew;
use crate::probe::wire::moment::http_date;

/// A header that is rounded down to the second was, in the middle, true half a second later.
const HALF_A_SECOND: Duration = Duration::from_millis(500);

/// How far this machine is ahead of a `Date` header, which came `now` on an answer that took `took`. It was written somewhere
/// within that time: the middle is assumed, and half of it is how far that may be off. Nothing where there is no date.
pub(super) fn skew(header: Option<&str>, now: Timestamp, took: Duration) -> Option<Skew> {
    let date = http_date(header?)?;
    let half = took / 2;
    let written = now.checked_sub(SignedDuration::try_from(half).ok()?).ok()?;
    let stated = date.checked_add(SignedDuration::try_from(HALF_A_SECOND).ok()?).ok()?;
    Some(Skew { date, ahead: written.duration_since(stated), within: half + HALF_A_SECOND })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_round_trip_is_taken_off() {
        let now: Timestamp = "2026-11-20T19:02:12.500Z".parse().unwrap();
        let found = skew(Some("Fri, 20 Nov 2026 19:02:11 GMT"), now, Duration::from_secs(2)).unwrap();
        assert_eq!(found.ahead, SignedDuration::ZERO);
        assert_eq!(found.within, Duration::from_millis(1_500));
        assert!(!found.matters());
    }

    #[test]
    fn a_clock_ahead_and_one_behind() {
        let now: Timestamp = "2026-11-20T19:05:23.500Z".parse().unwrap();
        let quick = Duration::from_millis(20);
        let ahead = skew(Some("Fri, 20 Nov 2026 19:02:11 GMT"), now, quick).unwrap();
        assert_eq!(ahead.ahead, SignedDuration::from_millis(191_990));
        assert!(ahead.matters());
        let behind = skew(Some("Fri, 20 Nov 2026 20:05:23 GMT"), now, quick).unwrap();
        assert_eq!(behind.ahead, SignedDuration::from_millis(-3_600_010));
        assert!(behind.matters());
    }

    #[test]
    fn what_is_no_date_says_nothing() {
        let now = Timestamp::UNIX_EPOCH;
        for header in [None, Some(""), Some("now"), Some("9999-99-99"), Some("Fri, 20 Nov 2026")] {
            assert_eq!(skew(header, now, Duration::ZERO), None, "{header:?}");
        }
        assert!(skew(Some("Fri, 31 Dec 9999 23:59:59 GMT"), Timestamp::MIN, Duration::MAX).is_none());
    }
}
