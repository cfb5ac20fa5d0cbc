//! OpenAI chat completions, streamed.

use serde_json::{Value, json};

use super::{Progress, Reader, has_content, is_keep_alive, prompt};
use crate::outcome::Usage;
use crate::probe::knobs::Knobs;
use crate::probe::wire::error_body::has_error;
use crate::target::{ReasoningOff, Target};

/// Path of the request, relative to the base URL.
pub(in crate::probe) const PATH: &str = "chat/completions";

/// The smallest request that makes the LLM generate a token. No temperature: newer LLMs refuse sampling parameters.
/// `effort_none_listed` says that the catalogue names `none` among the LLM's reasoning efforts.
pub(in crate::probe) fn body(target: &Target, knobs: &Knobs, nonce: &str, effort_none_listed: bool) -> Value {
    let mut body = json!({
        "model": target.model.as_str(),
        "messages": [{ "role": "user", "content": prompt(nonce) }],
        "stream": true,
    });
    let mut put = |name: &str, value: Value| {
        if let Some(fields) = body.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    };
    put(knobs.cap_field.name(), json!(knobs.cap));
    if knobs.stream_options {
        put("stream_options", json!({ "include_usage": true }));
    }
    if knobs.reasoning_switch {
        match target.provider.reasoning_off {
            ReasoningOff::NotSent | ReasoningOff::ThinkFalse => {}
            ReasoningOff::EffortNoneIfListed => {
                if effort_none_listed {
                    put("reasoning_effort", json!("none"));
                }
            }
            ReasoningOff::EffortNone => put("reasoning_effort", json!("none")),
            ReasoningOff::EffortMinimal => put("reasoning_effort", json!("minimal")),
            ReasoningOff::ThinkingDisabled => put("thinking", json!({ "type": "disabled" })),
            ReasoningOff::ReasoningDisabled => put("reasoning", json!({ "enabled": false })),
        }
    }
    body
}

/// llama-swap streams a banner while it loads, as content or as reasoning: `━━━━━`, `llama-swap loading model: x`, a
/// remark, `Done! (7.26s)`, `━━━━━`. No LLM wrote it, and it would make a cold one look warm.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Banner {
    /// Nothing has come yet.
    #[default]
    Possible,
    /// Its first line has come, which alone could still be an LLM's.
    Rule,
    /// It has said that it loads.
    Loading,
    /// It has said that it is done.
    Closing,
    /// It is over, or there was none.
    Over,
}

impl Banner {
    const RULE: &str = "━━━━━";

    /// Whether a chunk with content belongs to the banner.
    fn covers(&mut self, chunk: &Value) -> bool {
        let text = Self::text(chunk);
        let is_rule = text.trim() == Self::RULE;
        let names_itself = text.contains("llama-swap loading model");
        *self = match *self {
            Self::Possible if is_rule => Self::Rule,
            Self::Possible | Self::Rule | Self::Loading if names_itself => Self::Loading,
            Self::Possible | Self::Rule | Self::Over => Self::Over,
            Self::Loading if text.contains("Done! (") => Self::Closing,
            // Its chunks have no id; a server's have. So that a banner without an end cannot swallow the answer.
            Self::Loading if chunk.get("id").is_some_and(|id| !id.is_null()) => Self::Over,
            Self::Loading => Self::Loading,
            Self::Closing if is_rule || text.trim().is_empty() => Self::Closing,
            Self::Closing => Self::Over,
        };
        *self != Self::Over
    }

    fn text(chunk: &Value) -> String {
        let deltas = chunk
            .get("choices")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|choice| choice.get("delta"));
        let texts = deltas.flat_map(|delta| ["content", "reasoning_content", "reasoning"].map(|name| delta.get(name)));
        texts.flatten().filter_map(Value::as_str).collect()
    }
}

/// Reads the stream of a chat completion.
#[derive(Debug, Default)]
pub(in crate::probe) struct ChatReader {
    banner: Banner,
    over: bool,
    length: bool,
    usage: Usage,
}

