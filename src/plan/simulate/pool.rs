//! What a simulated provider has left of its limits, counting users and probes alike. It is the provider's own counter:
//! what it refuses is a 429, and what it tells is what the governor learns.

use jiff::{Timestamp, ToSpan as _};

use crate::outcome::{Limited, Reading, Unit};
use crate::quota::{Charge, Limit, Refill};

/// Parts that a rolling window is counted in.
const PARTS: usize = 60;
/// Rounding must not refuse anything.
const GRAIN: f64 = 1e-9;

/// The limits of one account.
#[derive(Debug)]
pub(super) struct Pool {
    gauges: Vec<Gauge>,
    /// What is told of them, written anew each time without asking for memory.
    readings: Vec<Reading>,
}

/// One limit.
#[derive(Debug)]
struct Gauge {
    unit: Unit,
    max: f64,
    level: f64,
    /// When something comes back next, in Unix milliseconds.
    next_ms: i64,
    back: Back,
}

/// How it comes back.
#[derive(Debug)]
enum Back {
    Steps { every_ms: i64, amount: f64 },
    Fixed { every_ms: i64 },
    Monthly,
    Rolling { part_ms: i64, place: usize, used: Box<[f64; PARTS]> },
    Never,
}

impl Pool {
    /// Full, at a moment in Unix milliseconds.
    pub(super) fn new(limits: &[Limit], now_ms: i64) -> Self {
        let gauges: Vec<Gauge> = limits.iter().map(|limit| Gauge::new(limit, now_ms)).collect();
        let reading = |limit: &Limit| Reading {
            window: limit.name.clone(),
            unit: limit.unit,
            remaining: None,
            max: Some(limit.max),
            next: None,
            gives: match limit.refill {
                Refill::Steps { amount, .. } => Some(amount),
                _ => None,
            },
            limited: Limited::No,
        };
        Self { gauges, readings: limits.iter().map(reading).collect() }
    }

    /// Takes what a request costs. One that is refused costs nothing.
    pub(super) fn take(&mut self, charge: &Charge, now_ms: i64) -> Answer {
        for gauge in &mut self.gauges {
            gauge.pass(now_ms);
            let price = charge.in_unit(gauge.unit).unwrap_or(0.0);
            if price > 0.0 && gauge.level + GRAIN < price {
                return Answer::Refused;
            }
        }
        for gauge in &mut self.gauges {
            gauge.take(charge.in_unit(gauge.unit).unwrap_or(0.0));
        }
        Answer::Served
    }

    /// What the provider tells of its limits.
    pub(super) fn readings(&mut self, now_ms: i64) -> &[Reading] {
        for (gauge, reading) in self.gauges.iter_mut().zip(&mut self.readings) {
            gauge.pass(now_ms);
            reading.remaining = Some(gauge.level.max(0.0));
            reading.next = match gauge.back {
                Back::Never | Back::Rolling { .. } => None,
                _ => Timestamp::from_millisecond(gauge.next_ms).ok(),
            };
            reading.limited = if gauge.level < GRAIN { Limited::Yes } else { Limited::No };
        }
        &self.readings
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Served,
    /// A 429.
    Refused,
}

impl Gauge {
    fn new(limit: &Limit, now_ms: i64) -> Self {
        let ms = |time: std::time::Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4).max(1);
        let aligned = |every_ms: i64| (now_ms.div_euclid(every_ms) + 1) * every_ms;
        let (back, next_ms) = match limit.refill {
            Refill::Steps { every, amount } => {
                let every_ms = ms(every);
                (Back::Steps { every_ms, amount }, aligned(every_ms))
            }
            Refill::Fixed { every } => (Back::Fixed { every_ms: ms(every) }, aligned(ms(every))),
            Refill::Monthly => (Back::Monthly, next_month(now_ms)),
            Refill::Rolling { over } => {
                let part_ms = (ms(over) / i64::try_from(PARTS).unwrap_or(1)).max(1);
                (Back::Rolling { part_ms, place: 0, used: Box::new([0.0; PARTS]) }, now_ms + part_ms)
            }
            Refill::Never => (Back::Never, i64::MAX),
        };
        Self { unit: limit.unit, max: limit.max, level: limit.max, next_ms, back }
    }

