//! What a probe costs: in requests as the provider weighs them, in tokens, and in money.

use crate::outcome::{Cost, Unit, Usage};
use crate::target::ModelId;

/// What a model's requests cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// How many requests one counts as.
    pub requests: f64,
    /// US dollars for a million tokens of prompt.
    pub input_usd: Option<f64>,
    /// US dollars for a million generated tokens.
    pub output_usd: Option<f64>,
}

impl Price {
    /// One request, and no money that is known of.
    pub const ONE: Self = Self { requests: 1.0, input_usd: None, output_usd: None };
}

impl Default for Price {
    fn default() -> Self {
        Self::ONE
    }
}

/// The prices of a provider's models. The first that fits a model counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PriceList(Vec<(ModelPattern, Price)>);

/// A model's id, or the beginning of some models' ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelPattern {
    /// Exactly this one.
    Exact(String),
    /// All that begin so; written with a star at its end.
    Beginning(String),
}

impl ModelPattern {
    /// Reads `hf:zai-org/GLM-5.2`, or `hf:zai-org/*`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(beginning) => Self::Beginning(beginning.to_owned()),
            None => Self::Exact(text.to_owned()),
        }
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Exact(exact) => exact.clone(),
            Self::Beginning(beginning) => format!("{beginning}*"),
        }
    }

    fn fits(&self, model: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == model,
            Self::Beginning(beginning) => model.starts_with(beginning.as_str()),
        }
    }
}

impl PriceList {
    /// A list, the prices that count first before others.
    #[must_use]
    pub fn new(prices: Vec<(ModelPattern, Price)>) -> Self {
        Self(prices)
    }

    /// The prices, those that count first before others.
    pub fn iter(&self) -> impl Iterator<Item = &(ModelPattern, Price)> {
        self.0.iter()
    }

    /// What a model's requests cost, where the list says.
    #[must_use]
    pub fn of(&self, model: &ModelId) -> Option<Price> {
        self.0.iter().find(|(pattern, _)| pattern.fits(model.as_str())).map(|(_, price)| *price)
    }
}

/// What one warm-up costs, or would cost at most.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Charge {
    /// In requests, as the provider weighs them.
    pub requests: f64,
    /// In tokens.
    pub tokens: f64,
    /// In US dollars, where the model's price is known.
    pub usd: Option<f64>,
}

/// How many tokens the prompt of a warm-up has at most, as the dialects word it: a nonce and a short request, with
/// what a chat template adds.
const PROMPT_TOKENS: u64 = 60;
/// How many tokens one warm-up asks for at most, after the first cap turned out to be too small.
const RAISED_CAP: u32 = 64;

impl Charge {
    /// What a warm-up costs at most that asks for so many tokens.
    #[must_use]
    pub fn at_most(price: Price, max_output_tokens: u32) -> Self {
        // The second request is asked for only where the first came to nothing.
        let output = u64::from(max_output_tokens) + u64::from(max_output_tokens.max(RAISED_CAP));
        Self::of(price, 2 * PROMPT_TOKENS, output)
    }

    /// What a warm-up is expected to cost.
    #[must_use]
    pub fn expected(price: Price, max_output_tokens: u32) -> Self {
        Self::of(price, PROMPT_TOKENS / 2, u64::from(max_output_tokens))
    }

    /// Both together. Money that is not known of one counts as none.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        self.with(more, 1.0)
    }

    /// This without another, and never less than nothing.
    #[must_use]
    pub fn less(self, part: Self) -> Self {
        self.with(part, -1.0)
    }

    fn with(self, other: Self, times: f64) -> Self {
        let sum = |one: f64, other: f64| (one + times * other).max(0.0);
        let usd = match (self.usd, other.usd) {
            (None, None) => None,
            (one, other) => Some(sum(one.unwrap_or(0.0), other.unwrap_or(0.0))),
        };
        Self { requests: sum(self.requests, other.requests), tokens: sum(self.tokens, other.tokens), usd }
    }

    /// What so many tokens cost.
    #[must_use]
    pub fn of(price: Price, input: u64, output: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "tokens of one probe are few")]
        let (input, output) = (input as f64, output as f64);
        // Half a price is none: what is not known is not free.
        let usd = price.input_usd.zip(price.output_usd).map(|(a, b)| (input * a + output * b) / 1e6);
        Self { requests: price.requests, tokens: input + output, usd }
    }

    /// What a probe cost that used so many tokens. `None` where the provider did not say how many.
    #[must_use]
    pub fn used(price: Price, usage: Usage) -> Option<Self> {
        let (input, output) = (usage.input_tokens, usage.output_tokens);
        (input.is_some() || output.is_some()).then(|| Self::of(price, input.unwrap_or(0), output.unwrap_or(0)))
    }

    /// The part of it that a limit counts. `None` where that is not known.
    #[must_use]
    pub fn in_unit(&self, unit: Unit) -> Option<f64> {
        match unit {
            Unit::Requests => Some(self.requests),
            Unit::Tokens => Some(self.tokens),
            Unit::Usd => self.usd,
            Unit::OtherMoney | Unit::Percent => None,
        }
    }

    /// As a fact of an outcome.
    #[must_use]
    pub fn cost(&self) -> Cost {
        Cost { requests: Some(self.requests), usd: self.usd }
    }
}
