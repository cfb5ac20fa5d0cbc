//! OpenAI embeddings: how an embedding LLM is warmed. A chat request would be refused, and would load nothing.
//!
//! The answer is scanned as it comes (`wire/embedding.rs`): a vector of 4,096 numbers is larger than any body that is
//! held whole.

use serde_json::{Value, json};

use super::prompt;
use crate::target::Target;

/// Path of the request, relative to the base URL.
pub(in crate::probe) const PATH: &str = "embeddings";

/// The smallest request that runs the LLM.
pub(in crate::probe) fn body(target: &Target, nonce: &str) -> Value {
    json!({ "model": target.model.as_str(), "input": prompt(nonce) })
}
