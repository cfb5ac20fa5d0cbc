//! A client that shares nothing with the prober: bytes over a socket, read as they come.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::{Options, Scenario, Simulator};

/// Starts a scenario at speed 1.
pub(super) async fn start(yaml: &str) -> Simulator {
    let scenario = Scenario::from_yaml(yaml).unwrap_or_else(|error| panic!("{error}"));
    Simulator::start(scenario, Options::default()).await.unwrap()
}

/// An answer, read to the connection's end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
        let chunked = head.contains("transfer-encoding: chunked");
        let body = if chunked { dechunk(body) } else { body.to_owned() };
        Self { status, head: head.to_owned(), body }
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(held, _)| held.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The JSON of every `data:` line.
    pub(super) fn events(&self) -> Vec<Value> {
        let data = self.body.lines().filter_map(|line| line.strip_prefix("data: "));
        data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).unwrap()).collect()
    }
}

fn dechunk(body: &str) -> String {
    let mut rest = body;
    let mut whole = String::new();
    while let Some((size, tail)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        whole.push_str(tail.get(..size).unwrap_or(tail));
        rest = tail.get(size + 2..).unwrap_or("");
    }
    whole
}

/// The bytes of a request that asks for the connection to be closed.
pub(super) fn request(method: &str, path: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n");
    for header in headers {
        text.push_str(&format!("{header}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

/// Sends bytes and reads until the peer closes; how it closed is in the result.
pub(super) async fn raw(sim: &Simulator, bytes: &[u8]) -> (Vec<u8>, std::io::Result<()>) {
    let mut stream = TcpStream::connect(sim.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let end = stream.read_to_end(&mut answer).await.map(|_| ());
    (answer, end)
}

pub(super) async fn send(sim: &Simulator, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
    let (bytes, end) = raw(sim, &request(method, path, headers, body)).await;
    end.unwrap();
    Answer::parse(&bytes)
}

pub(super) async fn get(sim: &Simulator, path: &str) -> Answer {
    send(sim, "GET", path, &["authorization: Bearer good"], "").await
}

pub(super) async fn post(sim: &Simulator, path: &str, body: &str) -> Answer {
    send(sim, "POST", path, &["authorization: Bearer good", "anthropic-version: 2023-06-01"], body).await
}

/// A chat request to a model, streamed, with a cap of 16.
pub(super) fn chat(model: &str) -> String {
    format!(
        "{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"ping\"}}],\"max_tokens\":16,\"stream\":true}}"
    )
}

/// The same, not streamed.
pub(super) fn whole(model: &str) -> String {
    chat(model).replace("true", "false")
}

pub(super) fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}
