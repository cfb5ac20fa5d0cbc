//! The wire formats: how a warm-up is worded, and how its answer is read. Pure: text in, progress out.
//!
//! The first token is the first event with generated content of *any* kind: text, reasoning, a tool call. A role
//! prelude, a comment or a keep-alive is not one; counting them makes a cold LLM look warm (sglang #29251), and leaving
//! reasoning out makes a warm one look cold (aisix #869: 183.6 s logged, 1.2 s real).

pub(super) mod anthropic;
pub(super) mod embeddings;
pub(super) mod ollama;
pub(super) mod openai;

use serde_json::Value;

use crate::outcome::Usage;

/// What one event of a stream, or one whole answer, was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing that counts: a prelude, a keep-alive, the usage.
    Nothing,
    /// The server says that the LLM is loading.
    Loading,
    /// Generated content.
    Token,
    /// The generation is complete; its last event may hold content of its own.
    Finished {
        /// Whether it does.
        content: bool,
    },
    /// An error inside the answer.
    Failed(Box<Value>),
    /// It is not this API.
    Foreign,
}

/// Reads the answer to one warm-up.
pub(super) trait Reader: Send {
    /// Reads one event of a stream.
    fn event(&mut self, name: &str, data: &str) -> Progress;
    /// Reads an answer that came in one piece although a stream was asked for.
    fn whole(&mut self, body: &Value) -> Progress;
    /// Whether the stream said that it is over (`[DONE]`, `message_stop`).
    fn is_over(&self) -> bool;
    /// Whether the generation was ended by the token limit.
    fn hit_the_cap(&self) -> bool;
    /// The tokens, as far as they were told.
    fn usage(&self) -> Usage;
}

/// Whether a value holds generated content: text that is not empty, also deep in a list or an object. What only labels it
/// (`type`, `id`, `role`) is not content.
fn has_content(value: Option<&Value>) -> bool {
    match value {
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => items.iter().any(|item| has_content(Some(item))),
        Some(Value::Object(fields)) => fields
            .iter()
            .any(|(name, value)| !matches!(name.as_str(), "type" | "id" | "role") && has_content(Some(value))),
        _ => false,
    }
}

/// An event that only keeps the connection alive: no data, or a named one whose data is no JSON (`event: ping`).
fn is_keep_alive(name: &str, data: &str) -> bool {
    let unnamed = name.is_empty() || name == "message";
    data.trim().is_empty() || (!unnamed && name != "error" && !data.trim_start().starts_with(['{', '[']))
}

/// The text that warms: short, and different each time, because a gateway with a response cache would answer a
/// repeated one by itself and leave the LLM cold.
pub(super) fn prompt(nonce: &str) -> String {
    format!("ping {nonce}")
}
