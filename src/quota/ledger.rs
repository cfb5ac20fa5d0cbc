//! The ledger of a provider: what is known of its limits, what probes have spent, and what they may still.
//!
//! Pure: the time is an argument, and it is kept as what has passed, never as a date, so that a clock which is set cannot
//! give anything away or withhold it for ever. The whole of it is what outlives the process.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bucket::{Bucket, Measure};
use super::known::{Known, Left};
use super::measured::Measured;
use super::stamp::Stamp;
use super::{Charge, Limit, Price, QuotaSettings};
use crate::outcome::{Counter, Reading, Uses, WindowName};
use crate::target::{ModelId, TargetId};

/// The layout of the ledger. One of another layout is begun anew, empty.
const SCHEMA: u32 = 1;
/// Nobody is kept silent for longer by what a provider said: a month and a day.
const SILENT_AT_MOST_S: f64 = 32.0 * 86_400.0;
/// After a refusal without a time, and where no tick is known: a minute, doubled with each, an hour at most.
const FIRST_SILENCE_S: f64 = 60.0;
const LAST_SILENCE_S: f64 = 3_600.0;
/// At most so many limits are remembered: what a provider says must not grow without bound.
const LIMITS_AT_MOST: usize = 24;
/// At most so many targets' turns are remembered.
const TURNS_AT_MOST: usize = 500;

/// The ledger of one provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    schema: u32,
    /// When it was last reckoned.
    stamp: Stamp,
    /// By the limit's name.
    buckets: Vec<(WindowName, Bucket)>,
    known: Vec<Known>,
    /// Seconds for which nothing is sent, because the provider has refused.
    silent_s: f64,
    /// Refusals in a row that told no time.
    strikes: u32,
    /// What was spent on this day, in US dollars.
    day_usd: f64,
    /// Seconds until it ends.
    day_left_s: f64,
    measured: Measured,
    /// When each target had its last warm-up, of those whose share is short.
    #[serde(default)]
    turns: BTreeMap<String, Stamp>,
}

/// Leave to make one warm-up. What it may cost is taken already; [`Ledger::settle`] corrects it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grant {
    /// What was taken.
    pub(super) taken: Charge,
    /// What was put against the day's cap.
    pub(super) capped_usd: f64,
}

impl Grant {
    /// What was taken.
    #[must_use]
    pub fn taken(&self) -> Charge {
        self.taken
    }
}

impl Ledger {
    /// A new ledger: probes may spend one tick's share at once.
    #[must_use]
    pub fn new(now: Stamp) -> Self {
        Self {
            schema: SCHEMA,
            stamp: now,
            buckets: Vec::new(),
            known: Vec::new(),
            silent_s: 0.0,
            strikes: 0,
            day_usd: 0.0,
            day_left_s: now.to_midnight(),
            measured: Measured::default(),
            turns: BTreeMap::new(),
        }
    }

    /// One in the place of another that was lost or cannot be read: probes may have spent their share already, so they
    /// begin with nothing, and a cap on the day's money counts as reached until the day is over.
    #[must_use]
    pub fn after_loss(now: Stamp, settings: &QuotaSettings) -> Self {
        let mut ledger = Self::new(now);
        ledger.buckets = settings.limits.iter().map(|limit| (limit.name.clone(), Bucket::empty())).collect();
        ledger.day_usd = settings.daily_cap.unwrap_or(0.0);
        ledger
    }

