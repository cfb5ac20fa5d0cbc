//! Anthropic messages, streamed.

use serde_json::{Value, json};

use super::{Progress, Reader, has_content, is_keep_alive, prompt};
use crate::outcome::Usage;
use crate::probe::knobs::Knobs;
use crate::target::Target;

/// Path of the request, relative to the base URL (which is kept without its `/v1`).
pub(in crate::probe) const PATH: &str = "v1/messages";

/// The smallest request that makes the LLM generate a token. Thinking is left off: it needs a budget of at least 1,024
/// tokens.
pub(in crate::probe) fn body(target: &Target, knobs: &Knobs, nonce: &str) -> Value {
    json!({
        "model": target.model.as_str(),
        "max_tokens": knobs.cap,
        "messages": [{ "role": "user", "content": prompt(nonce) }],
        "stream": true,
    })
}

/// Reads the stream of a message.
#[derive(Debug, Default)]
pub(in crate::probe) struct MessageReader {
    over: bool,
    length: bool,
    usage: Usage,
}

impl MessageReader {
    fn take_usage(&mut self, usage: Option<&Value>) {
        let Some(usage) = usage else { return };
        self.usage.input_tokens = usage.get("input_tokens").and_then(Value::as_u64).or(self.usage.input_tokens);
        self.usage.output_tokens = usage.get("output_tokens").and_then(Value::as_u64).or(self.usage.output_tokens);
    }

    fn stop(&mut self, reason: Option<&Value>) -> Progress {
        match reason.and_then(Value::as_str) {
            Some(reason) => {
                self.length = reason == "max_tokens";
                Progress::Finished { content: false }
            }
            None => Progress::Nothing,
        }
    }
}

impl Reader for MessageReader {
    fn event(&mut self, name: &str, data: &str) -> Progress {
        if is_keep_alive(name, data) {
            return Progress::Nothing;
        }
        let Ok(value) = serde_json::from_str::<Value>(data) else {
            return Progress::Foreign;
        };
        // The type stands in the data too, and some gateways leave out the event's name.
        let kind = value.get("type").and_then(Value::as_str).unwrap_or(name);
        match kind {
            "error" => Progress::Failed(Box::new(value)),
            "message_start" => {
                self.take_usage(value.get("message").and_then(|message| message.get("usage")));
                Progress::Nothing
            }
            "content_block_start" => {
                // A tool call or a redacted thought is content as it starts; a text block starts empty.
                let block = value.get("content_block");
                let kind = block.and_then(|block| block.get("type")).and_then(Value::as_str);
                match kind {
                    Some("text" | "thinking") => {
                        let content = ["text", "thinking"]
                            .iter()
                            .any(|name| has_content(block.and_then(|block| block.get(*name))));
                        if content { Progress::Token } else { Progress::Nothing }
                    }
                    Some(_) => Progress::Token,
                    None => Progress::Nothing,
                }
            }
            "content_block_delta" => {
                let content = ["text", "thinking", "partial_json"]
                    .iter()
                    .any(|name| has_content(value.get("delta").and_then(|delta| delta.get(*name))));
                if content { Progress::Token } else { Progress::Nothing }
            }
            "message_delta" => {
                self.take_usage(value.get("usage"));
                self.stop(value.get("delta").and_then(|delta| delta.get("stop_reason")))
            }
            "message_stop" => {
                self.over = true;
                Progress::Nothing
            }
            // `ping`, `content_block_stop` and whatever comes to be added.
            _ if value.is_object() => Progress::Nothing,
            _ => Progress::Foreign,
        }
    }

    fn whole(&mut self, body: &Value) -> Progress {
        match body.get("type").and_then(Value::as_str) {
            Some("error") => Progress::Failed(Box::new(body.clone())),
            Some("message") => {
                self.take_usage(body.get("usage"));
                let content = has_content(body.get("content"));
                match self.stop(body.get("stop_reason")) {
                    Progress::Finished { .. } => Progress::Finished { content },
                    _ if content => Progress::Finished { content },
                    _ => Progress::Nothing,
                }
            }
            _ if crate::probe::wire::error_body::has_error(body) => Progress::Failed(Box::new(body.clone())),
            _ => Progress::Foreign,
        }
    }

    fn is_over(&self) -> bool {
        self.over
    }

    fn hit_the_cap(&self) -> bool {
        self.length
    }

    fn usage(&self) -> Usage {
        self.usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preludes_and_pings_are_not_tokens_and_thinking_is() {
        let mut reader = MessageReader::default();
        let events = [
            (r#"{"type":"message_start","message":{"usage":{"input_tokens":8,"output_tokens":1}}}"#, Progress::Nothing),
            (r#"{"type":"ping"}"#, Progress::Nothing),
            (r#"{"type":"content_block_start","content_block":{"type":"thinking","thinking":""}}"#, Progress::Nothing),
            (r#"{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"hm"}}"#, Progress::Token),
            (r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"hi"}}"#, Progress::Token),
            (r#"{"type":"content_block_stop"}"#, Progress::Nothing),
            (
                r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":16}}"#,
                Progress::Finished { content: false },
            ),
            (r#"{"type":"message_stop"}"#, Progress::Nothing),
        ];
        for (data, expected) in events {
            assert_eq!(reader.event("", data), expected, "{data}");
        }
        assert!(reader.is_over());
        assert!(reader.hit_the_cap());
        assert_eq!(reader.usage(), Usage { input_tokens: Some(8), output_tokens: Some(16) });
    }

    #[test]
    fn an_error_event_is_an_error() {
        let mut reader = MessageReader::default();
        let event = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        assert!(matches!(reader.event("error", event), Progress::Failed(_)));
    }

    #[test]
    fn a_tool_call_is_content_as_it_starts() {
        let mut reader = MessageReader::default();
        let event = r#"{"type":"content_block_start","content_block":{"type":"tool_use","name":"f","input":{}}}"#;
        assert_eq!(reader.event("content_block_start", event), Progress::Token);
    }
}
