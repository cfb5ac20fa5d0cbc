//! A little randomness, for jitter and run ids. Nothing secret depends on it.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use crate::outcome::RunId;

/// Numbers from a seed (splitmix64).
#[derive(Debug)]
pub struct Chance(AtomicU64);

impl Chance {
    /// From the operating system's randomness, as the standard library's hash maps take it.
    #[must_use]
    pub fn new() -> Self {
        Self::from_seed(RandomState::new().build_hasher().finish())
    }

    /// From a seed, for tests.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next 64 bits.
    pub fn bits(&self) -> u64 {
        let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact in a double")]
    pub fn share(&self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl Default for Chance {
    fn default() -> Self {
        Self::new()
    }
}

/// The id of a pass: its moment, so that ids sort, and some randomness: `20261120T190211Z-3f9a2c`.
#[must_use]
pub fn run_id(now: Timestamp, chance: &Chance) -> RunId {
    let moment = now.strftime("%Y%m%dT%H%M%SZ");
    RunId::new(&format!("{moment}-{:06x}", chance.bits() & 0xFF_FFFF))
}
