//! One model of a scenario, as data: how it loads, answers, and takes its parameters.

use std::time::Duration;

use serde::Deserialize;

use super::spans;

/// One model and how it behaves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelSpec {
    pub(crate) id: String,
    /// Other ids that reach the same model (`syn:large:text`).
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    /// What the answer's `model` field says; the id when not given.
    #[serde(default)]
    pub(crate) served_as: Option<String>,
    #[serde(default)]
    pub(crate) kind: ModelKind,
    /// How long a cold start takes.
    #[serde(default, deserialize_with = "spans::duration")]
    pub(crate) load: Duration,
    /// Idle time after which it is unloaded.
    #[serde(default, deserialize_with = "spans::or_never")]
    pub(crate) idle_timeout: Option<Duration>,
    /// Mean time between random evictions.
    #[serde(default, deserialize_with = "spans::or_never")]
    pub(crate) evict: Option<Duration>,
    #[serde(default = "fifty_milliseconds", deserialize_with = "spans::duration")]
    pub(crate) first_token: Duration,
    #[serde(default = "ten_milliseconds", deserialize_with = "spans::duration")]
    pub(crate) between_tokens: Duration,
    /// Share by which load and token times vary, 0 to 1.
    #[serde(default)]
    pub(crate) jitter: f64,
    /// Tokens of text that the model would write when nothing caps it.
    #[serde(default = "eight")]
    pub(crate) tokens: u64,
    /// What one request costs, in requests of the default model.
    #[serde(default = "one")]
    pub(crate) price: f64,
    /// Requests that run at once; more of them queue.
    #[serde(default = "one_at_a_time")]
    pub(crate) concurrency: usize,
    /// Claimed in the catalogue; such a model starts loaded and is never unloaded.
    #[serde(default)]
    pub(crate) always_on: bool,
    #[serde(default)]
    pub(crate) reasoning: bool,
    /// Tokens of reasoning before the text.
    #[serde(default = "eight")]
    pub(crate) reasoning_tokens: u64,
    #[serde(default)]
    pub(crate) reasoning_field: ReasoningField,
    /// The reasoning efforts that are accepted and listed.
    #[serde(default = "usual_efforts")]
    pub(crate) efforts: Vec<String>,
    #[serde(default)]
    pub(crate) cap_field: CapField,
    /// The smallest cap that works.
    #[serde(default)]
    pub(crate) min_cap: u64,
    #[serde(default)]
    pub(crate) below_cap: BelowCap,
    #[serde(default)]
    pub(crate) cold_signal: ColdSignal,
    /// Time between two signs of life during a cold start.
    #[serde(default = "one_second", deserialize_with = "spans::duration")]
    pub(crate) signal_every: Duration,
    #[serde(default)]
    pub(crate) first_event: FirstEvent,
    #[serde(default)]
    pub(crate) headers: HeadersAt,
    /// Whether it is in memory at the start; by default when it loads in no time or is always on.
    #[serde(default)]
    pub(crate) loaded: Option<bool>,
    #[serde(default = "usual_context")]
    pub(crate) context_length: u64,
}

impl ModelSpec {
    /// Whether the model is in memory when the simulator starts.
    pub(crate) fn starts_loaded(&self) -> bool {
        self.always_on || self.loaded.unwrap_or(self.load.is_zero())
    }

    /// Whether a request for `id` reaches this model. Ids are case-sensitive, as they are at Synthetic.
    pub(crate) fn answers_to(&self, id: &str) -> bool {
        self.id == id || self.aliases.iter().any(|alias| alias == id)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ModelKind {
    #[default]
    Chat,
    Embedding,
}

/// The name of the field that carries reasoning text in a delta.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReasoningField {
    #[default]
    ReasoningContent,
    Reasoning,
}

impl ReasoningField {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ReasoningContent => "reasoning_content",
            Self::Reasoning => "reasoning",
        }
    }
}

