//! What a person says about a provider's quota in probes.yaml.

use std::fmt;

/// A part of a whole, from 1 to 100 per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u8);

impl Percent {
    /// A percentage from 1 to 100.
    #[must_use]
    pub fn new(percent: u8) -> Option<Self> {
        (1..=100).contains(&percent).then_some(Self(percent))
    }

    /// The number before the percent sign.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }

    /// The part as a fraction of 1.
    #[must_use]
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// What a provider's quota is, as far as a person has to say it, and what probes may have of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaSettings {
    /// How many packs the subscription has (Synthetic: 1 to 5), where it is sold in packs. Each adds its allowance.
    pub packs: Option<u32>,
    /// The part of what regenerates that probes may spend. Users keep the rest.
    pub share: Percent,
}

impl QuotaSettings {
    /// The share where none is said: 30 %, which leaves users more than two thirds whatever happens.
    pub const SHARE: Percent = Percent(30);
}

impl Default for QuotaSettings {
    fn default() -> Self {
        Self { packs: None, share: Self::SHARE }
    }
}
