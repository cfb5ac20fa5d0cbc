//! A forward proxy as companies have them: `CONNECT`, whole requests for plain http, a password, refusals.
//!
//! It leads to this machine only: a name stands for 127.0.0.1 at the port that is asked for, and an address has to be a
//! loopback one. What it was asked is kept, so that a test can see that no key is in it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

use super::provider::Provider;
use super::tls::is_loopback;
use super::wire::PATIENCE;

/// Longest head that is read, in bytes.
const MAX_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 128;
/// How many requests are kept.
const KEPT: usize = 10_000;

/// What a proxy does.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ProxySpec {
    /// `user:password` that it wants; without one it serves everybody.
    pub(crate) login: Option<String>,
    /// What it answers to everybody instead: 403 is a policy, 504 a target that gives no answer.
    pub(crate) answer: Option<u16>,
}

/// What a proxy was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxiedRequest {
    /// The door's name.
    pub listener: String,
    /// `CONNECT`, or the method of a whole request.
    pub method: String,
    /// `host:port`, or the whole URL.
    pub target: String,
    /// The whole head as it came. It may have a password in it: that of the proxy.
    pub head: String,
    /// What it answered; 200 where it served.
    pub status: u16,
}

/// Serves one connection.
pub(crate) async fn serve(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    spec: &ProxySpec,
    listener: &str,
    provider: &Provider,
) {
    let Ok(Some((head, rest))) = tokio::time::timeout(PATIENCE, read_head(&mut client)).await else { return };
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    if !matches!(request.parse(&head), Ok(httparse::Status::Complete(_))) {
        return refuse(&mut client, 400).await;
    }
    let (method, target) = (request.method.unwrap_or_default(), request.path.unwrap_or_default());
    let given = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("proxy-authorization"));
    let welcome = spec.login.as_ref().is_none_or(|login| {
        let wanted = format!("Basic {}", BASE64_STANDARD.encode(login));
        given.is_some_and(|header| header.value == wanted.as_bytes())
    });
    let place = if method == "CONNECT" { authority(target) } else { url_authority(target) };
    let upstream = match (welcome, spec.answer, place) {
        (false, ..) => Err(407),
        (true, Some(status), _) => Err(status),
        (true, None, None) => Err(403),
        (true, None, Some(address)) => TcpStream::connect(address).await.map_err(|_| 502),
    };
    provider.proxied(ProxiedRequest {
        listener: listener.to_owned(),
        method: method.to_owned(),
        target: target.to_owned(),
        head: String::from_utf8_lossy(&head).into_owned(),
        status: upstream.as_ref().err().copied().unwrap_or(200),
    });
    let mut upstream = match upstream {
        Ok(upstream) => upstream,
        Err(status) => return refuse(&mut client, status).await,
    };
    let begun = if method == "CONNECT" {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await
    } else {
        upstream.write_all(&forwarded(&request, target, &rest)).await
    };
    if begun.is_ok() {
        // Either side may break off; there is nobody to tell.
        let _broken = copy_bidirectional(&mut client, &mut upstream).await;
    }
}

/// The head of a request with its blank line, and what came behind it.
async fn read_head(client: &mut (impl AsyncRead + Unpin)) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while bytes.len() < MAX_HEAD {
        let read = client.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        bytes.extend(buffer.iter().take(read));
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Some((bytes, rest));
        }
    }
    None
}

/// Where `host:port` leads: this machine, or nowhere.
fn authority(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok()?;
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => is_loopback(address).then_some(SocketAddr::new(address, port)),
        Err(_) => Some(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)),
    }
}

fn url_authority(url: &str) -> Option<SocketAddr> {
    let rest = url.strip_prefix("http://")?;
    let host = rest.split('/').next()?;
    authority(host).or_else(|| authority(&format!("{host}:80")))
}

/// A whole request as the provider gets it: the path alone, and no header that was for the proxy. One request for each
/// connection, so that none has to be looked for in the bytes that follow.
fn forwarded(request: &httparse::Request<'_, '_>, target: &str, rest: &[u8]) -> Vec<u8> {
    let after = target.strip_prefix("http://").unwrap_or(target);
    let path = after.find('/').and_then(|at| after.get(at..)).unwrap_or("/");
    let mut bytes =
        format!("{} {path} HTTP/1.1\r\nConnection: close\r\n", request.method.unwrap_or_default()).into_bytes();
    for header in request.headers.iter() {
        let name = header.name.to_ascii_lowercase();
        if !name.starts_with("proxy-") && name != "connection" {
            bytes.extend_from_slice(format!("{}: ", header.name).as_bytes());
            bytes.extend_from_slice(header.value);
            bytes.extend_from_slice(b"\r\n");
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(rest);
    bytes
}

async fn refuse(client: &mut (impl AsyncRead + AsyncWrite + Unpin), status: u16) {
    let (reason, more) = match status {
        400 => ("Bad Request", ""),
        403 => ("Forbidden", "X-Squid-Error: ERR_ACCESS_DENIED 0\r\n"),
        407 => ("Proxy Authentication Required", "Proxy-Authenticate: Basic realm=\"pilotlight sim\"\r\n"),
        502 => ("Bad Gateway", "X-Squid-Error: ERR_CONNECT_FAIL 111\r\n"),
        503 => ("Service Unavailable", "X-Squid-Error: ERR_DNS_FAIL 0\r\n"),
        504 => ("Gateway Timeout", ""),
        _ => ("Whatever", ""),
    };
    let text = format!("HTTP/1.1 {status} {reason}\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n");
    // The peer may have gone; then there is nobody to say it to.
    if client.write_all(text.as_bytes()).await.is_ok() && client.shutdown().await.is_ok() {
        let mut buffer = [0; 1024];
        let drain = async { while matches!(client.read(&mut buffer).await, Ok(read) if read > 0) {} };
        let _late = tokio::time::timeout(Duration::from_secs(2), drain).await;
    }
}

/// Adds to what is kept, within bounds.
pub(crate) fn keep(kept: &mut Vec<ProxiedRequest>, request: ProxiedRequest) {
    if kept.len() < KEPT {
        kept.push(request);
    }
}
