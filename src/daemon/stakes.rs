//! What each target's warm-ups are worth and cost: by this the governor prefers some where there is not enough for all.

use std::time::Duration;

use super::slot::Slot;
use crate::plan::{AUTO, Assumed, Trigger, WarmTrigger};
use crate::quota::{Charge, QuotaSettings, Stake};

/// How often an LLM is taken to be used in an hour where nobody says.
const USE_PER_HOUR: f64 = 1.0;
/// How long an LLM is taken to load where nobody says and none was seen loading; `plan` takes the same.
const COLD_START: Duration = Duration::from_secs(30);
/// How many warm-ups in an hour cron fields are taken for.
const CRON_PER_HOUR: f64 = 6.0;

/// Whether somebody has stated how any target of the provider is used. Where nobody has, all are used alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    Stated,
    Unstated,
}

/// The stake of a target that is warmed by a schedule.
pub(super) fn stake(slot: &Slot, settings: &QuotaSettings, assumed: Option<&Assumed>, others: Others) -> Option<Stake> {
    let warm = slot.schedule.as_ref()?.warm.as_ref()?;
    let target = &slot.target;
    let per_hour = |every: Duration| 3600.0 / every.as_secs_f64().max(1.0);
    let cold_start = assumed.and_then(|assumed| assumed.cold_start).or(slot.past.cold_start).unwrap_or(COLD_START);
    Some(Stake {
        target: target.id.clone(),
        use_per_hour: assumed.and_then(|assumed| assumed.requests_per_hour).unwrap_or(match others {
            Others::Stated => 0.0,
            Others::Unstated => USE_PER_HOUR,
        }),
        cold_start_s: cold_start.as_secs_f64(),
        charge: Charge::expected(settings.price(&target.model), target.max_output_tokens),
        warm_ups_per_hour: match &warm.trigger {
            WarmTrigger::Auto => per_hour(slot.past.learned.and_then(|learned| learned.gap).unwrap_or(AUTO)),
            WarmTrigger::Fixed(Trigger::Every(every)) => per_hour(*every),
            WarmTrigger::Fixed(Trigger::Cron(_)) => CRON_PER_HOUR,
        },
    })
}
