//! Why a probe ended as it did: the code, the stage, the evidence, the remedy.

use std::time::Duration;

use jiff::Timestamp;

use super::{Code, Stage};

/// Why a probe ended as it did. All texts are safe to show: the wire's control characters and every secret are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The stable code.
    pub code: Code,
    /// The stage that broke.
    pub stage: Stage,
    /// What was seen: `HTTP 401, type authentication_error: "invalid key"`. At most 400 characters.
    pub evidence: String,
    /// What to do next, with the target's own values in it.
    pub remedy: String,
    /// When waiting helps, and the provider says until when.
    pub reset: Option<Reset>,
    /// Ids in the catalogue that are nearest to the one asked for, best first.
    pub nearest: Vec<String>,
}

/// When a limit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reset {
    /// From the moment the answer came.
    pub after: Duration,
    /// The moment itself.
    pub at: Timestamp,
    /// Who said so.
    pub source: ResetSource,
}

/// Where a reset time was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetSource {
    /// `retry-after`, `retry-after-ms` or a variant.
    RetryAfter,
    /// A rate-limit header (`x-ratelimit-reset-requests`, `anthropic-ratelimit-requests-reset`, …).
    RateLimitHeader,
    /// The quota that came with the answer.
    Quota,
    /// The error body.
    Body,
    /// Our own governor, which withheld a warm-up until then.
    Governor,
}
