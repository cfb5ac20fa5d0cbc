//! The cells that a belief gives weights to, and what all beliefs share: computed once, kept for good.
//!
//! A cell is an *idle timeout* T (the model is unloaded when nobody has used it for T) with a *rate of eviction* λ (it
//! is unloaded at random besides). The weights themselves are in `belief.rs`.

use std::array;
use std::sync::LazyLock;

use super::normal;

/// How many finite idle timeouts there are: `120 s · 1.06^i`, to about 12 h.
pub(super) const FINITE: usize = 102;
/// The finite timeouts, and *never*.
pub(super) const TIMEOUTS: usize = FINITE + 1;
/// The rates of eviction, in evictions a second.
pub(super) const RATES: [f64; 6] = [0.0, 1.0 / 172_800.0, 1.0 / 43_200.0, 1.0 / 14_400.0, 1.0 / 5_400.0, 1.0 / 1_800.0];
/// All cells: a row of timeouts for each rate.
pub(super) const CELLS: usize = TIMEOUTS * RATES.len();

/// The prior of the rates.
const RATE_PRIOR: [f64; 6] = [0.75, 0.10, 0.06, 0.045, 0.03, 0.015];
/// The prior of *never*; the rest is spread evenly over the logarithms of the finite timeouts.
const NEVER_PRIOR: f64 = 0.12;

/// The shortest idle timeout, and the shortest gap that is ever kept, in seconds.
pub(super) const SHORTEST: f64 = 120.0;
/// The longest gap that is ever kept, in seconds.
pub(super) const LONGEST: f64 = 14_400.0;
/// The ratio of two neighbouring timeouts.
const RATIO: f64 = 1.06;
/// How soft the edge at T is: the deviation of the logarithm of the idle time at which the model really goes.
pub(super) const EDGE: f64 = 0.05;

/// How many gaps are weighed against each other: `120 s · 1.06^(j/2)`, to just above 4 h.
pub(super) const GAPS: usize = 166;
/// The edge is followed this many gaps to either side (5 deviations); beyond it is 0 or 1.
const REACH: usize = 9;
/// Steps of the integral up to the shortest gap: half a second each.
const EARLY_STEPS: u32 = 240;

/// What the cells mean, and the tables that all beliefs share.
pub(super) struct Grid {
    /// The finite timeouts in seconds.
    pub timeouts: [f64; FINITE],
    /// Their natural logarithms.
    logs: [f64; FINITE],
    /// The prior, cell by cell.
    pub prior: [f32; CELLS],
    /// The gaps in seconds.
    pub gaps: [f64; GAPS],
    /// For each gap, the chance to see its end without a random eviction, rate by rate: `e^(−λg)`.
    pub spared: [[f64; RATES.len()]; GAPS],
    /// For each cell, the expected unloaded seconds in the shortest gap.
    pub early: [f32; CELLS],
    /// The soft edge at every second timeout, for gaps with an even and with an odd number.
    edges: [Vec<f64>; 2],
}

/// The one grid.
pub(super) static GRID: LazyLock<Grid> = LazyLock::new(Grid::new);

/// Where the edge lies for one gap: timeouts before `start` have passed, those after the edge's end have not.
pub(super) struct EdgeAt<'a> {
    /// The first timeout on the edge.
    pub start: usize,
    /// The chance to last beyond the gap, from that timeout on.
    pub lasting: &'a [f64],
}

