//! The way through a proxy: TCP to it, TLS with it where its URL says so, and `CONNECT` for a provider with TLS.
//!
//! The proxy sees the provider's host and port, and nothing of a request: no key and no header of the provider's is in a
//! `CONNECT`. Its own user and password go to it alone.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::fault::{deepest, dial_fault};
use super::marks::Marks;
use super::names::Names;
use super::tls::Trust;
use super::{DialFault, ProxyFault, TlsFault};
use crate::probe::wire::text::{clean, scrub};
use crate::target::{ForwardProxy, Provider, Secret, authority};

/// Longest head of an answer to `CONNECT` that is read, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// Most headers of it.
const MAX_HEADERS: usize = 64;
/// Longest text of a proxy's that is repeated, in characters.
const LONGEST_SAID: usize = 120;
/// How long an address of a proxy's is waited for before the next is tried as well.
const HEAD_START: Duration = Duration::from_millis(300);
/// How an alert in TLS begins, which a server sends that gets plain text.
const TLS_ALERT: &[u8] = &[0x15, 0x03];
/// What is to be checked where TLS with a proxy fails.
const SPEAKS_TLS: &str = "`https://` is for a proxy that speaks TLS itself";

/// A connection, whatever it is made of.
pub(in crate::probe) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Makes a connection through the proxy, up to the point where the first request can be written.
pub(super) async fn open(
    trust: &Trust,
    provider: &Provider,
    proxy: &ForwardProxy,
    marks: &Marks,
    limit: Duration,
) -> Result<Box<dyn Stream>, DialFault> {
    // What is wrong with our own files is said before anybody is bothered.
    let base_url = &provider.base_url;
    let tls = if base_url.is_https() { Some(trust.config(&provider.network, marks.clone())?) } else { None };
    let stream = reach(trust, provider, proxy, marks, limit).await?;
    let Some(tls) = tls else {
        marks.set(|marks, now| marks.done = Some(now));
        return Ok(stream);
    };
    let name = server_name(&base_url.host()).map_err(DialFault::Failed)?;
    let shaking = async {
        TlsConnector::from(Arc::new(tls)).connect(name, stream).await.map_err(|error| dial_fault(&error, false, true))
    };
    let stream = within(limit, shaking, || DialFault::Tls(TlsFault::Timeout)).await?;
    marks.set(|marks, now| marks.done = Some(now));
    Ok(Box::new(stream))
}

/// Makes a connection through the proxy as far as the provider: what follows is TLS, or the first request.
pub(in crate::probe) async fn reach(
    trust: &Trust,
    provider: &Provider,
    proxy: &ForwardProxy,
    marks: &Marks,
    limit: Duration,
) -> Result<Box<dyn Stream>, DialFault> {
    let base_url = &provider.base_url;
    let unreachable = |text: String| DialFault::Proxy(ProxyFault::Unreachable(text));
    marks.set(|marks, now| marks.begun = Some(now));
    let stream = within(limit, connect(provider, proxy, marks), || {
        let resolving = marks.lock().resolved.is_none() && proxy.address.host.parse::<IpAddr>().is_err();
        unreachable(if resolving { "the resolver gave no answer in time" } else { "no answer in time" }.to_owned())
    })
    .await?;
    marks.set(|marks, now| marks.connected = Some(now));
    let shaken = AtomicBool::new(!proxy.address.encrypted);
    let late = || {
        DialFault::Proxy(if shaken.load(Ordering::Relaxed) {
            ProxyFault::Failed("no answer to CONNECT in time".to_owned())
        } else {
            ProxyFault::Unreachable(format!("no end of the TLS handshake in time; {SPEAKS_TLS}"))
        })
    };
    let through = async {
        let stream: Box<dyn Stream> = if proxy.address.encrypted {
            let config = Arc::new(trust.proxy_config(&provider.network)?);
            let name = server_name(&proxy.address.host).map_err(unreachable)?;
            let stream = TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
                let text = scrubbed(&deepest(&error), &proxy.secrets());
                let untrusted = matches!(dial_fault(&error, false, true), DialFault::Tls(fault) if !matches!(fault, TlsFault::Failed(_)));
                let why = if untrusted { String::new() } else { format!("; {SPEAKS_TLS}") };
                unreachable(format!("TLS with the proxy: {text}{why}"))
            })?;
            shaken.store(true, Ordering::Relaxed);
            Box::new(stream)
        } else {
            Box::new(stream)
        };
        if !base_url.is_https() {
            return Ok(stream);
        }
        let target = authority(&base_url.host(), base_url.port());
        ask(stream, &target, proxy).await.map_err(DialFault::Proxy)
    };
    let stream = within(limit, through, late).await?;
    marks.set(|marks, now| marks.tunnelled = Some(now));
    Ok(stream)
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, DialFault>>,
    late: impl FnOnce() -> DialFault,
) -> Result<T, DialFault> {
    match tokio::time::timeout(limit, work).await {
        Ok(ended) => ended,
        Err(_) => Err(late()),
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(host.to_owned()).map_err(|_| format!("{host} cannot be a name in TLS"))
}

/// TCP to the proxy: the first of its addresses that connects.
async fn connect(provider: &Provider, proxy: &ForwardProxy, marks: &Marks) -> Result<TcpStream, DialFault> {
    let unreachable = |text: String| DialFault::Proxy(ProxyFault::Unreachable(text));
    let host = &proxy.address.host;
    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => Names::new(marks.clone(), &provider.network)
            .addresses(host)
            .await
            .map_err(|error| unreachable(format!("its name: {}", deepest(&error))))?,
    };
    marks.lock().addresses.clone_from(&addresses);
    first(addresses, proxy.address.port).await.map_err(unreachable)
}

