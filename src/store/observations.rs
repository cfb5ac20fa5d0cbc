//! What warm-ups taught: the last few hundred observations of each target, in a ring.
//!
//! They are written with the outcomes (`append.rs`). What follows from them is `warmth/`'s; here they are kept.

use sqlx::Error;
use sqlx::sqlite::SqliteConnection;

use super::open::Store;
use super::{Reader, StoreError};
use crate::warmth::{HISTORY, Observation};

/// The LLM of a target's newest observation.
const NEWEST_LLM: &str = "SELECT llm FROM observations WHERE target = $1 ORDER BY at_ms DESC, id DESC LIMIT 1";
/// Those of one LLM, by whichever target they were made: what was seen of another is of no use.
const OBSERVATIONS: &str = "SELECT json FROM observations WHERE llm = $1 ORDER BY at_ms DESC, id DESC LIMIT $2";
const TOO_MANY: &str = "SELECT target FROM observations GROUP BY target HAVING COUNT(*) > $1";
/// The oldest one that is kept.
const OLDEST_KEPT: &str = "SELECT at_ms, id FROM observations WHERE target = $1
    ORDER BY at_ms DESC, id DESC LIMIT 1 OFFSET $2";
const DROP_OLDER: &str = "DELETE FROM observations WHERE target = $1 AND (at_ms < $2 OR (at_ms = $2 AND id < $3))";
const DROP_GONE: &str = "DELETE FROM observations WHERE target NOT IN (SELECT target FROM latest)";
const DROP_BEFORE_OUTCOMES: &str =
    "DELETE FROM observations WHERE at_ms < (SELECT COALESCE(MIN(at_ms), 0) FROM outcomes)";

/// How many are kept of a target.
fn most() -> i64 {
    i64::try_from(HISTORY).unwrap_or(i64::MAX)
}

async fn observations(
    connection: &mut SqliteConnection,
    target: &str,
    llm: Option<&str>,
) -> Result<Vec<Observation>, Error> {
    let newest = match llm {
        Some(llm) => Some((llm.to_owned(),)),
        None => sqlx::query_as(NEWEST_LLM).bind(target).fetch_optional(&mut *connection).await?,
    };
    let Some((llm,)) = newest else { return Ok(Vec::new()) };
    let rows: Vec<(String,)> = sqlx::query_as(OBSERVATIONS).bind(llm).bind(most()).fetch_all(&mut *connection).await?;
    // What another version wrote and this one cannot read is left out.
    Ok(rows.iter().rev().filter_map(|(json,)| serde_json::from_str(json).ok()).collect())
}

impl Reader {
    /// What the last warm-ups of a target's LLM taught, the oldest first, at most [`HISTORY`]; those of other targets that
    /// name the same are among them. The LLM is named as in [`Observed`](super::Observed); where none is asked for, it is
    /// the one that the target's name stood for last.
    pub async fn observations(&self, target: &str, llm: Option<&str>) -> Result<Vec<Observation>, StoreError> {
        let mut connection = self.connection.lock().await;
        observations(&mut connection, target, llm).await.map_err(|source| self.trouble(source))
    }
}

impl Store {
    /// The same as [`Reader::observations`], for the one who writes.
    pub async fn observations(&self, target: &str, llm: Option<&str>) -> Result<Vec<Observation>, StoreError> {
        let mut hand = self.hand().await;
        let read = observations(&mut hand.connection, target, llm).await;
        read.map_err(|source| self.trouble("read the observations in", source))
    }

    /// Drops what is more than [`HISTORY`] of a target, and all of targets of which no outcome is left.
    pub(super) async fn trim_observations(&self) -> Result<(), StoreError> {
        let trouble = |source| self.trouble("drop old observations from", source);
        let mut hand = self.hand().await;
        sqlx::query(DROP_GONE).execute(&mut hand.connection).await.map_err(trouble)?;
        let full: Vec<(String,)> =
            sqlx::query_as(TOO_MANY).bind(most()).fetch_all(&mut hand.connection).await.map_err(trouble)?;
        drop(hand);
        for (target,) in full {
            // Each with a hold of its own, so that writing never waits for long.
            let mut hand = self.hand().await;
            let oldest = sqlx::query_as(OLDEST_KEPT).bind(&target).bind(most().saturating_sub(1));
            let oldest: Option<(i64, i64)> = oldest.fetch_optional(&mut hand.connection).await.map_err(trouble)?;
            let Some((at, id)) = oldest else { continue };
            let older = sqlx::query(DROP_OLDER).bind(&target).bind(at).bind(id);
            older.execute(&mut hand.connection).await.map_err(trouble)?;
        }
        Ok(())
    }

    /// Where outcomes go because the store is too large, observations of the same age go too.
    pub(super) async fn drop_observations_before_outcomes(&self) -> Result<(), StoreError> {
        let mut hand = self.hand().await;
        let dropped = sqlx::query(DROP_BEFORE_OUTCOMES).execute(&mut hand.connection).await;
        dropped.map(drop).map_err(|source| self.trouble("drop old observations from", source))
    }
}
