//! Accounts, quotas and parameters: what is refused, and in whose words.

use serde_json::{Value, json};

use super::super::Simulator;
use super::client::*;

const STATES: [&str; 8] =
    ["bad", "unpaid", "plan-ended", "no-permission", "missing-scope", "region-blocked", "edge-blocked", "suspended"];

async fn flavoured(flavour: &str) -> Simulator {
    let accounts: String = STATES.iter().map(|state| format!("  - {{ key: {state}, state: {state} }}\n")).collect();
    start(&format!("flavour: {flavour}\nmodels: [{{ id: m }}]\naccounts:\n  - {{ key: good }}\n{accounts}")).await
}

async fn chat_as(sim: &Simulator, key: &str) -> (u16, Value) {
    let headers = [format!("authorization: Bearer {key}")];
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let answer = send(sim, "POST", "/v1/chat/completions", &headers, &whole("m")).await;
    let json = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
    (answer.status, json)
}

/// Plays `(key, status, place in the body, what stands there)` against a flavour.
async fn expect(flavour: &str, cases: &[(&str, u16, &str, Value)]) {
    let sim = flavoured(flavour).await;
    assert_eq!(chat_as(&sim, "good").await.0, 200, "{flavour}");
    for (key, status, pointer, expected) in cases {
        let (found, body) = chat_as(&sim, key).await;
        assert_eq!((found, body.pointer(pointer)), (*status, Some(expected)), "{flavour} {key}: {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_documented_bodies() {
    expect(
        "synthetic",
        &[
            ("stranger", 401, "/error", json!("Invalid API key.")),
            ("unpaid", 402, "/error", json!("Payment required: add credits or subscribe to use this model.")),
        ],
    )
    .await;
    expect(
        "openai",
        &[
            ("stranger", 401, "/error/code", json!("invalid_api_key")),
            ("unpaid", 429, "/error/code", json!("insufficient_quota")),
            ("plan-ended", 429, "/error/type", json!("insufficient_quota")),
            ("region-blocked", 403, "/error/code", json!("unsupported_country_region_territory")),
            ("missing-scope", 200, "/object", json!("chat.completion")),
        ],
    )
    .await;
    expect(
        "anthropic",
        &[
            ("bad", 401, "/error/type", json!("authentication_error")),
            ("unpaid", 400, "/error/type", json!("invalid_request_error")),
            ("plan-ended", 402, "/error/type", json!("billing_error")),
            ("no-permission", 403, "/error/type", json!("permission_error")),
            ("edge-blocked", 403, "/error/message", json!("Request not allowed")),
        ],
    )
    .await;
    expect(
        "gemini",
        &[
            ("bad", 400, "/0/error/details/0/reason", json!("API_KEY_INVALID")),
            ("region-blocked", 400, "/0/error/status", json!("FAILED_PRECONDITION")),
        ],
    )
    .await;
    expect(
        "moonshot",
        &[
            ("bad", 401, "/error/type", json!("invalid_authentication_error")),
            ("unpaid", 429, "/error/type", json!("exceeded_current_quota_error")),
        ],
    )
    .await;
    expect(
        "zai",
        &[
            ("unpaid", 429, "/error/code", json!("1113")),
            ("plan-ended", 429, "/error/code", json!("1309")),
            ("no-permission", 434, "/error/code", json!("1220")),
        ],
    )
    .await;
    expect("openrouter", &[("unpaid", 402, "/error/code", json!(402))]).await;
    expect("deepseek", &[("unpaid", 402, "/error/message", json!("Insufficient Balance"))]).await;
    expect("mistral", &[("bad", 401, "/detail", json!("Unauthorized"))]).await;
    expect("fireworks", &[("suspended", 412, "/error/code", json!("PRECONDITION_FAILED"))]).await;
    expect("litellm", &[("bad", 401, "/error/type", json!("token_not_found_in_db"))]).await;
}

#[tokio::test(start_paused = true)]
async fn every_flavour_answers_every_state() {
    for flavour in [
        "synthetic",
        "openai",
        "anthropic",
        "gemini",
        "moonshot",
        "zai",
        "openrouter",
        "deepseek",
        "mistral",
        "fireworks",
        "huggingface",
        "groq",
        "together",
        "azure",
        "ollama",
        "llamacpp",
        "vllm",
        "litellm",
    ] {
        let sim = flavoured(flavour).await;
        for state in STATES.iter().filter(|state| **state != "missing-scope") {
            let (status, body) = chat_as(&sim, state).await;
            assert!((400..500).contains(&status) && !body.is_null(), "{flavour} {state}: {status} {body}");
            assert!(!body.to_string().contains("{model}"), "{body}");
        }
        assert_eq!(sim.counts().generations, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn states_and_the_free_paths() {
    let sim = flavoured("openai").await;
    let list =
        async |key: &str| send(&sim, "GET", "/v1/models", &[&format!("authorization: Bearer {key}")], "").await.status;
    assert_eq!(list("unpaid").await, 200);
    assert_eq!(list("no-permission").await, 200);
    assert_eq!(list("missing-scope").await, 403);
    assert_eq!(list("region-blocked").await, 403);
    assert_eq!(list("bad").await, 401);
    // A public list is still behind the edge.
    let public = start("{ accounts: [{ key: e, state: edge-blocked }] }").await;
    assert_eq!(send(&public, "GET", "/v1/models", &["authorization: Bearer e"], "").await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn the_quota_is_charged_stated_and_spent() {
    let sim = start(
        "
quota: { packs: 1, used: { five_hour: 0.996 } }
accounts: [{ key: good }, { key: spent, used: { five_hour: 1.0 } }, { key: paygo, quota: { generation: none } }]
models: [{ id: m }, { id: cheap, price: 0.1 }]",
    )
    .await;
    let answer = post(&sim, "/v1/chat/completions", &chat("m")).await;
    let stated: Value = serde_json::from_str(answer.header("x-synthetic-quotas").unwrap()).unwrap();
    assert_eq!(stated["rollingFiveHourLimit"]["remaining"], json!(1.0));
    assert_eq!(post(&sim, "/v1/chat/completions", &chat("m")).await.status, 200);
    let refused = post(&sim, "/v1/chat/completions", &chat("cheap")).await;
    assert_eq!(refused.status, 429);
    assert!(refused.json()["error"].as_str().unwrap().starts_with("You've exceeded your subscription rate limits."));
    assert!(refused.header("retry-after").is_none());
    let quotas = get(&sim, "/v2/quotas").await.json();
    assert_eq!(quotas["rollingFiveHourLimit"]["limited"], true);
    // The free endpoints stay free when the window is spent.
    assert_eq!(post(&sim, "/v1/messages/count_tokens", &chat("m")).await.status, 200);
    tokio::time::advance(millis(15 * 60 * 1000)).await;
    assert_eq!(post(&sim, "/v1/chat/completions", &chat("m")).await.status, 200);
    let spent = ["authorization: Bearer spent"];
    assert_eq!(send(&sim, "GET", "/v2/quotas", &["authorization: Bearer paygo"], "").await.body, "{}");
    assert_eq!(send(&sim, "POST", "/v1/chat/completions", &spent, &chat("m")).await.status, 200, "a tick came");
    assert_eq!(sim.counts().refused_429, 1);
    assert_eq!(sim.counts().generations, 4);
}

#[tokio::test(start_paused = true)]
async fn a_spent_window_may_say_when_to_retry() {
    let yaml = "{ quota: { used: { weekly: 1.0 }, retry_after: 90s }, accounts: [{ key: good }], models: [{ id: m }] }";
    let sim = start(yaml).await;
    let refused = post(&sim, "/v1/chat/completions", &chat("m")).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("90")));
    let zai = start(&yaml.replacen('{', "{ flavour: zai,", 1)).await;
    let text = post(&zai, "/v1/chat/completions", &chat("m")).await.json();
    assert_eq!(text["error"]["code"], "1308");
    let text = text["error"]["message"].as_str().unwrap().to_owned();
    assert!(!text.contains('{'), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_rate_limit_is_per_account_and_stated() {
    let sim = start(
        "{ flavour: openai, requests_per_minute: 1, accounts: [{ key: good }, { key: other }], models: [{ id: m }] }",
    )
    .await;
    let first = post(&sim, "/v1/chat/completions", &chat("m")).await;
    assert_eq!(first.header("x-ratelimit-remaining-requests"), Some("0"));
    let second = post(&sim, "/v1/chat/completions", &chat("m")).await;
    assert_eq!((second.status, &second.json()["error"]["code"]), (429, &json!("rate_limit_exceeded")));
    assert!(second.header("retry-after").is_some());
    let other = ["authorization: Bearer other"];
    assert_eq!(send(&sim, "POST", "/v1/chat/completions", &other, &chat("m")).await.status, 200);
    tokio::time::advance(millis(60_000)).await;
    assert_eq!(post(&sim, "/v1/chat/completions", &chat("m")).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn caps_and_efforts_are_judged_as_documented() {
    let sim = start(
        "
flavour: openai
models:
  - { id: gpt, cap_field: max_completion_tokens, min_cap: 16, below_cap: could-not-finish-400 }
  - { id: strict, min_cap: 16 }
  - { id: gemini, min_cap: 16, below_cap: empty-200 }",
    )
    .await;
    let error = post(&sim, "/v1/chat/completions", &chat("gpt")).await.json();
    assert_eq!(error["error"]["code"], "unsupported_parameter");
    assert_eq!(sim.counts().generations, 0);
    let modern = chat("gpt").replace("max_tokens", "max_completion_tokens");
    let error = post(&sim, "/v1/chat/completions", &modern.replace("16", "1")).await;
    assert_eq!(error.status, 400);
    assert!(error.body.contains("Could not finish the message because max_tokens"));
    assert_eq!(sim.counts().generations, 1, "the model ran");
    assert_eq!(post(&sim, "/v1/chat/completions", &modern).await.status, 200);
    let error = post(&sim, "/v1/chat/completions", &chat("strict").replace("16", "1")).await.json();
    assert_eq!(error["error"]["code"], "integer_below_min_value");
    let empty = post(&sim, "/v1/chat/completions", &whole("gemini").replace("16", "1")).await.json();
    assert_eq!(empty["choices"][0]["finish_reason"], "length");
    assert_eq!(empty["choices"][0]["message"]["content"], "");
    let effort = chat("strict").replace("\"stream\"", "\"reasoning_effort\":\"max\",\"stream\"");
    assert_eq!(post(&sim, "/v1/chat/completions", &effort).await.status, 400);
}
