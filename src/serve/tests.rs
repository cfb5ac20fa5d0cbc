//! Real requests over loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::listen::CONNECTIONS;
use super::routes::LONG_ANSWERS;
use super::*;
use crate::telemetry::Exposition;

#[cfg(unix)]
mod sockets;

/// A daemon that says what the test wants.
#[derive(Default)]
struct Daemon {
    stalled: bool,
    starting: bool,
    /// Metrics of so many bytes, or the words of the format.
    long: usize,
    panics: bool,
    /// How often it made metrics.
    made: Arc<AtomicUsize>,
}

impl Source for Daemon {
    fn metrics(&self, format: Exposition) -> String {
        self.made.fetch_add(1, Ordering::Relaxed);
        assert!(!self.panics, "a test of a panic");
        if self.long > 0 { "x".repeat(self.long) } else { format!("{format:?}\n") }
    }

    fn health(&self) -> Health {
        if self.stalled { Health::Failing("the scheduler's last pulse is 31 s old".to_owned()) } else { Health::Ok }
    }

    fn ready(&self) -> Health {
        if self.starting { Health::Failing("starting".to_owned()) } else { Health::Ok }
    }

    fn status(&self) -> serde_json::Value {
        json!({"targets": [{"target": "glm", "status": "up"}]})
    }
}

struct Running {
    address: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }
}

async fn start_at(address: &str, token: Option<&str>, daemon: Daemon) -> Running {
    let token = token.map(|token| SecretString::from(token.to_owned()));
    let server = Server::bind(&address.parse().unwrap(), token, Arc::new(daemon)).await.unwrap();
    let address = server.address();
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));
    Running { address, stop, task }
}

async fn start(daemon: Daemon) -> Running {
    start_at("127.0.0.1:0", None, daemon).await
}

