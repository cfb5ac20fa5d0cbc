//! Every behaviour on the wire, and that none of them runs away.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::Simulator;
use super::client::*;

async fn with(then: &str) -> Simulator {
    start(&format!("{{ flavour: openai, models: [{{ id: m }}], faults: [{{ then: {then} }}] }}")).await
}

fn stream_request() -> Vec<u8> {
    request("POST", "/v1/chat/completions", &[], &chat("m"))
}

/// Reads at most so many bytes, then leaves.
async fn taste(sim: &Simulator, limit: usize) -> Vec<u8> {
    let mut stream = TcpStream::connect(sim.address()).await.unwrap();
    stream.write_all(&stream_request()).await.unwrap();
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    while bytes.len() < limit {
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => break,
        }
    }
    bytes
}

#[tokio::test(start_paused = true)]
async fn a_fixed_answer() {
    let sim = with("{ respond: { status: 418, headers: { X-A: b }, json: { a: 1 }, delay: 2s } }").await;
    let answer = post(&sim, "/v1/chat/completions", &chat("m")).await;
    assert_eq!((answer.status, answer.header("x-a"), answer.body.as_str()), (418, Some("b"), "{\"a\":1}"));
    let empty = with("{ respond: { status: 200 } }").await;
    assert_eq!(post(&empty, "/v1/chat/completions", &chat("m")).await.body, "");
    let text = with("{ respond: { body: 'hello', headers: { content-type: text/x } } }").await;
    assert_eq!(get(&text, "/any").await.header("content-type"), Some("text/x"));
    assert_eq!(sim.counts().generations, 0);
    assert_eq!(sim.counts().faults[0].struck, 1);
}

