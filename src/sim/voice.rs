//! What is asked of a model and how it answers, whatever the dialect.
//!
//! `generate.rs` decides when something is said; a [`Voice`] decides how it sounds.

use std::time::Duration;

use serde_json::Value;

use super::model_spec::ModelKind;
use super::models::KeepAlive;

/// What a client asks for, whatever its dialect.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ask {
    pub(crate) model: String,
    pub(crate) kind: ModelKind,
    pub(crate) stream: bool,
    pub(crate) cap: Option<Cap>,
    pub(crate) effort: Option<String>,
    pub(crate) reasoning: Reasoning,
    pub(crate) prompt_tokens: u64,
    pub(crate) keep_alive: Option<KeepAlive>,
}

/// A limit on the output, and the parameter that states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cap {
    pub(crate) field: CapName,
    pub(crate) tokens: u64,
}

/// The parameter that states a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CapName {
    MaxTokens,
    MaxCompletionTokens,
    /// A dialect that knows only this one; no model takes offence at it.
    Only(&'static str),
}

impl CapName {
    /// The parameter's name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::MaxTokens => "max_tokens",
            Self::MaxCompletionTokens => "max_completion_tokens",
            Self::Only(name) => name,
        }
    }
}

/// Whether a reasoning model is allowed to reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reasoning {
    On,
    Off,
}

/// Why a generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    Length,
}

/// What an answer is about.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    /// The model as the answer names it.
    pub(crate) model: String,
    /// Unix seconds.
    pub(crate) created: i64,
    pub(crate) prompt_tokens: u64,
    pub(crate) reasoning_tokens: u64,
    pub(crate) content_tokens: u64,
    pub(crate) finish: Finish,
    /// Real time of load and of everything, as Ollama reports them.
    pub(crate) load: Duration,
    pub(crate) total: Duration,
    /// The name of the delta field that carries reasoning.
    pub(crate) reasoning_field: &'static str,
    /// Real milliseconds to the first token; set only while that token is rendered.
    pub(crate) first_token_ms: Option<f64>,
}

/// How an answer sounds: one implementation per dialect.
pub(crate) trait Voice: Send + Sync {
    /// The content type of a streamed answer.
    fn stream_type(&self) -> &'static str;
    /// An event without content that opens a stream.
    fn prelude(&mut self, turn: &Turn) -> String;
    /// A piece of reasoning.
    fn reasoning(&mut self, turn: &Turn, text: &str) -> String;
    /// A piece of text.
    fn content(&mut self, turn: &Turn, text: &str) -> String;
    /// The events that say why it ended.
    fn finish(&mut self, turn: &Turn) -> String;
    /// The mark of a stream's end; empty where the dialect has none.
    fn done(&mut self, turn: &Turn) -> String;
    /// A sign of life without meaning.
    fn comment(&self) -> &'static str;
    /// An error inside a stream.
    fn error(&self, body: &str) -> String;
    /// A whole answer, not streamed.
    fn whole(&mut self, turn: &Turn, reasoning: &str, content: &str) -> Value;
}

/// The words that every model says.
const WORDS: [&str; 8] = ["The", " pilot", " light", " is", " lit", " and", " steady", "."];

/// The text of one token.
pub(crate) fn word(index: u64) -> &'static str {
    let length = WORDS.len() as u64;
    usize::try_from(index % length).ok().and_then(|at| WORDS.get(at)).copied().unwrap_or(".")
}

/// The text of several tokens.
pub(crate) fn words(count: u64) -> String {
    (0..count).map(word).collect()
}
