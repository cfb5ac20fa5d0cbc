//! What is known of a limit's state: the last reading, and what has happened since.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Limit, Refill};
use crate::outcome::{Counter, Limited, Reading, Unit, Used, Uses, WindowName};

/// A reading that is older says nothing any more, once what it promised has come: a probe will read anew.
const STALE_S: f64 = 24.0 * 3600.0;

const MINUTE_S: f64 = 60.0;

/// How long a window is whose name tells it, in seconds. One of requests or tokens that does not is a minute's as a rule.
fn length_s(window: &WindowName) -> Option<f64> {
    const DAY_S: f64 = 86_400.0;
    let of_a_minute = [
        WindowName::REQUESTS_MINUTE,
        WindowName::TOKENS_MINUTE,
        WindowName::REQUESTS,
        WindowName::TOKENS,
        WindowName::INPUT_TOKENS,
        WindowName::OUTPUT_TOKENS,
    ];
    match window {
        window if *window == WindowName::REQUESTS_SECOND => Some(1.0),
        window if of_a_minute.contains(window) => Some(MINUTE_S),
        window if *window == WindowName::REQUESTS_DAY || *window == WindowName::TOKENS_DAY => Some(DAY_S),
        window if *window == WindowName::FIVE_HOUR => Some(5.0 * 3600.0),
        window if *window == WindowName::WEEK => Some(7.0 * DAY_S),
        _ => None,
    }
}

/// Nothing comes back later than a month and a day from now, whatever a provider says.
const FAR_S: f64 = 32.0 * 86_400.0;

/// Our clock and a provider's may differ by this.
const SKEW_S: f64 = 30.0;
/// The least fall of a counter that is taken for a use.
const LEAST_USE: f64 = 0.01;
/// By this part our own requests may have cost more than is believed, where a fall is to be told …
const PRICE_DOUBT: f64 = 0.25;
/// … and where it is to be told that there was none: a use of a cheap LLM is not to be taken for doubt.
const STILL_DOUBT: f64 = 0.05;

/// The last reading of a limit, kept by its age rather than its time, so that no clock that is set can touch it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) window: WindowName,
    pub(super) unit: Unit,
    remaining: Option<f64>,
    max: Option<f64>,
    gives: Option<f64>,
    /// Seconds from the reading until something comes back.
    next_s: Option<f64>,
    limited: Limited,
    /// Seconds since the reading.
    age_s: f64,
    /// What our own probes have spent since.
    spent: f64,
    /// What requests of ours may have cost that were under way when it was read: in it already, or not.
    #[serde(default)]
    pending: f64,
}

/// What is thought to be left of a limit now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Left {
    pub(super) remaining: f64,
    pub(super) max: Option<f64>,
    /// Seconds until something comes back.
    pub(super) next_s: Option<f64>,
}

impl Known {
    /// A reading just made; `now_ms` is the wall's time in Unix milliseconds.
    pub(super) fn new(reading: &Reading, now_ms: i64) -> Self {
        let number = |value: Option<f64>| value.filter(|number| (0.0..=1e15).contains(number));
        #[expect(clippy::cast_precision_loss, reason = "a difference of times")]
        let next_s = reading
            .next
            .map(|next| (next.as_millisecond().saturating_sub(now_ms).max(0)) as f64 / 1000.0)
            .map(|seconds| seconds.min(FAR_S));
        Self {
            window: reading.window.clone(),
            unit: reading.unit,
            remaining: number(reading.remaining),
            // Nothing is not a maximum: it is what an account is told that has another kind of plan.
            max: number(reading.max).filter(|max| *max > 0.0),
            gives: number(reading.gives),
            next_s,
            limited: reading.limited,
            age_s: 0.0,
            spent: 0.0,
            pending: 0.0,
        }
    }

    /// The same, while requests of ours were under way that may cost so much.
    pub(super) fn beside(self, pending: f64) -> Self {
        Self { pending: pending.max(0.0), ..self }
    }

    /// Whether it is a counter of requests by which uses can be told: one that others cannot have used and refilled
    /// within a minute.
    pub(super) fn counts_uses(&self) -> bool {
        self.unit == Unit::Requests && self.remaining.is_some() && !self.window.is_brief()
    }

    /// What the counter tells of others between this reading and a newer one: what it fell by that neither our own
    /// requests nor what comes back by itself explains.
    pub(super) fn used_until(&self, newer: &Self, limit: Option<&Limit>) -> Uses {
        let told = |counter| Uses { seen: Vec::new(), counter };
        let Some(remaining) = newer.remaining.filter(|_| newer.counts_uses()) else { return Uses::default() };
        if !self.counts_uses() {
            return told(Counter::Untold);
        }
        let came_back = self.next_s.is_some_and(|next| self.age_s >= next - SKEW_S);
        let reckoned = match limit.map(|limit| limit.refill) {
            Some(Refill::Steps { .. }) => true,
            Some(Refill::Rolling { over } | Refill::Fixed { every: over }) => {
                !came_back && self.age_s < over.as_secs_f64() - SKEW_S
            }
            Some(Refill::Monthly | Refill::Never) | None => !came_back,
        };
        // A tick of which it is not sure that it has come is not counted: better one use overlooked than one invented.
        let careful = Self { age_s: (self.age_s - SKEW_S).max(0.0), ..self.clone() };
        let expected = careful.left(limit).filter(|_| reckoned).map(|left| left.remaining);
        let fell = expected.map_or(0.0, |expected| expected - remaining - self.pending);
        if fell > LEAST_USE + PRICE_DOUBT * self.spent {
            let since = Duration::try_from_secs_f64(self.age_s).unwrap_or_default();
            let used = Used { window: self.window.clone(), requests: fell, since };
            return Uses { seen: vec![used], counter: Counter::Moved };
        }
        told(if reckoned && self.was_still(newer, remaining, limit) { Counter::Still } else { Counter::Untold })
    }

