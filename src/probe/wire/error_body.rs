//! What an error body says, in any of the shapes that providers send.
//!
//! Nothing is judged and nothing is cleaned here: the fields are the provider's own words, bounded in length.

use serde_json::{Map, Value};

use super::html;
use super::sse::{SseDecoder, SseItem};

/// How much of a body is read.
const BODY: usize = 64 * 1024;
/// How much of a message is kept, in bytes.
const MESSAGE: usize = 2 * 1024;
/// How much of the other texts is kept, in bytes.
const FIELD: usize = 200;
/// How deep errors may be wrapped in arrays, objects and texts: a proxy in front of a gateway in front of a provider.
const DEEPEST: usize = 8;

/// What an error body says. What it does not say is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ErrorFacts {
    /// What kind of text the body is.
    pub shape: BodyShape,
    /// The words for people, at most 2 KiB, not cleaned. Of a body that is plain text, the text.
    pub message: Option<String>,
    /// The machine-readable type: `invalid_request_error`.
    pub kind: Option<String>,
    /// The machine-readable code, a number as text: `invalid_api_key`, `1113`, `404`.
    pub code: Option<String>,
    /// Google's status: `RESOURCE_EXHAUSTED`.
    pub status: Option<String>,
    /// The reason in the details: Google's `API_KEY_INVALID`, Anthropic's `error_code`.
    pub reason: Option<String>,
    /// The parameter that is refused (`max_tokens`); at Google the quota that is exceeded (`…PerDay…`).
    pub param: Option<String>,
    /// Hugging Face's guess of how long a load takes, in seconds. Finite.
    pub estimated_time_s: Option<f64>,
    /// Google's `retryDelay`, in seconds. Finite.
    pub retry_delay_s: Option<f64>,
}

/// What kind of text a body is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BodyShape {
    /// Nothing, or only white space.
    #[default]
    Empty,
    /// JSON.
    Json,
    /// A web page.
    Html {
        /// Its title, cleaned.
        title: Option<String>,
    },
    /// Anything else, also JSON that is cut.
    Text,
}

