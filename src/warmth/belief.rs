//! What is believed of one model's idle timeout and of random evictions: weights over the cells of the grid.
//!
//! Bayes' rule and the questions that are asked of the result. What a reply's time says is in `likelihood.rs`, what to
//! do about it in `gap.rs`.

use std::fmt;

use super::grid::{CELLS, FINITE, GAPS, GRID, RATES, TIMEOUTS};
use super::seconds::Span;

/// Of what was believed, this share is kept at each observation, so that nothing becomes impossible for good.
const KEPT: f64 = 0.9998;
/// What was believed fades with this time constant, in seconds (30 days).
const FADES: f64 = 30.0 * 86_400.0;
/// The most that is forgotten at once.
const MOST_FORGOTTEN: f64 = 0.3;
/// The mass of the highest-density set.
const HIGHEST_DENSITY: f64 = 0.8;

/// What one reply says: the likelihoods of its time, and how the idle time before it is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence {
    /// The longest that the model can have been idle, in seconds. Cold evidence counts with this.
    pub longest: f64,
    /// The shortest, in seconds. Warm evidence counts with this.
    pub shortest: f64,
    /// The chance that a request which we did not see came in between.
    pub hidden: f64,
    /// The likelihood of the reply's time, had the model been cold.
    pub cold: f64,
    /// The likelihood of the reply's time, had it been warm.
    pub warm: f64,
}

/// What a gap would mean: linear in the weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Exposure {
    /// The gap, in seconds.
    pub gap: f64,
    /// A: the seconds of it in which the model is expected to be unloaded.
    pub unloaded: f64,
    /// B: the chance that it is unloaded at the end.
    pub evicted: f64,
}

/// The idle timeout as it is believed, in seconds, should there be one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IdleTimeout {
    /// The low end of the 80 % highest-density set.
    pub low: f64,
    /// The most probable value.
    pub mode: f64,
    /// The high end.
    pub high: f64,
}

/// Weights over the cells. Each keeps 16 bits of its mantissa, so that three bytes hold it (`state.rs`).
#[derive(Clone, PartialEq)]
pub(super) struct Belief(Box<[f32; CELLS]>);

impl fmt::Debug for Belief {
    /// What it comes to; 618 numbers help nobody.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Belief").field("idle_timeout", &self.idle_timeout()).field("never", &self.never()).finish()
    }
}

/// Drops the last 8 bits of the mantissa.
const fn shortened(weight: f32) -> f32 {
    f32::from_bits(weight.to_bits() & !0xFF)
}

impl Belief {
    /// What is believed of a model that nothing is known of.
    pub(super) fn prior() -> Self {
        let mut belief = Self(Box::new(GRID.prior));
        belief.normalise();
        belief
    }

    /// Takes weights that were kept; `None` if they are no distribution over the cells.
    pub(super) fn from_weights(weights: &[f32]) -> Option<Self> {
        let weights: [f32; CELLS] = weights.try_into().ok()?;
        let sum: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
        let sound = weights.iter().all(|weight| *weight >= 0.0 && shortened(*weight) == *weight);
        (sound && (sum - 1.0).abs() < 1e-3).then(|| Self(Box::new(weights)))
    }

    /// The weights, to be kept.
    pub(super) fn weights(&self) -> &[f32] {
        self.0.as_slice()
    }

    #[expect(clippy::cast_possible_truncation, reason = "weights are kept as f32")]
    fn normalise(&mut self) {
        let sum: f64 = self.0.iter().map(|weight| f64::from(*weight)).sum();
        let scale = (1.0 / sum) as f32;
        for weight in self.0.iter_mut() {
            *weight = shortened(*weight * scale);
        }
    }

    /// Forgets a little: `r = 1 − .9998·e^(−Δt/30d)`, at most .3; `p ← (1−r)p + r·prior`.
    #[expect(clippy::cast_possible_truncation, reason = "weights are kept as f32")]
    pub(super) fn forget(&mut self, elapsed: Span) {
        let forgotten = (1.0 - KEPT * (-elapsed.seconds() / FADES).exp()).clamp(0.0, MOST_FORGOTTEN) as f32;
        for (weight, prior) in self.0.iter_mut().zip(GRID.prior) {
            *weight += forgotten * (prior - *weight);
        }
        self.normalise();
    }

    /// Learns from a reply: `p ← p · [f_cold·(1−h)·e(g) + f_warm·(1 − (1−h)·e(g−s))]`. Returns the share of the first
    /// term, which is the chance that the model was cold. Evidence that no cell allows changes nothing.
    #[expect(clippy::cast_possible_truncation, reason = "weights are kept as f32")]
    pub(super) fn update(&mut self, evidence: &Evidence) -> f64 {
        let seen = 1.0 - evidence.hidden;
        let mut next = [0.0_f64; CELLS];
        let (mut cold_sum, mut sum) = (0.0, 0.0);
        let mut late = [0.0; CELLS];
        GRID.fill_evicted(evidence.longest, &mut late);
        let mut early = late;
        if evidence.shortest < evidence.longest {
            GRID.fill_evicted(evidence.shortest, &mut early);
        }
        let pairs = late.into_iter().zip(early);
        for ((next, weight), (late, early)) in next.iter_mut().zip(self.0.iter()).zip(pairs) {
            let weight = f64::from(*weight);
            let cold = weight * evidence.cold * seen * late;
            *next = cold + weight * evidence.warm * (1.0 - seen * early);
            cold_sum += cold;
            sum += *next;
        }
        if !(sum > 0.0 && sum.is_finite()) {
            return 0.0;
        }
        for (weight, next) in self.0.iter_mut().zip(next) {
            *weight = (next / sum) as f32;
        }
        self.normalise();
        cold_sum / sum
    }