    /// Whether nobody but us can have used anything until a newer reading: it has as much as there can be, were all that
    /// may have come back still there, and were it not for what there is at most.
    fn was_still(&self, newer: &Self, remaining: f64, limit: Option<&Limit>) -> bool {
        let refill = limit.map(|limit| limit.refill);
        let hopeful = match (refill, self.next_s) {
            // Of whose ticks the time is not known: one may lie just ahead.
            (Some(Refill::Steps { every, .. }), None) => every.as_secs_f64(),
            _ => SKEW_S,
        };
        let hopeful = Self { age_s: self.age_s + hopeful, max: None, ..self.clone() };
        let endless = limit.map(|limit| Limit { max: f64::INFINITY, ..limit.clone() });
        let Some(most) = hopeful.left(endless.as_ref()) else { return false };
        // What was under way at either reading may not have been counted yet.
        let most = most.remaining + (self.pending + newer.pending).min(self.spent);
        let doubt = LEAST_USE + STILL_DOUBT * self.spent;
        let waits = self.next_s.is_some_and(|next| self.age_s + SKEW_S < next);
        match refill {
            Some(Refill::Steps { .. } | Refill::Never) => remaining >= most - doubt,
            _ if waits => remaining >= most - doubt,
            // It may fill up by and by: then it would hardly stand where it stood, unless it is full.
            _ => {
                let max = newer.max.or(self.max).or(limit.map(|limit| limit.max));
                (remaining - most).abs() <= doubt && max.is_none_or(|max| remaining < max - doubt)
            }
        }
    }

    pub(super) fn pass(&mut self, seconds: f64) {
        self.age_s += seconds;
    }

    pub(super) fn spend(&mut self, amount: f64) {
        self.spent += amount;
    }

    /// Takes back what was thought to be spent and was not.
    pub(super) fn unspend(&mut self, amount: f64) {
        self.spent = (self.spent - amount).max(0.0);
    }

    /// Whether it is money that was paid in, and does not come back by itself.
    pub(super) fn is_money(&self) -> bool {
        self.window == WindowName::BALANCE && matches!(self.unit, Unit::Usd | Unit::OtherMoney)
    }

    /// What there is when nothing is used, as the provider says.
    pub(super) fn max(&self) -> Option<f64> {
        self.max
    }

    /// The seconds for which the provider has said that it refuses: until something comes back, but no longer than the
    /// whole window takes; a tick, or a minute, where it does not say until when.
    pub(super) fn refuses_for(&self, limit: Option<&Limit>) -> Option<f64> {
        if self.limited == Limited::No {
            return None;
        }
        let whole = limit.and_then(|limit| limit.refill.period(limit.max)).map(|period| period.as_secs_f64());
        let whole = whole.or_else(|| length_s(&self.window)).unwrap_or(FAR_S);
        let tick = limit.and_then(Limit::tick).map_or(MINUTE_S, |(_, every)| every.as_secs_f64());
        let until = self.next_s.filter(|next| *next > 0.0).unwrap_or(tick).min(whole);
        let left = until - self.age_s;
        (left > 0.0).then_some(left)
    }

    /// What is left now; `limit` is what is known of how it refills. `None` where nothing is known any more.
    pub(super) fn left(&self, limit: Option<&Limit>) -> Option<Left> {
        let remaining = self.remaining?;
        let max = self.max.or(limit.map(|limit| limit.max));
        let until = self.next_s.map(|next| next - self.age_s);
        // A window whose name tells its length is over after it, whatever was read.
        let stale = limit.is_none().then(|| length_s(&self.window)).flatten().unwrap_or(STALE_S);
        if self.age_s > stale && until.is_none_or(|until| until <= 0.0) {
            return None;
        }
        let refill = limit.map(|limit| limit.refill);
        let (back, next_s) = match (until, refill) {
            // The next has not come.
            (Some(until), _) if until > 0.0 => (0.0, Some(until)),
            (Some(until), Some(Refill::Steps { every, amount })) => {
                let every = every.as_secs_f64().max(f64::MIN_POSITIVE);
                let steps = (-until / every).floor() + 1.0;
                let gives = self.gives.unwrap_or(amount);
                (steps * gives, Some(every - (-until).rem_euclid(every)))
            }
            // A window that begins anew is full; one of which a part comes back has at least that.
            (Some(_), _) => (self.gives.or(max).unwrap_or(0.0), None),
            (None, Some(Refill::Steps { every, amount })) => {
                ((self.age_s / every.as_secs_f64().max(f64::MIN_POSITIVE)).floor() * amount, None)
            }
            (None, Some(Refill::Rolling { over } | Refill::Fixed { every: over }))
                if self.age_s >= over.as_secs_f64() =>
            {
                (max.unwrap_or(0.0), None)
            }
            (None, _) => (0.0, None),
        };
        let whole = remaining - self.spent + back;
        let remaining = max.map_or(whole, |max| whole.min(max)).max(0.0);
        Some(Left { remaining, max, next_s })
    }

    pub(super) fn is_sound(&self) -> bool {
        let numbers =
            [Some(self.age_s), Some(self.spent), Some(self.pending), self.remaining, self.max, self.gives, self.next_s];
        numbers.into_iter().flatten().all(|number| number.is_finite() && number >= 0.0)
    }
}
