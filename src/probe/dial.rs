//! Stages `resolve`, `connect` and `tls`: one dial, whose marks tell the three apart.

use std::time::Duration;

use crate::outcome::{Code, Connection, Proof, Stage};

use super::climb::{Climb, Connected, Fault};
use super::transport::{DialFault, DialMarks, TlsFault};

/// Dials the provider.
pub(super) async fn dial(climb: &mut Climb<'_>) -> Result<Connected, Fault> {
    let target = climb.job.target.clone();
    let provider = &target.provider;
    let first = if provider.base_url.address().is_some() { Stage::Connect } else { Stage::Resolve };
    climb.enter(first);
    let dialled = climb.network.dial(provider, target.expect.connect).await;
    let marks = dialled.marks;
    climb.facts.timings.dns = marks.dns;
    climb.facts.timings.tcp = marks.tcp;
    climb.facts.timings.tls = marks.tls;
    climb.facts.certificate_ends = marks.certificate_ends;
    let phases = [(Stage::Resolve, marks.dns), (Stage::Connect, marks.tcp), (Stage::Tls, marks.tls)];
    match dialled.line {
        Ok(line) => {
            climb.dialled(phases, if provider.base_url.is_https() { Stage::Tls } else { Stage::Connect });
            climb.facts.connection = Some(Connection::Fresh);
            climb.prove(Proof::Connected);
            warn_of_expiry(climb, target.expect.certificate);
            Ok(Connected { line })
        }
        Err(fault) => {
            let (stage, fault) = judge(fault, &provider.base_url.host(), provider.base_url.port(), &marks);
            climb.dialled(phases, stage);
            Err(fault)
        }
    }
}

/// What a failed dial means. Where several addresses were tried, the last one's fault is what there is.
pub(super) fn judge(fault: DialFault, host: &str, port: u16, marks: &DialMarks) -> (Stage, Fault) {
    let at = if marks.addresses.is_empty() {
        format!("{host}:{port}")
    } else {
        let addresses: Vec<String> = marks.addresses.iter().take(4).map(ToString::to_string).collect();
        format!("{host}:{port} ({})", addresses.join(", "))
    };
    match fault {
        DialFault::NameNotFound(text) => (Stage::Resolve, Fault::new(Code::DnsNotFound, format!("{host}: {text}"))),
        DialFault::NameFailed(text) => (Stage::Resolve, Fault::new(Code::DnsFailed, format!("{host}: {text}"))),
        DialFault::ConnectTimeout { resolving: true } => {
            (Stage::Resolve, Fault::new(Code::DnsFailed, format!("{host}: the resolver gave no answer in time")))
        }
        DialFault::ConnectTimeout { resolving: false } => {
            (Stage::Connect, Fault::new(Code::ConnectTimeout, format!("no answer from {at}")))
        }
        DialFault::Refused(_) => (Stage::Connect, Fault::new(Code::ConnectRefused, format!("refused by {at}"))),
        DialFault::Failed(text) => (Stage::Connect, Fault::new(Code::ConnectFailed, format!("{at}: {text}"))),
        DialFault::Settings(text) => (Stage::Tls, Fault::new(Code::TlsFailed, format!("failed to {text}"))),
        DialFault::Tls(fault) => {
            // rustls names the moment in seconds since 1970; people read dates.
            let ended = marks.certificate_ends.map(|end| format!("the certificate ended at {end}"));
            let (code, text) = match fault {
                TlsFault::Untrusted(text) => (Code::TlsUntrusted, text),
                TlsFault::NameMismatch(text) => (Code::TlsNameMismatch, text),
                TlsFault::Expired(text) => (Code::TlsExpired, ended.unwrap_or(text)),
                TlsFault::NotYetValid(text) => (Code::TlsNotYetValid, text),
                TlsFault::Timeout => (Code::TlsTimeout, "no end of the handshake in time".to_owned()),
                TlsFault::Failed(text) => (Code::TlsFailed, text),
            };
            (Stage::Tls, Fault::new(code, format!("{at}: {text}")))
        }
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
