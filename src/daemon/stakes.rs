//! How often each target's warm-ups are asked for, and so what it has at stake where the share is short.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::slot::Slot;
use crate::plan::{AUTO, Assumed, Others, Trigger, WarmTrigger, stake};
use crate::quota::{Charge, QuotaSettings, Stake};
use crate::target::{ProviderId, TargetId};

/// How many warm-ups in an hour cron fields are taken for.
const CRON_PER_HOUR: f64 = 6.0;

/// The stakes of all targets, each with its provider.
pub(super) fn stakes<'a>(
    slots: impl Iterator<Item = &'a Slot>,
    quotas: &BTreeMap<ProviderId, QuotaSettings>,
    assumptions: &BTreeMap<TargetId, Assumed>,
) -> Vec<(ProviderId, Stake)> {
    let nothing = Assumed::default();
    let assumed = |slot: &Slot| assumptions.get(&slot.target.id).unwrap_or(&nothing);
    let mut providers: HashMap<&ProviderId, Vec<&Slot>> = HashMap::new();
    for slot in slots {
        providers.entry(&slot.target.provider.id).or_default().push(slot);
    }
    let mut all = Vec::new();
    for (provider, slots) in providers {
        let Some(settings) = quotas.get(provider) else { continue };
        let others = Others::of(slots.iter().map(|slot| assumed(slot)));
        let own = slots.iter().filter_map(|slot| stake_of(slot, settings, assumed(slot), others));
        all.extend(own.map(|stake| (provider.clone(), stake)));
    }
    all
}

/// The stake of a target; `None` where no schedule warms it.
fn stake_of(slot: &Slot, settings: &QuotaSettings, assumed: &Assumed, others: Others) -> Option<Stake> {
    let warm = slot.schedule.as_ref()?.warm.as_ref()?;
    let per_hour = |every: Duration| 3600.0 / every.as_secs_f64().max(1.0);
    let often = match &warm.trigger {
        WarmTrigger::Auto => per_hour(slot.past.learned.and_then(|learned| learned.gap).unwrap_or(AUTO)),
        WarmTrigger::Fixed(Trigger::Every(every)) => per_hour(*every),
        WarmTrigger::Fixed(Trigger::Cron(_)) => CRON_PER_HOUR,
    };
    let charge = Charge::expected(settings.price(&slot.target.model), slot.target.max_output_tokens);
    Some(stake(&slot.target.id, assumed, others, slot.past.cold_start, charge, often))
}
