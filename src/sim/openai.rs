//! The OpenAI dialect: model list, chat completions, embeddings.

use serde_json::{Map, Value, json};

use super::accounts::Purpose;
use super::exchange::Exchange;
use super::flavour::Flavour;
use super::generate;
use super::http::{Request, Response};
use super::model_spec::{ModelKind, ModelSpec};
use super::refusals::Situation;
use super::voice::{Ask, Cap, CapName, Finish, Reasoning, Turn, Voice};
use super::wire::Ended;

/// `GET /models`.
pub(crate) async fn list(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let response = match exchange.admit_to_list() {
        Err(response) => *response,
        Ok(()) => Response::json(200, &catalogue(exchange)),
    };
    exchange.reply(response).await
}

/// `GET /models/{id}`.
pub(crate) async fn retrieve(exchange: &mut Exchange<'_>, id: &str) -> Result<(), Ended> {
    let response = match exchange.admit_to_list() {
        Err(response) => *response,
        Ok(()) => match exchange.provider.models.find(id) {
            Some(entry) => Response::json(200, &model_object(exchange, &entry.spec, &entry.spec.id)),
            None => exchange.error(Situation::ModelMissing, &[("model", id)]),
        },
    };
    exchange.reply(response).await
}

fn catalogue(exchange: &Exchange<'_>) -> Value {
    let models = exchange.provider.models.all().iter().flat_map(|entry| {
        let ids = std::iter::once(&entry.spec.id).chain(&entry.spec.aliases);
        ids.map(|id| model_object(exchange, &entry.spec, id))
    });
    let models: Vec<Value> = models.collect();
    match exchange.listener.flavour {
        // Together answers with a bare array.
        Flavour::Together => Value::Array(models),
        _ => json!({ "object": "list", "data": models }),
    }
}

/// One model, with the fields that its provider shows.
fn model_object(exchange: &Exchange<'_>, spec: &ModelSpec, id: &str) -> Value {
    let flavour = exchange.listener.flavour;
    // Gemini's list carries a prefix that its requests do not need.
    let id = if flavour == Flavour::Gemini { format!("models/{id}") } else { id.to_owned() };
    let owner = id.trim_start_matches("hf:").split('/').next().unwrap_or("sim").to_owned();
    if flavour != Flavour::Synthetic {
        return json!({ "id": id, "object": "model", "created": 1_750_000_000, "owned_by": owner });
    }
    let efforts: &[String] = if spec.reasoning { &spec.efforts } else { &[] };
    let price = |per_million: f64| format!("${:.8}", per_million * spec.price / 1e6);
    json!({
        "id": id,
        "object": "model",
        "created": 1_750_000_000,
        "owned_by": owner,
        "hugging_face_id": id.strip_prefix("hf:"),
        "name": id.trim_start_matches("hf:"),
        "provider": "synthetic",
        "always_on": spec.always_on,
        "input_modalities": ["text"],
        "output_modalities": [if spec.kind == ModelKind::Embedding { "embeddings" } else { "text" }],
        "context_length": spec.context_length,
        "max_output_length": 65_536,
        "quantization": "fp8",
        "pricing": {
            "prompt": price(0.55), "completion": price(2.19), "image": "$0", "request": "$0",
            "input_cache_reads": price(0.11), "input_cache_writes": "$0",
        },
        "supported_sampling_parameters": ["temperature", "top_p"],
        "supported_features": ["tools", "json_mode"],
        "reasoning_parameters": { "efforts": efforts },
        "openrouter": { "slug": id.trim_start_matches("hf:").to_lowercase() },
        "datacenters": [{ "country_code": "US" }],
    })
}