impl ErrorFacts {
    /// Reads a body of any shape; what is beyond 64 KiB is not looked at. White space around it is ignored (DeepSeek
    /// sends blank lines while a request waits), and so is the `data: ` of an error that came as an event.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body.get(..BODY).unwrap_or(body));
        let text = body.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Self::default();
        }
        if let Some(value) = first_json(text).or_else(|| json_in_event(text)) {
            let mut facts = Self { shape: BodyShape::Json, ..Self::default() };
            facts.take(&value, DEEPEST);
            return facts;
        }
        if html::is_html(text) {
            return Self { shape: BodyShape::Html { title: html::title(text) }, ..Self::default() };
        }
        Self { shape: BodyShape::Text, message: Some(cut(text, MESSAGE)), ..Self::default() }
    }

    /// Takes what a value says; what is already known is kept.
    fn take(&mut self, value: &Value, deepest: usize) {
        let Some(deeper) = deepest.checked_sub(1) else { return };
        match value {
            // A text can be the JSON of another error, which a gateway passes on.
            Value::String(text) => {
                match text.trim_start().starts_with(['{', '[']).then(|| first_json(text)).flatten() {
                    Some(inner) => self.take(&inner, deeper),
                    None => fill(&mut self.message, (!text.trim().is_empty()).then(|| cut(text, MESSAGE))),
                }
            }
            // Gemini's compatible API wraps the error in an array; FastAPI lists the fields it refuses.
            Value::Array(values) => {
                if let Some(first) = values.first() {
                    self.take(first, deeper);
                }
            }
            Value::Object(object) => self.take_object(object, deeper),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn take_object(&mut self, object: &Map<String, Value>, deeper: usize) {
        let get = |name: &str| object.get(name).filter(|value| !value.is_null());
        // Spring and NestJS say `"error": "Not Found"` beside a message that says more; Moonshot `"url.not_found"`.
        let beside = get("error").and_then(Value::as_str).filter(|_| get("message").is_some_and(Value::is_string));
        if beside.is_none() {
            for name in ["error", "errors", "detail", "error_message"] {
                if let Some(inner) = get(name) {
                    self.take(inner, deeper);
                }
            }
        }
        for choice in get("choices").and_then(Value::as_array).into_iter().flatten().take(1) {
            if let Some(inner) = choice.get("error") {
                self.take(inner, deeper);
            }
        }
        for name in ["message", "msg", "Message", "error_msg", "error_description", "title"] {
            if let Some(inner) = get(name) {
                self.take(inner, deeper);
            }
        }
        self.take_metadata(object);
        // The `type` of an Anthropic error's outer object says only that it is one.
        let outer = |name: &&str| *name != "error";
        fill(&mut self.kind, get("type").and_then(Value::as_str).filter(outer).map(field));
        fill(&mut self.kind, get("error_type").and_then(Value::as_str).map(field));
        fill(&mut self.kind, get("__type").and_then(Value::as_str).map(field));
        fill(&mut self.kind, beside.filter(|word| !word.contains(' ')).map(field));
        for name in ["code", "statusCode", "status_code", "http_status_code"] {
            fill(&mut self.code, get(name).and_then(scalar));
        }
        match get("status") {
            Some(Value::String(status)) => fill(&mut self.status, Some(field(status))),
            Some(status @ Value::Number(_)) => fill(&mut self.code, scalar(status)),
            _ => {}
        }
        fill(&mut self.param, get("param").and_then(scalar));
        fill(&mut self.param, get("loc").and_then(Value::as_array).and_then(|path| scalar(path.last()?)));
        fill(&mut self.reason, get("reason").and_then(Value::as_str).map(field));
        fill(&mut self.reason, get("error_code").and_then(scalar));
        fill(&mut self.estimated_time_s, get("estimated_time").and_then(Value::as_f64));
        match get("details") {
            Some(Value::Array(details)) => details.iter().for_each(|detail| self.take_detail(detail)),
            Some(details) => self.take_detail(details),
            None => {}
        }
    }

    /// One of Google's typed details (`ErrorInfo`, `RetryInfo`, `QuotaFailure`), or Anthropic's.
    fn take_detail(&mut self, detail: &Value) {
        fill(&mut self.reason, detail.get("reason").and_then(Value::as_str).map(field));
        fill(&mut self.reason, detail.get("error_code").and_then(scalar));
        let delay = detail.get("retryDelay").and_then(Value::as_str).and_then(|text| text.strip_suffix('s'));
        fill(&mut self.retry_delay_s, delay.and_then(super::moment::parse_number));
        let quotas = detail.get("violations").and_then(Value::as_array).into_iter().flatten();
        let mut quotas = quotas.filter_map(|violation| violation.get("quotaId").and_then(Value::as_str));
        // Of several exceeded quotas the longest window decides how long to wait.
        let first = quotas.next();
        let daily = first.into_iter().chain(quotas).find(|quota| quota.contains("PerDay"));
        fill(&mut self.param, daily.or(first).map(field));
    }

    /// OpenRouter says "Provider returned error" and puts what the provider said beside it.
    fn take_metadata(&mut self, object: &Map<String, Value>) {
        let raw = object.get("metadata").and_then(|metadata| metadata.get("raw")).and_then(Value::as_str);
        if let (Some(message), Some(raw)) = (&mut self.message, raw) {
            message.push_str(": ");
            message.push_str(raw);
            *message = cut(message, MESSAGE);
        }
    }
}

/// Whether a JSON answer or event is an error although the status was 200. `"error": null` is not one.
#[must_use]
pub fn has_error(value: &Value) -> bool {
    match value {
        Value::Object(object) => {
            object.get("error").is_some_and(is_error)
                || object.get("type").is_some_and(|kind| kind == "error")
                || object.get("object").is_some_and(|kind| kind == "error")
                // Z.AI's gateway answers 200 to what it does not know.
                || object.get("success").is_some_and(|success| success == &Value::Bool(false))
                || object.get("choices").and_then(|choices| choices.get(0)?.get("error")).is_some_and(is_error)
        }
        Value::Array(values) => values.first().is_some_and(|first| first.is_object() && has_error(first)),
        _ => false,
    }
}

fn is_error(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(object) => !object.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// The JSON that a text begins with, where it is an object, an array or a string; what follows it is ignored.
fn first_json(text: &str) -> Option<Value> {
    let value = serde_json::Deserializer::from_str(text).into_iter::<Value>().next()?.ok()?;
    (value.is_object() || value.is_array() || value.is_string()).then_some(value)
}

/// The first event with JSON in it, where the text is a stream of events.
fn json_in_event(text: &str) -> Option<Value> {
    if !["data:", "event:", ":"].iter().any(|field| text.starts_with(field)) {
        return None;
    }
    let mut found = None;
    let mut each = |item: SseItem<'_>| {
        if let (None, SseItem::Event { data, .. }) = (&found, item) {
            found = first_json(data);
        }
    };
    let mut decoder = SseDecoder::new();
    // A line that is too long holds no error worth reading; what came before it counts.
    if decoder.push(text.as_bytes(), &mut each).is_ok() {
        decoder.finish(&mut each);
    }
    found
}

fn fill<T>(place: &mut Option<T>, value: Option<T>) {
    if place.is_none() {
        *place = value;
    }
}

/// A text or a number, as text.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(field(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn field(text: &str) -> String {
    cut(text, FIELD)
}

fn cut(text: &str, limit: usize) -> String {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
