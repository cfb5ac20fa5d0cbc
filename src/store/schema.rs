//! The tables, and how an older store becomes a newer one.
//!
//! The SQL is such that PostgreSQL takes it too: BIGINT, TEXT and DOUBLE PRECISION, `$n`, `ON CONFLICT`. Times are Unix
//! milliseconds, hours are Unix hours.

use sqlx::Error;
use sqlx::sqlite::SqliteConnection;

use super::hours;

/// One step: what brings a store from the version before to this one. A step that was released is never changed.
const MIGRATIONS: [&[&str]; 4] = [HISTORY, ROLL_UP, SPENDING, OBSERVATIONS];

/// The version that this program reads and writes.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

const HISTORY: &[&str] = &[
    // One row per finished probe. What is asked for by name has a column; `record` is the whole of it, as JSON.
    "CREATE TABLE outcomes (
        target TEXT NOT NULL, at_ms BIGINT NOT NULL, id BIGINT NOT NULL,
        provider TEXT NOT NULL, model TEXT NOT NULL, depth TEXT NOT NULL, stage TEXT NOT NULL,
        verdict TEXT NOT NULL, warmth TEXT NOT NULL, code TEXT, run_id TEXT NOT NULL,
        first_token_ms DOUBLE PRECISION, total_ms DOUBLE PRECISION NOT NULL, attempts BIGINT NOT NULL,
        record TEXT NOT NULL,
        PRIMARY KEY (target, at_ms, id))",
    "CREATE INDEX outcomes_at ON outcomes (at_ms)",
    "CREATE TABLE flips (
        at_ms BIGINT NOT NULL, id BIGINT NOT NULL, target TEXT NOT NULL,
        was TEXT NOT NULL, became TEXT NOT NULL, code TEXT, run_id TEXT NOT NULL,
        PRIMARY KEY (at_ms, id))",
    "CREATE INDEX flips_target ON flips (target, at_ms)",
    "CREATE TABLE states (kind TEXT NOT NULL, name TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (kind, name))",
];

const ROLL_UP: &[&str] = &[
    // What uptime is counted from: an hour of a target is one row, however often it was probed.
    "CREATE TABLE uptime_hours (
        hour BIGINT NOT NULL, target TEXT NOT NULL,
        good BIGINT NOT NULL, bad BIGINT NOT NULL, unknown BIGINT NOT NULL,
        PRIMARY KEY (hour, target))",
    "INSERT INTO uptime_hours (hour, target, good, bad, unknown)
        SELECT at_ms / 3600000, target,
            SUM(CASE WHEN verdict IN ('ready', 'degraded') THEN 1 ELSE 0 END),
            SUM(CASE WHEN verdict = 'failed' THEN 1 ELSE 0 END),
            SUM(CASE WHEN verdict = 'unknown' THEN 1 ELSE 0 END)
        FROM outcomes GROUP BY at_ms / 3600000, target",
    // The last outcome of each target, and with that the list of targets.
    "CREATE TABLE latest (target TEXT NOT NULL PRIMARY KEY, at_ms BIGINT NOT NULL, record TEXT NOT NULL)",
    "INSERT INTO latest (target, at_ms, record)
        SELECT o.target, o.at_ms, o.record FROM outcomes o
        WHERE o.id = (SELECT l.id FROM outcomes l WHERE l.target = o.target ORDER BY l.at_ms DESC, l.id DESC LIMIT 1)",
    // First tokens are few among probes of lesser depth; this finds them without reading a row.
    "CREATE INDEX outcomes_first_token ON outcomes (target, at_ms, first_token_ms, warmth)
        WHERE first_token_ms IS NOT NULL",
];

/// What warm-ups cost, in the roll-up. What is not known is null. The hours that are there are filled from the records by
/// [`hours::fill`].
const SPENDING: &[&str] = &[
    "ALTER TABLE uptime_hours ADD COLUMN warm_ups BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE uptime_hours ADD COLUMN cold_starts BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE uptime_hours ADD COLUMN withheld BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE uptime_hours ADD COLUMN input_tokens BIGINT",
    "ALTER TABLE uptime_hours ADD COLUMN output_tokens BIGINT",
    "ALTER TABLE uptime_hours ADD COLUMN price_requests DOUBLE PRECISION",
    "ALTER TABLE uptime_hours ADD COLUMN price_usd DOUBLE PRECISION",
];
/// The version that [`SPENDING`] leads to.
const WITH_SPENDING: i64 = 3;
const OBSERVATIONS: &[&str] = &[
    // What each warm-up of `every: auto` taught, the last few hundred of a target: what was learned can be computed anew
    // from it. `llm` says of which LLM, because a target's name may come to mean another one.
    "CREATE TABLE observations (
        target TEXT NOT NULL, at_ms BIGINT NOT NULL, id BIGINT NOT NULL, llm TEXT NOT NULL, json TEXT NOT NULL,
        PRIMARY KEY (target, at_ms, id))",
];

/// The version of the store; 0 when it has no tables yet.
pub(super) async fn version(connection: &mut SqliteConnection) -> Result<i64, Error> {
    let (tables,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'")
            .fetch_one(&mut *connection)
            .await?;
    if tables == 0 {
        return Ok(0);
    }
    let found: Option<(i64,)> =
        sqlx::query_as("SELECT version FROM schema_version").fetch_optional(&mut *connection).await?;
    Ok(found.map_or(0, |(version,)| version))
}

/// Brings the store from version `from` to [`VERSION`], each step in a transaction of its own; a new store is made in one,
/// so that no reader sees a version that never was anybody's.
pub(super) async fn migrate(connection: &mut SqliteConnection, from: i64) -> Result<(), Error> {
    let done = usize::try_from(from).unwrap_or(0);
    let steps: Vec<(i64, &[&str])> = (1_i64..).zip(MIGRATIONS).skip(done).collect();
    let transactions = steps.chunks(if from == 0 { MIGRATIONS.len() } else { 1 });
    for steps in transactions {
        // Whoever called closes the connection when this fails, and that rolls back.
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        for (version, step) in steps {
            for sql in *step {
                sqlx::query(*sql).persistent(false).execute(&mut *connection).await?;
            }
            if *version == WITH_SPENDING {
                hours::fill(connection).await?;
            }
            for sql in VERSION_TABLE {
                sqlx::query(sql).persistent(false).execute(&mut *connection).await?;
            }
            let row = sqlx::query("INSERT INTO schema_version (version) VALUES ($1)");
            row.bind(*version).execute(&mut *connection).await?;
        }
        sqlx::query("COMMIT").execute(&mut *connection).await?;
    }
    Ok(())
}

const VERSION_TABLE: [&str; 2] =
    ["CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)", "DELETE FROM schema_version"];
