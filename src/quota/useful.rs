//! Which targets come first when there is not enough for all: those whose warm-ups save users most.

use std::cmp::Ordering;

use super::Charge;
use crate::target::TargetId;

/// What a target's warm-ups are worth, and what they cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Stake {
    /// The target.
    pub target: TargetId,
    /// How often users ask for it, in an hour. Only the proportion to others counts.
    pub use_per_hour: f64,
    /// How long a user waits who finds it cold, in seconds.
    pub cold_start_s: f64,
    /// What a warm-up costs.
    pub charge: Charge,
    /// How many its schedule asks for in an hour in which it is warmed.
    pub warm_ups_per_hour: f64,
}

impl Stake {
    /// Use × cold start ÷ price: the seconds of waiting that a request's worth of quota saves.
    #[must_use]
    pub fn usefulness(&self) -> f64 {
        let price = self.charge.requests.max(1e-3);
        let worth = self.use_per_hour.max(0.0) * self.cold_start_s.max(0.0) / price;
        if worth.is_finite() { worth } else { 0.0 }
    }
}

/// What more useful targets than each will ask for in an hour. Of equally useful ones, the first by name comes first.
#[must_use]
pub fn ahead(stakes: &[Stake]) -> Vec<(TargetId, Charge)> {
    let mut order: Vec<&Stake> = stakes.iter().collect();
    order.sort_by(|one, other| {
        let by_worth = other.usefulness().partial_cmp(&one.usefulness()).unwrap_or(Ordering::Equal);
        by_worth.then_with(|| one.target.cmp(&other.target))
    });
    let mut sum = Charge { requests: 0.0, tokens: 0.0, usd: Some(0.0) };
    let mut all = Vec::with_capacity(order.len());
    for stake in order {
        all.push((stake.target.clone(), sum));
        let often = if stake.warm_ups_per_hour.is_finite() { stake.warm_ups_per_hour.max(0.0) } else { 0.0 };
        sum.requests += stake.charge.requests * often;
        sum.tokens += stake.charge.tokens * often;
        sum.usd = sum.usd.map(|usd| usd + stake.charge.usd.unwrap_or(0.0) * often);
    }
    all
}
