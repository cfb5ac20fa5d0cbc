//! What can go wrong on the network, as facts dug out of reqwest's chain of errors.
//!
//! reqwest's own texts name the URL, so they are never shown; the deepest cause is.

use std::error::Error;
use std::io;

use super::hold::Held;
use super::names::Excluded;

/// Why there is no line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialFault {
    /// The name does not exist.
    NameNotFound(String),
    /// The resolver gave no answer.
    NameFailed(String),
    /// Nothing listens there.
    Refused(String),
    /// No connection within the limit; `true` while still resolving the name.
    ConnectTimeout {
        /// Whether the name was still being resolved.
        resolving: bool,
    },
    /// The connection failed otherwise.
    Failed(String),
    /// The name has addresses, and `addresses` excludes every one of them.
    Excluded(String),
    /// The proxy on the way.
    Proxy(ProxyFault),
    /// The TLS handshake failed.
    Tls(TlsFault),
    /// Our own certificate cannot be used.
    OwnCertificate(String),
    /// The `ca_file` cannot be used.
    Authorities(String),
    /// Our own settings are wrong.
    Settings(String),
}

/// What a proxy did not do for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyFault {
    /// It was not reached itself: its name, TCP or TLS.
    Unreachable(String),
    /// It does not want to: no or a wrong password (407), or a policy (403).
    Refused(String),
    /// It did not get through to the provider, or its answer is none.
    Failed(String),
}

/// Why a TLS handshake failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsFault {
    /// Signed by nobody we trust.
    Untrusted(String),
    /// For another name.
    NameMismatch(String),
    /// It has ended.
    Expired(String),
    /// It does not hold yet.
    NotYetValid(String),
    /// The server wants a certificate of ours, or refuses the one it got.
    ClientCertificate(String),
    /// No end within the limit.
    Timeout,
    /// The connection was closed or reset before the end: a load balancer does so while its backend starts.
    Lost(String),
    /// Anything else: not TLS at all, no common version, an alert.
    Failed(String),
}

/// Why a request got no response head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExchangeFault {
    /// The connection was closed or reset before a complete head.
    Lost(String),
    /// What came is not HTTP.
    NotHttp(String),
    /// The connection had to be made anew, and that failed.
    Redial(DialFault),
    /// The server refused our certificate, or that we have none. TLS 1.3 says so only after the handshake.
    ClientCertificate(String),
    /// The proxy answered instead of the provider.
    Proxy(ProxyFault),
}

/// Why a body ended too soon.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BodyFault(pub String);

/// Every error in a chain, nested `io::Error`s opened.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut found = Vec::new();
    let mut next = Some(error);
    // The bound is against a cycle in somebody's `source()`.
    while let Some(error) = next
        && found.len() < 32
    {
        found.push(error);
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    found
}

/// Whether the dial ended because the connection stands.
pub(super) fn is_held(error: &reqwest::Error) -> bool {
    chain(error).iter().any(|error| error.is::<Held>())
}

/// The deepest text that says something.
pub(super) fn deepest(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map_or_else(String::new, ToString::to_string)
}

/// What a failed dial was.
pub(super) fn dial_fault(error: &(dyn Error + 'static), resolving: bool, shaking_hands: bool) -> DialFault {
    let chain = chain(error);
    if let Some(excluded) = chain.iter().find_map(|error| error.downcast_ref::<Excluded>()) {
        return DialFault::Excluded(excluded.0.clone());
    }
    if let Some(tls) = chain.iter().find_map(|error| error.downcast_ref::<rustls::Error>()) {
        return DialFault::Tls(tls_fault(tls));
    }
    let text = deepest(error);
    if resolving {
        return name_fault(text);
    }
    let io = chain.iter().rev().find_map(|error| error.downcast_ref::<io::Error>());
    match io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => DialFault::Refused(text),
        Some(io::ErrorKind::TimedOut) => DialFault::ConnectTimeout { resolving: false },
        kind if shaking_hands => DialFault::Tls(broken_handshake(kind, text)),
        _ => DialFault::Failed(text),
    }
}

/// What a handshake was that broke without a word of TLS's own.
pub(in crate::probe) fn broken_handshake(kind: Option<io::ErrorKind>, text: String) -> TlsFault {
    if kind.is_some_and(is_lost) { TlsFault::Lost(text) } else { TlsFault::Failed(text) }
}

/// Whether the other side closed or reset a connection.
fn is_lost(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::NotConnected
    )
}

/// getaddrinfo's two kinds of failure differ only in their text: `EAI_NONAME` and its relatives say that the name does
/// not exist, everything else that nobody could tell.
pub(in crate::probe) fn name_fault(text: String) -> DialFault {
    let lower = text.to_lowercase();
    let absent = ["not known", "no address associated", "nodename nor servname", "no such host", "does not exist"];
    if absent.iter().any(|phrase| lower.contains(phrase)) {
        DialFault::NameNotFound(text)
    } else {
        DialFault::NameFailed(text)
    }
}

pub(in crate::probe) fn tls_fault(error: &rustls::Error) -> TlsFault {
    use rustls::CertificateError as Certificate;
    let text = error.to_string();
    match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            Certificate::Expired | Certificate::ExpiredContext { .. } => TlsFault::Expired(text),
            Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => TlsFault::NotYetValid(text),
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => TlsFault::NameMismatch(text),
            _ => TlsFault::Untrusted(text),
        },
        rustls::Error::AlertReceived(alert) if is_about_us(*alert) => TlsFault::ClientCertificate(text),
        _ => TlsFault::Failed(text),
    }
}

/// Whether an alert of a server is about our certificate: a server has no other that it could find fault with.
fn is_about_us(alert: rustls::AlertDescription) -> bool {
    use rustls::AlertDescription as Alert;
    matches!(
        alert,
        Alert::CertificateRequired
            | Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            // A signature of ours that does not fit: the certificate of another authority with the same name.
            | Alert::DecryptError
    )
}

/// What a failed exchange of reqwest's was.
pub(super) fn exchange_fault(error: &reqwest::Error) -> ExchangeFault {
    if error.is_connect() {
        return ExchangeFault::Redial(dial_fault(error, false, false));
    }
    lost_or_not_http(error)
}

/// What a failed exchange on a connection that stood was.
pub(super) fn lost_or_not_http(error: &(dyn Error + 'static)) -> ExchangeFault {
    let chain = chain(error);
    if let Some(TlsFault::ClientCertificate(text)) =
        chain.iter().find_map(|error| error.downcast_ref::<rustls::Error>()).map(tls_fault)
    {
        return ExchangeFault::ClientCertificate(text);
    }
    let text = chain.last().map_or_else(String::new, ToString::to_string);
    let lost = chain.iter().any(|error| error.downcast_ref::<io::Error>().is_some_and(|error| is_lost(error.kind())));
    // hyper's parse errors say "invalid HTTP …" or "message head is too large"; its types are not public through
    // reqwest, so its stable texts are read.
    let lower = text.to_lowercase();
    let parse = ["invalid", "too large", "unexpected message", "unexpected bytes"];
    if !lost && parse.iter().any(|word| lower.contains(word)) {
        ExchangeFault::NotHttp(text)
    } else {
        ExchangeFault::Lost(text)
    }
}

/// What a failed body was.
pub(super) fn body_fault(error: &(dyn Error + 'static)) -> BodyFault {
    BodyFault(deepest(error))
}
