//! Connections, TLS, and the counters that tests rely on.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::super::{Options, Scenario, SimError, Simulator};
use super::client::*;

const DOORS: &str = "
listeners:
  - { name: plain }
  - { name: good, tls: good }
  - { name: expired, tls: expired }
  - { name: early, tls: not-yet-valid }
  - { name: soon, tls: { expiring: { days: 3 } } }
  - { name: name, tls: wrong-name }
  - { name: stranger, tls: untrusted }
  - { name: hang, tls: hang }
  - { name: garbage, tls: garbage }
  - { name: old, tls: old-protocol }
models: [{ id: m }]
";

/// A request over TLS that trusts the simulator's authority; the answer, or why there was none.
async fn over_tls(sim: &Simulator, door: &str) -> Result<String, String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(sim.ca_pem().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let door = sim.listener(door).unwrap();
    assert!(door.base_url.starts_with("https://127.0.0.1:"));
    let stream = TcpStream::connect(door.address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut stream =
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| error.to_string())?;
    stream.write_all(&request("POST", "/v1/chat/completions", &[], &chat("m"))).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.map_err(|error| error.to_string())?;
    Ok(answer)
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_tls() {
    let sim = start(DOORS).await;
    for door in ["good", "soon"] {
        assert!(over_tls(&sim, door).await.unwrap().contains("[DONE]"), "{door}");
    }
    for (door, part) in [
        ("expired", "expired"),
        ("early", "not valid yet"),
        ("name", "not valid for name"),
        ("stranger", "UnknownIssuer"),
        ("garbage", "corrupt"),
        ("old", "ProtocolVersion"),
        ("hang", "eof"),
    ] {
        let error = over_tls(&sim, door).await.unwrap_err();
        assert!(error.to_lowercase().contains(&part.to_lowercase()), "{door}: {error}");
    }
    assert_eq!(sim.counts().generations, 2);
    assert_eq!(sim.counts().connections, 9);
}

#[tokio::test(start_paused = true)]
async fn a_silent_handshake_holds_up_nobody() {
    let sim = start("listeners: [{ name: tls, tls: good }]").await;
    let _silent = TcpStream::connect(sim.address()).await.unwrap();
    assert!(over_tls(&sim, "tls").await.is_ok());
}

#[tokio::test]
async fn only_loopback_and_only_forwards() {
    let start = async |listen: &str, speed: f64| {
        let listen: SocketAddr = listen.parse().unwrap();
        Simulator::start(Scenario::default(), Options { listen, speed, ..Options::default() }).await
    };
    assert!(matches!(start("0.0.0.0:0", 1.0).await, Err(SimError::NotLoopback(_))));
    assert!(matches!(start("[::]:0", 1.0).await, Err(SimError::NotLoopback(_))));
    assert!(matches!(start("192.0.2.1:0", 1.0).await, Err(SimError::NotLoopback(_))));
    assert!(matches!(start("127.0.0.1:0", 0.0).await, Err(SimError::Speed(_))));
    assert!(matches!(start("127.0.0.1:0", f64::NAN).await, Err(SimError::Speed(_))));
    let first = start("127.0.0.1:0", 1.0).await.unwrap();
    let taken = first.address().to_string();
    assert!(matches!(start(&taken, 1.0).await, Err(SimError::Bind { .. })));
    first.stop().await;
    assert!(TcpStream::connect(taken).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_connection_serves_many_requests() {
    let sim = start("models: [{ id: m, tokens: 1 }]").await;
    let mut stream = TcpStream::connect(sim.address()).await.unwrap();
    let keep = String::from_utf8(request("POST", "/v1/chat/completions", &[], &whole("m"))).unwrap();
    let keep = keep.replace("connection: close\r\n", "");
    // Two at once: the second waits in the buffer.
    stream.write_all(format!("{keep}{keep}").as_bytes()).await.unwrap();
    stream.write_all(&request("GET", "/v1/models", &[], "")).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 3);
    assert_eq!((sim.counts().connections, sim.counts().requests), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn requests_in_odd_framings() {
    let sim = start("models: [{ id: m, tokens: 1 }]").await;
    let body = whole("m");
    let chunked = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: s\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    assert!(raw(&sim, chunked.as_bytes()).await.0.starts_with(b"HTTP/1.1 200"));
    let old = b"GET /v1/models HTTP/1.0\r\n\r\n";
    assert!(raw(&sim, old).await.0.starts_with(b"HTTP/1.1 200"));
    let old_stream =
        format!("POST /v1/chat/completions HTTP/1.0\r\ncontent-length: {}\r\n\r\n{}", chat("m").len(), chat("m"));
    let text = String::from_utf8(raw(&sim, old_stream.as_bytes()).await.0).unwrap();
    assert!(text.contains("[DONE]") && !text.contains("chunked"));
    let head = raw(&sim, &request("HEAD", "/v1/models", &[], "")).await.0;
    assert!(head.ends_with(b"\r\n\r\n"));
    let expects = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    assert!(raw(&sim, expects.as_bytes()).await.0.starts_with(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"));
    for (bytes, status) in [
        (&b"\x16\x03\x01\x00\x05hello"[..], "400"),
        (b"POST / HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n", "413"),
        (format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(100)).as_bytes(), "431"),
    ] {
        let answer = String::from_utf8(raw(&sim, bytes).await.0).unwrap();
        assert!(answer.contains(status), "{answer}");
    }
    assert_eq!(sim.counts().malformed, 3);
}

#[tokio::test(start_paused = true)]
async fn counts_are_exact_and_name_no_key() {
    let sim = start(
        "
accounts: [{ key: syn_good_key, name: mine }]
models: [{ id: m, tokens: 2 }]
listeners: [{ name: front }]",
    )
    .await;
    send(&sim, "POST", "/v1/chat/completions", &["authorization: Bearer syn_good_key"], &chat("m")).await;
    send(&sim, "POST", "/v1/chat/completions", &["x-api-key: wrong"], &chat("m")).await;
    send(&sim, "GET", "/v1/models", &[], "").await;
    send(&sim, "GET", "/v1/models?key=syn_good_key", &[], "").await;
    let body = chat("m").replace("ping", "syn_good_key");
    send(&sim, "POST", "/v1/chat/completions", &["api-key: syn_good_key"], &body).await;
    let counts = sim.counts();
    assert_eq!(counts.requests, 5);
    assert_eq!(counts.connections, 5);
    assert_eq!(counts.by_path["POST /v1/chat/completions"], 3);
    let credentials: Vec<_> = counts.by_credential.iter().map(|(place, count)| (place.as_str(), *count)).collect();
    assert_eq!(credentials, [("api-key", 1), ("authorization", 1), ("none", 1), ("query:key", 1), ("x-api-key", 1)]);
    assert_eq!(counts.misplaced_keys, 2);
    assert_eq!((counts.by_status[&200], counts.by_status[&401], counts.refused_auth), (4, 1, 1));
    assert_eq!((counts.generations, counts.completed, counts.models["m"].tokens), (2, 2, 4));
    let requests = sim.requests();
    assert_eq!(
        (requests[0].account.as_deref(), requests[0].credential.as_deref()),
        (Some("mine"), Some("authorization"))
    );
    assert_eq!((requests[1].account.as_deref(), requests[1].status), (None, Some(401)));
    let shown = send(&sim, "GET", "/_sim/counts", &[], "").await.json();
    assert_eq!(
        shown,
        serde_json::to_value(&counts)
            .map(|mut json| {
                // Bytes of administrators' answers do cross the wire.
                json["bytes_sent"] = shown["bytes_sent"].clone();
                json["bytes_received"] = shown["bytes_received"].clone();
                json["open_connections"] = shown["open_connections"].clone();
                json
            })
            .unwrap()
    );
    for path in ["/_sim/counts", "/_sim/requests", "/_sim/state", "/_sim/listeners"] {
        let text = send(&sim, "GET", path, &[], "").await.body;
        assert!(!text.contains("syn_good_key"), "{path}: {text}");
    }
    send(&sim, "POST", "/_sim/reset", &[], "").await;
    assert_eq!((sim.counts().requests, sim.requests().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn administration() {
    let sim =
        start("{ models: [{ id: m, load: 3s, loaded: true, idle_timeout: 60s }], accounts: [{ key: k, quota: {} }] }")
            .await;
    let state = send(&sim, "GET", "/_sim/state", &[], "").await.json();
    assert_eq!((&state["models"][0]["state"], &state["models"][0]["idle_left_ms"]), (&"loaded".into(), &60_000.into()));
    assert_eq!(state["accounts"][0]["quota"]["five_hour_remaining"], 500.0);
    let unloaded = send(&sim, "POST", "/_sim/unload", &[], r#"{"model":"m"}"#).await.json();
    assert_eq!(unloaded["state"], "unloaded");
    assert_eq!(send(&sim, "POST", "/_sim/use", &[], r#"{"model":"x"}"#).await.status, 404);
    assert_eq!(send(&sim, "GET", "/_sim/", &[], "").await.status, 404);
    send(&sim, "POST", "/_sim/reset", &[], "").await;
    assert_eq!(send(&sim, "GET", "/_sim/state", &[], "").await.json()["models"][0]["state"], "loaded");
}

#[tokio::test]
async fn hundreds_of_connections_at_once() {
    // A thousand work as well, but client and server share this process, whose usual limit is 1024 open files.
    const CLIENTS: usize = 400;
    let sim = start("models: [{ id: m, concurrency: 400, first_token: 1ms, between_tokens: 0, tokens: 2 }]").await;
    let mut clients = tokio::task::JoinSet::new();
    let address = sim.address();
    for _ in 0..CLIENTS {
        clients.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(&request("POST", "/v1/chat/completions", &[], &chat("m"))).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer.contains("[DONE]")
        });
    }
    assert!(clients.join_all().await.into_iter().all(|done| done));
    assert_eq!((sim.counts().generations, sim.counts().completed), (400, 400));
}

#[tokio::test]
async fn serving_runs_until_told() {
    let mut address = None;
    let ready = |sim: &Simulator| address = Some(sim.address());
    let counts = super::super::serve(Scenario::default(), Options::default(), ready, async {}).await;
    assert_eq!(counts.unwrap().requests, 0);
    assert!(address.is_some_and(|address| address.ip().is_loopback()));
}

#[test]
fn scenarios_are_read_strictly() {
    let error = |yaml: &str| Scenario::from_yaml(yaml).unwrap_err().to_string();
    assert_eq!(Scenario::demo().unwrap().model_ids().len(), 5);
    let text = error("name: x\nmodels:\n  - id: m\n    lod: 3s\n");
    assert!(text.contains("lod") && text.contains('4'), "{text}");
    assert!(error("models: [{ id: m, load: soon }]").contains("soon"));
    assert!(error("models: [{ id: m }, { id: m }]").contains("listed twice"));
    assert!(error("models: [{ id: m, concurrency: 0 }]").contains("`concurrency`"));
    assert!(error("accounts: [{ key: a }, { key: a }]").contains("key of its own"));
    assert!(error("quota: { used: { five_hour: 2 } }").contains("between 0 and 1"));
    assert!(error("faults: [{ then: { redirect: { to: x, status: 99 } } }]").contains("99"));
    assert!(error("faults: [{ on: { nth: 0 }, then: hang }]").contains("counts from 1"));
    assert!(error("flavour: opanai").contains("opanai"));
    let told = Scenario::from_yaml("name: x\nmodls: []\n").unwrap_err().of_file("s.yaml");
    assert_eq!(
        told,
        "read the scenario s.yaml:2:1: unknown field `modls`; did you mean `models`? Known: name, flavour, seed, latency, \
         server, models, max_loaded, accounts and 7 more (docs/simulator.md)"
    );
    let told = Scenario::from_yaml("models: [{ id: m").unwrap_err().of_file("s.yaml");
    assert!(told.starts_with("read the scenario s.yaml:") && !told.contains('\n'), "{told}");
    let rule = Scenario::from_yaml("max_loaded: 0").unwrap_err().of_file("s.yaml");
    assert_eq!(rule, "use the scenario s.yaml: `max_loaded` must be at least 1");
    assert!(error("listeners: [{ name: a, tls: god }]").contains("god"));
}
