//! Whose manners the provider has: error bodies, public or keyed catalogue, rate-limit headers.
//!
//! Only the defaults that follow from the flavour live here; the error bodies themselves are in `errors.rs`.

use serde::Deserialize;

/// The provider that is imitated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Flavour {
    #[default]
    Synthetic,
    Openai,
    Anthropic,
    Gemini,
    Moonshot,
    Zai,
    Openrouter,
    Deepseek,
    Mistral,
    Fireworks,
    Huggingface,
    Groq,
    Together,
    Azure,
    Ollama,
    Llamacpp,
    Vllm,
    Litellm,
}

impl Flavour {
    /// Whether the real provider shows its model list to anyone (shared/reference/providers.md, section 3).
    pub(crate) fn lists_publicly(self) -> bool {
        matches!(self, Self::Synthetic | Self::Openrouter | Self::Huggingface | Self::Ollama)
    }

    /// The dialect in which the real provider states its rate limit; `None` where it sends no such headers.
    pub(crate) fn rate_dialect(self) -> Option<RateDialect> {
        Some(match self {
            Self::Openai | Self::Litellm => RateDialect::Openai,
            Self::Anthropic => RateDialect::Anthropic,
            Self::Groq => RateDialect::Groq,
            Self::Azure => RateDialect::Azure,
            Self::Together => RateDialect::Together,
            Self::Mistral => RateDialect::Mistral,
            Self::Openrouter => RateDialect::Openrouter,
            _ => return None,
        })
    }
}

/// How a rate limit is stated in headers (providers.md, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RateDialect {
    /// `x-ratelimit-*-requests`, reset as a Go duration.
    Openai,
    /// `anthropic-ratelimit-requests-*`, reset in RFC 3339.
    Anthropic,
    /// OpenAI's names, but requests are counted per day.
    Groq,
    /// OpenAI's names, reset as whole seconds, `retry-after-ms` beside `retry-after`.
    Azure,
    /// `x-ratelimit-{limit,remaining,reset}`, reset in seconds.
    Together,
    /// `X-RateLimit-Remaining` only.
    Mistral,
    /// `X-RateLimit-*` on errors only, reset as epoch milliseconds.
    Openrouter,
    /// No headers at all.
    None,
}
