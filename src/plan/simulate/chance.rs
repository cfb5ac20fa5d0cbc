//! Seeded randomness for a simulation: SplitMix64, and the distributions that users and LLMs have. Nothing here reads
//! entropy: the same seed gives the same world, with probes and without.

/// A seeded stream of numbers.
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    /// A stream of its own for each purpose (`lane`) and number.
    pub(super) fn new(seed: u64, lane: u64, number: u64) -> Self {
        let mut chance = Self(seed ^ lane.wrapping_mul(0xa076_1d64_78bd_642f));
        let mixed = chance.bits();
        Self(mixed ^ number.wrapping_mul(0xe703_7ed1_a0b4_28db))
    }

    /// The next 64 bits.
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// More than 0, at most 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact in a double")]
    pub(super) fn fraction(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// A waiting time of a memoryless process with a mean.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * self.fraction().ln()
    }

    /// Log-normal, by its median and the deviation of its logarithm.
    pub(super) fn log_normal(&mut self, median: f64, deviation: f64) -> f64 {
        // Four numbers added up are near enough to the bell, up to three and a half deviations, and cost a tenth of a cosine.
        let bits = self.bits();
        let sum: u64 = [0, 16, 32, 48].iter().map(|shift| (bits >> shift) & 0xffff).sum();
        #[expect(clippy::cast_precision_loss, reason = "at most 2^18")]
        let normal = (sum as f64 / 65_535.0 - 2.0) * 3.0_f64.sqrt();
        median * (deviation * normal).exp()
    }

    /// How often something comes before it ends, when it ends each time with one chance in `mean + 1`.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and not negative")]
    pub(super) fn geometric(&mut self, mean: f64) -> u32 {
        (self.fraction().ln() / (mean / (mean + 1.0)).ln()) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(mut draw: impl FnMut() -> f64) -> f64 {
        (0..100_000).map(|_| draw()).sum::<f64>() / 100_000.0
    }

    #[test]
    fn distributions_have_their_means() {
        let mut chance = Chance::new(7, 1, 2);
        assert!((mean(|| chance.exponential(10.0)) - 10.0).abs() < 0.2);
        assert!((mean(|| f64::from(chance.geometric(7.0))) - 7.0).abs() < 0.2);
        assert!((mean(|| chance.log_normal(1.0, 0.35)) - (0.35_f64 * 0.35 / 2.0).exp()).abs() < 0.02);
    }

    #[test]
    fn lanes_are_apart() {
        let first = |seed, lane, number| Chance::new(seed, lane, number).bits();
        let all = [first(1, 1, 1), first(1, 1, 2), first(1, 2, 1), first(2, 1, 1)];
        assert!((1..all.len()).all(|index| !all[..index].contains(&all[index])), "{all:?}");
        assert_eq!(first(1, 1, 1), all[0]);
    }
}