/// The first of the addresses that connects, or why the last did not. Each has a head start before the next.
async fn first(addresses: Vec<IpAddr>, port: u16) -> Result<TcpStream, String> {
    let mut last = "its name has no address".to_owned();
    let mut waiting = addresses.into_iter();
    // What is still under way ends when the set is dropped.
    let mut tried = JoinSet::new();
    loop {
        let next = waiting.next();
        let more = next.is_some();
        if let Some(address) = next {
            let place = SocketAddr::new(address, port);
            tried.spawn(async move { (address, TcpStream::connect(place).await) });
        }
        let ended = if more && waiting.len() > 0 {
            // One that gives no answer must not use up the time of the others.
            match tokio::time::timeout(HEAD_START, tried.join_next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            }
        } else {
            tried.join_next().await
        };
        match ended {
            None => return Err(last),
            Some(Err(error)) => last = error.to_string(),
            Some(Ok((_, Ok(stream)))) => {
                // Small writes follow one another; a failure to say so costs only time.
                let _nagle = stream.set_nodelay(true);
                return Ok(stream);
            }
            Some(Ok((address, Err(error)))) if error.kind() == io::ErrorKind::ConnectionRefused => {
                last = format!("refused by {address}");
            }
            Some(Ok((address, Err(error)))) => last = format!("{address}: {error}"),
        }
    }
}

/// Asks the proxy for a connection to `host:port`.
async fn ask(mut stream: Box<dyn Stream>, target: &str, proxy: &ForwardProxy) -> Result<Box<dyn Stream>, ProxyFault> {
    let secrets = proxy.secrets();
    let lost = |error: io::Error| ProxyFault::Failed(format!("the connection to it broke: {error}"));
    let mut request = format!(
        "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: pilotlight/{}\r\n",
        env!("CARGO_PKG_VERSION")
    );
    if let Some(login) = &proxy.login {
        request.push_str(&format!("Proxy-Authorization: {}\r\n", basic(login)));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.map_err(lost)?;
    stream.flush().await.map_err(lost)?;
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await.map_err(lost)?;
        if read == 0 {
            return Err(ProxyFault::Failed("it closed the connection without an answer to CONNECT".to_owned()));
        }
        head.extend(buffer.iter().take(read));
        if let Some(length) = judge(&head, &secrets)? {
            // TLS has the client speak first, so nothing can have come behind the head.
            if head.len() > length {
                return Err(ProxyFault::Failed("it sent more than an answer to CONNECT".to_owned()));
            }
            return Ok(stream);
        }
        if head.len() > MAX_HEAD {
            return Err(ProxyFault::Failed("its answer to CONNECT does not end".to_owned()));
        }
    }
}

/// The length of the head of an answer that opens the tunnel; nothing while it is not complete.
fn judge(bytes: &[u8], secrets: &[Secret]) -> Result<Option<usize>, ProxyFault> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Partial) => return Ok(None),
        Ok(httparse::Status::Complete(length)) => length,
        Err(_) if bytes.starts_with(TLS_ALERT) => {
            return Err(ProxyFault::Failed("it answered in TLS: its URL has to begin with https://".to_owned()));
        }
        Err(_) => return Err(ProxyFault::Failed("its answer to CONNECT is not HTTP".to_owned())),
    };
    let status = response.code.unwrap_or_default();
    if (200..300).contains(&status) {
        return Ok(Some(length));
    }
    let header = |name: &str| {
        let found = response.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        found.filter_map(|header| std::str::from_utf8(header.value).ok()).collect::<Vec<_>>().join(", ")
    };
    Err(refusal(status, response.reason.unwrap_or_default(), &header, secrets))
}

/// What a proxy's own status means. `header` gives a header's values. `secrets` are those of its login, if it has one;
/// what the proxy says is scrubbed of them here, and not where our own words stand around it.
pub(super) fn refusal(status: u16, reason: &str, header: &dyn Fn(&str) -> String, secrets: &[Secret]) -> ProxyFault {
    let clean = |text: &str| scrubbed(text, secrets);
    let mut said = format!("it answered {status} {}", clean(reason)).trim_end().to_owned();
    for name in ["x-squid-error", "proxy-status"] {
        let value = clean(&header(name));
        if !value.is_empty() {
            said.push_str(&format!(" ({value})"));
        }
    }
    if status == 407 {
        let asks = header("proxy-authenticate");
        let schemes: Vec<&str> = asks.split(", ").filter_map(|part| part.split_whitespace().next()).collect();
        let basic = schemes.is_empty() || schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic"));
        said.push_str(match (secrets.is_empty(), basic) {
            (true, true) => ": it wants a user and a password",
            (false, true) => ": it does not accept the user and password it was given",
            (_, false) => "",
        });
        if !basic {
            said.push_str(&format!(": it wants {}, and only Basic is spoken here", clean(&asks)));
        }
    }
    if status < 500 { ProxyFault::Refused(said) } else { ProxyFault::Failed(said) }
}