/// Sends a text and reads until the other side closes.
async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, text: &str) -> String {
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset after the answer is the end of it too.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

async fn raw(running: &Running, text: &str) -> String {
    exchange(TcpStream::connect(&*running.address).await.unwrap(), text).await
}

async fn get(running: &Running, path: &str, headers: &str) -> String {
    raw(running, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")).await
}

fn status(answer: &str) -> &str {
    answer
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| answer.strip_prefix("HTTP/1.0 "))
        .unwrap_or(answer)
        .get(..3)
        .unwrap_or("")
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

fn head(answer: &str) -> String {
    answer.split_once("\r\n\r\n").unwrap().0.to_ascii_lowercase()
}

#[tokio::test]
async fn pages() {
    let running = start(Daemon::default()).await;
    for (path, code, text, kind) in [
        ("/healthz", "200", "ok\n", "text/plain; charset=utf-8"),
        ("/readyz", "200", "ok\n", "text/plain; charset=utf-8"),
        ("/metrics", "200", "Text\n", "text/plain; version=0.0.4; charset=utf-8"),
        ("/metrics?x=1", "200", "Text\n", "text/plain; version=0.0.4; charset=utf-8"),
        ("/status", "200", "{\"targets\":[{\"status\":\"up\",\"target\":\"glm\"}]}\n", "application/json"),
        ("/nothing", "404", "there is no such page; / lists them\n", "text/plain; charset=utf-8"),
        ("/metrics/", "404", "there is no such page; / lists them\n", "text/plain; charset=utf-8"),
    ] {
        let answer = get(&running, path, "").await;
        let head = head(&answer);
        assert_eq!((status(&answer), body(&answer)), (code, text), "{path}");
        assert!(head.contains(&format!("content-type: {kind}")), "{path}: {head}");
        assert!(head.contains("x-content-type-options: nosniff") && head.contains("cache-control: no-store"), "{head}");
        assert!(head.contains("connection: close"), "{head}");
        assert!(head.contains(&format!("content-length: {}", text.len())), "{head}");
    }
    let index = get(&running, "/", "").await;
    assert!(["/metrics", "/status", "/healthz", "/readyz"].iter().all(|page| body(&index).contains(page)), "{index}");
    running.stop().await;
}

#[tokio::test]
async fn a_collector_gets_openmetrics_when_it_asks() {
    let running = start(Daemon::default()).await;
    let answer =
        get(&running, "/metrics", "Accept: application/openmetrics-text;q=0.5\r\nAccept: text/plain;q=0.2\r\n").await;
    assert_eq!(body(&answer), "OpenMetrics\n");
    assert!(head(&answer).contains("application/openmetrics-text; version=1.0.0; charset=utf-8"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn a_daemon_that_is_not_well_says_why() {
    let running = start(Daemon { stalled: true, starting: true, ..Daemon::default() }).await;
    let answer = get(&running, "/healthz", "").await;
    assert_eq!((status(&answer), body(&answer)), ("503", "the scheduler's last pulse is 31 s old\n"));
    let answer = get(&running, "/readyz", "").await;
    assert_eq!((status(&answer), body(&answer)), ("503", "starting\n"));
    running.stop().await;
}

#[tokio::test]
async fn head_is_the_head_and_nothing_else_is_allowed() {
    let running = start(Daemon::default()).await;
    for path in ["/", "/healthz", "/metrics", "/status"] {
        let answer = raw(&running, &format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        assert_eq!((status(&answer), body(&answer)), ("200", ""), "{path}");
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let body = "Content-Length: 1000000\r\n\r\nabc";
            let answer = raw(&running, &format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{body}")).await;
            assert_eq!(status(&answer), "405", "{method} {path}");
            assert!(head(&answer).contains("allow: get,head"), "{answer}");
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn a_page_of_another_site_cannot_have_a_browser_read_us() {
    let running = start(Daemon::default()).await;
    for path in ["/", "/metrics", "/healthz", "/nothing"] {
        let answer = raw(&running, &format!("GET {path} HTTP/1.1\r\nHost: evil.example:9477\r\n\r\n")).await;
        assert_eq!(status(&answer), "403", "{path}");
        assert!(body(&answer).contains("without a token"), "{answer}");
    }
    let own = format!("GET /metrics HTTP/1.1\r\nHost: {}\r\n\r\n", running.address);
    assert_eq!(status(&raw(&running, &own).await), "200");
    assert_eq!(status(&raw(&running, "GET /healthz HTTP/1.0\r\n\r\n").await), "200", "as load balancers ask");
    assert_eq!(status(&raw(&running, "GET /healthz HTTP/1.1\r\n\r\n").await), "403");
    running.stop().await;
}

#[tokio::test]
async fn with_a_token_only_its_bearer_sees_the_targets() {
    let running = start_at("127.0.0.1:0", Some("  s3cret-token\n"), Daemon::default()).await;
    for path in ["/metrics", "/status"] {
        for headers in ["", "Authorization: Bearer wrong\r\n", "Authorization: Basic s3cret-token\r\n"] {
            let answer = get(&running, path, headers).await;
            assert_eq!(status(&answer), "401", "{path} {headers}");
            assert!(head(&answer).contains("www-authenticate: bearer realm=\"pilotlight\""), "{answer}");
            assert!(!answer.contains("s3cret"), "{answer}");
        }
        assert_eq!(status(&get(&running, path, "Authorization: Bearer s3cret-token\r\n").await), "200", "{path}");
    }
    // From a probe of Kubernetes, which has no token and asks by the pod's address.
    for path in ["/healthz", "/readyz", "/"] {
        assert_eq!(status(&raw(&running, &format!("GET {path} HTTP/1.1\r\nHost: 10.1.2.3\r\n\r\n")).await), "200");
    }
    running.stop().await;
}

#[tokio::test]
async fn what_others_can_reach_needs_a_token() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let error = Server::bind(&address.parse().unwrap(), None, Arc::new(Daemon::default())).await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, ServeError::Exposed(_)), "{text}");
        assert!(text.contains("--token-file") && text.contains("127.0.0.1"), "{text}");
    }
    let running = start_at("0.0.0.0:0", Some("s3cret-token"), Daemon::default()).await;
    running.stop().await;
    for token in ["", " \n", "two words", "schlüssel", "a\nb"] {
        let token = Some(SecretString::from(token.to_owned()));
        let refused = Server::bind(&":0".parse().unwrap(), token, Arc::new(Daemon::default())).await.unwrap_err();
        assert!(matches!(refused, ServeError::Token), "{refused}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_named_with_the_cure() {
    let running = start(Daemon::default()).await;
    let again = Server::bind(&running.address.parse().unwrap(), None, Arc::new(Daemon::default())).await;
    let text = again.unwrap_err().to_string();
    assert!(text.contains(&running.address) && text.contains("`--listen`"), "{text}");
    running.stop().await;
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let running = start(Daemon::default()).await;
    let many: String = (0..100).map(|number| format!("X-{number}: 1\r\n")).collect();
    assert_eq!(status(&get(&running, "/healthz", &many).await), "431");
    let large = format!("X: {}\r\n", "x".repeat(64 * 1024));
    assert_eq!(status(&get(&running, "/healthz", &large).await), "431");
    assert_eq!(status(&raw(&running, "\u{16}\u{3}\u{1} hello\r\n\r\n").await), "400");
    assert_eq!(status(&get(&running, "/healthz", "").await), "200", "it goes on");
    running.stop().await;
}

#[tokio::test]
async fn a_panic_of_the_daemon_is_an_answer() {
    let running = start(Daemon { panics: true, ..Daemon::default() }).await;
    assert_eq!(status(&get(&running, "/metrics", "").await), "500");
    assert_eq!(status(&get(&running, "/healthz", "").await), "200");
    running.stop().await;
}

/// Time is paused, so that five seconds pass as soon as nobody has anything to do.
#[tokio::test(start_paused = true)]
async fn who_asks_slowly_is_cut_off() {
    let running = start(Daemon::default()).await;
    for text in ["", "GET /heal", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "] {
        let answer = tokio::time::timeout(Duration::from_secs(10), raw(&running, text)).await;
        let answer = answer.unwrap_or_else(|_| panic!("still open after {text:?}"));
        assert!(["", "408"].contains(&status(&answer)), "{answer}");
    }
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_reads_slowly_does_not_keep_others_from_their_answer() {
    let daemon = Daemon { long: 20_000_000, ..Daemon::default() };
    let made = Arc::clone(&daemon.made);
    let running = start(daemon).await;
    let mut slow = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(&*running.address).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        slow.push(stream);
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(made.load(Ordering::Relaxed), LONG_ANSWERS, "no more are in memory than may be");
    let waited = tokio::time::timeout(Duration::from_secs(120), async {
        let mut answer = get(&running, "/metrics", "").await;
        // It may itself be given up while it waits for a turn; a collector comes again.
        while status(&answer) != "200" {
            answer = get(&running, "/metrics", "").await;
        }
        answer
    });
    assert_eq!(body(&waited.await.unwrap()).len(), 20_000_000);
    running.stop().await;
}

#[tokio::test]
async fn a_client_that_asks_and_says_that_it_is_done_gets_its_answer() {
    let running = start(Daemon::default()).await;
    let mut stream = TcpStream::connect(&*running.address).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(body(&exchange(stream, "").await), "Text\n");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn idle_connections_do_not_keep_others_out_for_long() {
    let running = start(Daemon::default()).await;
    let address: SocketAddr = running.address.parse().unwrap();
    let mut idle = Vec::new();
    for _ in 0..CONNECTIONS {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    let mut late = Box::pin(get(&running, "/healthz", ""));
    assert!(tokio::time::timeout(Duration::from_secs(4), &mut late).await.is_err(), "all places are taken");
    let answer = tokio::time::timeout(Duration::from_secs(4), late).await;
    assert_eq!(status(&answer.expect("who does not ask has to go")), "200");
    running.stop().await;
}

#[tokio::test]
async fn long_answers_are_made_one_after_the_other_and_arrive_whole() {
    let running = start(Daemon { long: 5_000_000, ..Daemon::default() }).await;
    let address = running.address.clone();
    let asking = (0..8).map(|_| {
        let address = address.clone();
        tokio::spawn(async move {
            let stream = TcpStream::connect(address).await.unwrap();
            exchange(stream, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await
        })
    });
    for answer in asking.collect::<Vec<_>>() {
        assert_eq!(body(&answer.await.unwrap()).len(), 5_000_000);
    }
    running.stop().await;
}

#[tokio::test]
async fn at_the_end_who_has_asked_gets_an_answer_and_idle_ones_are_closed() {
    let running = start(Daemon { long: 5_000_000, ..Daemon::default() }).await;
    let _idle = TcpStream::connect(&*running.address).await.unwrap();
    let mut asking = TcpStream::connect(&*running.address).await.unwrap();
    asking.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut first = [0];
    asking.read_exact(&mut first).await.unwrap();
    let address = running.address.clone();
    let stopping = tokio::spawn(running.stop());
    let mut rest = Vec::new();
    asking.read_to_end(&mut rest).await.unwrap();
    assert!(rest.len() > 5_000_000, "{}", rest.len());
    tokio::time::timeout(Duration::from_secs(4), stopping).await.expect("the idle one does not hold it").unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
