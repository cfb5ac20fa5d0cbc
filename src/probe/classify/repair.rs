//! Refusals of a warm-up that a changed request would not meet: the traps of token caps, reasoning switches and
//! stream options. Each is a 400 or a 422 that says which field it dislikes.

use crate::probe::transport::Head;
use crate::probe::wire::error_body::ErrorFacts;

/// How a refused request can be changed so that it is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// Send the other field that caps the output.
    SwitchCapField,
    /// Ask for at least that many tokens.
    RaiseCap(u32),
    /// Do not try to switch reasoning off.
    DropReasoning,
    /// Do not ask for usage in the stream.
    DropStreamOptions,
    /// Nothing to repair: the LLM generated tokens, and the cap ended the answer before any could be shown.
    AliveButOutOfTokens,
}

/// The floor of OpenAI's Responses API, where a refusal does not state one.
const FLOOR: u32 = 16;
/// A floor above this is not one that a warm-up should pay for.
const HIGHEST: u32 = 4096;
/// The fields that cap the output.
const CAPS: [&str; 3] = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
/// The fields that control reasoning.
const REASONING: [&str; 7] =
    ["reasoning_effort", "reasoning.effort", "reasoning", "thinking", "think", "enable_thinking", "output_config"];

/// How the request can be repaired, where the answer says that it can.
#[must_use]
pub fn repair(head: &Head, facts: &ErrorFacts) -> Option<Repair> {
    if !matches!(head.status, 400 | 422) {
        return None;
    }
    let message = facts.message.as_deref().unwrap_or_default().to_lowercase();
    if message.contains("could not finish the message") {
        return Some(Repair::AliveButOutOfTokens);
    }
    let code = facts.code.as_deref().unwrap_or_default();
    let param = facts.param.as_deref().unwrap_or_default().to_lowercase();
    let about = |fields: &[&str]| {
        // A parameter, where it is named, is what the refusal is about; the message may mention others.
        if param.is_empty() {
            fields.iter().any(|field| names(&message, field))
        } else {
            let root = param.split('.').next().unwrap_or_default();
            fields.iter().any(|field| param == *field || root == *field)
        }
    };
    if about(&CAPS) || code == "integer_below_min_value" {
        if let Some(floor) = floor(&message) {
            return (floor <= HIGHEST).then_some(Repair::RaiseCap(floor.max(FLOOR)));
        }
        if code == "integer_below_min_value" {
            return Some(Repair::RaiseCap(FLOOR));
        }
        if code == "unsupported_parameter" || REFUSED.iter().any(|word| message.contains(word)) {
            return Some(Repair::SwitchCapField);
        }
    }
    if about(&["stream_options"]) {
        return Some(Repair::DropStreamOptions);
    }
    // A message that misses an LLM may hold a name with "thinking" in it; that is not about the field.
    let missing = code.contains("model") || message.contains("not supported by any provider");
    (about(&REASONING) && !missing).then_some(Repair::DropReasoning)
}

/// Words that refuse a field itself, and not its value.
const REFUSED: [&str; 9] = [
    "unsupported parameter",
    "not supported",
    "unknown parameter",
    "unrecognized",
    "unexpected",
    "extra inputs",
    "extra fields",
    "not permitted",
    "instead",
];

/// The least value that a message asks for.
fn floor(message: &str) -> Option<u32> {
    let phrases =
        ["expected a value >= ", "must be at least ", "greater than or equal to ", "must be >= ", "minimum value is "];
    phrases.iter().find_map(|phrase| {
        let (_, rest) = message.split_once(phrase)?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).take(10).collect();
        digits.parse().ok()
    })
}

/// Whether a message names a field: the word by itself, and not as a part of another or of an LLM's id.
fn names(message: &str, field: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/');
    message.match_indices(field).any(|(at, _)| {
        let before = message.get(..at).and_then(|text| text.chars().next_back());
        let after = message.get(at + field.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(|c| part(c) || matches!(c, '.' | ':')) && !after.is_some_and(part)
    })
}
