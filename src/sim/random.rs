//! Deterministic randomness: SplitMix64 (Steele, Lea, Flood 2014), seeded by the scenario.
//!
//! A simulator that behaves differently on every run cannot be a test's truth, so nothing here reads entropy.

use std::time::Duration;

/// A seeded stream of numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The stream that belongs to `seed`.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `[0, 1)`.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// `span` changed by at most `jitter` of itself in either direction; unchanged when `jitter` is zero.
    pub(crate) fn around(&mut self, span: Duration, jitter: f64) -> Duration {
        if jitter <= 0.0 {
            return span;
        }
        let factor = (self.fraction() * 2.0 - 1.0).mul_add(jitter.min(1.0), 1.0);
        Duration::try_from_secs_f64(span.as_secs_f64() * factor.max(0.0)).unwrap_or(Duration::MAX)
    }

    /// A waiting time of a memoryless process with the given mean: when a random eviction comes.
    pub(crate) fn exponential(&mut self, mean: Duration) -> Duration {
        let factor = -(1.0 - self.fraction()).ln();
        Duration::try_from_secs_f64(mean.as_secs_f64() * factor).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_sequence() {
        // The first outputs for seed 1234567, as published with the reference implementation.
        let mut random = Random::seeded(1_234_567);
        assert_eq!(random.bits(), 6_457_827_717_110_365_317);
        assert_eq!(random.bits(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn jitter_stays_within_its_bounds() {
        let mut random = Random::seeded(1);
        let span = Duration::from_secs(10);
        for _ in 0..1000 {
            let jittered = random.around(span, 0.2);
            assert!(jittered >= Duration::from_secs(8) && jittered <= Duration::from_secs(12));
        }
        assert_eq!(random.around(span, 0.0), span);
    }

    #[test]
    fn the_exponential_has_the_asked_mean() {
        let mut random = Random::seeded(2);
        let total: f64 = (0..10_000).map(|_| random.exponential(Duration::from_secs(10)).as_secs_f64()).sum();
        assert!((total / 10_000.0 - 10.0).abs() < 0.5);
    }
}
