//! How a provider is spoken to: the wire format, the kind of LLM, and how far up the ladder a probe climbs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The wire format of a provider's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// OpenAI chat completions and embeddings, as spoken by most providers.
    #[serde(rename = "openai")]
    OpenAi,
    /// Anthropic messages.
    Anthropic,
    /// Ollama's native API (`/api/...`), which can preload an LLM without generating.
    Ollama,
}

impl Dialect {
    /// Every dialect, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::OpenAi, Self::Anthropic, Self::Ollama];

    /// The word used in YAML and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Ollama => "ollama",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What an LLM does, which decides the request that warms it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It generates text.
    #[default]
    Chat,
    /// It turns text into vectors; it is warmed through `/embeddings`, because a chat request would not reach it.
    Embedding,
}

impl Kind {
    /// The word used in YAML.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embedding => "embedding",
        }
    }
}

/// How far up the ladder a probe climbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Depth {
    /// Name, connection and TLS: no HTTP request is sent.
    Connect,
    /// The key and the catalogue: free everywhere.
    Auth,
    /// A generated token: costs a request.
    Warm,
}

impl Depth {
    /// Every depth, from the lowest.
    pub const ALL: [Self; 3] = [Self::Connect, Self::Auth, Self::Warm];

    /// The word used in YAML, on the command line and in logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Auth => "auth",
            Self::Warm => "warm",
        }
    }
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The request field that caps the output of a chat completion. OpenAI's newer LLMs refuse the old one with
/// `unsupported_parameter`; many compatible servers know only the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CapField {
    /// `max_tokens`, the field that every compatible server knows.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`, which counts reasoning too.
    MaxCompletionTokens,
}

impl CapField {
    /// The field's name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxTokens => "max_tokens",
            Self::MaxCompletionTokens => "max_completion_tokens",
        }
    }

    /// The other one: what to try after an `unsupported_parameter`.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::MaxTokens => Self::MaxCompletionTokens,
            Self::MaxCompletionTokens => Self::MaxTokens,
        }
    }
}

/// How a chat completion is asked not to reason before it answers. Reasoning makes a warm-up slower and dearer:
/// 950 reasoning tokens were once recorded for a ping (LiteLLM #13668).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasoningOff {
    /// Nothing is sent: the provider has no switch, or refuses an unknown field.
    #[default]
    NotSent,
    /// `"reasoning_effort": "none"`, sent only where the catalogue lists `none` among the LLM's efforts (Synthetic).
    EffortNoneIfListed,
    /// `"reasoning_effort": "none"` always.
    EffortNone,
    /// `"reasoning_effort": "minimal"`.
    EffortMinimal,
    /// `"thinking": {"type": "disabled"}` (Z.AI).
    ThinkingDisabled,
    /// `"reasoning": {"enabled": false}` (OpenRouter).
    ReasoningDisabled,
    /// `"think": false` (Ollama).
    ThinkFalse,
}

impl ReasoningOff {
    /// Every switch.
    pub const ALL: [Self; 7] = [
        Self::NotSent,
        Self::EffortNoneIfListed,
        Self::EffortNone,
        Self::EffortMinimal,
        Self::ThinkingDisabled,
        Self::ReasoningDisabled,
        Self::ThinkFalse,
    ];

    /// The word used in YAML.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotSent => "not-sent",
            Self::EffortNoneIfListed => "effort-none-if-listed",
            Self::EffortNone => "effort-none",
            Self::EffortMinimal => "effort-minimal",
            Self::ThinkingDisabled => "thinking-disabled",
            Self::ReasoningDisabled => "reasoning-disabled",
            Self::ThinkFalse => "think-false",
        }
    }
}
