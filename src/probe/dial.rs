//! Stages `resolve`, `connect` and `tls`: one dial, whose marks tell the three apart.

use std::net::IpAddr;
use std::time::Duration;

use crate::outcome::{Code, Connection, Proof, Stage};

use super::climb::{Climb, Connected, Fault};
use super::transport::{DialFault, DialMarks, ProxyFault, TlsFault};
use crate::target::{Provider, authority};

/// Dials the provider.
pub(super) async fn dial(climb: &mut Climb<'_>) -> Result<Connected, Fault> {
    let target = climb.job.target.clone();
    let provider = &target.provider;
    let network = &provider.network;
    let known = match network.proxy.forward() {
        Some(proxy) => proxy.address.host.parse::<IpAddr>().is_ok(),
        None => network.address.or(provider.base_url.address()).is_some(),
    };
    let first = if known { Stage::Connect } else { Stage::Resolve };
    climb.enter(first);
    let dialled = climb.network.dial(provider, target.expect.connect).await;
    let marks = dialled.marks;
    climb.facts.timings.dns = marks.dns;
    climb.facts.timings.tcp = marks.tcp;
    climb.facts.timings.tls = marks.tls;
    climb.facts.certificate_ends = marks.certificate_ends;
    // What a proxy takes to get through is the connection's, though not TCP's.
    let connected = marks.tcp.map(|tcp| tcp + marks.tunnel.unwrap_or_default());
    let phases = [(Stage::Resolve, marks.dns), (Stage::Connect, connected), (Stage::Tls, marks.tls)];
    match dialled.line {
        Ok(line) => {
            climb.dialled(phases, if provider.base_url.is_https() { Stage::Tls } else { Stage::Connect });
            climb.facts.connection = Some(Connection::Fresh);
            climb.prove(Proof::Connected);
            warn_of_expiry(climb, target.expect.certificate);
            Ok(Connected { line })
        }
        Err(fault) => {
            let (stage, fault) = judge(fault, provider, &marks);
            climb.dialled(phases, stage);
            Err(fault)
        }
    }
}

/// What a failed dial means. Where several addresses were tried, the last one's fault is what there is.
pub(super) fn judge(fault: DialFault, provider: &Provider, marks: &DialMarks) -> (Stage, Fault) {
    let host = provider.base_url.host();
    let at = place(provider, marks);
    match fault {
        DialFault::NameNotFound(text) => (Stage::Resolve, Fault::new(Code::DnsNotFound, format!("{host}: {text}"))),
        DialFault::NameFailed(text) => (Stage::Resolve, Fault::new(Code::DnsFailed, format!("{host}: {text}"))),
        DialFault::Excluded(text) => (Stage::Resolve, Fault::new(Code::AddressesExcluded, text)),
        DialFault::ConnectTimeout { resolving: true } => {
            (Stage::Resolve, Fault::new(Code::DnsFailed, format!("{host}: the resolver gave no answer in time")))
        }
        DialFault::ConnectTimeout { resolving: false } => {
            (Stage::Connect, Fault::new(Code::ConnectTimeout, format!("no answer from {at}")))
        }
        DialFault::Refused(_) => (Stage::Connect, Fault::new(Code::ConnectRefused, format!("refused by {at}"))),
        DialFault::Failed(text) => (Stage::Connect, Fault::new(Code::ConnectFailed, format!("{at}: {text}"))),
        DialFault::Proxy(fault) => (Stage::Connect, judge_proxy(fault, provider)),
        DialFault::Authorities(text) => {
            let file = network_file(provider);
            (Stage::Tls, Fault { location: file, ..Fault::new(Code::TlsFailed, format!("failed to {text}")) })
        }
        DialFault::Settings(text) => (Stage::Tls, Fault::new(Code::TlsFailed, format!("failed to {text}"))),
        DialFault::OwnCertificate(text) => {
            (Stage::Tls, Fault::new(Code::ClientCertificateUnusable, format!("failed to {text}")))
        }
        DialFault::Tls(fault) => {
            // rustls names the moment in seconds since 1970; people read dates.
            let ended = marks.certificate_ends.map(|end| format!("the certificate ended at {end}"));
            let issued = |mut text: String| {
                if let Some(issuer) = &marks.issuer {
                    text.push_str(&format!("; the certificate was issued by \"{issuer}\""));
                }
                if let Some(skipped) = &marks.skipped_authorities {
                    text.push_str(&format!("; {skipped}"));
                }
                text
            };
            let (code, text) = match fault {
                TlsFault::Untrusted(text) => (Code::TlsUntrusted, issued(text)),
                TlsFault::NameMismatch(text) => (Code::TlsNameMismatch, text),
                TlsFault::Expired(text) => (Code::TlsExpired, ended.unwrap_or(text)),
                TlsFault::NotYetValid(text) => (Code::TlsNotYetValid, text),
                TlsFault::Timeout => (Code::TlsTimeout, "no end of the handshake in time".to_owned()),
                TlsFault::ClientCertificate(text) => {
                    (Code::ClientCertificateRefused, format!("{text}; {}", shown(provider)))
                }
                // Up to TLS 1.2 a server that wants a certificate may say no more than that the handshake failed.
                TlsFault::Failed(text) | TlsFault::Lost(text) if marks.certificate_asked => {
                    (Code::ClientCertificateRefused, format!("{text}; {}", shown(provider)))
                }
                TlsFault::Lost(text) => (Code::ConnectionLost, format!("closed during the TLS handshake: {text}")),
                TlsFault::Failed(text) => (Code::TlsFailed, text),
            };
            (Stage::Tls, Fault::new(code, format!("{at}: {text}")))
        }
    }
}

