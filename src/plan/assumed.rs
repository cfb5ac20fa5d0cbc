//! What a person states of the world, for planning and for telling which warm-up is the most useful: how a target is
//! used, and how its LLM loads and unloads. Nothing here was measured, and nothing is probed because of it.

use std::time::Duration;

use super::{COLD_START, Windows};
use crate::quota::{Charge, Stake};
use crate::target::TargetId;

/// What is stated of one target. What is not stated is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Assumed {
    /// How many requests users make in an hour, on average, while they are there. From 0 to 100,000.
    pub requests_per_hour: Option<f64>,
    /// After how long without a request the provider unloads the LLM.
    pub idle_timeout: Option<Duration>,
    /// How long the LLM takes to load: the median.
    pub cold_start: Option<Duration>,
    /// When users are there. `None`: within the target's warm windows, and always where it has none.
    pub during: Option<Windows>,
}

impl Assumed {
    /// Whether nothing is stated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether somebody has stated how any target of a provider is used. Where nobody has, all are used alike; where somebody
/// has, the others are taken not to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// Somebody has.
    Stated,
    /// Nobody has.
    Unstated,
}

impl Others {
    /// By what is stated of each target of a provider.
    pub fn of<'a>(mut all: impl Iterator<Item = &'a Assumed>) -> Self {
        if all.any(|assumed| assumed.requests_per_hour.is_some()) { Self::Stated } else { Self::Unstated }
    }
}

/// What a target's warm-ups are worth and cost: by this the governor divides a share that is short, and a plan foretells how.
/// `seen` is the cold start that was seen, if one was.
#[must_use]
pub fn stake(
    target: &TargetId,
    assumed: &Assumed,
    others: Others,
    seen: Option<Duration>,
    charge: Charge,
    warm_ups_per_hour: f64,
) -> Stake {
    /// How often an LLM is taken to be used in an hour where nobody states anything of any.
    const USE_PER_HOUR: f64 = 1.0;
    Stake {
        target: target.clone(),
        use_per_hour: assumed.requests_per_hour.unwrap_or(match others {
            Others::Stated => 0.0,
            Others::Unstated => USE_PER_HOUR,
        }),
        cold_start_s: assumed.cold_start.or(seen).unwrap_or(COLD_START).as_secs_f64(),
        charge,
        warm_ups_per_hour,
    }
}