/// Which parameter may cap the output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CapField {
    MaxTokens,
    MaxCompletionTokens,
    #[default]
    Both,
}

/// What happens when the cap is smaller than `min_cap` (providers.md, section 3.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum BelowCap {
    /// Refused by validation: the model did not run.
    #[default]
    #[serde(rename = "validation-400")]
    Validation,
    /// The model ran and could not finish: proof of life in a 400.
    #[serde(rename = "could-not-finish-400")]
    CouldNotFinish,
    /// A 200 without any content, finished by `length`.
    #[serde(rename = "empty-200")]
    Empty,
}

/// How a cold start shows on the wire (providers.md, section 3.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum ColdSignal {
    /// Only by the long wait.
    #[default]
    #[serde(rename = "silent")]
    Silent,
    /// llama.cpp: 503 "Loading model".
    #[serde(rename = "503-loading")]
    Loading503,
    /// Fireworks: 503 `DEPLOYMENT_SCALING_UP`; `X-Scale-Up-Timeout` makes it wait, as at Hugging Face.
    #[serde(rename = "503-scaling-up")]
    ScalingUp503,
    /// Hugging Face: 503 with `estimated_time`.
    #[serde(rename = "hf-loading")]
    HfLoading,
    /// 200 at once, then SSE comments.
    #[serde(rename = "keepalive-comments")]
    KeepaliveComments,
    /// 200 at once, then blank lines (DeepSeek), also when not streaming.
    #[serde(rename = "blank-lines")]
    BlankLines,
    /// llama-swap's `sendLoadingState`: reasoning text that no model wrote.
    #[serde(rename = "fake-reasoning")]
    FakeReasoning,
}

impl ColdSignal {
    /// Whether the head of the answer is sent before the model is loaded.
    pub(crate) fn shows_in_stream(self) -> bool {
        matches!(self, Self::KeepaliveComments | Self::BlankLines | Self::FakeReasoning)
    }
}

/// What a stream sends as soon as the model is loaded, before its first token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FirstEvent {
    /// A role prelude (`message_start` and `ping` at Anthropic): an event without content.
    #[default]
    RolePrelude,
    /// An SSE comment.
    Comment,
    /// Nothing: the first event carries content.
    Token,
}

/// When the head of a streamed answer is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HeadersAt {
    /// As soon as the request is accepted, before queue and load.
    AtOnce,
    #[default]
    WhenLoaded,
    WithFirstToken,
}

impl ModelSpec {
    /// A warm chat model with the defaults that the manual states.
    pub(crate) fn named(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            aliases: Vec::new(),
            served_as: None,
            kind: ModelKind::Chat,
            load: Duration::ZERO,
            idle_timeout: None,
            evict: None,
            first_token: fifty_milliseconds(),
            between_tokens: ten_milliseconds(),
            jitter: 0.0,
            tokens: eight(),
            price: one(),
            concurrency: one_at_a_time(),
            always_on: false,
            reasoning: false,
            reasoning_tokens: eight(),
            reasoning_field: ReasoningField::default(),
            efforts: usual_efforts(),
            cap_field: CapField::default(),
            min_cap: 0,
            below_cap: BelowCap::default(),
            cold_signal: ColdSignal::default(),
            signal_every: one_second(),
            first_event: FirstEvent::default(),
            headers: HeadersAt::default(),
            loaded: None,
            context_length: usual_context(),
        }
    }
}

fn fifty_milliseconds() -> Duration {
    Duration::from_millis(50)
}

fn ten_milliseconds() -> Duration {
    Duration::from_millis(10)
}

fn one_second() -> Duration {
    Duration::from_secs(1)
}

fn eight() -> u64 {
    8
}

fn one() -> f64 {
    1.0
}

fn one_at_a_time() -> usize {
    1
}

fn usual_context() -> u64 {
    202_752
}

fn usual_efforts() -> Vec<String> {
    ["none", "low", "medium", "high"].map(str::to_owned).to_vec()
}