#[tokio::test(start_paused = true)]
async fn closing_and_resetting_before_any_byte() {
    let (bytes, end) = raw(&with("close").await, &stream_request()).await;
    assert!(bytes.is_empty() && end.is_ok());
    let (bytes, end) = raw(&with("reset").await, &stream_request()).await;
    assert!(bytes.is_empty());
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn a_cut_at_every_byte_of_an_answer() {
    let plain = start("models: [{ id: m }]").await;
    let (whole, _) = raw(&plain, &request("GET", "/v1/models", &[], "")).await;
    for bytes in 0..whole.len() {
        for (cut, resets) in [("reset_after", true), ("close_after", false)] {
            let yaml = format!("{{ models: [{{ id: m }}], faults: [{{ then: {{ {cut}: {{ bytes: {bytes} }} }} }}] }}");
            // A byte in thirteen is enough away from the edges.
            if bytes > 3 && bytes % 13 != 0 && bytes + 3 < whole.len() {
                continue;
            }
            let sim = start(&yaml).await;
            let (read, end) = raw(&sim, &request("GET", "/v1/models", &[], "")).await;
            assert_eq!(end.is_err(), resets, "{cut} {bytes}");
            assert_eq!(read.len(), bytes, "{cut} {bytes}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_inside_a_stream() {
    let sim = with("{ reset_after: { bytes: 700 } }").await;
    let (read, end) = raw(&sim, &stream_request()).await;
    assert!(end.is_err());
    assert_eq!(read.len(), 700);
    assert_eq!(sim.counts().bytes_sent, 700);
}

#[tokio::test(start_paused = true)]
async fn silence_ends_after_ten_minutes() {
    for then in ["hang", "hang_after_headers", "{ hang_mid_stream: { after_tokens: 2 } }"] {
        let sim = with(then).await;
        let clock = sim.test_clock();
        let began = clock.instant();
        let (bytes, _) = raw(&sim, &stream_request()).await;
        assert!(clock.instant() - began >= super::super::wire::PATIENCE, "{then}");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(text.contains("HTTP/1.1 200"), then != "hang", "{then}");
        assert_eq!(text.contains("pilot"), then.contains("mid"), "{then}");
        assert!(!text.contains("[DONE]") && !text.contains("\r\n0\r\n\r\n"));
    }
}

#[tokio::test(start_paused = true)]
async fn endless_answers_end_when_the_peer_leaves() {
    for (then, part) in [
        ("endless_line", "never ending never ending"),
        ("endless_headers", "x-endless: aaa"),
        ("endless_body", "{\"id\":\"m\"},{\"id\":\"m\"}"),
        ("{ endless_stream: { every: 0 } }", ": keep-alive\n\n"),
        ("{ endless_stream: { kind: roles } }", "\"role\":\"assistant\""),
        ("{ endless_stream: { kind: tokens } }", "\"content\":\"The\""),
    ] {
        let sim = with(then).await;
        let bytes = taste(&sim, 20_000).await;
        assert!(bytes.len() >= 20_000, "{then}: {}", bytes.len());
        assert!(String::from_utf8_lossy(&bytes).contains(part), "{then}");
        for _ in 0..100_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(sim.counts().open_connections, 0, "{then}");
    }
}

#[tokio::test(start_paused = true)]
async fn endless_streams_in_every_dialect_are_valid() {
    let sim = start("{ models: [{ id: m }], faults: [{ then: { endless_stream: { kind: tokens } } }] }").await;
    for (path, part) in [("/v1/messages", "content_block_delta"), ("/api/chat", "\"done\":false}\n")] {
        let mut stream = TcpStream::connect(sim.address()).await.unwrap();
        stream.write_all(&request("POST", path, &[], &chat("m"))).await.unwrap();
        let mut buffer = vec![0; 1000];
        stream.read_exact(&mut buffer).await.unwrap();
        assert!(String::from_utf8_lossy(&buffer).contains(part), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_drip_takes_its_time() {
    let sim = with("{ drip: { every: 1s } }").await;
    let clock = sim.test_clock();
    let began = clock.instant();
    let (bytes, end) = raw(&sim, &request("GET", "/v1/models", &[], "")).await;
    assert!(end.is_ok());
    assert_eq!((clock.instant() - began).as_secs(), bytes.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn a_bomb_is_small_and_well_formed() {
    let sim = with("{ bomb: { size: 2064000 } }").await;
    let answer = post(&sim, "/v1/chat/completions", &chat("m")).await;
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let sent = sim.counts().bytes_sent;
    assert!(sent > 13_000 && sent < 16_000, "{sent}");
}

#[tokio::test(start_paused = true)]
async fn redirects_can_point_to_other_doors() {
    let sim = start(
        "
listeners: [{ name: front }, { name: other, faults: [] }]
faults: [{ then: { redirect: { to: '{listener.other}/v1/chat/completions' } } }]",
    )
    .await;
    let answer = post(&sim, "/v1/chat/completions", &chat("m")).await;
    let other = &sim.listener("other").unwrap().base_url;
    assert_eq!(
        (answer.status, answer.header("location")),
        (307, Some(format!("{other}/v1/chat/completions").as_str()))
    );
}

#[tokio::test(start_paused = true)]
async fn pages_that_are_not_the_api() {
    for (which, status, header, value) in [
        ("nginx", 502, "server", "nginx/1.27.3"),
        ("cloudflare-challenge", 403, "cf-mitigated", "challenge"),
        ("login-page", 200, "content-type", "text/html; charset=utf-8"),
    ] {
        let answer = get(&with(&format!("{{ html: {{ which: {which} }} }}")).await, "/v1/models").await;
        assert_eq!((answer.status, answer.header(header)), (status, Some(value)));
        assert!(answer.body.contains("<html"));
    }
    let answer = get(&with("{ html: { status: 404 } }").await, "/v1/models").await;
    assert_eq!(answer.status, 404);
}

#[tokio::test(start_paused = true)]
async fn streams_that_end_badly() {
    let path = "/v1/chat/completions";
    let no_done = post(&with("no_done").await, path, &chat("m")).await;
    assert!(no_done.body.contains("\"finish_reason\":\"stop\"") && !no_done.body.contains("[DONE]"));
    let hollow = post(&with("finish_without_content").await, path, &chat("m")).await;
    assert!(hollow.body.contains("[DONE]") && !hollow.body.contains("The"));
    let empty = post(&with("empty_stream").await, path, &chat("m")).await;
    assert_eq!((empty.status, empty.body.as_str()), (200, ""));
    let error = post(&with("{ error_in_stream: { after_tokens: 2 } }").await, path, &chat("m")).await;
    assert!(error.body.contains("pilot") && !error.body.contains("light"), "{}", error.body);
    assert!(error.body.contains("server_is_overloaded") && !error.body.contains("[DONE]"));
    let own = "{ error_in_stream: { body: '{\"error\":{\"code\":502}}' } }";
    let whole_error = post(&with(own).await, path, &whole("m")).await;
    assert_eq!((whole_error.status, whole_error.body.as_str()), (200, "{\"error\":{\"code\":502}}"));
    let scripted = with("{ stream: [{ raw: \": hi\\n\\n\" }, { raw: 'data: x', delay: 2s }] }").await;
    assert_eq!(post(&scripted, path, &chat("m")).await.body, ": hi\n\ndata: x");
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_not_what_they_claim() {
    let half = get(&with("half_json").await, "/v1/models").await;
    assert!(serde_json::from_str::<serde_json::Value>(&half.body).is_err());
    let (bytes, _) = raw(&with("garbage").await, &stream_request()).await;
    assert!(!bytes.starts_with(b"HTTP/"));
    let control = get(&with("control_characters").await, "/v1/models").await;
    let message = control.json()["error"]["message"].as_str().unwrap().to_owned();
    for character in ['\u{1b}', '\u{7}', '\n', '\r', '\u{202e}', '\u{9b}', '\u{0}'] {
        assert!(message.contains(character), "{character:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn named_errors_speak_the_flavour() {
    for (then, status, part) in [
        ("overloaded", 503, "server_is_overloaded"),
        ("upstream_error", 500, "The server had an error"),
        ("rate_limited", 429, "rate_limit_exceeded"),
        ("{ error: bad-key }", 401, "invalid_api_key"),
        ("{ error: window-spent }", 429, "quota_exceeded"),
        ("{ error: model-missing }", 404, "`m`"),
        ("{ error: hf-loading }", 503, "\"estimated_time\":20.0"),
    ] {
        let answer = post(&with(then).await, "/v1/chat/completions", &chat("m")).await;
        assert_eq!(answer.status, status, "{then}");
        assert!(answer.body.contains(part), "{then}: {}", answer.body);
    }
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_added_to_the_usual_answer() {
    let sim = with("{ delay: { by: 7s } }").await;
    let clock = sim.test_clock();
    let began = clock.instant();
    assert_eq!(get(&sim, "/v1/models").await.status, 200);
    assert_eq!((clock.instant() - began).as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn doors_have_their_own_faults_and_manners() {
    let sim = start(
        "
flavour: openai
listeners:
  - { name: front }
  - { name: broken, faults: [{ then: overloaded }] }
  - { name: reset, on_connect: reset }
  - { name: other, flavour: anthropic }
faults: [{ on: { path: /v1/models }, then: upstream_error }]",
    )
    .await;
    let status = async |name: &str, path: &str| {
        let mut stream = TcpStream::connect(sim.listener(name).unwrap().address).await.unwrap();
        let _ = stream.write_all(&request("GET", path, &[], "")).await;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map(|_| answer)
    };
    assert!(status("front", "/v1/models").await.unwrap().contains(" 500 "));
    assert!(status("broken", "/v1/models").await.unwrap().contains(" 503 "));
    assert!(status("reset", "/v1/models").await.is_err());
    assert!(status("other", "/none").await.unwrap().contains("not_found_error"));
    let counts = sim.counts();
    assert_eq!((counts.faults[0].struck, counts.listener_faults["broken"][0].struck), (1, 1));
    assert_eq!(counts.by_listener["front"], 1);
}
