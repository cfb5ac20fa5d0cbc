//! One target in depth as a JSON document: all that the report for people has, as numbers and words. `result` is the record
//! that `check --format json` has.

use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::curl::{curl, visible};
use super::diagnose::Diagnosed;
use super::diagnose_rungs::{is_nameless, rungs};
use super::diagnose_ticket::paragraph;
use super::look::Look;
use super::waterfall::phases;
use crate::outcome::{
    AddressSeen, Asked, CertificateSeen, Examination, HandshakeSeen, KeySeen, NameSeen, PrefixSeen, Reached, Reading,
    Record, SCHEMA,
};

/// Writes the document, indented.
pub(super) fn render(view: &Diagnosed<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(&without_nulls(document(view, look)))?;
    text.push(b'\n');
    out.write_all(&text)?;
    out.flush()
}

fn document(view: &Diagnosed<'_>, look: &Look) -> Value {
    let examination = view.examination;
    let outcome = view.outcome;
    let rungs = rungs(view.seen(look));
    let steps: Vec<Value> =
        rungs.iter().map(|rung| json!({ "rung": rung.name, "state": rung.held.name(), "says": rung.lines })).collect();
    let phases: Vec<Value> = phases(outcome)
        .iter()
        .map(|phase| {
            json!({ "phase": phase.name, "start_ms": milliseconds(phase.start), "duration_ms": milliseconds(phase.duration) })
        })
        .collect();
    let history = view.summary.map(|summary| {
        let day = summary.day;
        json!({
            "last": moment(summary.latest.at),
            "last_verdict": summary.latest.verdict,
            "good_24h": day.good,
            "failed_24h": day.bad,
            "unknown_24h": day.unknown,
            "learned": view.learned,
        })
    });
    let warnings: Vec<Value> = outcome
        .warnings
        .iter()
        .map(|own| json!({ "code": own.code, "stage": own.stage, "evidence": own.evidence, "remedy": own.remedy }))
        .collect();
    json!({
        "schema": SCHEMA,
        "version": view.version,
        "system": view.system,
        "exit": { "code": view.exit.code(), "name": view.exit.name() },
        "base_url": outcome.target.provider.base_url.to_string(),
        "result": Record::of(outcome),
        "nearest": outcome.foremost().map(|own| &own.nearest),
        "warnings": warnings,
        "notes": outcome.notes.iter().chain(view.notes).collect::<Vec<_>>(),
        "rungs": steps,
        "key": key(&examination.key),
        "proxy": examination.route.proxy,
        "name": name(examination),
        "addresses": examination.addresses.iter().map(address).collect::<Vec<_>>(),
        "tls": examination.handshakes.iter().map(handshake).collect::<Vec<_>>(),
        "clock": examination.skew.map(|skew| json!({
            "date": moment(skew.date),
            "ahead_s": (skew.ahead.as_secs_f64() * 1e3).round() / 1e3,
            "within_s": (skew.within.as_secs_f64() * 1e3).round() / 1e3,
            "matters": skew.matters(),
        })),
        "free": examination.free.as_ref().map(asked),
        "catalogue": examination.catalogue.as_ref().map(|catalogue| {
            let found = catalogue.found.as_ref().map(|found| json!({
                "total": found.total, "listed": found.listed, "nearest": found.nearest, "first": found.first,
            }));
            json!({ "asked": asked(&catalogue.asked), "found": found })
        }),
        "limits": limits(view),
        "quota": view.quota.map(super::status_quota::QuotaEntry::of),
        "history": history,
        "phases": phases,
        "request": (!is_nameless(&outcome.target)).then(|| json!({
            "made": examination.request.made,
            "url": examination.request.url,
            "body": visible(&examination.request.body),
            "curl": curl(&examination.request),
        })),
        "ticket": paragraph(view, &rungs, &look.zone),
    })
}

/// What was not measured is absent, never null.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let held = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(held.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

fn key(key: &KeySeen) -> Value {
    match key {
        KeySeen::NotNeeded => json!({ "state": "not-needed" }),
        KeySeen::NotRead => json!({ "state": "not-read" }),
        KeySeen::Missing { fault } => json!({ "state": "missing", "fault": fault }),
        KeySeen::Found { source, length, prefix, fault } => {
            let (begins, wanted) = match prefix {
                PrefixSeen::Documented(wanted) => ("documented", Some(wanted)),
                PrefixSeen::Other(wanted) => ("other", Some(wanted)),
                PrefixSeen::Undocumented => ("undocumented", None),
            };
            json!({
                "state": "found", "source": source, "length": length, "prefix": begins, "documented_prefix": wanted,
                "fault": fault,
            })
        }
    }
}

fn name(examination: &Examination) -> Value {
    let host = &examination.route.host;
    match &examination.name {
        NameSeen::Literal => json!({ "host": host, "state": "literal" }),
        NameSeen::Pinned(address) => json!({ "host": host, "state": "pinned", "address": address.to_string() }),
        NameSeen::Found(took) => json!({ "host": host, "state": "found", "dns_ms": milliseconds(*took) }),
        NameSeen::Failed { code, evidence } => {
            json!({ "host": host, "state": "failed", "code": code, "evidence": evidence })
        }
    }
}

fn address(seen: &AddressSeen) -> Value {
    let (tcp_ms, fault) = match &seen.reached {
        Reached::Open(took) => (Some(milliseconds(*took)), None),
        Reached::Closed(why) => (None, Some(why)),
    };
    json!({ "address": seen.address.to_string(), "family": seen.family(), "tcp_ms": tcp_ms, "fault": fault })
}

fn handshake(seen: &HandshakeSeen) -> Value {
    json!({
        "address": seen.address.map(|address| address.to_string()),
        "tls_ms": milliseconds(seen.took),
        "version": seen.version,
        "cipher": seen.cipher,
        "alpn": seen.alpn,
        "trusted": seen.fault.is_none(),
        "code": seen.fault.as_ref().map(|(code, _)| code),
        "evidence": seen.fault.as_ref().map(|(_, evidence)| evidence),
        "chain": seen.chain.iter().map(certificate).collect::<Vec<_>>(),
    })
}

fn certificate(seen: &CertificateSeen) -> Value {
    json!({
        "subject": seen.subject,
        "issuer": seen.issuer,
        "from": seen.from.map(moment),
        "until": seen.until.map(moment),
        "key": seen.key,
        "names": seen.names,
        "covers_host": seen.covers_host,
    })
}

fn asked(asked: &Asked) -> Value {
    json!({
        "path": asked.path,
        "carried": asked.carried,
        "http_status": asked.status,
        "headers_ms": asked.took.map(milliseconds),
        "request_id": asked.request_id,
        "says": asked.says,
        "code": asked.code,
        "shows": asked.shows,
    })
}

/// What the provider said of its limits, the newest of each.
fn limits(view: &Diagnosed<'_>) -> Value {
    let newest: Vec<&Reading> = view.outcome.quota.newest().collect();
    let earlier = view.examination.quota.newest();
    let earlier = earlier.filter(|reading| newest.iter().all(|new| new.window != reading.window));
    let limits: Vec<&Reading> = newest.iter().copied().chain(earlier).collect();
    serde_json::to_value(limits).unwrap_or(Value::Null)
}

fn moment(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// Milliseconds to the microsecond, as in [`Record`].
fn milliseconds(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
