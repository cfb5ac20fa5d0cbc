//! The one seam to the network: dial, then exchange requests on the line.
//!
//! Everything above this seam works on values; `http.rs` is the real implementation on reqwest, and tests script their
//! own. Nothing here judges: faults are facts, and `dial.rs` and `classify.rs` turn them into codes.

mod fault;
mod hold;
mod http;
mod identity;
mod marks;
mod names;
mod pem;
mod proxied;
#[cfg(test)]
mod tests;
mod tls;
mod tunnel;

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;

pub use fault::{BodyFault, DialFault, ExchangeFault, ProxyFault, TlsFault};
pub use http::HttpNetwork;

pub(in crate::probe) use fault::{broken_handshake, name_fault, tls_fault};
pub(in crate::probe) use marks::Marks;
pub(in crate::probe) use tls::{Onlooker, Trust};
pub(in crate::probe) use tunnel::{Stream, reach};

use crate::target::Provider;

/// A future behind a trait object.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The network.
pub trait Network: Send + Sync {
    /// Resolves, connects and shakes hands, but sends no request. `limit` bounds name and TCP together, then what a proxy
    /// takes to reach the provider, and then TLS.
    fn dial<'a>(&'a self, provider: &'a Provider, limit: Duration) -> Boxed<'a, Dialled>;
}

/// What dialling led to. The marks hold whatever was reached, also where it failed.
pub struct Dialled {
    /// How far it came, and when.
    pub marks: DialMarks,
    /// The line, or why there is none.
    pub line: Result<Box<dyn Line>, DialFault>,
}

/// When each phase of dialling ended. What was not reached, or not needed, is absent.
#[derive(Debug, Clone, Default)]
pub struct DialMarks {
    /// How long the name took.
    pub dns: Option<Duration>,
    /// How long TCP took: to the proxy, where there is one.
    pub tcp: Option<Duration>,
    /// How long the proxy took to reach the provider, TLS with the proxy itself included.
    pub tunnel: Option<Duration>,
    /// How long TLS took.
    pub tls: Option<Duration>,
    /// The addresses that were tried: the proxy's, where there is one.
    pub addresses: Vec<IpAddr>,
    /// When the leaf certificate ends; seen even where it is refused.
    pub certificate_ends: Option<Timestamp>,
    /// Who issued the last certificate of the chain that the server showed (`CN=…`), where it was not trusted.
    pub issuer: Option<String>,
    /// What cannot be used in `ca_file`, where the server's certificate was not trusted.
    pub skipped_authorities: Option<String>,
    /// Whether the server asked who we are.
    pub certificate_asked: bool,
}

/// A connection to one provider. Requests on it follow one another.
pub trait Line: Send {
    /// Sends a request and waits for the response's head.
    fn send<'a>(&'a mut self, request: Request) -> Boxed<'a, Result<Answer, ExchangeFault>>;

    /// Whether the server closed the first connection, so that a later request had to make another.
    fn reopened(&self) -> bool;
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// GET or POST.
    pub method: Method,
    /// Path relative to the base URL, or to its origin when it begins with a slash.
    pub path: String,
    /// Headers (name, value), the key's header included: it is marked as sensitive before it is sent.
    pub headers: Vec<(String, String)>,
    /// The body of a POST, as JSON.
    pub body: Option<String>,
}

/// The two methods that a probe needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say what they are")]
pub enum Method {
    Get,
    Post,
}

/// A response: its head, and its body piece by piece.
pub struct Answer {
    /// Status and headers.
    pub head: Head,
    /// When the request was written.
    pub sent: Instant,
    /// When the head was complete.
    pub answered: Instant,
    /// The rest.
    pub body: Box<dyn Body>,
}

/// The body of a response.
pub trait Body: Send {
    /// The next piece, or nothing at the end.
    fn chunk(&mut self) -> Boxed<'_, Result<Option<Bytes>, BodyFault>>;
}

/// A response's status and headers.
#[derive(Debug, Clone, Default)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// Names in lower case; values that are not text are left out.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// The first header of that name (in lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}
