//! What a request of a model really costs, read off the provider's own counter before and after it.
//!
//! Whatever else the account did in between makes a sample dearer, never cheaper; so the least of the last few counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::target::ModelId;

/// So many samples are kept of a model.
const KEPT: usize = 8;
/// So many are needed before they count.
const NEEDED: usize = 2;
/// So many models are remembered.
const MODELS: usize = 200;
/// What a request can cost; anything else was not the price of one.
const PLAUSIBLE: std::ops::RangeInclusive<f64> = 0.001..=100.0;

/// Measured prices by model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Measured(BTreeMap<String, Vec<f64>>);

impl Measured {
    pub(super) fn add(&mut self, model: &ModelId, requests: f64) {
        // The counter of a provider has a few digits; what a subtraction adds to them is not its.
        let requests = (requests * 1e6).round() / 1e6;
        if !PLAUSIBLE.contains(&requests) {
            return;
        }
        if !self.0.contains_key(model.as_str()) && self.0.len() >= MODELS {
            return;
        }
        let samples = self.0.entry(model.as_str().to_owned()).or_default();
        samples.push(requests);
        let over = samples.len().saturating_sub(KEPT);
        samples.drain(..over);
    }

    /// The price of a model's requests.
    pub(super) fn of(&self, model: &ModelId) -> Option<f64> {
        let samples = self.0.get(model.as_str()).filter(|samples| samples.len() >= NEEDED)?;
        samples.iter().copied().filter(|price| PLAUSIBLE.contains(price)).reduce(f64::min)
    }
}
