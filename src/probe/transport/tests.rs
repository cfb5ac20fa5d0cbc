//! The real transport against sockets on loopback: what reaches the wire, and on how many connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::probe::clock::Clock;
use crate::target::{BaseUrl, ForwardProxy, Proxy, ProxySource, parse_proxy};

struct TestClock;

#[expect(clippy::disallowed_methods, reason = "sockets run on real time")]
impl Clock for TestClock {
    fn now(&self) -> Instant {
        Instant::now()
    }
    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }
}

fn provider(url: &str) -> Provider {
    Provider { base_url: BaseUrl::parse(url).unwrap(), ..crate::outcome::sample::provider("p") }
}

fn get(path: &str) -> Request {
    Request { method: Method::Get, path: path.into(), headers: vec![("x-api-key".into(), "secret".into())], body: None }
}

/// A server that answers every request with `answer`, and counts connections and bytes.
async fn server(answer: &'static [u8]) -> (SocketAddr, Arc<AtomicU32>, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (connections, bytes) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let counts = (Arc::clone(&connections), Arc::clone(&bytes));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counts.0.fetch_add(1, Ordering::SeqCst);
            let bytes = Arc::clone(&counts.1);
            tokio::spawn(async move {
                let mut buffer = [0_u8; 4096];
                while let Ok(read) = stream.read(&mut buffer).await {
                    if read == 0 {
                        return;
                    }
                    bytes.fetch_add(u32::try_from(read).unwrap(), Ordering::SeqCst);
                    if stream.write_all(answer).await.is_err() {
                        return;
                    }
                    if answer.windows(5).any(|window| window == b"close") {
                        return;
                    }
                }
            });
        }
    });
    (address, connections, bytes)
}

async fn body(answer: &mut Answer) -> Result<Vec<u8>, BodyFault> {
    let mut whole = Vec::new();
    while let Some(piece) = answer.body.chunk().await? {
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}

const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

#[tokio::test]
async fn dialling_sends_nothing_and_three_requests_share_its_connection() {
    let (address, connections, bytes) = server(HELLO).await;
    let network = HttpNetwork::new(Arc::new(TestClock));
    let dialled = network.dial(&provider(&format!("http://{address}/v1")), Duration::from_secs(5)).await;
    let mut line = dialled.line.unwrap_or_else(|fault| panic!("{fault:?}"));
    assert!(dialled.marks.tcp.is_some() && dialled.marks.dns.is_none() && dialled.marks.tls.is_none());
    assert_eq!(bytes.load(Ordering::SeqCst), 0, "nothing is sent while dialling");
    for _ in 0..3 {
        let mut answer = line.send(get("models")).await.unwrap();
        assert_eq!(body(&mut answer).await.unwrap(), b"hello");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    assert!(!line.reopened());
}

#[tokio::test]
async fn a_connection_that_the_server_closes_is_made_again_and_said_so() {
    let (address, connections, _) =
        server(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello").await;
    let network = HttpNetwork::new(Arc::new(TestClock));
    let dialled = network.dial(&provider(&format!("http://{address}")), Duration::from_secs(5)).await;
    let mut line = dialled.line.unwrap_or_else(|fault| panic!("{fault:?}"));
    for _ in 0..2 {
        let mut answer = line.send(get("models")).await.unwrap();
        body(&mut answer).await.unwrap();
    }
    assert_eq!(connections.load(Ordering::SeqCst), 2);
    assert!(line.reopened());
}

#[tokio::test]
async fn faults_of_the_wire_are_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let network = HttpNetwork::new(Arc::new(TestClock));
    let dialled = network.dial(&provider(&format!("http://{closed}")), Duration::from_secs(5)).await;
    assert!(matches!(dialled.line.err(), Some(DialFault::Refused(_))));

    let dialled = network.dial(&provider("http://no-such-host.localhost:1"), Duration::from_secs(5)).await;
    let fault = dialled.line.err();
    assert!(matches!(fault, Some(DialFault::NameNotFound(_) | DialFault::NameFailed(_))), "{fault:?}");

    for (answer, lost) in [(&b"not http at all\r\n\r\n"[..], false), (&b"HTTP/1.1 200 OK\r\nclose"[..], true)] {
        let (address, ..) = server(answer).await;
        let dialled = network.dial(&provider(&format!("http://{address}")), Duration::from_secs(5)).await;
        let mut line = dialled.line.unwrap_or_else(|fault| panic!("{fault:?}"));
        let fault = line.send(get("models")).await.err().unwrap();
        assert_eq!(matches!(fault, ExchangeFault::Lost(_)), lost, "{fault:?}");
        assert_eq!(matches!(fault, ExchangeFault::NotHttp(_)), !lost, "{fault:?}");
    }

    let (address, ..) = server(HELLO).await;
    let dialled = network.dial(&provider(&format!("https://{address}")), Duration::from_secs(5)).await;
    let fault = dialled.line.err();
    assert!(matches!(fault, Some(DialFault::Tls(TlsFault::Failed(_)))), "{fault:?}");
}

#[tokio::test]
async fn a_handshake_that_is_closed_or_reset_is_no_matter_of_tls() {
    let network = HttpNetwork::new(Arc::new(TestClock));
    // What is not read before the end resets the connection.
    for reads in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.readable().await.unwrap();
            if reads {
                assert!(stream.read(&mut vec![0; 8 * 1024]).await.unwrap() > 0);
            }
        });
        let dialled = network.dial(&provider(&format!("https://{address}")), Duration::from_secs(5)).await;
        let fault = dialled.line.err();
        assert!(matches!(fault, Some(DialFault::Tls(TlsFault::Lost(_)))), "{fault:?}");
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_has_a_limit_of_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let network = HttpNetwork::new(Arc::new(TestClock));
    let dialled = network.dial(&provider(&format!("https://{address}")), Duration::from_millis(50)).await;
    assert_eq!(dialled.line.err(), Some(DialFault::Tls(TlsFault::Timeout)));
    drop(listener);
}

