//! Ollama's native API: version, tags, loaded models, show, generate (with preload and unload), chat.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::accounts::Purpose;
use super::exchange::Exchange;
use super::generate;
use super::http::Response;
use super::model_spec::ModelKind;
use super::models::{Entry, KeepAlive, Phase};
use super::openai::{prompt_tokens, stamp};
use super::refusals::Situation;
use super::spans;
use super::voice::{Ask, Cap, CapName, Finish, Reasoning, Turn, Voice};
use super::wire::Ended;

/// How far in the future Ollama states an expiry that never comes.
const FOREVER: Duration = Duration::from_secs(292 * 365 * 86_400);

/// `GET /api/version`.
pub(crate) async fn version(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    exchange.reply(Response::json(200, &json!({ "version": "0.12.6" }))).await
}

fn details(entry: &Entry) -> Map<String, Value> {
    let fields = json!({
        "name": entry.spec.id, "model": entry.spec.id, "size": 4_661_224_676_u64,
        "digest": "365c0bd3c000a25d28ddbf732fe1c6add414de7275464c4e4d1c3b5fcb5d8ad1",
        "details": { "format": "gguf", "family": "llama", "parameter_size": "8.0B", "quantization_level": "Q4_0" },
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(), // never: the literal above is an object
    }
}

/// `GET /api/tags`: all models. It is public, also at ollama.com.
pub(crate) async fn tags(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let model = |entry: &Arc<Entry>| {
        let mut fields = details(entry);
        fields.insert("modified_at".to_owned(), Value::from("2026-01-01T00:00:00Z"));
        Value::Object(fields)
    };
    let models: Vec<Value> = exchange.provider.models.all().iter().map(model).collect();
    exchange.reply(Response::json(200, &json!({ "models": models }))).await
}

/// `GET /api/ps`: what is in memory, and until when.
pub(crate) async fn loaded(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let provider = exchange.provider;
    let present = provider.models.all().iter().filter(|entry| provider.models.phase(entry) == Phase::Loaded);
    let model = |entry: &Arc<Entry>| {
        let mut fields = details(entry);
        let left = provider.models.idle_left(entry).map_or_else(
            || provider.clock.timestamp().checked_add(FOREVER).unwrap_or(jiff::Timestamp::MAX),
            |left| provider.clock.timestamp_in(left),
        );
        fields.insert("expires_at".to_owned(), Value::from(left.to_string()));
        fields.insert("size_vram".to_owned(), Value::from(4_661_224_676_u64));
        fields.insert("context_length".to_owned(), Value::from(4096));
        Value::Object(fields)
    };
    let models: Vec<Value> = present.map(model).collect();
    exchange.reply(Response::json(200, &json!({ "models": models }))).await
}

/// `POST /api/show`: what is known of a model, without loading it.
pub(crate) async fn show(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let response = match find(exchange, Purpose::Check) {
        Err(response) => *response,
        Ok(entry) => {
            let embeds = entry.spec.kind == ModelKind::Embedding;
            let mut capabilities = vec![if embeds { "embedding" } else { "completion" }];
            if entry.spec.reasoning {
                capabilities.push("thinking");
            }
            Response::json(
                200,
                &json!({
                    "modelfile": format!("FROM {}\n", entry.spec.id),
                    "parameters": "",
                    "template": "{{ .Prompt }}",
                    "details": details(&entry).remove("details"),
                    "model_info": { "general.architecture": "llama", "llama.context_length": entry.spec.context_length },
                    "capabilities": capabilities,
                }),
            )
        }
    };
    exchange.reply(response).await
}

fn find(exchange: &Exchange<'_>, purpose: Purpose) -> Result<Arc<Entry>, Box<Response>> {
    exchange.admit(purpose)?;
    let id = exchange.request.model().unwrap_or("");
    // Ollama means `:latest` when no tag is given.
    let tagged = exchange.provider.models.find(id).or_else(|| exchange.provider.models.find(&format!("{id}:latest")));
    tagged.cloned().ok_or_else(|| Box::new(exchange.error(Situation::ModelMissing, &[("model", id)])))
}

/// How long the model is to stay: `"10m"`, seconds, negative for ever, zero to unload; the default when not given.
fn keep_alive(json: &Value) -> Option<KeepAlive> {
    let stay = |seconds: f64| match Duration::try_from_secs_f64(seconds) {
        Ok(span) => KeepAlive::For(span),
        Err(_) => KeepAlive::Forever,
    };
    match json.get("keep_alive") {
        None | Some(Value::Null) => None,
        Some(Value::Number(seconds)) => seconds.as_f64().map(stay),
        Some(Value::String(text)) if text.starts_with('-') => Some(KeepAlive::Forever),
        Some(Value::String(text)) => spans::parse(text).map(KeepAlive::For),
        Some(_) => None,
    }
}

/// `POST /api/generate`. Without a prompt it loads the model, or unloads it when `keep_alive` is 0.
pub(crate) async fn generate(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    if exchange.request.text("prompt").unwrap_or("").is_empty() {
        return preload(exchange, Form::Generate).await;
    }
    speak(exchange, Form::Generate).await
}

/// `POST /api/chat`. Without messages it loads the model, as `generate` does.
pub(crate) async fn chat(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let messages = exchange.request.json.get("messages").and_then(Value::as_array);
    if messages.is_none_or(|messages| messages.is_empty()) {
        return preload(exchange, Form::Chat).await;
    }
    speak(exchange, Form::Chat).await
}

/// `POST /api/embed`. Only with an empty input, which loads the model and answers with no vector; vectors are had at
/// `/v1/embeddings`.
pub(crate) async fn embed(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let input = exchange.request.json.get("input");
    if input.and_then(Value::as_str).is_some_and(str::is_empty) {
        return preload(exchange, Form::Embed).await;
    }
    let body = json!({ "error": "the simulator embeds at /v1/embeddings; here it only loads (an empty input)" });
    exchange.reply(Response::json(400, &body)).await
}

async fn speak(exchange: &mut Exchange<'_>, form: Form) -> Result<(), Ended> {
    let entry = match find(exchange, Purpose::Generate) {
        Err(response) => return exchange.reply(*response).await,
        Ok(entry) => entry,
    };
    let json = &exchange.request.json;
    let cap = json.pointer("/options/num_predict").and_then(Value::as_i64).and_then(|cap| u64::try_from(cap).ok());
    let thinks = json.get("think") != Some(&Value::Bool(false));
    let ask = Ask {
        model: entry.spec.id.clone(),
        kind: ModelKind::Chat,
        // Ollama streams unless it is told not to.
        stream: json.get("stream") != Some(&Value::Bool(false)),
        cap: cap.map(|tokens| Cap { field: CapName::Only("num_predict"), tokens }),
        effort: None,
        reasoning: if thinks { Reasoning::On } else { Reasoning::Off },
        prompt_tokens: prompt_tokens(exchange.request),
        keep_alive: keep_alive(json),
    };
    generate::run(exchange, &ask, &mut Native { form }).await
}

async fn preload(exchange: &mut Exchange<'_>, form: Form) -> Result<(), Ended> {
    let entry = match find(exchange, Purpose::Generate) {
        Err(response) => return exchange.reply(*response).await,
        Ok(entry) => entry,
    };
    let provider = Arc::clone(exchange.provider);
    let stay = keep_alive(&exchange.request.json);
    let unload = stay == Some(KeepAlive::For(Duration::ZERO));
    provider.ledger.on_model(&entry.spec.id, |all, model| {
        (all.preloads, model.preloads) = (all.preloads + 1, model.preloads + 1);
    });
    let mut load = Duration::ZERO;
    if unload {
        provider.models.evict(&entry);
    } else {
        let seat = exchange.wire.wait_for(provider.models.wait_seat(&entry)).await?;
        if let Some(mut seat) = seat {
            seat.keep_alive(stay.unwrap_or(KeepAlive::Default));
            provider.ledger.found(&entry.spec.id, seat.found);
            exchange.wire.sleep_until(seat.ready_at).await?;
            load = seat.ready_at.since(exchange.received);
        }
    }
    let mut body = json!({
        "model": entry.spec.id,
        "created_at": provider.clock.timestamp().to_string(),
        "done": true,
        "done_reason": if unload { "unload" } else { "load" },
        "load_duration": nanos(provider.clock.real(load)),
    });
    form.put(&mut body, "", "");
    exchange.wire.send(Response::json(200, &body)).await
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Which of the two native endpoints answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Generate,
    Chat,
    /// Vectors instead of text.
    Embed,
}

impl Form {
    /// Puts text where this endpoint carries it.
    fn put(self, body: &mut Value, reasoning: &str, content: &str) {
        let Some(fields) = body.as_object_mut() else {
            return;
        };
        match self {
            Self::Generate => {
                fields.insert("response".to_owned(), Value::from(content));
                if !reasoning.is_empty() {
                    fields.insert("thinking".to_owned(), Value::from(reasoning));
                }
            }
            Self::Embed => {
                fields.insert("embeddings".to_owned(), json!([]));
            }
            Self::Chat => {
                let mut message = json!({ "role": "assistant", "content": content });
                if let Some(message) = message.as_object_mut().filter(|_| !reasoning.is_empty()) {
                    message.insert("thinking".to_owned(), Value::from(reasoning));
                }
                fields.insert("message".to_owned(), message);
            }
        }
    }
}

/// Ollama's lines of JSON.
#[derive(Debug)]
struct Native {
    form: Form,
}

impl Native {
    fn object(&self, turn: &Turn, reasoning: &str, content: &str) -> Value {
        let created = jiff::Timestamp::from_second(turn.created).unwrap_or_default();
        let mut body = json!({ "model": turn.model, "created_at": created.to_string(), "done": false });
        self.form.put(&mut body, reasoning, content);
        stamp(&mut body, turn);
        body
    }

    fn last(&self, turn: &Turn, reasoning: &str, content: &str) -> Value {
        let mut body = self.object(turn, reasoning, content);
        let tokens = turn.reasoning_tokens + turn.content_tokens;
        let reason = if turn.finish == Finish::Stop { "stop" } else { "length" };
        let end = json!({
            "done": true, "done_reason": reason, "total_duration": nanos(turn.total),
            "load_duration": nanos(turn.load), "prompt_eval_count": turn.prompt_tokens, "eval_count": tokens,
        });
        if let (Some(fields), Value::Object(end)) = (body.as_object_mut(), end) {
            fields.extend(end);
        }
        body
    }
}

fn line(value: &Value) -> String {
    format!("{value}\n")
}

impl Voice for Native {
    fn stream_type(&self) -> &'static str {
        "application/x-ndjson"
    }

    fn prelude(&mut self, _turn: &Turn) -> String {
        // The native stream has no event without content.
        String::new()
    }

    fn reasoning(&mut self, turn: &Turn, text: &str) -> String {
        line(&self.object(turn, text, ""))
    }

    fn content(&mut self, turn: &Turn, text: &str) -> String {
        line(&self.object(turn, "", text))
    }

    fn finish(&mut self, _turn: &Turn) -> String {
        // Reason and end are one line here, so it is `done` that says both.
        String::new()
    }

    fn done(&mut self, turn: &Turn) -> String {
        line(&self.last(turn, "", ""))
    }

    fn comment(&self) -> &'static str {
        "\n"
    }

    fn error(&self, body: &str) -> String {
        format!("{body}\n")
    }

    fn whole(&mut self, turn: &Turn, reasoning: &str, content: &str) -> Value {
        self.last(turn, reasoning, content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keep_alive_in_every_form() {
        let read = |value: Value| keep_alive(&json!({ "keep_alive": value }));
        assert_eq!(read(json!("10m")), Some(KeepAlive::For(Duration::from_secs(600))));
        assert_eq!(read(json!(30)), Some(KeepAlive::For(Duration::from_secs(30))));
        assert_eq!(read(json!(0)), Some(KeepAlive::For(Duration::ZERO)));
        assert_eq!(read(json!("0")), Some(KeepAlive::For(Duration::ZERO)));
        assert_eq!(read(json!(-1)), Some(KeepAlive::Forever));
        assert_eq!(read(json!("-1m")), Some(KeepAlive::Forever));
        assert_eq!(keep_alive(&json!({})), None);
    }
}
