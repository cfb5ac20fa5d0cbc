//! Every surface answers in its provider's form.

use serde_json::json;

use super::client::*;

const PLAIN: &str = "
flavour: openai
models:
  - { id: m }
  - { id: think, reasoning: true, reasoning_tokens: 2, tokens: 2 }
  - { id: old, reasoning: true, reasoning_tokens: 1, tokens: 1, reasoning_field: reasoning, served_as: other/name }
  - { id: embed, kind: embedding }
";

#[tokio::test(start_paused = true)]
async fn openai_streams_role_tokens_finish_and_done() {
    let sim = start(PLAIN).await;
    for path in ["/openai/v1/chat/completions", "/v1/chat/completions", "/api/paas/v4/chat/completions"] {
        let answer = post(&sim, path, &chat("m")).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"));
        assert!(answer.header("date").is_some());
        let events = answer.events();
        assert_eq!(events[0]["choices"][0]["delta"], json!({ "role": "assistant", "content": "" }));
        assert_eq!(events[1]["choices"][0]["delta"]["content"], "The");
        assert_eq!(events.len(), 1 + 8 + 1);
        assert_eq!(events[9]["choices"][0]["finish_reason"], "stop");
        assert!(answer.body.ends_with("data: [DONE]\n\n"));
    }
    assert_eq!((sim.counts().generations, sim.counts().completed), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn openai_answers_whole_with_usage() {
    let sim = start(PLAIN).await;
    let body = post(&sim, "/v1/chat/completions", &whole("m").replace("16", "3")).await.json();
    assert_eq!(body["choices"][0]["message"]["content"], "The pilot light");
    assert_eq!(body["choices"][0]["finish_reason"], "length");
    assert_eq!(body["usage"]["completion_tokens"], 3);
    let body = post(&sim, "/v1/chat/completions", &whole("think")).await.json();
    assert_eq!(body["choices"][0]["message"]["reasoning_content"], "The pilot");
    assert_eq!(body["usage"]["completion_tokens_details"]["reasoning_tokens"], 2);
}

#[tokio::test(start_paused = true)]
async fn reasoning_comes_first_under_the_chosen_name_and_can_be_turned_off() {
    let sim = start(PLAIN).await;
    let events = post(&sim, "/v1/chat/completions", &chat("old")).await.events();
    assert_eq!(events[1]["choices"][0]["delta"]["reasoning"], "The");
    assert_eq!(events[2]["choices"][0]["delta"]["content"], "The");
    assert_eq!(events[2]["model"], "other/name");
    let off = chat("think").replace("\"stream\"", "\"reasoning_effort\":\"none\",\"stream\"");
    let answer = post(&sim, "/v1/chat/completions", &off).await;
    assert!(!answer.body.contains("reasoning_content"), "{}", answer.body);
    let capped = post(&sim, "/v1/chat/completions", &chat("think").replace("16", "1")).await;
    assert!(!capped.body.contains("\"content\":\"The\""), "the cap was eaten by reasoning");
    assert!(capped.body.contains("\"finish_reason\":\"length\""));
}

#[tokio::test(start_paused = true)]
async fn usage_comes_in_a_last_chunk_when_asked_for() {
    let sim = start(PLAIN).await;
    let asked = chat("m").replace("\"stream\"", "\"stream_options\":{\"include_usage\":true},\"stream\"");
    let events = post(&sim, "/v1/chat/completions", &asked).await.events();
    let last = events.last().unwrap();
    assert_eq!((&last["choices"], &last["usage"]["completion_tokens"]), (&json!([]), &json!(8)));
}

#[tokio::test(start_paused = true)]
async fn embeddings_warm_the_embedding_model_only() {
    let sim = start(PLAIN).await;
    let body = post(&sim, "/v1/embeddings", r#"{"model":"embed","input":["a","b"]}"#).await.json();
    assert_eq!(body["data"].as_array().unwrap().len(), 2);
    assert_eq!(post(&sim, "/v1/chat/completions", &chat("embed")).await.status, 400);
    assert_eq!(post(&sim, "/v1/embeddings", r#"{"model":"m","input":"a"}"#).await.status, 400);
    assert_eq!(sim.counts().models["embed"].generations, 1);
}

#[tokio::test(start_paused = true)]
async fn the_model_list_follows_the_flavour() {
    let synthetic =
        start("{ accounts: [{ key: good }], models: [{ id: hf:a/b, always_on: true, aliases: ['syn:large:text'] }] }")
            .await;
    let list = send(&synthetic, "GET", "/openai/v1/models", &[], "").await.json();
    assert_eq!(list["data"][0]["id"], "hf:a/b");
    assert_eq!(list["data"][0]["always_on"], true);
    assert_eq!(list["data"][1]["id"], "syn:large:text");
    assert!(list["data"][0]["reasoning_parameters"]["efforts"].is_array());
    let keyed = start("{ flavour: openai, accounts: [{ key: good }], models: [{ id: m }] }").await;
    assert_eq!(send(&keyed, "GET", "/v1/models", &[], "").await.status, 401);
    assert_eq!(get(&keyed, "/v1/models").await.status, 200);
    assert_eq!(get(&keyed, "/v1/models/m").await.json()["id"], "m");
    assert_eq!(get(&keyed, "/v1/models/none").await.status, 404);
    let together = start("{ flavour: together, models: [{ id: m }] }").await;
    assert!(get(&together, "/v1/models").await.json().is_array());
    let public = start("{ flavour: openai, models_list: public, accounts: [{ key: good }] }").await;
    assert_eq!(send(&public, "GET", "/v1/models", &["authorization: Bearer wrong"], "").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn anthropic_streams_its_events_in_order() {
    let sim = start(PLAIN).await;
    for path in ["/anthropic/v1/messages", "/v1/messages"] {
        let answer = post(&sim, path, &chat("m").replace("16", "2")).await;
        let names: Vec<_> = answer.body.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
        assert_eq!(
            names,
            [
                "message_start",
                "ping",
                "content_block_start",
                "content_block_delta",
                "content_block_delta",
                "content_block_stop",
                "message_delta",
                "message_stop",
            ]
        );
        assert!(answer.body.contains("\"stop_reason\":\"max_tokens\""));
    }
    let body = post(&sim, "/v1/messages", &whole("m")).await.json();
    assert_eq!(body["content"][0]["text"], "The pilot light is lit and steady.");
    assert_eq!(body["stop_reason"], "end_turn");
}

#[tokio::test(start_paused = true)]
async fn anthropic_has_its_list_and_counts_tokens() {
    let sim = start("{ flavour: anthropic, accounts: [{ key: good }], models: [{ id: m }] }").await;
    let key = ["x-api-key: good", "anthropic-version: 2023-06-01"];
    let list = send(&sim, "GET", "/v1/models", &key, "").await.json();
    assert_eq!((&list["data"][0]["type"], &list["has_more"]), (&json!("model"), &json!(false)));
    assert_eq!(send(&sim, "GET", "/anthropic/v1/models", &key, "").await.json()["first_id"], "m");
    assert_eq!(send(&sim, "GET", "/v1/models", &["x-api-key: good"], "").await.json()["object"], "list");
    let count = send(&sim, "POST", "/v1/messages/count_tokens", &key, &chat("m")).await.json();
    assert!(count["input_tokens"].as_u64().unwrap() > 0);
    let unversioned = send(&sim, "POST", "/v1/messages", &["x-api-key: good"], &chat("m")).await;
    assert_eq!(unversioned.json()["error"]["message"], "anthropic-version: header is required");
    let uncapped = send(&sim, "POST", "/v1/messages", &key, &chat("m").replace("max_tokens", "n")).await;
    assert_eq!(uncapped.status, 400);
    assert_eq!(sim.counts().generations, 0);
}

#[tokio::test(start_paused = true)]
async fn ollama_loads_answers_and_unloads() {
    let sim = start("{ flavour: ollama, models: [{ id: 'm:latest', load: 3s, idle_timeout: 5m }] }").await;
    assert!(get(&sim, "/api/version").await.json()["version"].is_string());
    assert_eq!(get(&sim, "/api/tags").await.json()["models"][0]["name"], "m:latest");
    assert_eq!(get(&sim, "/api/ps").await.json()["models"], json!([]));
    assert_eq!(post(&sim, "/api/show", r#"{"model":"m"}"#).await.json()["capabilities"][0], "completion");
    let loaded = post(&sim, "/api/generate", r#"{"model":"m"}"#).await.json();
    assert_eq!((&loaded["done_reason"], &loaded["response"]), (&json!("load"), &json!("")));
    assert_eq!(loaded["load_duration"], 3_000_000_000_u64);
    let expiry = &get(&sim, "/api/ps").await.json()["models"][0]["expires_at"];
    let expiry: jiff::Timestamp = expiry.as_str().unwrap().parse().unwrap();
    let now: jiff::Timestamp = sim.provider_timestamp();
    assert!((expiry.as_second() - now.as_second() - 300).abs() <= 1, "{expiry} {now}");
    let again = post(&sim, "/api/generate", r#"{"model":"m","keep_alive":-1}"#).await.json();
    assert_eq!(again["load_duration"], 0);
    let unloaded = post(&sim, "/api/generate", r#"{"model":"m","keep_alive":0}"#).await.json();
    assert_eq!(unloaded["done_reason"], "unload");
    assert_eq!(get(&sim, "/api/ps").await.json()["models"], json!([]));
    let missing = post(&sim, "/api/generate", r#"{"model":"x"}"#).await;
    assert_eq!((missing.status, missing.body.as_str()), (404, "{\"error\":\"model 'x' not found\"}"));
    assert_eq!((sim.counts().preloads, sim.counts().generations, sim.counts().cold_starts), (3, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn ollama_streams_lines_of_json() {
    let sim = start("{ flavour: ollama, models: [{ id: m, load: 1s, tokens: 2 }] }").await;
    let answer = post(&sim, "/api/chat", &chat("m")).await;
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let lines: Vec<serde_json::Value> = answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["message"]["content"], "The");
    assert_eq!((&lines[2]["done"], &lines[2]["eval_count"]), (&json!(true), &json!(2)));
    assert_eq!(lines[2]["load_duration"], 1_000_000_000_u64);
    let whole = post(&sim, "/api/generate", r#"{"model":"m","prompt":"hi","stream":false}"#).await.json();
    assert_eq!(whole["response"], "The pilot");
}

#[tokio::test(start_paused = true)]
async fn every_free_check_needs_a_key_and_costs_nothing() {
    let sim = start("{ accounts: [{ key: good, quota: {} }, { key: broke, state: unpaid }] }").await;
    let checks = [
        ("/v2/quotas", "/rollingFiveHourLimit/remaining", json!(500.0)),
        ("/api/v1/key", "/data/limit_remaining", json!(10.0)),
        ("/user/balance", "/is_available", json!(true)),
        ("/users/me/balance", "/data/available_balance", json!(10.0)),
        ("/v1/users/me/balance", "/status", json!(true)),
        ("/api/monitor/usage/quota/limit", "/success", json!(true)),
        ("/v1/accounts", "/accounts/0/state", json!("READY")),
        ("/key/info", "/info/key_alias", json!("sim")),
        ("/api/whoami-v2", "/type", json!("user")),
    ];
    for (path, pointer, expected) in checks {
        assert_eq!(get(&sim, path).await.json().pointer(pointer), Some(&expected), "{path}");
        assert_eq!(send(&sim, "GET", path, &[], "").await.status, 401, "{path}");
        assert_eq!(send(&sim, "GET", path, &["authorization: Bearer no"], "").await.status, 401, "{path}");
        assert_eq!(send(&sim, "GET", path, &["authorization: Bearer broke"], "").await.status, 200, "{path}");
    }
    assert_eq!(sim.counts().generations, 0);
    let empty = send(&sim, "GET", "/user/balance", &["authorization: Bearer broke"], "").await.json();
    assert_eq!(empty["is_available"], false);
}

#[tokio::test(start_paused = true)]
async fn local_servers_show_their_state_without_loading() {
    let sim = start("{ flavour: llamacpp, models: [{ id: a, load: 10s }, { id: b }] }").await;
    assert_eq!(get(&sim, "/health").await.json()["status"], "ok");
    assert_eq!(get(&sim, "/props").await.json()["is_sleeping"], true);
    let states = get(&sim, "/models").await.json();
    assert_eq!(states["data"][0]["status"]["value"], "unloaded");
    assert_eq!(states["data"][1]["status"]["value"], "loaded");
    assert_eq!(sim.counts().cold_starts, 0);
    assert_eq!(post(&sim, "/models/load", r#"{"model":"a"}"#).await.json()["success"], true);
    let health = get(&sim, "/health").await;
    assert_eq!(health.status, 503);
    assert_eq!(health.json()["error"]["message"], "Loading model");
    assert_eq!(get(&sim, "/running").await.json()["running"][0]["state"], "starting");
    tokio::time::advance(millis(10_000)).await;
    assert_eq!(get(&sim, "/running").await.json()["running"][0]["state"], "ready");
    assert_eq!(sim.counts().cold_starts, 1);
}

#[tokio::test(start_paused = true)]
async fn unknown_paths_methods_and_models() {
    let sim = start("{ flavour: openai, models: [{ id: m }] }").await;
    let unknown = post(&sim, "/chat/completions", &chat("m")).await;
    assert_eq!(unknown.json()["error"]["message"], "Invalid URL (POST /chat/completions)");
    assert_eq!(get(&sim, "/v1/chat/completions").await.status, 405);
    let missing = post(&sim, "/v1/chat/completions", &chat("M")).await;
    assert_eq!((missing.status, &missing.json()["error"]["code"]), (404, &json!("model_not_found")));
    assert_eq!(post(&sim, "/v1/chat/completions", "not json").await.status, 400);
    let azure = start("{ flavour: azure, models: [{ id: m }] }").await;
    let path = "/openai/deployments/m/chat/completions?api-version=2024-10-21";
    assert_eq!(post(&azure, path, &chat("ignored")).await.status, 200);
    let missing = post(&azure, &path.replace("/m/", "/x/"), &chat("m")).await;
    assert_eq!(missing.json()["error"]["code"], "DeploymentNotFound");
}
