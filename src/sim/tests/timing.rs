//! When things are sent: first tokens, cold starts and their signals, queues, speed.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::{Options, Scenario, Simulator};
use super::client::*;

/// Reads a stream and notes when each text first stood in it.
async fn times(sim: &Simulator, bytes: &[u8], wanted: &[&str]) -> Vec<Option<Duration>> {
    let clock = sim.test_clock();
    let mut stream = TcpStream::connect(sim.address()).await.unwrap();
    let begin = clock.instant();
    stream.write_all(bytes).await.unwrap();
    let mut text = String::new();
    let mut found = vec![None; wanted.len()];
    let mut buffer = [0; 4096];
    while let Ok(count) = stream.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        for (place, wanted) in found.iter_mut().zip(wanted) {
            if place.is_none() && text.contains(wanted) {
                *place = Some(clock.instant() - begin);
            }
        }
    }
    found
}

fn stream_request(model: &str) -> Vec<u8> {
    request("POST", "/v1/chat/completions", &[], &chat(model))
}

/// Equal but for the runtime's timer, which counts whole milliseconds.
fn near(found: Option<Duration>, expected: u64) -> bool {
    found.is_some_and(|found| found.abs_diff(millis(expected)) <= millis(2))
}

#[tokio::test(start_paused = true)]
async fn the_first_token_comes_when_promised() {
    let sim = start("models: [{ id: m, load: 3s, first_token: 250ms, between_tokens: 100ms, tokens: 3 }]").await;
    let wanted = ["HTTP/1.1 200", "\"role\"", "\"The\"", "light", "[DONE]"];
    let cold = times(&sim, &stream_request("m"), &wanted).await;
    for (found, expected) in cold.iter().zip([3000, 3000, 3250, 3450, 3450]) {
        assert!(near(*found, expected), "{cold:?}");
    }
    let warm = times(&sim, &stream_request("m"), &wanted).await;
    for (found, expected) in warm.iter().zip([0, 0, 250, 450, 450]) {
        assert!(near(*found, expected), "{warm:?}");
    }
    let answer = post(&sim, "/v1/chat/completions", &chat("m")).await;
    let promised: f64 = answer.header("x-sim-first-token-ms").unwrap().parse().unwrap();
    assert!((promised - 250.0).abs() < 0.01);
    assert_eq!(answer.events()[1]["x_sim_first_token_ms"].as_f64().map(f64::round), Some(250.0));
    let whole = times(&sim, &request("POST", "/v1/chat/completions", &[], &whole("m")), &["HTTP/1.1 200"]).await;
    assert!(near(whole[0], 450), "{whole:?}");
}

#[tokio::test(start_paused = true)]
async fn speed_shortens_everything_but_the_stamps_stay_true() {
    let yaml = "{ models: [{ id: m, load: 30s, first_token: 10s, idle_timeout: 100s }], quota: {}, accounts: [{ key: good }] }";
    let options = Options { speed: 10.0, ..Options::default() };
    let sim = Simulator::start(Scenario::from_yaml(yaml).unwrap(), options).await.unwrap();
    let request = request("POST", "/v1/chat/completions", &["x-api-key: good"], &chat("m"));
    let found = times(&sim, &request, &["\"The\"", "x-sim-first-token-ms: 4000.0"]).await;
    assert!(near(found[0], 4000) && found[1].is_some(), "{found:?}");
    let expiry = get(&sim, "/api/ps").await.json()["models"][0]["expires_at"].as_str().unwrap().to_owned();
    let expiry: jiff::Timestamp = expiry.parse().unwrap();
    assert!((expiry.as_second() - sim.provider_timestamp().as_second() - 10).abs() <= 1);
    tokio::time::advance(millis(10_001)).await;
    assert_eq!(get(&sim, "/api/ps").await.json()["models"], serde_json::json!([]));
    let tick: jiff::Timestamp =
        get(&sim, "/v2/quotas").await.json()["rollingFiveHourLimit"]["nextTickAt"].as_str().unwrap().parse().unwrap();
    assert!(tick.as_second() - sim.provider_timestamp().as_second() <= 90);
}