/// `POST /chat/completions`.
pub(crate) async fn chat(exchange: &mut Exchange<'_>, model: Option<&str>) -> Result<(), Ended> {
    let request = exchange.request;
    let model = model.or_else(|| request.text("model"));
    let has_messages = request.json.get("messages").is_some_and(|messages| messages.is_array());
    let Some(model) = model.filter(|_| has_messages) else {
        if let Err(response) = exchange.admit(Purpose::Check) {
            return exchange.reply(*response).await;
        }
        let message = "The request needs a JSON body with `model` and `messages`.";
        return exchange.refuse(Situation::BadRequest, &[("message", message)]).await;
    };
    let ask = Ask {
        model: model.to_owned(),
        kind: ModelKind::Chat,
        stream: flag(&request.json, "stream"),
        cap: cap(request),
        effort: request.text("reasoning_effort").map(str::to_owned),
        reasoning: reasoning(request),
        prompt_tokens: prompt_tokens(request),
        // Ollama's /v1 knows no keep_alive, and a request without one goes back to the default.
        keep_alive: None,
    };
    let include_usage = request.json.get("stream_options").is_some_and(|options| flag(options, "include_usage"));
    let mut voice = Openai { id: "chatcmpl-sim".to_owned(), include_usage, said: false };
    generate::run(exchange, &ask, &mut voice).await
}

/// `POST /embeddings`.
pub(crate) async fn embed(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let request = exchange.request;
    let ask = Ask {
        model: request.text("model").unwrap_or("").to_owned(),
        kind: ModelKind::Embedding,
        stream: false,
        cap: Some(Cap { field: CapName::MaxTokens, tokens: 1 }),
        effort: None,
        reasoning: Reasoning::Off,
        prompt_tokens: prompt_tokens(request),
        keep_alive: None,
    };
    let inputs = request.json.get("input").and_then(Value::as_array).map_or(1, Vec::len);
    generate::run(exchange, &ask, &mut Vectors { inputs }).await
}

/// A boolean field that may be absent.
pub(crate) fn flag(value: &Value, field: &str) -> bool {
    value.get(field).and_then(Value::as_bool).unwrap_or(false)
}

/// The output cap and its field; `max_completion_tokens` wins, as it does at OpenAI.
fn cap(request: &Request) -> Option<Cap> {
    [CapName::MaxCompletionTokens, CapName::MaxTokens].into_iter().find_map(|field| {
        let tokens = request.json.get(field.name())?;
        // A negative cap is a cap below any minimum.
        tokens.as_i64().map(|tokens| Cap { field, tokens: u64::try_from(tokens).unwrap_or(0) })
    })
}

/// Whether the request turns reasoning off, in any of the ways that OpenAI-compatible providers know.
fn reasoning(request: &Request) -> Reasoning {
    let json = &request.json;
    let effort = request.text("reasoning_effort") == Some("none");
    let nested = json.pointer("/reasoning/effort").and_then(Value::as_str) == Some("none")
        || json.pointer("/reasoning/enabled") == Some(&Value::Bool(false));
    let thinking = json.pointer("/thinking/type").and_then(Value::as_str) == Some("disabled");
    let template = json.pointer("/chat_template_kwargs/enable_thinking") == Some(&Value::Bool(false));
    if effort || nested || thinking || template { Reasoning::Off } else { Reasoning::On }
}

/// A plausible number of prompt tokens: one per four bytes of the body's texts.
pub(crate) fn prompt_tokens(request: &Request) -> u64 {
    let parts = ["messages", "prompt", "input", "system"].iter().filter_map(|field| request.json.get(field));
    let bytes: usize = parts.map(|part| part.to_string().len()).sum();
    (bytes / 4).max(1) as u64
}

/// OpenAI's stream of `chat.completion.chunk` events.
struct Openai {
    id: String,
    include_usage: bool,
    /// Whether the role has been said.
    said: bool,
}

impl Openai {
    fn chunk(&self, turn: &Turn, choices: Value) -> Value {
        json!({
            "id": self.id, "object": "chat.completion.chunk", "created": turn.created, "model": turn.model,
            "choices": choices,
        })
    }

    fn delta(&mut self, turn: &Turn, field: &str, text: &str) -> String {
        let mut delta = Map::new();
        if !std::mem::replace(&mut self.said, true) {
            delta.insert("role".to_owned(), Value::from("assistant"));
        }
        delta.insert(field.to_owned(), Value::from(text));
        let mut chunk = self.chunk(turn, json!([{ "index": 0, "delta": delta, "finish_reason": null }]));
        stamp(&mut chunk, turn);
        event(&chunk)
    }
}

