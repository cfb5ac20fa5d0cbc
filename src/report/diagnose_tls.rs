//! The TLS rung: what was agreed on with each address, and the chain that was shown, in words.

use jiff::Timestamp;

use super::diagnose_rungs::{Held, Rung, Seen};
use crate::outcome::words::{count, duration};
use crate::outcome::{CertificateSeen, HandshakeSeen, Stage};

const DAY_S: i64 = 86_400;

pub(super) fn tls(seen: Seen<'_>) -> Rung {
    let name = "tls";
    let provider = &seen.outcome.target.provider;
    if !provider.base_url.is_https() {
        return Rung { name, held: Held::NotReached, lines: vec!["not used: the URL is plain http".to_owned()] };
    }
    let found = seen.found(Stage::Tls);
    let handshakes = &seen.examination.handshakes;
    if handshakes.is_empty() {
        let ends =
            seen.outcome.certificate_ends.map(|end| format!("; the server's certificate ends on {}", date(end, seen)));
        let line = match (&seen.examination.route.proxy, found) {
            (Some(_), Some(Held::Good | Held::Doubtful)) => {
                format!("through the proxy, with a certificate that is trusted{}", ends.unwrap_or_default())
            }
            (Some(_), Some(_)) => seen.outcome.diagnosis.as_ref().map(|own| own.evidence.clone()).unwrap_or_default(),
            (..) => "not reached: there is no connection".to_owned(),
        };
        return Rung { name, held: found.unwrap_or(Held::NotReached), lines: vec![line] };
    }
    let mut lines = Vec::new();
    let mut told: Option<&[CertificateSeen]> = None;
    for handshake in handshakes {
        lines.push(agreed(handshake));
        if handshake.chain.is_empty() {
            continue;
        }
        if told == Some(&handshake.chain) {
            lines.push("  the same chain".to_owned());
            continue;
        }
        let chain = handshake.chain.iter().enumerate();
        lines.extend(chain.map(|(place, certificate)| format!("  {} {}", place + 1, shown(certificate, seen))));
        told = Some(&handshake.chain);
    }
    let broken = handshakes.iter().filter(|handshake| handshake.fault.is_some()).count();
    let held = match found {
        Some(Held::Good) | None if broken == handshakes.len() => Held::Broken,
        Some(Held::Good) | None if broken > 0 => Held::Doubtful,
        Some(held) => held,
        None => Held::Good,
    };
    Rung { name, held, lines }
}

/// `v4 127.0.0.1:443: TLS 1.3, TLS13_AES_256_GCM_SHA384, http/1.1, in 23ms; the certificate is trusted`.
fn agreed(handshake: &HandshakeSeen) -> String {
    let with = handshake.address.map_or_else(
        || "through the proxy".to_owned(),
        |address| format!("{} {address}", if address.is_ipv4() { "v4" } else { "v6" }),
    );
    let agreed: Vec<&str> =
        [&handshake.version, &handshake.cipher, &handshake.alpn].into_iter().flatten().map(String::as_str).collect();
    let mut agreed = agreed.join(", ");
    if !agreed.is_empty() {
        agreed.push_str(", ");
    }
    let took = duration(handshake.took);
    match &handshake.fault {
        None => format!("{with}: {agreed}in {took}; the certificate is trusted"),
        Some((code, evidence)) => format!("{with}: {agreed}refused after {took}: {code}: {evidence}"),
    }
}

/// `CN=a, by CN=b: 2026-10-12 to 2027-01-10 (50 days left), ECDSA P-256, for a, b`.
fn shown(certificate: &CertificateSeen, seen: Seen<'_>) -> String {
    let CertificateSeen { subject, issuer, key, .. } = certificate;
    let by = match issuer == subject {
        true => "signed by itself".to_owned(),
        false => format!("by {issuer}"),
    };
    let subject = if subject.is_empty() { "no subject" } else { subject };
    let mut parts = vec![format!("{subject}, {by}")];
    if let (Some(from), Some(until)) = (certificate.from, certificate.until) {
        let from_words = format!("{} to {}", date(from, seen), date(until, seen));
        parts.push(format!("{from_words} ({})", left(from, until, seen.now)));
    }
    if !key.is_empty() {
        parts.push(key.clone());
    }
    if !certificate.names.is_empty() && certificate.covers_host.is_some() {
        parts.push(format!("for {}", certificate.names.join(" ")));
    }
    if let Some(false) = certificate.covers_host {
        parts.push(format!("not for {}", seen.outcome.target.provider.base_url.host()));
    }
    parts.join("; ")
}

/// How a certificate stands in its time.
fn left(from: Timestamp, until: Timestamp, now: Timestamp) -> String {
    let days = |from: Timestamp, to: Timestamp| {
        count(usize::try_from(to.duration_since(from).as_secs() / DAY_S).unwrap_or(0), "day")
    };
    if now < from {
        format!("begins in {}", days(now, from))
    } else if until < now {
        format!("ended {} ago", days(until, now))
    } else {
        format!("{} left", days(now, until))
    }
}

fn date(at: Timestamp, seen: Seen<'_>) -> String {
    at.to_zoned(seen.zone.clone()).strftime("%Y-%m-%d").to_string()
}
