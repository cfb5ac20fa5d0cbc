//! One line per target, for overviews: its last outcome, its last first tokens, its uptime, what it cost, its standing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::hours::hour_of;
use super::spent::{DAY, WEEK, spent_lately};
use super::{PastOutcome, Reader, SpentLately, StateKind, StoreError};
use crate::outcome::Warmth;

/// First tokens that a summary has.
const SAMPLES: i64 = 30;

/// How many outcomes were what. `degraded` is good: it answers; what could not be told is in no share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Uptime {
    /// Ready or degraded.
    pub good: u64,
    /// Failed.
    pub bad: u64,
    /// Nothing was learned of the target.
    pub unknown: u64,
}

impl Uptime {
    /// All probes.
    #[must_use]
    pub fn probes(self) -> u64 {
        self.good.saturating_add(self.bad).saturating_add(self.unknown)
    }

    /// The good ones among those that told something, from 0 to 1.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        let told = self.good.saturating_add(self.bad);
        (told > 0).then(|| self.good as f64 / told as f64)
    }

    fn add(&mut self, more: Self) {
        self.good = self.good.saturating_add(more.good);
        self.bad = self.bad.saturating_add(more.bad);
        self.unknown = self.unknown.saturating_add(more.unknown);
    }
}

/// The first token of one probe.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sample {
    /// When the probe began.
    pub at: Timestamp,
    /// The time to its first token.
    pub first_token_ms: f64,
    /// What that said of the LLM.
    pub warmth: Warmth,
}

/// The probes of one day (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DayCount {
    /// Its first moment.
    pub day: Timestamp,
    /// What they came to.
    pub uptime: Uptime,
}

/// What is known of one target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetSummary {
    /// Its name.
    pub target: String,
    /// Its last outcome, of whatever depth.
    pub latest: PastOutcome,
    /// The last first token that was measured.
    pub first_token_ms: Option<f64>,
    /// The last first tokens, at most 30, the oldest first.
    pub samples: Vec<Sample>,
    /// The last 24 hours of the clock, with the one that is not over.
    pub day: Uptime,
    /// The last 168 hours of the clock, with the one that is not over.
    pub week: Uptime,
    /// The days that `week` touches, the oldest first; the first and the last are not whole, and days without a probe
    /// are absent.
    pub days: Vec<DayCount>,
    /// What its warm-ups cost in the same day and week.
    pub spent: SpentLately,
    /// Its standing, as JSON.
    pub standing: Option<String>,
}

const LATEST: &str = "SELECT l.target, l.at_ms, l.record, s.json FROM latest l
    LEFT JOIN states s ON s.kind = $1 AND s.name = l.target ORDER BY l.target";
/// `$1` is the first hour of the week, `$2` that of the day.
const DAYS: &str = "SELECT target, hour / 24,
        CAST(SUM(good) AS BIGINT), CAST(SUM(bad) AS BIGINT), CAST(SUM(unknown) AS BIGINT),
        CAST(SUM(CASE WHEN hour >= $2 THEN good ELSE 0 END) AS BIGINT),
        CAST(SUM(CASE WHEN hour >= $2 THEN bad ELSE 0 END) AS BIGINT),
        CAST(SUM(CASE WHEN hour >= $2 THEN unknown ELSE 0 END) AS BIGINT)
    FROM uptime_hours WHERE hour >= $1 GROUP BY target, hour / 24 ORDER BY target, hour / 24";
/// The last `$1 + 1` first tokens of each target, by way of the index `outcomes_first_token` alone.
const FIRST_TOKENS: &str = "SELECT l.target, o.at_ms, o.first_token_ms, o.warmth FROM latest l
    JOIN outcomes o ON o.target = l.target AND o.first_token_ms IS NOT NULL AND o.at_ms >= COALESCE(
        (SELECT s.at_ms FROM outcomes s WHERE s.target = l.target AND s.first_token_ms IS NOT NULL
         ORDER BY s.at_ms DESC LIMIT 1 OFFSET $1), 0)
    ORDER BY l.target, o.at_ms";

type DayRow = (String, i64, i64, i64, i64, i64, i64, i64);

impl Reader {
    /// A summary of every target that has an outcome, by name. `now` says where the day and the week end.
    pub async fn summaries(&self, now: Timestamp) -> Result<Vec<TargetSummary>, StoreError> {
        let mut connection = self.connection.lock().await;
        let trouble = |source| self.trouble(source);
        let latest: Vec<(String, i64, String, Option<String>)> = sqlx::query_as(LATEST)
            .bind(StateKind::Standing.name())
            .fetch_all(&mut *connection)
            .await
            .map_err(trouble)?;
        let mut summaries: BTreeMap<String, TargetSummary> = BTreeMap::new();
        for (target, at, record, standing) in latest {
            let Some(latest) = PastOutcome::read(at, &record) else { continue };
            let (first_token_ms, samples, days) = (None, Vec::new(), Vec::new());
            let (day, week, spent) = (Uptime::default(), Uptime::default(), SpentLately::default());
            let name = target.clone();
            let summary = TargetSummary { target, latest, first_token_ms, samples, day, week, days, spent, standing };
            summaries.insert(name, summary);
        }
        let hour = hour_of(now.as_millisecond());
        let days: Vec<DayRow> = sqlx::query_as(DAYS)
            .bind(hour.saturating_sub(WEEK - 1))
            .bind(hour.saturating_sub(DAY - 1))
            .fetch_all(&mut *connection)
            .await
            .map_err(trouble)?;
        for (target, day, good, bad, unknown, day_good, day_bad, day_unknown) in days {
            let Some(summary) = summaries.get_mut(&target) else { continue };
            let uptime = counted(good, bad, unknown);
            summary.week.add(uptime);
            summary.day.add(counted(day_good, day_bad, day_unknown));
            if let Ok(day) = Timestamp::from_second(day.saturating_mul(86_400)) {
                summary.days.push(DayCount { day, uptime });
            }
        }
        for (target, spent) in spent_lately(&mut connection, None, now).await.map_err(trouble)? {
            if let Some(summary) = summaries.get_mut(&target) {
                summary.spent = spent;
            }
        }
        let samples: Vec<(String, i64, f64, String)> =
            sqlx::query_as(FIRST_TOKENS).bind(SAMPLES - 1).fetch_all(&mut *connection).await.map_err(trouble)?;
        for (target, at, first_token_ms, warmth) in samples {
            let (Some(summary), Ok(at)) = (summaries.get_mut(&target), Timestamp::from_millisecond(at)) else {
                continue;
            };
            let known = [Warmth::Warm, Warmth::Cold].into_iter().find(|known| known.name() == warmth);
            summary.samples.push(Sample { at, first_token_ms, warmth: known.unwrap_or(Warmth::Unknown) });
            summary.first_token_ms = Some(first_token_ms);
        }
        Ok(summaries.into_values().collect())
    }
}

fn counted(good: i64, bad: i64, unknown: i64) -> Uptime {
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    Uptime { good: count(good), bad: count(bad), unknown: count(unknown) }
}
