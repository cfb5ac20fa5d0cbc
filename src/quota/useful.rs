//! Who gets how much when there is not enough for all: the more, the more its warm-ups save users for their price.

use super::bucket::Measure;
use super::{Charge, QuotaSettings};
use crate::outcome::Unit;
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
    /// The seconds of waiting that users would have in an hour, were it always cold.
    fn worth(&self) -> f64 {
        let worth = self.use_per_hour.max(0.0) * self.cold_start_s.max(0.0);
        if worth.is_finite() { worth } else { 0.0 }
    }
}

/// So much of what comes in is given out by turns; the rest is for those whose turn comes at a bad moment.
const PACED: f64 = 0.95;

/// How far apart the warm-ups of each target are to be, in seconds, where its share is not enough for what the schedules ask
/// for. Whoever is not in it is warmed as its schedule says.
///
/// Each gets of the share in proportion to what its users save by it (use × cold start), and never more than it asks for.
/// Idle timeouts being as likely between 5 and 10 minutes as between 10 and 20, every halving of a gap saves the same; so
/// this is the division that saves most, and it lets nobody starve: a model that is warmed every 12 minutes for 6 that
/// are is nearly always warm, while the most useful one every 4 minutes would leave the others cold.
#[must_use]
pub fn gaps(stakes: &[Stake], settings: &QuotaSettings) -> Vec<(TargetId, f64)> {
    let mut all: Vec<(TargetId, f64)> = Vec::new();
    for limit in &settings.limits {
        let Some(measure) = Measure::of(limit, settings.share, 1.0) else { continue };
        let refill = measure.tick / measure.every_s * 3600.0 * PACED;
        for (stake, gap) in stakes.iter().zip(of_limit(stakes, limit.unit, refill)) {
            let Some(gap) = gap else { continue };
            match all.iter_mut().find(|(id, _)| *id == stake.target) {
                Some((_, known)) => *known = known.max(gap),
                None => all.push((stake.target.clone(), gap)),
            }
        }
    }
    all
}

/// The gaps by one limit that gives back so much in an hour, in the order of the stakes. `None`: as it is asked for.
fn of_limit(stakes: &[Stake], unit: Unit, refill: f64) -> Vec<Option<f64>> {
    let price = |stake: &Stake| stake.charge.in_unit(unit).filter(|price| price.is_finite() && *price > 0.0);
    let asked =
        |stake: &Stake| if stake.warm_ups_per_hour.is_finite() { stake.warm_ups_per_hour.max(0.0) } else { 0.0 };
    let demand: f64 = stakes.iter().map(|stake| price(stake).unwrap_or(0.0) * asked(stake)).sum();
    if demand <= refill {
        return stakes.iter().map(|_| None).collect();
    }
    // Nobody is worth nothing: somebody wants it warm.
    let most = stakes.iter().map(Stake::worth).fold(0.0, f64::max);
    let worth = |stake: &Stake| if most > 0.0 { stake.worth().max(most / 100.0) } else { 1.0 };
    let mut served: Vec<bool> = stakes.iter().map(|stake| price(stake).is_none() || asked(stake) <= 0.0).collect();
    let mut left = refill;
    loop {
        let waiting = || stakes.iter().zip(&served).filter(|(_, served)| !**served).map(|(stake, _)| stake);
        let total: f64 = waiting().map(worth).sum();
        let rate = |stake: &Stake| left * worth(stake) / total.max(f64::MIN_POSITIVE) / price(stake).unwrap_or(1.0);
        // Who asks for less than its part leaves the rest to the others.
        let modest: Vec<bool> =
            stakes.iter().zip(&served).map(|(stake, served)| !served && rate(stake) >= asked(stake)).collect();
        if !modest.contains(&true) {
            let gap = |stake: &Stake| 3600.0 / rate(stake).max(1e-6);
            return stakes.iter().zip(&served).map(|(stake, served)| (!served).then(|| gap(stake))).collect();
        }
        let taken: f64 = stakes
            .iter()
            .zip(&modest)
            .filter(|(_, modest)| **modest)
            .map(|(stake, _)| price(stake).unwrap_or(0.0) * asked(stake))
            .sum();
        left = (left - taken).max(0.0);
        for (served, modest) in served.iter_mut().zip(modest) {
            *served |= modest;
        }
    }
}
