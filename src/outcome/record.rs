//! The flat form of an outcome that leaves the process: the log line, the JSON report and the history are all this.
//!
//! Fields carry their unit in their name. What was not measured is absent, never zero. DESIGN.md section 4 fixes the
//! names; adding one is compatible, changing or dropping one raises [`SCHEMA`].

use std::time::Duration;

use serde::Serialize;

use super::{Code, Connection, Outcome, Proof, Stage, Verdict, Warmth, Withholding, judge};
use crate::target::Depth;

/// The version of the record's layout.
pub const SCHEMA: u32 = 1;

/// One finished probe, flat.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// When it began, RFC 3339 UTC, to the millisecond.
    pub started: String,
    /// [`SCHEMA`].
    pub schema: u32,
    /// The pass.
    pub run_id: String,
    /// The target's name.
    pub target: String,
    /// The provider's name.
    pub provider: String,
    /// The LLM's id.
    pub model: String,
    /// How far it was asked to climb.
    pub depth: Depth,
    /// Where it ended.
    pub stage: Stage,
    /// The judgement.
    pub verdict: Verdict,
    /// What it says of the LLM's state.
    pub warmth: Warmth,
    /// What the verdict rests on.
    pub proof: Proof,
    /// What went wrong, or the first warning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The last HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// How many attempts it took.
    pub attempts: u32,
    /// What happened to the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<Connection>,
    /// The proxy on the way, without its user and password: `http://proxy.example.com:3128`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// Resolving the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_ms: Option<f64>,
    /// The TCP handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_ms: Option<f64>,
    /// The TLS handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_ms: Option<f64>,
    /// The last request to its response head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers_ms: Option<f64>,
    /// The warm-up to its first generated content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<f64>,
    /// The warm-up to the end of its stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_token_ms: Option<f64>,
    /// From being due to being started: our own queueing, which is in no other figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queued_ms: Option<f64>,
    /// The whole probe, from its start.
    pub total_ms: f64,
    /// Tokens of the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens generated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// What it cost, in requests as the provider weighs them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_requests: Option<f64>,
    /// What it cost, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_usd: Option<f64>,
    /// What is left of the provider's foremost limit, in the unit of that ([`QuotaSeen::remaining`]).
    ///
    /// [`QuotaSeen::remaining`]: super::QuotaSeen::remaining
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_remaining: Option<f64>,
    /// Why the warm-up was not made, where the quota was to be spared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Withholding>,
    /// Seconds until the provider says to come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<f64>,
    /// When the certificate ends, RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_ends: Option<String>,
    /// The provider's id of the last request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Record {
    /// The record of an outcome.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        let foremost = outcome.foremost();
        Self {
            started: moment(outcome.started),
            schema: SCHEMA,
            run_id: outcome.run_id.to_string(),
            target: outcome.target.id.to_string(),
            provider: outcome.target.provider.id.to_string(),
            model: outcome.target.model.to_string(),
            depth: outcome.depth,
            stage: outcome.stage,
            verdict: judge(outcome),
            warmth: outcome.warmth,
            proof: outcome.proof,
            code: foremost.map(|diagnosis| diagnosis.code),
            http_status: outcome.http_status,
            attempts: outcome.attempts,
            connection: outcome.connection,
            proxy: outcome.proxy().map(|proxy| proxy.address.to_string()),
            dns_ms: outcome.timings.dns.map(milliseconds),
            tcp_ms: outcome.timings.tcp.map(milliseconds),
            tls_ms: outcome.timings.tls.map(milliseconds),
            headers_ms: outcome.timings.headers.map(milliseconds),
            first_token_ms: outcome.timings.first_token.map(milliseconds),
            last_token_ms: outcome.timings.last_token.map(milliseconds),
            queued_ms: outcome.timings.queued.map(milliseconds),
            total_ms: milliseconds(outcome.timings.total),
            input_tokens: outcome.usage.input_tokens,
            output_tokens: outcome.usage.output_tokens,
            price_requests: outcome.cost.requests.map(|requests| rounded(requests, 1e6)),
            // A warm-up of a small LLM costs a few millionths of a dollar.
            price_usd: outcome.cost.usd.map(|usd| rounded(usd, 1e9)),
            quota_remaining: outcome.quota.remaining().map(|remaining| rounded(remaining, 1e6)),
            withheld: outcome.withheld,
            retry_after_s: foremost
                .and_then(|diagnosis| diagnosis.reset)
                .map(|reset| milliseconds(reset.after).round() / 1000.0),
            certificate_ends: outcome.certificate_ends.map(|end| end.to_string()),
            request_id: outcome.request_id.clone(),
            evidence: foremost.map(|diagnosis| diagnosis.evidence.clone()),
            remedy: foremost.map(|diagnosis| diagnosis.remedy.clone()),
        }
    }
}

/// A moment in UTC to the millisecond: `2026-11-20T19:02:11.123Z`.
fn moment(timestamp: jiff::Timestamp) -> String {
    format!("{timestamp:.3}")
}

/// A number to one part of `parts`: more digits would be the noise of binary fractions.
fn rounded(number: f64, parts: f64) -> f64 {
    let whole = (number * parts).round() / parts;
    // So large that it has no such digits.
    if whole.is_finite() { whole } else { number }
}

/// Milliseconds to the microsecond: more digits would be noise.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
