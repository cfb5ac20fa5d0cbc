//! The roll-up: one row per target and hour, from which uptime and cost are counted without reading an outcome.

use std::collections::BTreeMap;

use sqlx::Error;
use sqlx::sqlite::SqliteConnection;

use super::rows::Insert;
use super::{PastOutcome, Spent, Uptime};

/// An hour of a target: what probes came to, and what they cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Hour {
    pub(super) uptime: Uptime,
    pub(super) spent: Spent,
}

/// By the Unix hour and the target.
pub(super) type Hours = BTreeMap<(i64, String), Hour>;

/// What was not known of the one adds nothing to the other, and what is known of neither stays so.
const HOUR: Insert = Insert {
    into: "INSERT INTO uptime_hours (hour, target, good, bad, unknown, warm_ups, cold_starts, withheld,
        input_tokens, output_tokens, price_requests, price_usd)",
    columns: 12,
    conflict: "ON CONFLICT (hour, target) DO UPDATE SET good = uptime_hours.good + excluded.good,
        bad = uptime_hours.bad + excluded.bad, unknown = uptime_hours.unknown + excluded.unknown,
        warm_ups = uptime_hours.warm_ups + excluded.warm_ups,
        cold_starts = uptime_hours.cold_starts + excluded.cold_starts,
        withheld = uptime_hours.withheld + excluded.withheld,
        input_tokens = COALESCE(uptime_hours.input_tokens + excluded.input_tokens,
            uptime_hours.input_tokens, excluded.input_tokens),
        output_tokens = COALESCE(uptime_hours.output_tokens + excluded.output_tokens,
            uptime_hours.output_tokens, excluded.output_tokens),
        price_requests = COALESCE(uptime_hours.price_requests + excluded.price_requests,
            uptime_hours.price_requests, excluded.price_requests),
        price_usd = COALESCE(uptime_hours.price_usd + excluded.price_usd,
            uptime_hours.price_usd, excluded.price_usd)",
};

/// The Unix hour of a moment in Unix milliseconds.
pub(super) fn hour_of(at_ms: i64) -> i64 {
    at_ms.div_euclid(3_600_000)
}

/// Adds hours to those that are there.
pub(super) async fn add(connection: &mut SqliteConnection, hours: Hours) -> Result<(), Error> {
    let hours: Vec<_> = hours.into_iter().collect();
    HOUR.run(connection, &hours, |query, ((hour, target), Hour { uptime, spent })| {
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        query
            .bind(*hour)
            .bind(target)
            .bind(count(uptime.good))
            .bind(count(uptime.bad))
            .bind(count(uptime.unknown))
            .bind(count(spent.warm_ups))
            .bind(count(spent.cold_starts))
            .bind(count(spent.withheld))
            .bind(spent.input_tokens.map(count))
            .bind(spent.output_tokens.map(count))
            .bind(spent.price_requests)
            .bind(spent.price_usd)
    })
    .await
}

/// The next outcomes after `$1`, `$2`, `$3`, in the order of the table's key.
const WARMED: &str = "SELECT target, at_ms, id, record FROM outcomes
    WHERE (target, at_ms, id) > ($1, $2, $3) AND depth = 'warm' ORDER BY target, at_ms, id LIMIT $4";
/// Outcomes that are read at once.
const PIECE: i64 = 1000;

/// Adds to the hours what the outcomes that are there cost. For a store that was kept before cost was; what its records
/// do not tell stays absent. They are read here and not by SQL, because SQLite is built without JSON.
pub(super) async fn fill(connection: &mut SqliteConnection) -> Result<(), Error> {
    let mut after = (String::new(), i64::MIN, i64::MIN);
    loop {
        let rows: Vec<(String, i64, i64, String)> = sqlx::query_as(WARMED)
            .bind(&after.0)
            .bind(after.1)
            .bind(after.2)
            .bind(PIECE)
            .fetch_all(&mut *connection)
            .await?;
        let Some((target, at, id, _)) = rows.last() else { return Ok(()) };
        after = (target.clone(), *at, *id);
        let mut hours = Hours::new();
        for (target, at, _, record) in rows {
            let Some(past) = PastOutcome::read(at, &record) else { continue };
            hours.entry((hour_of(at), target)).or_default().spent.add(Spent::of_past(&past));
        }
        add(connection, hours).await?;
    }
}
