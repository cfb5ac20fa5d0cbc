//! What probes may still spend of one limit: a bucket that each tick of the limit refills with a share of what it gives.

use serde::{Deserialize, Serialize};

use super::{Limit, Percent};

/// At most so many seconds' worth is saved up: what probes did not need stays the users'.
const SAVED_S: f64 = 2.0 * 3600.0;

/// The bucket of one limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Bucket {
    /// What may be spent, in the limit's unit. Never negative.
    level: f64,
    /// What was spent beyond it, because a probe turned out dearer than it was thought. The next ticks pay for it.
    #[serde(default)]
    debt: f64,
    /// Seconds since the last tick.
    carry_s: f64,
}

/// A bucket's measures, reckoned of a limit and a share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measure {
    /// What a tick brings, in the limit's unit.
    pub(super) tick: f64,
    /// The time between two ticks, in seconds.
    pub(super) every_s: f64,
    /// What it holds at most.
    pub(super) cap: f64,
}

impl Measure {
    /// Of a limit that gives something back, of which there is such a part. `None` where it gives nothing.
    pub(super) fn of(limit: &Limit, share: Percent, part: f64) -> Option<Self> {
        let (amount, every) = limit.tick()?;
        let (tick, every_s) = (amount * part * share.fraction(), every.as_secs_f64());
        let sound = tick.is_finite() && tick > 0.0 && every_s.is_finite() && every_s > 0.0;
        let saved = (tick * SAVED_S / every_s).min(limit.max * part * share.fraction());
        sound.then(|| Self { tick, every_s, cap: saved.max(tick) })
    }

    /// What must be in the bucket for a probe of a price. One that costs more than is ever saved up is made when the bucket
    /// is full, and paid for by what comes after.
    pub(super) fn needed(&self, price: f64) -> f64 {
        price.min(self.cap)
    }
}

impl Bucket {
    /// A new one: it holds one tick's worth.
    pub(super) fn new(measure: &Measure) -> Self {
        Self { level: measure.tick, debt: 0.0, carry_s: 0.0 }
    }

    /// One of which nothing is known, because what was written of it cannot be read: it begins empty.
    pub(super) fn empty() -> Self {
        Self { level: 0.0, debt: 0.0, carry_s: 0.0 }
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, seconds: f64, measure: &Measure) {
        let carry = (self.carry_s + seconds.max(0.0)).max(0.0);
        let ticks = (carry / measure.every_s).floor();
        // A time beyond all bounds leaves no remainder that could be reckoned.
        self.carry_s = (carry - ticks * measure.every_s).clamp(0.0, measure.every_s);
        if !self.carry_s.is_finite() {
            self.carry_s = 0.0;
        }
        if ticks > 0.0 {
            let paid = self.debt.min(ticks * measure.tick);
            self.debt -= paid;
            self.level += ticks * measure.tick - paid;
        }
        self.level = self.level.min(measure.cap);
    }

    /// What may be spent.
    pub(super) fn level(&self) -> f64 {
        self.level
    }

    /// Takes a price out.
    pub(super) fn take(&mut self, price: f64) {
        let rest = self.level - price;
        self.level = rest.max(0.0);
        self.debt += (-rest).max(0.0);
    }

    /// Puts back what was taken and not spent. The debt is paid first.
    pub(super) fn give(&mut self, amount: f64) {
        let paid = self.debt.min(amount);
        self.debt -= paid;
        self.level += amount - paid;
    }

    /// The seconds until it holds an amount, if nobody takes anything.
    pub(super) fn seconds_until(&self, amount: f64, measure: &Measure) -> f64 {
        let missing = amount - self.level + self.debt;
        let ticks = (missing / measure.tick - 1e-9).ceil().max(0.0);
        (ticks * measure.every_s - self.carry_s).max(0.0)
    }

    /// Whether its numbers can be: what is read from a file may be anything.
    pub(super) fn is_sound(&self) -> bool {
        [self.level, self.debt, self.carry_s].iter().all(|number| number.is_finite() && *number >= 0.0)
    }
}
