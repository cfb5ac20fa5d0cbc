//! Moments as whole numbers, for reckoning with millions of them: nanoseconds since the epoch. They reach from 1677 to
//! 2262; what is further away is taken for the end of that.

use std::time::Duration;

use jiff::Timestamp;

/// Nanoseconds of a second.
pub(in crate::plan) const NANOSECONDS: i64 = 1_000_000_000;

/// A moment as a number.
pub(in crate::plan) fn nanoseconds(moment: Timestamp) -> i64 {
    let nanoseconds = moment.as_nanosecond();
    i64::try_from(nanoseconds).unwrap_or(if nanoseconds < 0 { i64::MIN } else { i64::MAX })
}

/// A number as a moment.
pub(in crate::plan) fn at(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or_default()
}

/// A time as a number of nanoseconds.
pub(in crate::plan) fn length(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}