/// A text of a proxy's: cleaned first, for an invisible character would hide an echoed password.
fn scrubbed(text: &str, secrets: &[Secret]) -> String {
    let cleaned = clean(text, MAX_HEAD);
    clean(&secrets.iter().fold(cleaned, |text, secret| scrub(&text, Some(secret))), LONGEST_SAID)
}

/// The value of `Proxy-Authorization`.
pub(super) fn basic(login: &Secret) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(login.expose()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Result<Option<usize>, ProxyFault> {
        judge(text.as_bytes(), &[])
    }

    #[test]
    fn the_answers_of_proxies_are_told_apart() {
        assert_eq!(answer("HTTP/1.1 200 Connection established\r\n"), Ok(None));
        assert_eq!(answer("HTTP/1.0 200 OK\r\n\r\n"), Ok(Some(19)));
        let refused = |text: &str| match answer(text) {
            Err(ProxyFault::Refused(said)) => said,
            other => panic!("{other:?}"),
        };
        let failed = |text: &str| match answer(text) {
            Err(ProxyFault::Failed(said)) => said,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            refused("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n"),
            "it answered 407 Proxy Authentication Required: it wants a user and a password"
        );
        assert_eq!(
            refused("HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n"),
            "it answered 407 No: it wants Negotiate, NTLM, and only Basic is spoken here"
        );
        assert_eq!(
            refused("HTTP/1.1 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\n"),
            "it answered 403 Forbidden (ERR_ACCESS_DENIED 0)"
        );
        assert_eq!(failed("HTTP/1.1 504 Gateway Timeout\r\n\r\n"), "it answered 504 Gateway Timeout");
        assert_eq!(failed("\u{15}\u{3}\u{1}\0\u{2}\u{2}\n"), "it answered in TLS: its URL has to begin with https://");
        assert_eq!(failed("SSH-2.0-OpenSSH\r\n\r\n"), "its answer to CONNECT is not HTTP");
        assert_eq!(failed("HTTP/1.1 502 \u{1b}\r\n\r\n"), "its answer to CONNECT is not HTTP");
    }

    proptest::proptest! {
        #[test]
        fn no_answer_of_a_proxy_panics(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..512)) {
            let _ = judge(&bytes, &[]);
            let mut begun = b"HTTP/1.1 407 ".to_vec();
            begun.extend_from_slice(&bytes);
            begun.extend_from_slice(b"\r\n\r\n");
            if let Err(ProxyFault::Refused(said) | ProxyFault::Failed(said)) = judge(&begun, &[]) {
                proptest::prop_assert!(said.len() < 2000 && !said.contains(char::is_control));
            }
        }
    }

    #[test]
    fn a_password_is_taken_out_of_what_the_proxy_says_and_not_out_of_our_words() {
        let secrets = [Secret::new("me:wrongpassword".to_owned()), Secret::new("wrongpassword".to_owned())];
        let said = judge(b"HTTP/1.1 407 not wrongpassword\r\n\r\n", &secrets);
        let expected = "it answered 407 not ***: it does not accept the user and password it was given";
        assert_eq!(said, Err(ProxyFault::Refused(expected.to_owned())));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test(start_paused = true)]
    async fn an_address_that_gives_no_answer_does_not_use_up_the_time_of_the_next() {
        let good = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = good.local_addr().unwrap().port();
        let dead = SocketAddr::new("127.0.0.2".parse().unwrap(), port);
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(dead).unwrap();
        let _full = socket.listen(1).unwrap();
        // Until its queue is full: then it answers nobody.
        let mut queue = Vec::new();
        while let Ok(stream) = std::net::TcpStream::connect_timeout(&dead, Duration::from_millis(100)) {
            queue.push(stream);
        }
        let addresses = vec![dead.ip(), "127.0.0.1".parse().unwrap()];
        let found = tokio::time::timeout(Duration::from_secs(2), first(addresses, port)).await.unwrap().unwrap();
        assert_eq!(found.peer_addr().unwrap(), good.local_addr().unwrap());
        let refused = first(vec!["127.0.0.3".parse().unwrap(), "127.0.0.4".parse().unwrap()], port).await.unwrap_err();
        assert_eq!(refused, "refused by 127.0.0.4");
        assert_eq!(first(Vec::new(), port).await.unwrap_err(), "its name has no address");
    }

    #[test]
    fn a_login_is_basic() {
        assert_eq!(basic(&Secret::new("Aladdin:open sesame".to_owned())), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}
