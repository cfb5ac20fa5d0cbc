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
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// The facts as `kind/code/status/reason/param: message`, with `-` for what is absent.
    fn read(body: &str) -> String {
        let facts = ErrorFacts::read(body.as_bytes());
        assert_eq!(facts.shape, BodyShape::Json, "{body}");
        let show = |field: Option<String>| field.unwrap_or_else(|| "-".to_owned());
        let words = [facts.kind, facts.code, facts.status, facts.reason, facts.param].map(show);
        format!("{}: {}", words.join("/"), show(facts.message))
    }

    #[test]
    fn every_shape_of_the_reference_is_read() {
        for (body, expected) in [
            // 1. OpenAI's family.
            (r#"{"error":{"message":"m","type":"t","param":"p","code":"c"}}"#, "t/c/-/-/p: m"),
            (r#"{"error":{"message":"m","type":"t","param":null,"code":null}}"#, "t/-/-/-/-: m"),
            (r#"{"error":{"message":"m","code":503,"type":"t"}}"#, "t/503/-/-/-: m"),
            // 2. A plain string.
            (r#"{"error":"m"}"#, "-/-/-/-/-: m"),
            (r#"{"error":"m","error_type":"overloaded"}"#, "overloaded/-/-/-/-: m"),
            // 3. and 4. Anthropic and its edge.
            (
                r#"{"type":"error","error":{"type":"t","message":"m","details":{"error_code":"r"}},"request_id":"q"}"#,
                "t/-/-/r/-: m",
            ),
            (r#"{"error":{"type":"forbidden","message":"m"}}"#, "forbidden/-/-/-/-: m"),
            // 5. Gemini.
            (
                r#"[{"error":{"code":400,"message":"m","status":"S","details":[{"@type":"x"},{"reason":"R"}]}}]"#,
                "-/400/S/R/-: m",
            ),
            // 6. Flat.
            (r#"{"object":"error","message":"m","type":"t","param":null,"code":"1500"}"#, "t/1500/-/-/-: m"),
            // 7. Proxies and FastAPI.
            (r#"{"message":"m"}"#, "-/-/-/-/-: m"),
            (r#"{"detail":"m"}"#, "-/-/-/-/-: m"),
            (r#"{"detail":[{"loc":["body","x"],"msg":"m","type":"t"}]}"#, "t/-/-/-/x: m"),
            (r#"{"object":"error","message":{"detail":[{"loc":["body","x"],"msg":"m","type":"t"}]}}"#, "t/-/-/-/x: m"),
            (r#"{"statusCode":404,"message":"m"}"#, "-/404/-/-/-: m"),
            (r#"{"statusCode":404,"message":"m","error":"Not Found"}"#, "-/404/-/-/-: m"),
            (r#"{"code":5,"error":"url.not_found","message":"m","status":false}"#, "url.not_found/5/-/-/-: m"),
            (r#"{"status":404,"error":"Not Found","path":"/x"}"#, "-/404/-/-/-: Not Found"),
            (r#"{"code":401,"msg":"m","success":false}"#, "-/401/-/-/-: m"),
            (r#"{"success":false,"errors":[{"code":1000,"message":"m"}]}"#, "-/1000/-/-/-: m"),
            (r#"{"__type":"T","Message":"m"}"#, "T/-/-/-/-: m"),
            // 8. OpenRouter, with what the provider said.
            (r#"{"error":{"code":502,"message":"m","metadata":{"raw":"r"}}}"#, "-/502/-/-/-: m: r"),
            (r#"{"choices":[{"finish_reason":"error","error":{"code":502,"message":"m"}}]}"#, "-/502/-/-/-: m"),
            // Errors in errors, as gateways pass them on.
            (r#"{"error":{"error":{"message":"m","type":"t"}}}"#, "t/-/-/-/-: m"),
            (r#"{"error":{"message":"{\"error\":{\"message\":\"m\",\"type\":\"t\"}}","code":400}}"#, "t/400/-/-/-: m"),
            (r#"{"detail":{"error":"m"}}"#, "-/-/-/-/-: m"),
            // Wrapped in an event, in white space, with more behind it.
            ("data: {\"error\":{\"message\":\"m\"}}\n\n", "-/-/-/-/-: m"),
            ("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"t\",\"message\":\"m\"}}", "t/-/-/-/-: m"),
            (": keep-alive\n\ndata: {\"error\":\"m\"}\n\n", "-/-/-/-/-: m"),
            ("\u{feff}\r\n\n  {\"error\":\"m\"}\n\n", "-/-/-/-/-: m"),
            ("{\"error\":\"m\"}\n{\"error\":\"n\"}", "-/-/-/-/-: m"),
            ("\"m\"", "-/-/-/-/-: m"),
            ("{}", "-/-/-/-/-: -"),
            (r#"{"error":null,"message":null,"code":true,"details":null}"#, "-/-/-/-/-: -"),
        ] {
            assert_eq!(read(body), expected, "{body}");
        }
    }

    #[test]
    fn waits_are_read() {
        let facts = ErrorFacts::read(br#"{"error":"Model X is currently loading","estimated_time":20.5}"#);
        assert_eq!(facts.estimated_time_s, Some(20.5));
        let violations = json!([{"quotaId": "PerMinute"}, {"quotaId": "RequestsPerDay"}]);
        let details = json!([{"violations": violations}, {"retryDelay": "34.5s"}]);
        let facts = ErrorFacts::read(json!({"error": {"details": details}}).to_string().as_bytes());
        assert_eq!((facts.retry_delay_s, facts.param.as_deref()), (Some(34.5), Some("RequestsPerDay")));
    }

    #[test]
    fn what_is_not_json_keeps_its_shape() {
        for (body, shape, message) in [
            ("", BodyShape::Empty, None),
            (" \r\n\n", BodyShape::Empty, None),
            ("error code: 1020", BodyShape::Text, Some("error code: 1020")),
            ("{\"error\":{\"message\":\"cut", BodyShape::Text, Some("{\"error\":{\"message\":\"cut")),
            ("data: [DONE]", BodyShape::Text, Some("data: [DONE]")),
            ("503", BodyShape::Text, Some("503")),
            ("<html><title>T</title>", BodyShape::Html { title: Some("T".to_owned()) }, None),
            ("<!doctype html>", BodyShape::Html { title: None }, None),
        ] {
            let facts = ErrorFacts::read(body.as_bytes());
            assert_eq!((facts.shape, facts.message.as_deref()), (shape, message), "{body}");
        }
    }

    #[test]
    fn an_error_inside_a_success_is_told_from_none() {
        for (value, expected) in [
            (json!({"error": {"code": 402, "message": "m"}}), true),
            (json!({"error": "m"}), true),
            (json!({"type": "error", "error": {"type": "overloaded_error"}}), true),
            (json!({"object": "error", "message": "m"}), true),
            (json!([{"error": {"code": 400}}]), true),
            (json!({"code": 500, "msg": "404 NOT_FOUND", "success": false}), true),
            (json!({"choices": [{"error": {"code": 502}}]}), true),
            (json!({"error": null, "choices": []}), false),
            (json!({"error": "", "choices": [{"error": null}]}), false),
            (json!({"error": {}, "success": true}), false),
            (json!({"choices": [{"delta": {"content": "error"}}]}), false),
            (json!({"type": "message", "content": []}), false),
            (json!("error"), false),
            (json!(["error"]), false),
        ] {
            assert_eq!(has_error(&value), expected, "{value}");
        }
    }

    #[test]
    fn texts_are_bounded() {
        let long = "é".repeat(70_000);
        let facts = ErrorFacts::read(json!({"message": long, "type": long}).to_string().as_bytes());
        assert_eq!(facts.shape, BodyShape::Text);
        let long = "é".repeat(7_000);
        let facts = ErrorFacts::read(json!({"message": long, "type": long}).to_string().as_bytes());
        assert_eq!(facts.message.map(|message| message.len()), Some(MESSAGE));
        assert_eq!(facts.kind.map(|kind| kind.len()), Some(FIELD));
        let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(ErrorFacts::read(nested.as_bytes()).shape, BodyShape::Text);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = ErrorFacts::read(&body);
        }

        #[test]
        fn anything_like_an_error_is_survived(
            body in "((data: )?[\\[{]{0,2}\"?(error|message|type|details|metadata|raw|violations|loc|choices)?\"?[:,]?\
                     (1e999|null|\"x\")?[\\]}]{0,2}){0,8}"
        ) {
            let facts = ErrorFacts::read(body.as_bytes());
            prop_assert!(facts.estimated_time_s.is_none_or(f64::is_finite));
        }
    }
}
