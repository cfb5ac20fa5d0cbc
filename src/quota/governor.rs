//! The governor: whether a warm-up may be made now. The order of its reasons is that of what they protect.

use super::ledger::{Grant, Ledger, find};
use super::stamp::Stamp;
use super::withheld::{WhyWithheld, Withheld};
use super::{Charge, Percent, QuotaSettings};
use crate::outcome::Unit;

/// Rounding must not cost a request.
const GRAIN: f64 = 1e-9;

/// A warm-up that comes earlier than its turn by such a part of the gap is not sent away.
const SLACK: f64 = 0.02;

/// Who asks for a warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spending {
    /// A schedule: every rule holds.
    Scheduled,
    /// A person, now: only what the provider has refused outright, and the hard cap, hold it back.
    ByHand,
    /// A person who said that the quota does not matter (`--ignore-quota`).
    Unlimited,
}

/// Whether a request of ours is in flight at a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InFlight {
    /// None is.
    No,
    /// One is.
    Yes,
}

/// A wish for one warm-up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wish {
    /// Who asks.
    pub spending: Spending,
    /// What it is expected to cost.
    pub charge: Charge,
    /// What it costs at most, in US dollars. `None` where that is not known.
    pub at_most_usd: Option<f64>,
    /// Whether another is under way.
    pub in_flight: InFlight,
    /// How far apart the target's warm-ups are to be while the share is short ([`gaps`](super::gaps)), and how long ago the
    /// last one was granted, where that is known. In seconds.
    pub pace: Option<(f64, f64)>,
    /// What those of ours cost that are under way: what was just read may not have it in it.
    pub outstanding: Charge,
}

impl Ledger {
    /// Asks for leave. What it may cost is taken at once, so that many may ask at the same time.
    pub fn ask(&mut self, settings: &QuotaSettings, wish: &Wish, now: Stamp) -> Result<Grant, Withheld> {
        self.pass(settings, now);
        self.judge(settings, wish)?;
        // A cap counts what a warm-up may cost, until it is known what it did.
        let capped = wish.at_most_usd.or(wish.charge.usd).unwrap_or(0.0);
        Ok(self.take(settings, wish.charge, if capped.is_finite() { capped.max(0.0) } else { 0.0 }))
    }

    fn judge(&self, settings: &QuotaSettings, wish: &Wish) -> Result<(), Withheld> {
        if wish.spending == Spending::Unlimited {
            return Ok(());
        }
        let scheduled = wish.spending == Spending::Scheduled;
        if self.stated(settings).any(|(known, _)| known.is_money()) {
            // Waiting does not cure it, so there is no time to name.
            return Err(Withheld { why: WhyWithheld::BalanceSpent, until_s: None });
        }
        // A 429 of one LLM silences a schedule at the whole provider; a person may ask for another one.
        let stated = self.stated(settings).map(|(_, seconds)| seconds).fold(0.0, f64::max);
        let silent = if scheduled { self.silent_s().max(stated) } else { stated };
        if silent > 0.0 {
            return Err(Withheld { why: WhyWithheld::Limited, until_s: Some(silent) });
        }
        if scheduled {
            if wish.in_flight == InFlight::Yes {
                return Err(Withheld { why: WhyWithheld::InFlight, until_s: None });
            }
            self.floors(settings, wish, Span::Short)?;
            self.shares(settings, wish)?;
            self.floors(settings, wish, Span::Long)?;
        }
        self.cap(settings, wish)
    }

    fn floors(&self, settings: &QuotaSettings, wish: &Wish, span: Span) -> Result<(), Withheld> {
        for known in self.known() {
            let limit = find(settings, &known.window);
            let Some(left) = known.left(limit) else { continue };
            // A window that nothing is known of is gone in a minute or in a month; that it is short is the safer guess,
            // for its floor is the higher one. Money that nobody pays in is long.
            let long = limit.map_or(known.unit == Unit::Usd || known.unit == Unit::OtherMoney, |limit| limit.is_long());
            if long != (span == Span::Long) {
                continue;
            }
            let floor = if long { settings.long_floor } else { settings.floor };
            let price = wish.charge.in_unit(known.unit).unwrap_or(0.0);
            // Of a window that has no room for two requests, all that can be asked is that there is room for one.
            let least = left.max.map_or(0.0, |max| max * floor.fraction());
            let least = if left.max.is_some_and(|max| max < 2.0 * price) { 0.0 } else { least };
            let outstanding = wish.outstanding.in_unit(known.unit).unwrap_or(0.0);
            if left.remaining - outstanding - price < least - GRAIN {
                let why = WhyWithheld::Floor {
                    window: known.window.clone(),
                    unit: known.unit,
                    remaining: left.remaining,
                    max: left.max,
                    floor: floor.get(),
                };
                return Err(Withheld { why, until_s: left.next_s });
            }
        }
        Ok(())
    }

    fn shares(&self, settings: &QuotaSettings, wish: &Wish) -> Result<(), Withheld> {
        for limit in &settings.limits {
            let (Some(measure), Some(bucket)) = (self.measure_of(limit, settings), self.bucket(&limit.name)) else {
                continue;
            };
            let price = wish.charge.in_unit(limit.unit).unwrap_or(0.0);
            if price <= 0.0 {
                continue;
            }
            let needed = measure.needed(price);
            if bucket.level() + GRAIN < needed {
                let why = WhyWithheld::Share {
                    window: limit.name.clone(),
                    unit: limit.unit,
                    left: bucket.level(),
                    price,
                    share: Percent::get(settings.share),
                };
                return Err(Withheld { why, until_s: Some(bucket.seconds_until(needed, &measure)) });
            }
            // Of what comes in, each has its part; what can no longer be saved up is for whoever comes.
            let ample = bucket.level() + GRAIN >= (measure.cap - measure.tick / 2.0).max(needed);
            if let Some((gap_s, since_s)) = wish.pace
                && !ample
                && since_s < gap_s * (1.0 - SLACK)
            {
                let why = WhyWithheld::Useful { window: limit.name.clone(), gap_s };
                return Err(Withheld { why, until_s: Some((gap_s - since_s).max(0.0)) });
            }
        }
        Ok(())
    }

    fn cap(&self, settings: &QuotaSettings, wish: &Wish) -> Result<(), Withheld> {
        let Some(cap) = settings.daily_cap else { return Ok(()) };
        let Some(price) = wish.at_most_usd.or(wish.charge.usd) else {
            return Err(Withheld { why: WhyWithheld::PriceUnknown, until_s: None });
        };
        if self.spent_today() + price > cap + GRAIN {
            let why = WhyWithheld::DailyCap { spent: self.spent_today(), cap };
            return Err(Withheld { why, until_s: Some(self.day_left_s()) });
        }
        Ok(())
    }
}

/// Which limits are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Span {
    Short,
    Long,
}
