//! How long to wait for the next warm-up: the longest gap for which the model is expected to be cold for at most
//! 0.45 % of the time.
//!
//! A probe that finds the model cold has absorbed the cold start itself. Only a user who comes between the unload and
//! the probe, or during the reload, is hurt; so stepping slightly past the timeout is cheap, and no separate exploration
//! is needed.

use super::belief::{Belief, Exposure};
use super::grid::{LONGEST, SHORTEST};
use super::seconds::Span;

/// The share of the time in which the model may be cold, once it is known …
const SHARE: f64 = 0.0045;
/// … and how much more while it is being learned …
const LEARNING_SHARE: f64 = 0.02;
/// … which ends after about so many observations.
const LEARNING: f64 = 25.0;

/// Where no gap is good enough: a cold user costs as much as so many probes …
const HIT_PRICE: f64 = 50.0;
/// … and so many users a second come (1.5 an hour).
const USER_RATE: f64 = 1.5 / 3600.0;

/// A pre-warm begins this long before the slowest cold start would end, in seconds.
const LEAD_MARGIN: f64 = 15.0;
/// The longest lead of a pre-warm, in seconds.
const LONGEST_LEAD: f64 = 240.0;

/// The next gap, and what it is expected to bring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gap {
    /// How long to wait after the last touch: 2 min to 4 h.
    pub span: Span,
    /// The share of the time in which the model is expected to be cold.
    pub cold_share: f64,
    /// Whether that is as little as it should be.
    pub hold: Hold,
}

/// Whether the model can be held warm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// The expected share of cold time is within bounds.
    Kept,
    /// No gap keeps it within bounds: the cheapest was taken.
    Slipping,
}

/// The share of a gap in which the model is expected to be unloaded, or loading because of the probe at its end:
/// `(A(g) + C·B(g)) / g`.
fn share(exposure: &Exposure, cold_start: f64) -> f64 {
    (exposure.unloaded + cold_start * exposure.evicted) / exposure.gap
}

/// The largest gap in [2 min, 4 h] whose share is at most `α = .45 % + 2 %·e^(−n/25)`; if there is none, the one for which
/// `(1 + 50·1.5/h·(A + C·B)) / g` is least.
pub(super) fn next(belief: &Belief, cold_start: f64, observations: f64) -> Gap {
    let allowed = SHARE + LEARNING_SHARE * (-observations / LEARNING).exp();
    let exposures = belief.exposures();
    let mut later: Option<&Exposure> = None;
    for exposure in exposures.iter().rev() {
        let here = share(exposure, cold_start);
        if here <= allowed {
            // Between this gap and the next of the grid the share grows about evenly.
            let over = later.map_or(here, |later| share(later, cold_start));
            let reach = later.map_or(0.0, |later| later.gap - exposure.gap);
            let part = if over > here { ((allowed - here) / (over - here)).clamp(0.0, 1.0) } else { 0.0 };
            let seconds = (exposure.gap + part * reach).clamp(SHORTEST, LONGEST);
            let cold_share = here + part * (over - here);
            return Gap { span: Span::from_seconds(seconds), cold_share, hold: Hold::Kept };
        }
        later = Some(exposure);
    }
    let price = |exposure: &Exposure| {
        (1.0 + HIT_PRICE * USER_RATE * (exposure.unloaded + cold_start * exposure.evicted)) / exposure.gap
    };
    let cheapest = exposures.iter().min_by(|one, other| price(one).total_cmp(&price(other)));
    let (seconds, cold_share) =
        cheapest.map_or((SHORTEST, 1.0), |exposure| (exposure.gap, share(exposure, cold_start)));
    Gap { span: Span::from_seconds(seconds.clamp(SHORTEST, LONGEST)), cold_share, hold: Hold::Slipping }
}

/// How long before a window to begin, so that the model is warm when it opens: the 95th percentile of the cold start and
/// 15 s, at most 4 min.
pub(super) fn lead(cold_start_p95: f64) -> Span {
    Span::from_seconds((cold_start_p95 + LEAD_MARGIN).min(LONGEST_LEAD))
}
