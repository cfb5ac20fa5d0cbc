//! A run of points in time: at equal distances, or a part of a list that others share.

use std::sync::Arc;

/// Some points, in their order. In nanoseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plan) enum Run {
    /// `count` points, each `every` after the one before. `every` is more than zero.
    Even { first: i64, every: i64, count: u64 },
    /// Those of a list from one index to before another.
    Listed { times: Arc<[i64]>, from: usize, to: usize },
}

impl Run {
    pub(super) fn single(moment: i64) -> Self {
        Self::Even { first: moment, every: 1, count: 1 }
    }

    /// From a point to before a moment. `None` where nothing is.
    pub(super) fn even(first: i64, every: i64, until: i64) -> Option<Self> {
        let count = u64::try_from((until.checked_sub(first)?).checked_sub(1)?.checked_div_euclid(every)? + 1).ok()?;
        (count > 0).then_some(Self::Even { first, every, count })
    }

    pub(super) fn listed(times: &Arc<[i64]>, first: i64, until: i64) -> Option<Self> {
        let [from, to] = [first, until].map(|moment| times.partition_point(|time| *time < moment));
        (from < to).then(|| Self::Listed { times: Arc::clone(times), from, to })
    }

    /// How many points it has.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Even { count, .. } => *count,
            Self::Listed { from, to, .. } => u64::try_from(to.saturating_sub(*from)).unwrap_or(0),
        }
    }

    pub(super) fn first(&self) -> Option<i64> {
        self.get(0)
    }

    pub(super) fn last(&self) -> Option<i64> {
        self.get(self.count().checked_sub(1)?)
    }

    /// The point of a number, from 0.
    pub(in crate::plan) fn get(&self, number: u64) -> Option<i64> {
        match self {
            Self::Even { first, every, count } => (number < *count)
                .then(|| first.saturating_add(every.saturating_mul(i64::try_from(number).unwrap_or(0)))),
            Self::Listed { times, from, to } => {
                times.get(*from..*to)?.get(usize::try_from(number).unwrap_or(usize::MAX)).copied()
            }
        }
    }

    /// Every point.
    pub(super) fn moments(&self) -> impl Iterator<Item = i64> + '_ {
        let (even, listed) = match self {
            Self::Even { first, every, count } => (Some((*first, *every, *count)), &[][..]),
            Self::Listed { times, from, to } => (None, times.get(*from..*to).unwrap_or_default()),
        };
        let even = even.into_iter().flat_map(|(first, every, count)| {
            (0..i64::try_from(count).unwrap_or(0)).map(move |number| first + every * number)
        });
        even.chain(listed.iter().copied())
    }

    /// How many points there are from one moment to before another.
    pub(super) fn between(&self, from: i64, to: i64) -> u64 {
        match self {
            Self::Even { first, every, count } => {
                let count = i64::try_from(*count).unwrap_or(i64::MAX);
                let before = |moment: i64| ((moment.saturating_sub(*first) - 1).div_euclid(*every) + 1).clamp(0, count);
                u64::try_from(before(to) - before(from)).unwrap_or(0)
            }
            Self::Listed { times, from: first, to: last } => {
                let own = times.get(*first..*last).unwrap_or_default();
                let before = |moment: i64| own.partition_point(|time| *time < moment);
                u64::try_from(before(to).saturating_sub(before(from))).unwrap_or(0)
            }
        }
    }

    /// The points before a moment. `None` where none is.
    pub(super) fn before(self, end: i64) -> Option<Self> {
        let kept = self.between(i64::MIN / 4, end);
        match self {
            _ if kept == 0 => None,
            Self::Even { first, every, .. } => Some(Self::Even { first, every, count: kept }),
            Self::Listed { times, from, .. } => {
                Some(Self::Listed { times, from, to: from + usize::try_from(kept).unwrap_or(0) })
            }
        }
    }
}