    /// The chance that the model has been unloaded after `gap` idle seconds.
    pub(super) fn evicted_by(&self, gap: f64) -> f64 {
        let mut evicted = [0.0; CELLS];
        GRID.fill_evicted(gap, &mut evicted);
        let expected: f64 =
            evicted.iter().zip(self.0.iter()).map(|(evicted, weight)| evicted * f64::from(*weight)).sum();
        expected.clamp(0.0, 1.0)
    }

    /// What each gap of the grid would mean.
    ///
    /// Below the soft edge a timeout has passed, above it it has not, and the edge is the same for all on a logarithmic
    /// scale: so B takes sums of tails and a short edge instead of a table of gaps × cells. A is the integral of B.
    pub(super) fn exposures(&self) -> [Exposure; GAPS] {
        let mut evicted = [0.0_f64; GAPS];
        for (rate, row) in self.0.chunks_exact(TIMEOUTS).enumerate() {
            // tails[i]: the weight of the timeouts from i on.
            let mut tails = [0.0_f64; TIMEOUTS + 1];
            let mut tail = 0.0;
            for (kept, weight) in tails.iter_mut().rev().skip(1).zip(row.iter().rev()) {
                tail += f64::from(*weight);
                *kept = tail;
            }
            let whole = tail;
            for ((index, evicted), spared) in evicted.iter_mut().enumerate().zip(&GRID.spared) {
                let edge = GRID.edge(index);
                let on_edge: f64 = row
                    .get(edge.start..)
                    .unwrap_or_default()
                    .iter()
                    .zip(edge.lasting)
                    .map(|(weight, lasting)| f64::from(*weight) * lasting)
                    .sum();
                let beyond = tails.get(edge.start + edge.lasting.len()).copied().unwrap_or_default();
                *evicted += whole - spared.get(rate).copied().unwrap_or(1.0) * (on_edge + beyond);
            }
        }
        let early: f64 = self.0.iter().zip(&GRID.early).map(|(weight, early)| f64::from(weight * early)).sum();
        let mut last = Exposure { gap: 0.0, unloaded: 0.0, evicted: 0.0 };
        let mut first = true;
        let mut exposures = [last; GAPS];
        for ((exposure, gap), evicted) in exposures.iter_mut().zip(GRID.gaps).zip(evicted) {
            let more = if first { early } else { (gap - last.gap) * (last.evicted + evicted) / 2.0 };
            first = false;
            last = Exposure { gap, unloaded: last.unloaded + more, evicted };
            *exposure = last;
        }
        exposures
    }

    /// The weight of each finite timeout, and that of *never*.
    pub(super) fn timeouts(&self) -> ([f64; FINITE], f64) {
        let mut finite = [0.0; FINITE];
        let mut never = 0.0;
        for row in self.0.chunks_exact(TIMEOUTS) {
            for (sum, weight) in finite.iter_mut().zip(row) {
                *sum += f64::from(*weight);
            }
            never += row.last().map_or(0.0, |weight| f64::from(*weight));
        }
        (finite, never)
    }

    /// The 80 % highest-density set of the finite timeouts, and the most probable of them.
    ///
    /// The raw set sits 3 to 8 % high, because the policy keeps its gaps below the timeout and so learns little of what
    /// lies just above: the centre is told times `e^−.05`, the low end times `e^−.10`.
    pub(super) fn idle_timeout(&self) -> IdleTimeout {
        let (finite, _) = self.timeouts();
        let mass: f64 = finite.iter().sum();
        let mut order: Vec<(f64, f64)> = finite.into_iter().zip(GRID.timeouts).collect();
        order.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.total_cmp(&other.1)));
        let mode = order.first().map_or(0.0, |(_, timeout)| *timeout);
        let (mut low, mut high) = (mode, mode);
        let mut taken = 0.0;
        for (weight, timeout) in order {
            if taken >= HIGHEST_DENSITY * mass {
                break;
            }
            taken += weight;
            low = timeout.min(low);
            high = timeout.max(high);
        }
        IdleTimeout { low: low * (-0.10_f64).exp(), mode: mode * (-0.05_f64).exp(), high }
    }

    /// The chance that the model has no idle timeout, or one beyond 12 h.
    pub(super) fn never(&self) -> f64 {
        self.timeouts().1.clamp(0.0, 1.0)
    }

    /// The expected rate of random evictions, in evictions a second.
    pub(super) fn eviction_rate(&self) -> f64 {
        let rows = self.0.chunks_exact(TIMEOUTS).map(|row| row.iter().map(|weight| f64::from(*weight)).sum::<f64>());
        rows.zip(RATES).map(|(mass, rate)| mass * rate).sum()
    }
}
