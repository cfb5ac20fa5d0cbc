//! What a keeper keeps over a restart: about 3 KB of JSON, and the rule for rebuilding it from recorded observations.
//!
//! Reading and writing files is `store/`'s affair. A belief that was kept is taken as it is, to the bit; if the grid has
//! changed since, the observations are replayed.

use serde::{Deserialize, Serialize};

use super::belief::Belief;
use super::grid::CELLS;
use super::keeper::{Facts, Keeper, Settings};
use super::likelihood::Replies;
use super::observation::Observation;

/// The form of the JSON below. It grows by one when an old reader could misread it.
const SCHEMA: u32 = 1;
/// The grid and the rules that the weights belong to. It grows by one when weights must be computed anew.
const GRID: u32 = 1;

/// How many observations to record for a rebuild.
pub const HISTORY: usize = 500;

/// What is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    schema: u32,
    grid: u32,
    /// Three bytes a weight, in base 64: four characters.
    weights: String,
    /// Logarithms of warm reply times in seconds.
    warm: Vec<f32>,
    /// Logarithms of cold ones.
    cold: Vec<f32>,
    facts: Facts,
}

/// How a keeper came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// As it was kept.
    AsKept,
    /// Its belief was computed anew from the recorded observations, because it was kept with another grid or not
    /// readable.
    Rebuilt,
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode(weights: &[f32]) -> String {
    let digit = |bits: u32| char::from(DIGITS.get((bits & 63) as usize).copied().unwrap_or(b'A'));
    let spread = |weight: &f32| {
        let bits = weight.to_bits() >> 8;
        [digit(bits >> 18), digit(bits >> 12), digit(bits >> 6), digit(bits)]
    };
    weights.iter().flat_map(spread).collect()
}

fn decode(text: &str) -> Option<Vec<f32>> {
    let value = |byte: &u8| -> Option<u32> {
        DIGITS.iter().position(|digit| digit == byte).and_then(|place| u32::try_from(place).ok())
    };
    let gather = |digits: &[u8]| {
        let bits = digits.iter().try_fold(0_u32, |bits, byte| Some(bits << 6 | value(byte)?))?;
        Some(f32::from_bits(bits << 8))
    };
    let right_size = text.len() == 4 * CELLS;
    right_size.then(|| text.as_bytes().chunks_exact(4).map(gather).collect::<Option<Vec<f32>>>())?
}

impl Keeper {
    /// What to keep, as JSON.
    #[must_use]
    pub fn keep(&self) -> String {
        let kept = Kept {
            schema: SCHEMA,
            grid: GRID,
            weights: encode(self.belief.weights()),
            warm: self.replies.warm.clone(),
            cold: self.replies.cold.clone(),
            facts: self.facts,
        };
        // There is nothing in it that JSON cannot hold.
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// Takes up what was kept. `history` is the last [`HISTORY`] observations, the oldest first; it is looked at only if
    /// `kept` cannot be used as it is.
    pub fn restore<'a>(
        kept: &str,
        settings: Settings,
        history: impl IntoIterator<Item = &'a Observation>,
    ) -> (Self, Restored) {
        let read = serde_json::from_str::<Kept>(kept).ok().filter(|kept| kept.schema == SCHEMA);
        let belief = read.as_ref().filter(|kept| kept.grid == GRID).and_then(|kept| decode(&kept.weights));
        if let (Some(kept), Some(belief)) = (&read, belief.and_then(|weights| Belief::from_weights(&weights))) {
            let replies = Replies::new(settings.cold_start).restored(&kept.warm, &kept.cold);
            return (Self::from_parts(settings, belief, replies, kept.facts), Restored::AsKept);
        }
        let rebuilt = Self::rebuild(settings, history);
        let Some(kept) = read else { return (rebuilt, Restored::Rebuilt) };
        // What was counted is more than the observations can tell: touches are not among them.
        (Self::from_parts(settings, rebuilt.belief, rebuilt.replies, kept.facts), Restored::Rebuilt)
    }

    /// Computes everything anew from recorded observations, the oldest first. The same observations always give the same
    /// belief, to the bit.
    pub fn rebuild<'a>(settings: Settings, history: impl IntoIterator<Item = &'a Observation>) -> Self {
        let mut keeper = Self::new(settings);
        for observation in history {
            keeper.observe(observation);
        }
        keeper
    }
}