    /// Reads what [`Self::to_json`] wrote. `None` where it is not a sound ledger.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        let ledger: Self = serde_json::from_str(text).ok()?;
        let numbers = [ledger.silent_s, ledger.day_usd, ledger.day_left_s];
        let sound = ledger.schema == SCHEMA
            && numbers.iter().all(|number| number.is_finite() && *number >= 0.0)
            && ledger.buckets.iter().all(|(_, bucket)| bucket.is_sound())
            && ledger.known.iter().all(Known::is_sound)
            && ledger.known.len() <= LIMITS_AT_MOST;
        sound.then_some(ledger)
    }

    /// As text.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Numbers and names: this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Lets the time pass that has passed since it was last reckoned.
    pub(super) fn pass(&mut self, settings: &QuotaSettings, now: Stamp) {
        let seconds = now.since(self.stamp);
        self.stamp = now;
        self.silent_s = (self.silent_s - seconds).max(0.0);
        self.day_left_s -= seconds;
        if self.day_left_s <= 0.0 {
            (self.day_usd, self.day_left_s) = (0.0, now.to_midnight());
        }
        for known in &mut self.known {
            known.pass(seconds);
        }
        for limit in &settings.limits {
            let Some(measure) = self.measure_of(limit, settings) else { continue };
            match self.buckets.iter_mut().find(|(name, _)| *name == limit.name) {
                Some((_, bucket)) => bucket.pass(seconds, &measure),
                None => self.buckets.push((limit.name.clone(), Bucket::new(&measure))),
            }
        }
        // What is not limited any more is forgotten: taking a limit out and in again must not fill its bucket, though.
        self.buckets.truncate(LIMITS_AT_MOST);
    }

    /// Takes in what a provider says of its limits, while no request of ours is under way there.
    pub fn learn(&mut self, settings: &QuotaSettings, readings: &[Reading], now: Stamp) -> Uses {
        self.learn_beside(settings, readings, 0.0, now)
    }

    /// Takes in what a provider says of its limits, while requests of ours are under way that may cost `pending` requests.
    /// Returns what its counters tell of uses that were not ours.
    pub fn learn_beside(&mut self, settings: &QuotaSettings, readings: &[Reading], pending: f64, now: Stamp) -> Uses {
        self.pass(settings, now);
        let mut used = Uses::default();
        for reading in readings {
            let known = Known::new(reading, now.wall_ms).beside(pending);
            if let Some(old) = self.known.iter_mut().find(|old| old.window == known.window) {
                used.beside(old.used_until(&known, find(settings, &known.window)));
                *old = known;
                continue;
            }
            // There is nothing to compare it with.
            let counter = if known.counts_uses() { Counter::Untold } else { Counter::Absent };
            used.beside(Uses { seen: Vec::new(), counter });
            if self.known.len() < LIMITS_AT_MOST {
                self.known.push(known);
            }
        }
        used
    }

    /// Notes that the provider has refused for want of quota, and for how long, if it said so.
    pub fn refused(&mut self, settings: &QuotaSettings, reset_s: Option<f64>, now: Stamp) {
        self.pass(settings, now);
        let tick = || {
            let next = |known: &Known| known.left(find(settings, &known.window)).and_then(|left| left.next_s);
            self.known.iter().filter_map(next).filter(|seconds| *seconds > 0.0).reduce(f64::min)
        };
        let stated = reset_s.filter(|seconds| seconds.is_finite() && *seconds > 0.0).or_else(tick);
        let silent = match stated {
            Some(seconds) => {
                self.strikes = 0;
                seconds.min(SILENT_AT_MOST_S)
            }
            None => {
                self.strikes = self.strikes.saturating_add(1);
                let doubled = FIRST_SILENCE_S * 2_f64.powi(i32::try_from(self.strikes.min(12)).unwrap_or(12) - 1);
                doubled.min(LAST_SILENCE_S)
            }
        };
        self.silent_s = self.silent_s.max(silent);
    }

    /// Takes in what a warm-up cost after all. `None`: nothing, for it was refused or not sent.
    pub fn settle(&mut self, settings: &QuotaSettings, grant: Grant, spent: Option<Charge>, now: Stamp) {
        self.pass(settings, now);
        if spent.is_some() {
            // It was not refused, so whoever has refused before does so no more.
            (self.strikes, self.silent_s) = (0, 0.0);
        }
        let spent = spent.unwrap_or_default();
        for limit in &settings.limits {
            let taken = grant.taken.in_unit(limit.unit).unwrap_or(0.0);
            // What one warm-up is said to cost cannot be more than there is.
            let cost = sound(spent.in_unit(limit.unit).unwrap_or(0.0)).min(limit.max);
            if let Some((_, bucket)) = self.buckets.iter_mut().find(|(name, _)| *name == limit.name) {
                if taken > cost {
                    bucket.give(taken - cost);
                } else {
                    bucket.take(cost - taken);
                }
            }
        }
        for known in &mut self.known {
            let taken = grant.taken.in_unit(known.unit).unwrap_or(0.0);
            known.unspend(taken);
            known.spend(sound(spent.in_unit(known.unit).unwrap_or(0.0)));
        }
        self.day_usd = (self.day_usd - grant.capped_usd + sound(spent.usd.unwrap_or(0.0))).max(0.0);
    }

    /// What probes of a model are thought to cost: as it was measured, else as the settings say.
    #[must_use]
    pub fn price(&self, settings: &QuotaSettings, model: &ModelId) -> Price {
        let price = settings.price(model);
        Price { requests: self.measured.of(model).unwrap_or(price.requests), ..price }
    }

    /// Takes in the price of a request that was read off the provider's own counter around it.
    pub fn measure(&mut self, model: &ModelId, requests: f64) {
        self.measured.add(model, requests);
    }

    /// What is left of each limit, as far as it is known.
    pub fn left<'a>(&'a self, settings: &'a QuotaSettings) -> impl Iterator<Item = Remaining<'a>> {
        self.known.iter().filter_map(|known| {
            let Left { remaining, max, next_s } = known.left(find(settings, &known.window))?;
            Some(Remaining { window: &known.window, unit: known.unit, remaining, max, next_s })
        })
    }

    /// What probes may still spend of their share of a limit, in its unit.
    #[must_use]
    pub fn share_left(&self, window: &WindowName) -> Option<f64> {
        self.buckets.iter().find(|(name, _)| name == window).map(|(_, bucket)| bucket.level())
    }

    /// As it would be at a later moment, if nobody spent anything until then. For a look at one that others keep.
    #[must_use]
    pub fn later(mut self, settings: &QuotaSettings, now: Stamp) -> Self {
        self.pass(settings, now);
        self
    }

    /// For how many seconds nothing is asked of the provider any more, because it has refused. `None` where it has not.
    #[must_use]
    pub fn refused_for(&self, settings: &QuotaSettings) -> Option<f64> {
        let seconds = self.stated(settings).map(|(_, seconds)| seconds).fold(self.silent_s, f64::max);
        (seconds > 0.0).then_some(seconds)
    }

    /// What was spent today (UTC), in US dollars.
    #[must_use]
    pub fn spent_today(&self) -> f64 {
        self.day_usd
    }

    /// The limits for want of which the provider's own report says that it refuses, and for how many seconds.
    pub(super) fn stated<'a>(&'a self, settings: &'a QuotaSettings) -> impl Iterator<Item = (&'a Known, f64)> {
        self.known.iter().filter_map(|known| Some((known, known.refuses_for(find(settings, &known.window))?)))
    }

    /// What a limit's bucket gets: by what is configured, or by what the provider states where that is less.
    pub(super) fn measure_of(&self, limit: &Limit, settings: &QuotaSettings) -> Option<Measure> {
        let stated = self.known.iter().find(|known| known.window == limit.name && known.unit == limit.unit);
        let part = stated.and_then(Known::max).map_or(1.0, |max| (max / limit.max).min(1.0));
        Measure::of(limit, settings.share, part)
    }

    /// How long ago a target had its last warm-up, in seconds, where that is known.
    #[must_use]
    pub fn since_turn(&self, target: &TargetId, now: Stamp) -> Option<f64> {
        self.turns.get(target.as_str()).map(|turn| now.since(*turn))
    }

    /// Notes that a target had a warm-up.
    pub fn took_turn(&mut self, target: &TargetId, now: Stamp) {
        if self.turns.len() >= TURNS_AT_MOST && !self.turns.contains_key(target.as_str()) {
            // The one that is longest ago matters least.
            let oldest = self.turns.iter().max_by(|one, other| now.since(*one.1).total_cmp(&now.since(*other.1)));
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                self.turns.remove(&oldest);
            }
        }
        self.turns.insert(target.as_str().to_owned(), now);
    }

    pub(super) fn silent_s(&self) -> f64 {
        self.silent_s
    }

    pub(super) fn day_left_s(&self) -> f64 {
        self.day_left_s
    }

    pub(super) fn known(&self) -> &[Known] {
        &self.known
    }

    pub(super) fn bucket(&self, window: &WindowName) -> Option<&Bucket> {
        self.buckets.iter().find(|(name, _)| name == window).map(|(_, bucket)| bucket)
    }

    /// Takes what a warm-up may cost.
    pub(super) fn take(&mut self, settings: &QuotaSettings, charge: Charge, at_most_usd: f64) -> Grant {
        for limit in &settings.limits {
            if let Some((_, bucket)) = self.buckets.iter_mut().find(|(name, _)| *name == limit.name) {
                bucket.take(charge.in_unit(limit.unit).unwrap_or(0.0));
            }
        }
        for known in &mut self.known {
            known.spend(charge.in_unit(known.unit).unwrap_or(0.0));
        }
        self.day_usd += at_most_usd;
        Grant { taken: charge, capped_usd: at_most_usd }
    }
}

/// What is left of a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Remaining<'a> {
    /// Which.
    pub window: &'a WindowName,
    /// What it counts.
    pub unit: crate::outcome::Unit,
    /// What is left.
    pub remaining: f64,
    /// The whole, where it is known.
    pub max: Option<f64>,
    /// Seconds until something comes back, where it is known.
    pub next_s: Option<f64>,
}

/// What the settings say of a limit.
pub(super) fn find<'a>(settings: &'a QuotaSettings, window: &WindowName) -> Option<&'a Limit> {
    settings.limits.iter().find(|limit| limit.name == *window)
}

/// A price that a provider led us to: nothing odd may enter the ledger.
fn sound(amount: f64) -> f64 {
    if amount.is_finite() { amount.clamp(0.0, 1e9) } else { 0.0 }
}
