//! The Anthropic dialect: messages, token counting, model list.

use serde_json::{Value, json};

use super::accounts::Purpose;
use super::exchange::Exchange;
use super::generate;
use super::http::Response;
use super::model_spec::ModelKind;
use super::openai::{flag, prompt_tokens, stamp};
use super::refusals::Situation;
use super::voice::{Ask, Cap, CapName, Finish, Reasoning, Turn, Voice};
use super::wire::Ended;

/// `GET /v1/models` in Anthropic's form.
pub(crate) async fn list(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let response = match exchange.admit_to_list() {
        Err(response) => *response,
        Ok(()) => {
            let chat = exchange.provider.models.all().iter().filter(|entry| entry.spec.kind == ModelKind::Chat);
            let models: Vec<Value> = chat
                .map(|entry| {
                    let id = &entry.spec.id;
                    json!({ "type": "model", "id": id, "display_name": id, "created_at": "2025-06-15T00:00:00Z" })
                })
                .collect();
            let first = models.first().and_then(|model| model.get("id")).cloned();
            let last = models.last().and_then(|model| model.get("id")).cloned();
            Response::json(200, &json!({ "data": models, "has_more": false, "first_id": first, "last_id": last }))
        }
    };
    exchange.reply(response).await
}

/// `POST /v1/messages/count_tokens`: free, but it needs a key and knows its models.
pub(crate) async fn count_tokens(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let model = exchange.request.text("model").unwrap_or("");
    let response = match exchange.admit(Purpose::Check) {
        Err(response) => *response,
        Ok(_) if exchange.provider.models.find(model).is_none() => {
            exchange.error(Situation::ModelMissing, &[("model", model)])
        }
        Ok(_) => Response::json(200, &json!({ "input_tokens": prompt_tokens(exchange.request) })),
    };
    exchange.reply(response).await
}

/// `POST /v1/messages`.
pub(crate) async fn messages(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let request = exchange.request;
    let cap = request.json.get("max_tokens").and_then(Value::as_i64);
    let complaint = if request.header("anthropic-version").is_none() {
        Some("anthropic-version: header is required")
    } else if request.text("model").is_none() {
        Some("model: Field required")
    } else if request.json.get("messages").is_none_or(|messages| !messages.is_array()) {
        Some("messages: Field required")
    } else if cap.is_none() {
        Some("max_tokens: Field required")
    } else {
        None
    };
    if let Some(message) = complaint {
        if let Err(response) = exchange.admit(Purpose::Check) {
            return exchange.reply(*response).await;
        }
        return exchange.refuse(Situation::BadRequest, &[("message", message)]).await;
    }
    // Here a model reasons only when it is asked to.
    let thinks = request.json.pointer("/thinking/type").and_then(Value::as_str) == Some("enabled");
    let ask = Ask {
        model: request.text("model").unwrap_or("").to_owned(),
        kind: ModelKind::Chat,
        stream: flag(&request.json, "stream"),
        cap: cap.map(|tokens| Cap { field: CapName::Only("max_tokens"), tokens: u64::try_from(tokens).unwrap_or(0) }),
        effort: None,
        reasoning: if thinks { Reasoning::On } else { Reasoning::Off },
        prompt_tokens: prompt_tokens(request),
        keep_alive: None,
    };
    generate::run(exchange, &ask, &mut Anthropic::default()).await
}

/// Anthropic's stream of named events.
#[derive(Debug, Default)]
struct Anthropic {
    open: Option<Block>,
    index: u64,
    started: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Thinking,
    Text,
}

fn event(value: &Value) -> String {
    let name = value.get("type").and_then(Value::as_str).unwrap_or("error");
    format!("event: {name}\ndata: {value}\n\n")
}

impl Anthropic {
    /// The start of the message, if it has not been said.
    fn start(&mut self, turn: &Turn) -> String {
        if std::mem::replace(&mut self.started, true) {
            return String::new();
        }
        let message = json!({
            "id": "msg_sim", "type": "message", "role": "assistant", "model": turn.model, "content": [],
            "stop_reason": null, "stop_sequence": null,
            "usage": { "input_tokens": turn.prompt_tokens, "output_tokens": 1 },
        });
        event(&json!({ "type": "message_start", "message": message }))
    }

    fn close(&mut self) -> String {
        if self.open.take().is_none() {
            return String::new();
        }
        self.index += 1;
        event(&json!({ "type": "content_block_stop", "index": self.index - 1 }))
    }

    fn delta(&mut self, turn: &Turn, block: Block, text: &str) -> String {
        let mut events = self.start(turn);
        if self.open != Some(block) {
            events.push_str(&self.close());
            self.open = Some(block);
            let content = match block {
                Block::Thinking => json!({ "type": "thinking", "thinking": "" }),
                Block::Text => json!({ "type": "text", "text": "" }),
            };
            let start = json!({ "type": "content_block_start", "index": self.index, "content_block": content });
            events.push_str(&event(&start));
        }
        let delta = match block {
            Block::Thinking => json!({ "type": "thinking_delta", "thinking": text }),
            Block::Text => json!({ "type": "text_delta", "text": text }),
        };
        let mut value = json!({ "type": "content_block_delta", "index": self.index, "delta": delta });
        stamp(&mut value, turn);
        events.push_str(&event(&value));
        events
    }
}

fn stop_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
    }
}

impl Voice for Anthropic {
    fn stream_type(&self) -> &'static str {
        "text/event-stream; charset=utf-8"
    }

    fn prelude(&mut self, turn: &Turn) -> String {
        let mut events = self.start(turn);
        events.push_str(&event(&json!({ "type": "ping" })));
        events
    }

    fn reasoning(&mut self, turn: &Turn, text: &str) -> String {
        self.delta(turn, Block::Thinking, text)
    }

    fn content(&mut self, turn: &Turn, text: &str) -> String {
        self.delta(turn, Block::Text, text)
    }

    fn finish(&mut self, turn: &Turn) -> String {
        let mut events = self.start(turn);
        events.push_str(&self.close());
        let output = turn.reasoning_tokens + turn.content_tokens;
        events.push_str(&event(&json!({
            "type": "message_delta",
            "delta": { "stop_reason": stop_reason(turn.finish), "stop_sequence": null },
            "usage": { "output_tokens": output },
        })));
        events
    }

    fn done(&mut self, _turn: &Turn) -> String {
        event(&json!({ "type": "message_stop" }))
    }

    fn comment(&self) -> &'static str {
        "event: ping\ndata: {\"type\": \"ping\"}\n\n"
    }

    fn error(&self, body: &str) -> String {
        format!("event: error\ndata: {body}\n\n")
    }

    fn whole(&mut self, turn: &Turn, reasoning: &str, content: &str) -> Value {
        let mut blocks = Vec::new();
        if !reasoning.is_empty() {
            blocks.push(json!({ "type": "thinking", "thinking": reasoning, "signature": "sim" }));
        }
        if !content.is_empty() {
            blocks.push(json!({ "type": "text", "text": content }));
        }
        let output = turn.reasoning_tokens + turn.content_tokens;
        let mut body = json!({
            "id": "msg_sim", "type": "message", "role": "assistant", "model": turn.model, "content": blocks,
            "stop_reason": stop_reason(turn.finish), "stop_sequence": null,
            "usage": { "input_tokens": turn.prompt_tokens, "output_tokens": output },
        });
        stamp(&mut body, turn);
        body
    }
}