#[tokio::test(start_paused = true)]
async fn cold_starts_show_as_asked() {
    let model = |signal: &str| format!("models: [{{ id: m, load: 3s, first_token: 100ms, cold_signal: {signal} }}]");
    for (signal, sign) in [
        ("keepalive-comments", ": keep-alive"),
        ("blank-lines", "\r\n1\r\n\n\r\n"),
        ("fake-reasoning", "llama-swap loading model"),
    ] {
        let sim = start(&model(signal)).await;
        let found = times(&sim, &stream_request("m"), &["HTTP/1.1 200", sign, "\"The\""]).await;
        assert!(near(found[0], 0) && near(found[1], 0) && near(found[2], 3100), "{signal}: {found:?}");
        let warm = times(&sim, &stream_request("m"), &[sign, "\"The\""]).await;
        assert!(warm[0].is_none() && near(warm[1], 100), "{signal}: {warm:?}");
    }
    for (signal, part) in [
        ("503-loading", "Loading model"),
        ("503-scaling-up", "DEPLOYMENT_SCALING_UP"),
        ("hf-loading", "\"estimated_time\":3.0"),
    ] {
        let sim = start(&model(signal)).await;
        let refused = post(&sim, "/v1/chat/completions", &chat("m")).await;
        assert_eq!(refused.status, 503);
        assert!(refused.body.contains(part), "{}", refused.body);
        assert_eq!((sim.counts().cold_starts, sim.counts().generations), (1, 0));
        tokio::time::advance(millis(3000)).await;
        assert_eq!(post(&sim, "/v1/chat/completions", &chat("m")).await.status, 200);
    }
    let held = start(&model("503-scaling-up")).await;
    let request = request("POST", "/v1/chat/completions", &["x-scale-up-timeout: 600"], &chat("m"));
    assert!(near(times(&held, &request, &["\"The\""]).await[0], 3100));
}

#[tokio::test(start_paused = true)]
async fn a_whole_answer_may_begin_with_blank_lines() {
    let sim = start("{ flavour: deepseek, models: [{ id: m, load: 3s, cold_signal: blank-lines }] }").await;
    let request = request("POST", "/v1/chat/completions", &[], &whole("m"));
    let found = times(&sim, &request, &["HTTP/1.1 200", "chat.completion"]).await;
    assert!(near(found[0], 0) && near(found[1], 3120), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn same_model_requests_queue_and_others_do_not() {
    let yaml = "models: [{ id: a, first_token: 1s, tokens: 1 }, { id: b, first_token: 1s, tokens: 1 }]";
    let sim = start(yaml).await;
    let (a, b) = (stream_request("a"), stream_request("b"));
    let (first, second, other) =
        tokio::join!(times(&sim, &a, &["\"The\""]), times(&sim, &a, &["\"The\""]), times(&sim, &b, &["\"The\""]));
    let mut order = [first[0], second[0]];
    order.sort();
    assert!(near(order[0], 1000) && near(order[1], 2000) && near(other[0], 1000), "{order:?} {other:?}");
    assert_eq!(sim.counts().models["a"].queued, 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_frees_its_place() {
    let sim = start("models: [{ id: m, first_token: 1h }]").await;
    let mut stream = TcpStream::connect(sim.address()).await.unwrap();
    stream.write_all(&stream_request("m")).await.unwrap();
    while sim.counts().generations == 0 {
        tokio::task::yield_now().await;
    }
    drop(stream);
    while sim.counts().open_connections > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(sim.state()["models"][0]["busy"], 0);
    assert_eq!(sim.counts().completed, 0);
}

#[tokio::test(start_paused = true)]
async fn heads_and_first_events_as_asked() {
    let case = async |settings: &str, expected: [Option<u64>; 3]| {
        let sim = start(&format!("models: [{{ id: m, load: 2s, first_token: 500ms, {settings} }}]")).await;
        let found = times(&sim, &stream_request("m"), &["HTTP/1.1 200", "\"content\":\"\"", "\"The\""]).await;
        for (found, expected) in found.iter().zip(expected) {
            assert!(expected.map_or(found.is_none(), |expected| near(*found, expected)), "{settings}: {found:?}");
        }
    };
    case("headers: at-once", [Some(0), Some(2000), Some(2500)]).await;
    case("headers: with-first-token", [Some(2500), Some(2500), Some(2500)]).await;
    case("first_event: token", [Some(2000), None, Some(2500)]).await;
    case("first_event: comment", [Some(2000), None, Some(2500)]).await;
}

#[tokio::test(start_paused = true)]
async fn an_organic_user_warms_a_model_and_is_counted_apart() {
    let sim = start("models: [{ id: m, load: 3s, idle_timeout: 60s }]").await;
    assert_eq!(sim.use_model("m").await, Some(false));
    assert_eq!(sim.use_model("m").await, Some(true));
    assert_eq!(sim.use_model("none").await, None);
    let used = send(&sim, "POST", "/_sim/use", &[], r#"{"model":"m"}"#).await.json();
    assert_eq!(used["was_warm"], true);
    let counts = sim.counts();
    assert_eq!((counts.organic, counts.organic_cold, counts.generations, counts.requests), (3, 1, 0, 0));
    assert_eq!(counts.connections, 0, "an administrator's connection is not counted");
}
