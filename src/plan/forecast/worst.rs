//! The stretch of time in which most is spent of a limit, to a fiftieth of a short window, and to the minute of a long one.

use std::time::Duration;

use super::super::due::{NANOSECONDS, at, length, nanoseconds};
use super::{LimitForecast, Question, TargetForecast, Worst};
use crate::quota::Limit;

/// Schedules repeat themselves after a week, so short windows are looked for in little more than one.
const LOOKED_AT: i64 = 8 * 86_400 * NANOSECONDS;
const MINUTE: i64 = 60 * NANOSECONDS;

/// What is spent of a limit, in slots of equal length.
pub(super) struct Spending {
    from: i64,
    to: i64,
    slot: i64,
    slots: Vec<f64>,
}

impl Spending {
    /// What warm-ups spend, each with the price of one in the limit's unit.
    pub(super) fn of(question: &Question<'_>, limit: &Limit, prices: &[(&TargetForecast, f64)]) -> Self {
        let [from, mut to] = [question.from, question.to].map(nanoseconds);
        let period = limit.refill.period(limit.max).map_or(MINUTE, length);
        let slot = (period / 50).clamp(NANOSECONDS, MINUTE);
        if slot < MINUTE {
            to = to.min(from.saturating_add(LOOKED_AT));
        }
        let mut slots = vec![0.0; usize::try_from((to - from) / slot + 1).unwrap_or(0)];
        for (target, price) in prices {
            for moment in target.dues.moments().take_while(|moment| *moment < to) {
                let place = usize::try_from((moment - from) / slot).unwrap_or(usize::MAX);
                if let Some(spent) = slots.get_mut(place) {
                    *spent += price;
                }
            }
        }
        Self { from, to, slot, slots }
    }

    /// The first stretch of the limit's length in which most is spent.
    pub(super) fn worst(&self, limit: &Limit) -> Option<Worst> {
        let period = length(limit.refill.period(limit.max)?);
        let whole = self.to - self.from;
        let (begin, end, spent) = if period >= whole {
            // What is planned is shorter than the limit's length, and stands for all of it.
            let spent: f64 = self.slots.iter().sum();
            #[expect(clippy::cast_precision_loss, reason = "a ratio of times")]
            let longer = period as f64 / whole.max(1) as f64;
            (self.from, self.to, spent * longer)
        } else {
            let wide = usize::try_from(period / self.slot).unwrap_or(1).max(1);
            let mut sum: f64 = 0.0;
            let mut best = (0, 0.0);
            let leaving = std::iter::repeat_n(0.0, wide).chain(self.slots.iter().copied());
            for (place, (spent, gone)) in self.slots.iter().zip(leaving).enumerate() {
                sum += spent - gone;
                if sum > best.1 + 1e-9 {
                    best = (place, sum);
                }
            }
            let last = i64::try_from(best.0 + 1).unwrap_or(0) * self.slot + self.from;
            let begin = (last - period).max(self.from);
            (begin, begin + period, best.1)
        };
        (spent > 0.0).then(|| Worst { from: at(begin), to: at(end), spent, part: spent / limit.max })
    }
}

/// How much longer a limit's length is than the stretch that stands for it.
pub(super) fn stretched(limit: &LimitForecast, from: i64, to: i64) -> f64 {
    let period = limit.limit.refill.period(limit.limit.max).unwrap_or_default();
    let stretch = Duration::from_nanos(u64::try_from(to - from).unwrap_or(0)).as_secs_f64();
    if stretch > 0.0 { period.as_secs_f64() / stretch } else { 0.0 }
}
