//! The history of one target: its outcomes, their codes, and the changes of its status.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Reader, StoreError};
use crate::outcome::{Code, Stage, Status, Verdict, Warmth};
use crate::target::Depth;

/// A record as it is read back: the fields of [`Record`](crate::outcome::Record), where words that a later version may
/// add to (code, proof, connection) are text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of Record, which says what each is")]
pub struct PastOutcome {
    /// When it began. Not a field of the record, which has it as text.
    #[serde(skip)]
    pub at: Timestamp,
    pub started: String,
    pub schema: u32,
    pub run_id: String,
    pub target: String,
    pub provider: String,
    pub model: String,
    pub depth: Depth,
    pub stage: Stage,
    pub verdict: Verdict,
    pub warmth: Warmth,
    pub proof: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    pub attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_ms: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp_ms: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_ms: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers_ms: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_token_ms: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_ms: Option<f64>,
    pub total_ms: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_requests: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_usd: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_remaining: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_ends: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl PastOutcome {
    /// From its row. `None` when this version does not understand it.
    pub(super) fn read(at_ms: i64, record: &str) -> Option<Self> {
        let mut past: Self = serde_json::from_str(record).ok()?;
        past.at = Timestamp::from_millisecond(at_ms).ok()?;
        Some(past)
    }

    /// The code, where this version knows it.
    #[must_use]
    pub fn known_code(&self) -> Option<Code> {
        self.code.as_deref().and_then(Code::from_name)
    }
}

/// A change of status, as it is read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastFlip {
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub target: String,
    /// What it was.
    pub from: Status,
    /// What it became.
    pub to: Status,
    /// Why, where there is a reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The pass that showed it.
    pub run_id: String,
}

/// Which outcomes are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter {
    /// None from before this.
    pub since: Option<Timestamp>,
    /// At most so many.
    pub limit: u32,
    /// Of this depth alone.
    pub depth: Option<Depth>,
    /// Failed ones alone.
    pub only_failures: bool,
}

impl Default for Filter {
    /// The last hundred.
    fn default() -> Self {
        Self { since: None, limit: 100, depth: None, only_failures: false }
    }
}

const HISTORY: &str = "SELECT at_ms, record FROM outcomes
    WHERE target = $1 AND at_ms >= $2 AND ($3 = '' OR depth = $3) AND ($4 = '' OR verdict = $4)
    ORDER BY at_ms DESC, id DESC LIMIT $5";
const CODES: &str = "SELECT code, COUNT(*) FROM outcomes
    WHERE target = $1 AND at_ms >= $2 AND code IS NOT NULL
    GROUP BY code ORDER BY COUNT(*) DESC, code";
const FLIPS: &str = "SELECT at_ms, target, was, became, code, run_id FROM flips
    WHERE at_ms >= $1 ORDER BY at_ms DESC, id DESC LIMIT $2";
const FLIPS_OF: &str = "SELECT at_ms, target, was, became, code, run_id FROM flips
    WHERE target = $3 AND at_ms >= $1 ORDER BY at_ms DESC, id DESC LIMIT $2";

type FlipRow = (i64, String, String, String, Option<String>, String);

impl Reader {
    /// The outcomes of a target, the newest first.
    pub async fn history(&self, target: &str, filter: Filter) -> Result<Vec<PastOutcome>, StoreError> {
        let mut connection = self.connection.lock().await;
        let rows: Vec<(i64, String)> = sqlx::query_as(HISTORY)
            .bind(target)
            .bind(bound(filter.since))
            .bind(filter.depth.map_or("", |depth| depth.name()))
            .bind(if filter.only_failures { Verdict::Failed.name() } else { "" })
            .bind(i64::from(filter.limit))
            .fetch_all(&mut *connection)
            .await
            .map_err(|source| self.trouble(source))?;
        Ok(rows.iter().filter_map(|(at, record)| PastOutcome::read(*at, record)).collect())
    }

    /// The changes of status, of one target or of all, the newest first.
    pub async fn flips(
        &self,
        target: Option<&str>,
        since: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<PastFlip>, StoreError> {
        let mut connection = self.connection.lock().await;
        let all = sqlx::query_as(if target.is_some() { FLIPS_OF } else { FLIPS });
        let all = all.bind(bound(since)).bind(i64::from(limit));
        let asked = match target {
            Some(target) => all.bind(target),
            None => all,
        };
        let rows: Vec<FlipRow> = asked.fetch_all(&mut *connection).await.map_err(|source| self.trouble(source))?;
        let flips = rows.into_iter().filter_map(|(at, target, was, became, code, run_id)| {
            let at = Timestamp::from_millisecond(at).ok()?;
            let (from, to) = (Status::from_name(&was)?, Status::from_name(&became)?);
            Some(PastFlip { at, target, from, to, code, run_id })
        });
        Ok(flips.collect())
    }

    /// How often each code came up at a target, the most frequent first.
    pub async fn code_counts(&self, target: &str, since: Option<Timestamp>) -> Result<Vec<(String, u64)>, StoreError> {
        let mut connection = self.connection.lock().await;
        let rows: Vec<(String, i64)> = sqlx::query_as(CODES)
            .bind(target)
            .bind(bound(since))
            .fetch_all(&mut *connection)
            .await
            .map_err(|source| self.trouble(source))?;
        Ok(rows.into_iter().map(|(code, count)| (code, u64::try_from(count).unwrap_or(0))).collect())
    }
}

fn bound(since: Option<Timestamp>) -> i64 {
    since.map_or(i64::MIN, Timestamp::as_millisecond)
}
