//! How often each target's warm-ups are asked for, and so what it has at stake where the share is short.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::life::Daemon;
use super::slot::Slot;
use crate::plan::{AUTO, Assumed, Others, Trigger, WarmTrigger, stake};
use crate::quota::{Charge, QuotaSettings, Stake};
use crate::run::Treasury;
use crate::target::{ProviderId, TargetId};

/// How many warm-ups in an hour cron fields are taken for.
const CRON_PER_HOUR: f64 = 6.0;
/// A target that asks so many times more or less often than before is reckoned anew.
const CHANGED_BY: f64 = 1.25;

/// What is at stake by the configuration, and how often each target asked when it was reckoned last.
#[derive(Debug, Default)]
pub(super) struct Stakes {
    quotas: BTreeMap<ProviderId, QuotaSettings>,
    assumptions: BTreeMap<TargetId, Assumed>,
    often: HashMap<TargetId, f64>,
}

impl Stakes {
    pub(super) fn new(quotas: BTreeMap<ProviderId, QuotaSettings>, assumptions: BTreeMap<TargetId, Assumed>) -> Self {
        Self { quotas, assumptions, often: HashMap::new() }
    }

    /// Reckons them, and puts them in force with the quotas.
    pub(super) fn put<'a>(&mut self, slots: impl Iterator<Item = &'a Slot>, treasury: &Treasury) {
        let all = self.all(slots);
        self.often = all.iter().map(|(_, stake)| (stake.target.clone(), stake.warm_ups_per_hour)).collect();
        treasury.adopt(self.quotas.clone(), &all);
    }

    /// Whether a target asks clearly more or less often than when they were reckoned: by more than a quarter.
    pub(super) fn is_outdated(&self, slot: &Slot) -> bool {
        let Some((before, now)) = self.often.get(&slot.target.id).copied().zip(often(slot)) else { return false };
        now > CHANGED_BY * before || before > CHANGED_BY * now
    }

    /// Of all targets, each with its provider.
    fn all<'a>(&self, slots: impl Iterator<Item = &'a Slot>) -> Vec<(ProviderId, Stake)> {
        let nothing = Assumed::default();
        let assumed = |slot: &Slot| self.assumptions.get(&slot.target.id).unwrap_or(&nothing);
        let mut providers: HashMap<&ProviderId, Vec<&Slot>> = HashMap::new();
        for slot in slots {
            providers.entry(&slot.target.provider.id).or_default().push(slot);
        }
        let mut all = Vec::new();
        for (provider, slots) in providers {
            let Some(settings) = self.quotas.get(provider) else { continue };
            let others = Others::of(slots.iter().map(|slot| assumed(slot)));
            let own = slots.iter().filter_map(|slot| stake_of(slot, settings, assumed(slot), others));
            all.extend(own.map(|stake| (provider.clone(), stake)));
        }
        all
    }
}

impl Daemon {
    /// Divides what is short anew, where a target was found to need clearly more or less of it.
    pub(super) fn reckon_stakes(&mut self, id: &TargetId) {
        if self.slots.get(id).is_some_and(|slot| self.stakes.is_outdated(slot)) {
            self.stakes.put(self.slots.values(), &self.treasury);
        }
    }
}

/// How many warm-ups a target asks for in an hour; `None` where no schedule warms it.
fn often(slot: &Slot) -> Option<f64> {
    let warm = slot.schedule.as_ref()?.warm.as_ref()?;
    let per_hour = |every: Duration| 3600.0 / every.as_secs_f64().max(1.0);
    Some(match &warm.trigger {
        WarmTrigger::Auto => per_hour(slot.past.learned.and_then(|learned| learned.gap).unwrap_or(AUTO)),
        WarmTrigger::Fixed(Trigger::Every(every)) => per_hour(*every),
        WarmTrigger::Fixed(Trigger::Cron(_)) => CRON_PER_HOUR,
    })
}

/// The stake of a target; `None` where no schedule warms it.
fn stake_of(slot: &Slot, settings: &QuotaSettings, assumed: &Assumed, others: Others) -> Option<Stake> {
    let charge = Charge::expected(settings.price(&slot.target.model), slot.target.max_output_tokens);
    Some(stake(&slot.target.id, assumed, others, slot.past.cold_start, charge, often(slot)?))
}