    /// Lets time pass up to a moment.
    fn pass(&mut self, now_ms: i64) {
        if now_ms < self.next_ms {
            return;
        }
        match &mut self.back {
            Back::Steps { every_ms, amount } => {
                let steps = (now_ms - self.next_ms) / *every_ms + 1;
                #[expect(clippy::cast_precision_loss, reason = "steps of a few minutes")]
                let given = steps as f64 * *amount;
                self.level = (self.level + given).min(self.max);
                self.next_ms += steps * *every_ms;
            }
            Back::Fixed { every_ms } => {
                self.level = self.max;
                self.next_ms = (now_ms.div_euclid(*every_ms) + 1) * *every_ms;
            }
            Back::Monthly => {
                self.level = self.max;
                self.next_ms = next_month(now_ms);
            }
            Back::Rolling { part_ms, place, used } => {
                let parts = (now_ms - self.next_ms) / *part_ms + 1;
                for _ in 0..usize::try_from(parts).unwrap_or(PARTS).min(PARTS) {
                    *place = (*place + 1) % PARTS;
                    if let Some(oldest) = used.get_mut(*place) {
                        self.level = (self.level + std::mem::take(oldest)).min(self.max);
                    }
                }
                self.next_ms += parts * *part_ms;
            }
            Back::Never => {}
        }
    }

    fn take(&mut self, price: f64) {
        self.level -= price;
        if let Back::Rolling { place, used, .. } = &mut self.back
            && let Some(now) = used.get_mut(*place)
        {
            *now += price;
        }
    }
}

/// The first of the next month, UTC.
fn next_month(now_ms: i64) -> i64 {
    let next = Timestamp::from_millisecond(now_ms)
        .ok()
        .map(|now| now.to_zoned(jiff::tz::TimeZone::UTC).date().first_of_month())
        .and_then(|first| first.checked_add(1.month()).ok())
        .and_then(|first| first.to_zoned(jiff::tz::TimeZone::UTC).ok());
    next.map_or(i64::MAX, |first| first.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::outcome::WindowName;

    const HOUR: i64 = 3_600_000;

    fn pool(max: f64, refill: Refill) -> Pool {
        Pool::new(&[Limit { name: WindowName::REQUESTS, unit: Unit::Requests, max, refill }], 0)
    }

    fn served(pool: &mut Pool, times: usize, now_ms: i64) -> usize {
        let one = Charge { requests: 1.0, tokens: 10.0, usd: None };
        (0..times).filter(|_| pool.take(&one, now_ms) == Answer::Served).count()
    }

    #[test]
    fn each_comes_back_in_its_way() {
        let hour = Duration::from_secs(3600);
        let mut steps = pool(10.0, Refill::Steps { every: hour, amount: 2.0 });
        assert_eq!(served(&mut steps, 12, 1), 10);
        assert_eq!(served(&mut steps, 12, HOUR - 1), 0);
        assert_eq!(steps.readings(HOUR - 1)[0].limited, Limited::Yes);
        assert_eq!(served(&mut steps, 12, HOUR), 2);
        assert_eq!(served(&mut steps, 12, 3 * HOUR + 5), 4);
        assert_eq!(steps.readings(100 * HOUR)[0].remaining, Some(10.0));

        let mut fixed = pool(3.0, Refill::Fixed { every: hour });
        assert_eq!((served(&mut fixed, 5, 1), served(&mut fixed, 5, HOUR)), (3, 3));

        let mut rolling = pool(3.0, Refill::Rolling { over: hour });
        assert_eq!((served(&mut rolling, 1, 1), served(&mut rolling, 5, HOUR / 2)), (1, 2));
        assert_eq!(served(&mut rolling, 5, HOUR + HOUR / 60), 1, "the first is an hour ago");

        let mut monthly = pool(1.0, Refill::Monthly);
        assert_eq!((served(&mut monthly, 2, 1), served(&mut monthly, 2, 30 * 24 * HOUR)), (1, 0));
        assert_eq!(served(&mut monthly, 2, 31 * 24 * HOUR), 1);

        let mut balance = pool(2.0, Refill::Never);
        assert_eq!((served(&mut balance, 5, 1), served(&mut balance, 5, 1000 * HOUR)), (2, 0));
    }
}
