//! What warm-ups cost, and what that bought: added up by the hour, and asked for by the day and the week.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::Error;
use sqlx::sqlite::SqliteConnection;

use super::hours::hour_of;
use super::{PastOutcome, Reader, StoreError};
use crate::outcome::{Code, Cost, Record, Stage, Usage, Warmth};
use crate::target::Depth;

/// What a day is, in hours.
pub(super) const DAY: i64 = 24;
/// What a week is, in hours.
pub(super) const WEEK: i64 = 7 * DAY;

/// What some probes of a target cost. What is known of none of them is absent, never zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spent {
    /// Warm-ups that were asked for, whatever came of them.
    pub warm_ups: u64,
    /// Those of them that found the LLM not loaded: they waited for it instead of a user.
    pub cold_starts: u64,
    /// Warm-ups that were not made, to spare the quota.
    pub withheld: u64,
    /// Tokens of prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens generated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// Requests, as the provider weighs them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_requests: Option<f64>,
    /// US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_usd: Option<f64>,
}

/// What a target's warm-ups cost lately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct SpentLately {
    /// In the last 24 hours of the clock, with the one that is not over.
    pub day: Spent,
    /// In the last 168 hours of the clock, with the one that is not over.
    pub week: Spent,
}

/// What a probe was, to who pays for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    WarmUp,
    Withheld,
    Free,
}

impl Kind {
    fn of(depth: Depth, stage: Stage, attempts: u32) -> Self {
        match (depth, stage) {
            (Depth::Warm, Stage::Warm) if attempts > 0 => Self::WarmUp,
            _ => Self::Free,
        }
    }
}

impl Spent {
    /// What the probe of a record cost.
    pub(super) fn of_record(record: &Record) -> Self {
        let kind = match record.withheld {
            Some(_) => Kind::Withheld,
            None => Kind::of(record.depth, record.stage, record.attempts),
        };
        let usage = Usage { input_tokens: record.input_tokens, output_tokens: record.output_tokens };
        let cost = Cost { requests: record.price_requests, usd: record.price_usd };
        Self::of(kind, record.warmth, usage, cost)
    }

    /// What the probe of a record cost that was read back.
    pub(super) fn of_past(past: &PastOutcome) -> Self {
        let kind = match past.withheld.is_some() || past.known_code() == Some(Code::QuotaWithheld) {
            true => Kind::Withheld,
            false => Kind::of(past.depth, past.stage, past.attempts),
        };
        let usage = Usage { input_tokens: past.input_tokens, output_tokens: past.output_tokens };
        let cost = Cost { requests: past.price_requests, usd: past.price_usd };
        Self::of(kind, past.warmth, usage, cost)
    }

    fn of(kind: Kind, warmth: Warmth, usage: Usage, cost: Cost) -> Self {
        Self {
            warm_ups: u64::from(kind == Kind::WarmUp),
            cold_starts: u64::from(kind == Kind::WarmUp && warmth == Warmth::Cold),
            withheld: u64::from(kind == Kind::Withheld),
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            price_requests: cost.requests,
            price_usd: cost.usd,
        }
    }

    /// Adds what others cost.
    pub fn add(&mut self, more: Self) {
        let tokens = |a: Option<u64>, b: Option<u64>| a.zip(b).map(|(a, b)| a.saturating_add(b)).or(a).or(b);
        self.warm_ups = self.warm_ups.saturating_add(more.warm_ups);
        self.cold_starts = self.cold_starts.saturating_add(more.cold_starts);
        self.withheld = self.withheld.saturating_add(more.withheld);
        self.input_tokens = tokens(self.input_tokens, more.input_tokens);
        self.output_tokens = tokens(self.output_tokens, more.output_tokens);
        let mut cost = self.cost();
        cost.add(more.cost());
        (self.price_requests, self.price_usd) = (cost.requests, cost.usd);
    }

    /// What it cost, all in all.
    #[must_use]
    pub fn cost(&self) -> Cost {
        Cost { requests: self.price_requests, usd: self.price_usd }
    }

    /// Tokens of prompts and answers together.
    #[must_use]
    pub fn tokens(&self) -> Option<u64> {
        let (input, output) = (self.input_tokens, self.output_tokens);
        input.zip(output).map(|(input, output)| input.saturating_add(output)).or(input).or(output)
    }

    /// What each cold start cost that a warm-up met, so that no user did: all that was spent, over their number. `None`
    /// where there was none.
    #[must_use]
    pub fn per_cold_start(&self) -> Option<Cost> {
        let each = |amount: Option<f64>| amount.map(|amount| amount / self.cold_starts as f64);
        (self.cold_starts > 0).then(|| Cost { requests: each(self.price_requests), usd: each(self.price_usd) })
    }
}

/// From hour `$1` on; of target `$2`, or of all.
const SPENT: &str = "SELECT target, CAST(SUM(warm_ups) AS BIGINT), CAST(SUM(cold_starts) AS BIGINT),
        CAST(SUM(withheld) AS BIGINT), CAST(SUM(input_tokens) AS BIGINT), CAST(SUM(output_tokens) AS BIGINT),
        SUM(price_requests), SUM(price_usd)
    FROM uptime_hours WHERE hour >= $1 AND ($2 = '' OR target = $2) GROUP BY target";

type SpentRow = (String, i64, i64, i64, Option<i64>, Option<i64>, Option<f64>, Option<f64>);

/// What each target spent in the day and the week that end with `now`; of one target where it is named.
pub(super) async fn spent_lately(
    connection: &mut SqliteConnection,
    target: Option<&str>,
    now: Timestamp,
) -> Result<BTreeMap<String, SpentLately>, Error> {
    let mut all: BTreeMap<String, SpentLately> = BTreeMap::new();
    let hour = hour_of(now.as_millisecond());
    for (target, spent) in since(connection, target, hour.saturating_sub(WEEK - 1)).await? {
        all.entry(target).or_default().week = spent;
    }
    for (target, spent) in since(connection, target, hour.saturating_sub(DAY - 1)).await? {
        all.entry(target).or_default().day = spent;
    }
    Ok(all)
}

async fn since(
    connection: &mut SqliteConnection,
    target: Option<&str>,
    hour: i64,
) -> Result<Vec<(String, Spent)>, Error> {
    let rows: Vec<SpentRow> =
        sqlx::query_as(SPENT).bind(hour).bind(target.unwrap_or_default()).fetch_all(&mut *connection).await?;
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    let read = |(target, warm_ups, cold_starts, withheld, input, output, requests, usd): SpentRow| {
        let spent = Spent {
            warm_ups: count(warm_ups),
            cold_starts: count(cold_starts),
            withheld: count(withheld),
            input_tokens: input.map(count),
            output_tokens: output.map(count),
            price_requests: requests,
            price_usd: usd,
        };
        (target, spent)
    };
    Ok(rows.into_iter().map(read).collect())
}

impl Reader {
    /// What the warm-ups of a target cost lately. `now` says where the day and the week end.
    pub async fn spent(&self, target: &str, now: Timestamp) -> Result<SpentLately, StoreError> {
        let mut connection = self.connection.lock().await;
        let all = spent_lately(&mut connection, Some(target), now).await.map_err(|source| self.trouble(source))?;
        Ok(all.get(target).copied().unwrap_or_default())
    }
}
