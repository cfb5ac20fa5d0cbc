//! Error bodies in every shape of the reference, and any bytes.

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
