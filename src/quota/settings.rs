//! What a person says about a provider's quota in probes.yaml.

use std::fmt;

use super::{Limit, Price, PriceList};
use crate::target::ModelId;

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

/// What a provider's quota is, and what probes may have of it.
#[derive(Debug, Clone, PartialEq)]
pub struct QuotaSettings {
    /// How many packs the subscription has (Synthetic: 1 to 5), where it is sold in packs. `limits` has them reckoned in.
    pub packs: Option<u32>,
    /// The part of what regenerates that probes may spend. Users keep the rest.
    pub share: Percent,
    /// What must be left of a limit for a warm-up to be made.
    pub floor: Percent,
    /// The same, of a limit that spans more than a day.
    pub long_floor: Percent,
    /// What the provider allows, as far as it is known beforehand.
    pub limits: Vec<Limit>,
    /// What its models' requests cost.
    pub prices: PriceList,
    /// What all probes together may cost in a day (UTC), in US dollars, whoever asks for them.
    pub daily_cap: Option<f64>,
    /// How many requests of one model the provider works on at once; others wait. `None`: as many as come.
    pub parallel: Option<u32>,
}

impl QuotaSettings {
    /// The share where none is said: 30 %, which leaves users more than two thirds whatever happens.
    pub const SHARE: Percent = Percent(30);
    /// The floor where none is said.
    pub const FLOOR: Percent = Percent(15);
    /// The floor of long limits where none is said.
    pub const LONG_FLOOR: Percent = Percent(10);

    /// The price of a model's requests, as it is known beforehand.
    #[must_use]
    pub fn price(&self, model: &ModelId) -> Price {
        self.prices.of(model).unwrap_or_default()
    }
}

impl Default for QuotaSettings {
    fn default() -> Self {
        Self {
            packs: None,
            share: Self::SHARE,
            floor: Self::FLOOR,
            long_floor: Self::LONG_FLOOR,
            limits: Vec::new(),
            prices: PriceList::default(),
            daily_cap: None,
            parallel: None,
        }
    }
}
