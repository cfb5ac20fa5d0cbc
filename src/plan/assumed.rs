//! What a person states of the world, for planning and for telling which warm-up is the most useful: how a target is
//! used, and how its LLM loads and unloads. Nothing here was measured, and nothing is probed because of it.

use std::time::Duration;

use super::Windows;

/// What is stated of one target. What is not stated is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Assumed {
    /// How many requests users make in an hour, on average, while they are there. From 0 to 100,000.
    pub requests_per_hour: Option<f64>,
    /// After how long without a request the provider unloads the LLM.
    pub idle_timeout: Option<Duration>,
    /// How long the LLM takes to load: the median.
    pub cold_start: Option<Duration>,
    /// When users are there. `None`: within the target's warm windows, and always where it has none.
    pub during: Option<Windows>,
}

impl Assumed {
    /// Whether nothing is stated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