impl Grid {
    #[expect(clippy::cast_precision_loss, reason = "small indexes")]
    #[expect(clippy::cast_possible_truncation, reason = "weights are kept as f32 (belief.rs)")]
    fn new() -> Self {
        let timeouts: [f64; FINITE] = array::from_fn(|index| SHORTEST * RATIO.powf(index as f64));
        let logs = timeouts.map(f64::ln);
        let gaps: [f64; GAPS] = array::from_fn(|index| SHORTEST * RATIO.powf(index as f64 / 2.0));
        let half_step = RATIO.ln() / 2.0;
        // Edge number k of a gap with an even number belongs to the timeout whose own gap is 2k − 8 further on.
        let edges = [REACH - 1, REACH].map(|reach| {
            let offsets = (0..=reach).map(|index| reach as f64 - 2.0 * index as f64);
            offsets.map(|offset| normal::above(offset * half_step / EDGE)).collect()
        });
        let mut grid = Self {
            timeouts,
            logs,
            prior: [0.0; CELLS],
            gaps,
            spared: gaps.map(|gap| RATES.map(|rate| (-rate * gap).exp())),
            early: [0.0; CELLS],
            edges,
        };
        for (row, share) in grid.prior.chunks_exact_mut(TIMEOUTS).zip(RATE_PRIOR) {
            row.fill((share * (1.0 - NEVER_PRIOR) / FINITE as f64) as f32);
            if let Some(never) = row.last_mut() {
                *never = (share * NEVER_PRIOR) as f32;
            }
        }
        let (mut early, mut evicted) = ([0.0; CELLS], [0.0; CELLS]);
        let step = SHORTEST / f64::from(EARLY_STEPS);
        for index in 0..EARLY_STEPS {
            let gap = (f64::from(index) + 0.5) * step;
            grid.fill_evicted(gap, &mut evicted);
            for (sum, evicted) in early.iter_mut().zip(evicted) {
                *sum += evicted * step;
            }
        }
        grid.early = early.map(|sum| sum as f32);
        grid
    }

    /// For each cell, the chance that the model has been unloaded after `gap` idle seconds:
    /// `e(g) = 1 − e^(−λg)·(1 − Φ(ln(g/T)/0.05))`.
    pub(super) fn fill_evicted(&self, gap: f64, evicted: &mut [f64; CELLS]) {
        let log = gap.max(1e-3).ln();
        let mut lasting = [1.0; TIMEOUTS];
        for (lasting, timeout) in lasting.iter_mut().zip(self.logs) {
            *lasting = match (log - timeout) / EDGE {
                far if far > 6.0 => 0.0,
                far if far < -6.0 => 1.0,
                near => normal::above(near),
            };
        }
        for (row, rate) in evicted.chunks_exact_mut(TIMEOUTS).zip(RATES) {
            let spared = (-rate * gap).exp();
            for (evicted, lasting) in row.iter_mut().zip(lasting) {
                *evicted = 1.0 - spared * lasting;
            }
        }
    }

    /// The edge as the gap number `index` finds it. Timeouts and gaps are on one scale, so that two edges serve all.
    pub(super) fn edge(&self, index: usize) -> EdgeAt<'_> {
        let (reach, edge) = match self.edges.each_ref() {
            [even, _] if index.is_multiple_of(2) => (REACH - 1, even),
            [_, odd] => (REACH, odd),
        };
        // Below the first timeout there is none: that part of the edge is cut off.
        let missing = reach.saturating_sub(index) / 2;
        let start = (index + 2 * missing).saturating_sub(reach) / 2;
        EdgeAt { start, lasting: edge.get(missing..).unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prior_is_a_distribution_over_two_minutes_to_twelve_hours_and_never() {
        let sum: f64 = GRID.prior.iter().map(|weight| f64::from(*weight)).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        assert_eq!(GRID.timeouts[0], 120.0);
        assert!((GRID.timeouts[FINITE - 1] / 43_200.0 - 1.0).abs() < 0.01);
        let never: f64 = GRID.prior.chunks(TIMEOUTS).map(|row| f64::from(row[FINITE])).sum();
        assert!((never - 0.12).abs() < 1e-6);
        assert!(GRID.gaps[GAPS - 1] >= LONGEST && GRID.gaps[GAPS - 2] < LONGEST);
    }

    #[test]
    fn the_shared_edge_is_the_exact_one() {
        for (index, gap) in GRID.gaps.into_iter().enumerate() {
            let edge = GRID.edge(index);
            let mut evicted = [0.0; CELLS];
            GRID.fill_evicted(gap, &mut evicted);
            // The first row has no random evictions.
            for (timeout, evicted) in evicted.into_iter().take(TIMEOUTS).enumerate() {
                let lasting = match timeout.checked_sub(edge.start) {
                    None => 0.0,
                    Some(place) => edge.lasting.get(place).copied().unwrap_or(1.0),
                };
                assert!((1.0 - evicted - lasting).abs() < 2e-6, "gap {index}, timeout {timeout}");
            }
        }
    }
}
