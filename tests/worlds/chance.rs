//! Numbers from a seed (splitmix64), and the distributions that a world is made of. Not the program's: the world is the
//! other side.

/// A stream of numbers.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    /// Streams with different names are independent, so that one policy meets the same users as another.
    pub(crate) fn new(seed: u64, name: u64) -> Self {
        let mut chance = Self(seed.wrapping_mul(0xA24B_AED4_963E_E407) ^ name.wrapping_mul(0x9FB2_1C65_1E98_DF25));
        chance.bits();
        chance
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Above 0, at most 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    pub(crate) fn share(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Exponential with this mean; a mean of infinity never comes.
    pub(crate) fn wait(&mut self, mean: f64) -> f64 {
        -mean * self.share().ln().min(-1e-12)
    }

    /// Standard normal (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.share().ln()).sqrt() * (2.0 * std::f64::consts::PI * self.share()).cos()
    }

    /// Lognormal with this median and deviation of the logarithm.
    pub(crate) fn lognormal(&mut self, median: f64, deviation: f64) -> f64 {
        median * (deviation * self.normal()).exp()
    }
}