/// The file with the authorities to trust.
fn network_file(provider: &Provider) -> Option<String> {
    provider.network.ca_file.as_ref().map(|path| path.display().to_string())
}

/// Where the provider is, and by which way it was to be reached.
fn place(provider: &Provider, marks: &DialMarks) -> String {
    let target = authority(&provider.base_url.host(), provider.base_url.port());
    if let Some(proxy) = provider.network.proxy.forward() {
        return format!("{target} through the proxy {}", proxy.address);
    }
    if marks.addresses.is_empty() {
        return target;
    }
    let addresses: Vec<String> = marks.addresses.iter().take(4).map(ToString::to_string).collect();
    format!("{target} ({})", addresses.join(", "))
}

/// What a proxy's fault means.
pub(super) fn judge_proxy(fault: ProxyFault, provider: &Provider) -> Fault {
    let (code, text) = match fault {
        ProxyFault::Unreachable(text) => (Code::ProxyUnreachable, text),
        ProxyFault::Refused(text) => (Code::ProxyRefused, text),
        ProxyFault::Failed(text) => (Code::ProxyFailed, text),
    };
    let proxy = provider.network.proxy.forward().map(|proxy| proxy.address.to_string()).unwrap_or_default();
    let target = authority(&provider.base_url.host(), provider.base_url.port());
    Fault::new(code, format!("the proxy {proxy}, on the way to {target}: {text}"))
}

/// What a server that asks who we are was shown.
pub(super) fn shown(provider: &Provider) -> String {
    match &provider.network.client_certificate {
        Some(both) => format!("it was shown the certificate in {}", both.certificate.display()),
        None => "no certificate of ours is configured".to_owned(),
    }
}

/// A certificate near its end is a warning: what works today will not work then.
fn warn_of_expiry(climb: &mut Climb<'_>, ahead: Duration) {
    let Some(end) = climb.facts.certificate_ends else { return };
    let left = end.duration_since(climb.clock.wall());
    let Ok(left) = Duration::try_from(left) else { return };
    if left < ahead {
        let days = left.as_secs() / 86_400;
        let evidence = match days {
            0 => format!("the certificate ends today, at {end}"),
            1 => format!("the certificate ends tomorrow, at {end}"),
            _ => format!("the certificate ends in {days} days, at {end}"),
        };
        climb.facts.warnings.push((Stage::Tls, Fault::new(Code::CertificateExpiring, evidence)));
    }
}