/// Adds the promised time to an event that carries the first token.
pub(crate) fn stamp(value: &mut Value, turn: &Turn) {
    if let (Some(millis), Some(fields)) = (turn.first_token_ms, value.as_object_mut()) {
        fields.insert("x_sim_first_token_ms".to_owned(), Value::from(millis));
    }
}

fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}

/// The usage block of a chat answer.
fn usage(turn: &Turn) -> Value {
    let completion = turn.reasoning_tokens + turn.content_tokens;
    json!({
        "prompt_tokens": turn.prompt_tokens,
        "completion_tokens": completion,
        "total_tokens": turn.prompt_tokens + completion,
        "completion_tokens_details": { "reasoning_tokens": turn.reasoning_tokens },
    })
}

fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
    }
}

impl Voice for Openai {
    fn stream_type(&self) -> &'static str {
        "text/event-stream; charset=utf-8"
    }

    fn prelude(&mut self, turn: &Turn) -> String {
        self.said = true;
        let delta = json!({ "role": "assistant", "content": "" });
        event(&self.chunk(turn, json!([{ "index": 0, "delta": delta, "finish_reason": null }])))
    }

    fn reasoning(&mut self, turn: &Turn, text: &str) -> String {
        self.delta(turn, turn.reasoning_field, text)
    }

    fn content(&mut self, turn: &Turn, text: &str) -> String {
        self.delta(turn, "content", text)
    }

    fn finish(&mut self, turn: &Turn) -> String {
        let choice = json!([{ "index": 0, "delta": {}, "finish_reason": finish_reason(turn.finish) }]);
        let mut events = event(&self.chunk(turn, choice));
        if self.include_usage {
            let mut chunk = self.chunk(turn, json!([]));
            if let Some(fields) = chunk.as_object_mut() {
                fields.insert("usage".to_owned(), usage(turn));
            }
            events.push_str(&event(&chunk));
        }
        events
    }

    fn done(&mut self, _turn: &Turn) -> String {
        "data: [DONE]\n\n".to_owned()
    }

    fn comment(&self) -> &'static str {
        ": keep-alive\n\n"
    }

    fn error(&self, body: &str) -> String {
        format!("data: {body}\n\n")
    }

    fn whole(&mut self, turn: &Turn, reasoning: &str, content: &str) -> Value {
        let mut message = json!({ "role": "assistant", "content": content });
        if let Some(fields) = message.as_object_mut().filter(|_| !reasoning.is_empty()) {
            fields.insert(turn.reasoning_field.to_owned(), Value::from(reasoning));
        }
        let finish_reason = finish_reason(turn.finish);
        let mut body = json!({
            "id": self.id, "object": "chat.completion", "created": turn.created, "model": turn.model,
            "choices": [{ "index": 0, "message": message, "finish_reason": finish_reason }],
            "usage": usage(turn),
        });
        stamp(&mut body, turn);
        body
    }
}

/// The answer of an embedding model. It is never streamed, so the other parts of a voice stay silent.
struct Vectors {
    inputs: usize,
}

impl Voice for Vectors {
    fn stream_type(&self) -> &'static str {
        "application/json"
    }

    fn prelude(&mut self, _turn: &Turn) -> String {
        String::new()
    }

    fn reasoning(&mut self, _turn: &Turn, _text: &str) -> String {
        String::new()
    }

    fn content(&mut self, _turn: &Turn, _text: &str) -> String {
        String::new()
    }

    fn finish(&mut self, _turn: &Turn) -> String {
        String::new()
    }

    fn done(&mut self, _turn: &Turn) -> String {
        String::new()
    }

    fn comment(&self) -> &'static str {
        ""
    }

    fn error(&self, body: &str) -> String {
        body.to_owned()
    }

    fn whole(&mut self, turn: &Turn, _reasoning: &str, _content: &str) -> Value {
        let vector = |index| json!({ "object": "embedding", "index": index, "embedding": [0.25, -0.5, 0.125, 1.0] });
        let data: Vec<Value> = (0..self.inputs).map(vector).collect();
        json!({
            "object": "list", "data": data, "model": turn.model,
            "usage": { "prompt_tokens": turn.prompt_tokens, "total_tokens": turn.prompt_tokens },
        })
    }
}