impl ChatReader {
    fn take_usage(&mut self, value: &Value) {
        // Groq reports it under `x_groq`.
        let usage = value.get("usage").filter(|usage| usage.is_object()).or_else(|| value.get("x_groq")?.get("usage"));
        if let Some(usage) = usage {
            self.usage.input_tokens = usage.get("prompt_tokens").and_then(Value::as_u64).or(self.usage.input_tokens);
            self.usage.output_tokens =
                usage.get("completion_tokens").and_then(Value::as_u64).or(self.usage.output_tokens);
        }
    }

    /// Whether one choice holds generated content, in a streamed `delta` or a whole `message`.
    fn choice_has_content(choice: &Value) -> bool {
        const CONTENT: [&str; 7] = [
            "content",
            "reasoning_content",
            "reasoning",
            "reasoning_details",
            "tool_calls",
            "function_call",
            "refusal",
        ];
        let part = choice.get("delta").or_else(|| choice.get("message"));
        part.is_some_and(|part| CONTENT.iter().any(|name| has_content(part.get(*name))))
            || has_content(choice.get("text"))
    }

    fn read(&mut self, value: &Value) -> Progress {
        if has_error(value) {
            return Progress::Failed(Box::new(value.clone()));
        }
        self.take_usage(value);
        let Some(choices) = value.get("choices").and_then(Value::as_array) else {
            // A chunk with the usage alone, or a provider's own event, may have no choices.
            return if value.is_object() { Progress::Nothing } else { Progress::Foreign };
        };
        let token = choices.iter().any(Self::choice_has_content);
        if token && self.banner.covers(value) {
            return Progress::Loading;
        }
        let reason = choices.iter().find_map(|choice| choice.get("finish_reason").filter(|reason| !reason.is_null()));
        if reason.and_then(Value::as_str) == Some("error") {
            // OpenRouter's word for a provider that broke off; the error itself may be missing.
            let error =
                json!({ "error": { "code": 502, "message": "the generation ended with finish_reason \"error\"" } });
            return Progress::Failed(Box::new(error));
        }
        if let Some(reason) = reason {
            self.length = matches!(reason.as_str(), Some("length" | "max_tokens" | "MAX_TOKENS"));
            return Progress::Finished { content: token };
        }
        if token { Progress::Token } else { Progress::Nothing }
    }
}

impl Reader for ChatReader {
    fn event(&mut self, name: &str, data: &str) -> Progress {
        if data.trim() == "[DONE]" {
            self.over = true;
            return Progress::Nothing;
        }
        if is_keep_alive(name, data) {
            return Progress::Nothing;
        }
        match serde_json::from_str::<Value>(data) {
            // An error event's data need not look like an error.
            Ok(value) if name == "error" && !has_error(&value) => Progress::Failed(Box::new(json!({ "error": value }))),
            Ok(value) => self.read(&value),
            Err(_) if name == "error" => Progress::Failed(Box::new(json!({ "error": data }))),
            Err(_) => Progress::Foreign,
        }
    }