#[tokio::test]
async fn a_host_that_answers_no_packet_is_a_timeout_of_the_connection() {
    // A listener with a full backlog drops further SYNs, which is what a firewall does.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    for _ in 0..4 {
        queued.push(tokio::time::timeout(Duration::from_millis(20), tokio::net::TcpStream::connect(address)).await);
    }
    let network = HttpNetwork::new(Arc::new(TestClock));
    let dialled = network.dial(&provider(&format!("http://{address}")), Duration::from_millis(100)).await;
    assert_eq!(dialled.line.err(), Some(DialFault::ConnectTimeout { resolving: false }));
}

/// A provider that is reached through the proxy at an address.
fn behind(proxy: SocketAddr, url: &str) -> Provider {
    let (address, login) = parse_proxy(&format!("http://me:hunter2@{proxy}")).unwrap();
    let source = ProxySource::ProbesFile;
    let mut provider = provider(url);
    provider.network.proxy = Proxy::Through(Box::new(ForwardProxy { address, login, source }));
    provider
}

/// A proxy that answers the first bytes of a connection with these, and keeps what they were. Then it is silent.
async fn tunnel(answer: &'static [u8]) -> (SocketAddr, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (heard, hears) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0_u8; 4096];
            let read = stream.read(&mut buffer).await.unwrap();
            heard.send(String::from_utf8_lossy(&buffer[..read]).into_owned()).unwrap();
            stream.write_all(answer).await.unwrap();
            held.push(stream);
        }
    });
    (address, hears)
}

#[tokio::test]
async fn a_line_through_a_proxy_is_used_again_and_made_again_like_any_other() {
    for (answer, reopened) in
        [(HELLO, false), (&b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello"[..], true)]
    {
        let (address, connections, bytes) = server(answer).await;
        let network = HttpNetwork::new(Arc::new(TestClock));
        let dialled = network.dial(&behind(address, "http://llm.example.test/v1"), Duration::from_secs(5)).await;
        let mut line = dialled.line.unwrap_or_else(|fault| panic!("{fault:?}"));
        assert!(dialled.marks.tcp.is_some() && dialled.marks.dns.is_none() && dialled.marks.tls.is_none());
        assert_eq!(bytes.load(Ordering::SeqCst), 0, "nothing is sent while dialling");
        for _ in 0..2 {
            let mut answer = line.send(get("models")).await.unwrap();
            assert_eq!(body(&mut answer).await.unwrap(), b"hello");
        }
        assert_eq!((connections.load(Ordering::SeqCst), line.reopened()), (if reopened { 2 } else { 1 }, reopened));
    }
}

#[tokio::test]
async fn faults_of_a_proxy_are_told_apart_from_those_behind_it() {
    let dial = async |proxy: SocketAddr| {
        let network = HttpNetwork::new(Arc::new(TestClock));
        network.dial(&behind(proxy, "https://llm.example.test/v1"), Duration::from_millis(300)).await
    };
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let fault = dial(closed).await.line.err();
    assert_eq!(fault, Some(DialFault::Proxy(ProxyFault::Unreachable("refused by 127.0.0.1".to_owned()))));

    for (answer, said) in [
        (&b"HTTP/1.1 200 OK\r\n"[..], "no answer to CONNECT in time"),
        (b"HTTP/1.1 200 OK\r\n\r\nand more", "it sent more than an answer to CONNECT"),
        (b"HTTP/1.1 504 Gateway Timeout\r\n\r\n", "it answered 504 Gateway Timeout"),
        (b"220 smtp.example.test\r\n", "its answer to CONNECT is not HTTP"),
    ] {
        let (address, mut hears) = tunnel(answer).await;
        let dialled = dial(address).await;
        assert_eq!(dialled.line.err(), Some(DialFault::Proxy(ProxyFault::Failed(said.to_owned()))));
        assert!(dialled.marks.tcp.is_some() && dialled.marks.tunnel.is_none());
        let heard = hears.recv().await.unwrap();
        assert!(
            heard.starts_with("CONNECT llm.example.test:443 HTTP/1.1\r\nHost: llm.example.test:443\r\n"),
            "{heard}"
        );
        assert!(heard.contains("Proxy-Authorization: Basic bWU6aHVudGVyMg=="), "{heard}");
    }

    // The tunnel stands, and nobody shakes hands at its end.
    let (address, _hears) = tunnel(b"HTTP/1.1 200 OK\r\n\r\n").await;
    let dialled = dial(address).await;
    assert_eq!(dialled.line.err(), Some(DialFault::Tls(TlsFault::Timeout)));
    assert!(dialled.marks.tunnel.is_some() && dialled.marks.tls.is_none());
}