    fn whole(&mut self, body: &Value) -> Progress {
        if has_error(body) {
            return Progress::Failed(Box::new(body.clone()));
        }
        match body.get("choices").and_then(Value::as_array) {
            Some(choices) if choices.is_empty() => Progress::Nothing,
            Some(_) => match self.read(body) {
                // In one piece there is no more to come, whether or not it names a reason.
                Progress::Token => Progress::Finished { content: true },
                other => other,
            },
            None => Progress::Foreign,
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

    fn read(events: &[&str]) -> Vec<Progress> {
        let mut reader = ChatReader::default();
        events.iter().map(|data| reader.event("", data)).collect()
    }

    #[test]
    fn a_role_prelude_is_not_a_token() {
        assert_eq!(
            read(&[
                r#"{"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
                r#"{"choices":[{"delta":{"role":"assistant","content":null,"tool_calls":null}}]}"#,
                r#"{"choices":[{"delta":{"content":"hi"}}]}"#,
            ]),
            [Progress::Nothing, Progress::Nothing, Progress::Token]
        );
    }

    #[test]
    fn reasoning_and_tool_calls_are_tokens() {
        for delta in [
            r#"{"reasoning_content":"hm"}"#,
            r#"{"reasoning":"hm"}"#,
            r#"{"reasoning_details":[{"type":"reasoning.text","text":"hm"}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]}"#,
            r#"{"content":[{"type":"text","text":"hi"}]}"#,
        ] {
            let chunk = format!(r#"{{"choices":[{{"delta":{delta}}}]}}"#);
            assert_eq!(read(&[&chunk]), [Progress::Token], "{delta}");
        }
    }

    #[test]
    fn a_finish_reason_without_content_is_a_completed_generation() {
        let mut reader = ChatReader::default();
        let chunk =
            r#"{"choices":[{"delta":{},"finish_reason":"length"}],"usage":{"prompt_tokens":9,"completion_tokens":16}}"#;
        assert_eq!(reader.event("", chunk), Progress::Finished { content: false });
        assert!(reader.hit_the_cap());
        assert_eq!(reader.usage(), Usage { input_tokens: Some(9), output_tokens: Some(16) });
    }

    #[test]
    fn an_error_inside_a_200_is_an_error_and_null_is_not() {
        assert!(matches!(read(&[r#"{"error":{"code":502,"message":"x"},"choices":[]}"#])[0], Progress::Failed(_)));
        assert_eq!(read(&[r#"{"error":null,"choices":[{"delta":{"content":"a"}}]}"#]), [Progress::Token]);
    }

    #[test]
    fn keep_alives_are_nothing_and_error_events_are_errors() {
        let mut reader = ChatReader::default();
        for (name, data) in [("message", ""), ("heartbeat", ""), ("ping", "ping"), ("", " ")] {
            assert_eq!(reader.event(name, data), Progress::Nothing, "{name} {data}");
        }
        for data in [r#"{"message":"overloaded","code":503}"#, "overloaded", r#"{"error":"x"}"#] {
            assert!(matches!(reader.event("error", data), Progress::Failed(_)), "{data}");
        }
    }

    #[test]
    fn a_generation_that_ended_in_an_error_is_one() {
        let chunk = r#"{"choices":[{"delta":{"content":"a"},"finish_reason":"error"}]}"#;
        assert!(matches!(read(&[chunk])[0], Progress::Failed(_)));
    }

    #[test]
    fn empty_parts_are_not_content() {
        let chunk = r#"{"choices":[{"delta":{"content":[{"type":"text","text":""}]}}]}"#;
        assert_eq!(read(&[chunk]), [Progress::Nothing]);
    }

    #[test]
    fn what_is_not_json_is_not_this_api() {
        assert_eq!(read(&["hello", "[1,2]"]), [Progress::Foreign, Progress::Foreign]);
    }

    #[test]
    fn llama_swaps_banner_means_loading() {
        let line = |field: &str, text: &str| json!({"choices":[{"delta":{field: text}}]}).to_string();
        for field in ["content", "reasoning_content"] {
            let mut reader = ChatReader::default();
            for text in [
                "━━━━━\n",
                "llama-swap loading model: qwen\n",
                "Time is an illusion...",
                "\nDone! (7.26s)\n",
                "━━━━━\n",
                " \n",
            ] {
                assert_eq!(reader.event("", &line(field, text)), Progress::Loading, "{text:?}");
            }
            assert_eq!(reader.event("", &line(field, "Hello")), Progress::Token);
            assert_eq!(reader.event("", &line(field, "━━━━━")), Progress::Token, "an LLM may draw a rule");
        }
    }

    #[test]
    fn a_banner_without_an_end_does_not_swallow_the_answer() {
        let mut reader = ChatReader::default();
        let banner = r#"{"choices":[{"delta":{"reasoning_content":"llama-swap loading model: x"}}]}"#;
        let answer = r#"{"id":"c-1","choices":[{"delta":{"content":"hi"}}]}"#;
        assert_eq!(reader.event("", banner), Progress::Loading);
        assert_eq!(reader.event("", answer), Progress::Token);
    }
}
