//! Keeping the store within its bounds: by age, then by size, the oldest first.
//!
//! It works in small pieces and lets go of the connection between them, so that writing never waits for long.

use jiff::{SignedDuration, Timestamp};
use sqlx::Error;
use sqlx::sqlite::SqliteConnection;

use super::hours::hour_of;
use super::open::Store;
use super::{Retention, StoreError};

/// Rows that are deleted in one transaction.
const PIECE: i64 = 1000;
/// When the store is too large, it is brought to this share of its bound, so that the next outcome is not too much again.
const SHARE: (u64, u64) = (9, 10);
/// Hours of the roll-up that are kept whatever the size: the week that summaries tell of, and a day more.
const WEEK: i64 = 8 * 24;
/// Each round deletes what it takes if all rows are alike; a few make up for their not being so.
const ROUNDS: usize = 12;

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Outcomes that are gone.
    pub outcomes: u64,
    /// Changes of status that are gone.
    pub flips: u64,
    /// What the store took on the disk before.
    pub bytes_before: u64,
    /// What it takes now.
    pub bytes_after: u64,
}

const AGED_LATEST: &str = "DELETE FROM latest WHERE at_ms < $1";
const AGED_FLIPS: &str = "DELETE FROM flips WHERE at_ms < $1";
const AGED_HOURS: &str = "DELETE FROM uptime_hours WHERE hour < $1";
/// The last moment of the next piece: the oldest `$2` outcomes before `$1`.
const PIECE_END: &str = "SELECT MAX(at_ms) FROM
    (SELECT at_ms FROM outcomes WHERE at_ms < $1 ORDER BY at_ms LIMIT $2) AS oldest";
const DROP_PIECE: &str = "DELETE FROM outcomes WHERE at_ms <= $1";

impl Store {
    /// Drops what is over the bounds, and gives the room back to the file system. The last outcome of a target goes by
    /// age only, so that a summary still tells of it.
    pub async fn sweep(&self, retention: Retention, now: Timestamp) -> Result<Swept, StoreError> {
        let mut swept = Swept { bytes_before: self.bytes(), ..Swept::default() };
        self.sweep_by_age(retention, now, &mut swept).await?;
        self.sweep_by_size(retention, now, &mut swept).await?;
        self.give_back().await?;
        swept.bytes_after = self.bytes();
        Ok(swept)
    }

    async fn sweep_by_age(&self, retention: Retention, now: Timestamp, swept: &mut Swept) -> Result<(), StoreError> {
        let age = SignedDuration::try_from(retention.age).unwrap_or(SignedDuration::MAX);
        let Ok(oldest) = now.checked_sub(age) else { return Ok(()) };
        let oldest = oldest.as_millisecond();
        swept.outcomes = swept.outcomes.saturating_add(self.drop_outcomes(oldest, i64::MAX).await?);
        for (sql, bound) in [(AGED_LATEST, oldest), (AGED_HOURS, hour_of(oldest))] {
            self.drop_rows(sql, bound).await?;
        }
        swept.flips = swept.flips.saturating_add(self.drop_rows(AGED_FLIPS, oldest).await?);
        // After the last outcomes: a target of which none is left is gone.
        self.trim_observations().await?;
        Ok(())
    }

    async fn sweep_by_size(&self, retention: Retention, now: Timestamp, swept: &mut Swept) -> Result<(), StoreError> {
        let bound = retention.bytes;
        let wanted = bound / SHARE.1 * SHARE.0;
        for round in 0..ROUNDS {
            let used = self.used_bytes().await?;
            if used <= if round == 0 { bound } else { wanted } {
                break;
            }
            // Weeks of many targets are large as well, and tell less than outcomes do.
            if round == 0 {
                self.drop_rows(AGED_HOURS, hour_of(now.as_millisecond()).saturating_sub(WEEK)).await?;
                continue;
            }
            let rows = self.count_outcomes().await?;
            let share = used.saturating_sub(wanted) as f64 / used as f64;
            let drop = ((rows as f64 * share).ceil() as i64).clamp(1, i64::MAX);
            let dropped = self.drop_outcomes(i64::MAX, drop).await?;
            swept.outcomes = swept.outcomes.saturating_add(dropped);
            self.drop_observations_before_outcomes().await?;
            if dropped == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Deletes outcomes before a moment, at most about so many, the oldest first.
    async fn drop_outcomes(&self, before: i64, most: i64) -> Result<u64, StoreError> {
        let mut dropped: u64 = 0;
        loop {
            let left = most.saturating_sub_unsigned(dropped).min(PIECE);
            if left <= 0 {
                return Ok(dropped);
            }
            let mut hand = self.hand().await;
            let trouble = |source| self.trouble("drop old history from", source);
            hand.begin().await.map_err(trouble)?;
            let piece = drop_piece(&mut hand.connection, before, left).await;
            match hand.end(piece).await.map_err(trouble)? {
                0 => return Ok(dropped),
                rows => dropped = dropped.saturating_add(rows),
            }
        }
    }

    async fn drop_rows(&self, sql: &'static str, bound: i64) -> Result<u64, StoreError> {
        let mut hand = self.hand().await;
        let done = sqlx::query(sql).bind(bound).execute(&mut hand.connection).await;
        Ok(done.map_err(|source| self.trouble("drop old history from", source))?.rows_affected())
    }

    async fn count_outcomes(&self) -> Result<i64, StoreError> {
        self.number("SELECT COUNT(*) FROM outcomes").await
    }

    /// The pages that hold something, in bytes.
    async fn used_bytes(&self) -> Result<u64, StoreError> {
        let pages = self.number("PRAGMA page_count").await? - self.number("PRAGMA freelist_count").await?;
        let bytes = pages.saturating_mul(self.number("PRAGMA page_size").await?);
        Ok(u64::try_from(bytes).unwrap_or(0))
    }

    /// Cuts the free pages off the file, and brings the log of changes into it.
    async fn give_back(&self) -> Result<(), StoreError> {
        let mut free = self.number("PRAGMA freelist_count").await?;
        while free > 0 {
            self.run("PRAGMA incremental_vacuum(1000)").await?;
            let left = self.number("PRAGMA freelist_count").await?;
            if left >= free {
                break;
            }
            free = left;
        }
        // While somebody reads, the log stays; the next sweep tries again.
        self.run("PRAGMA wal_checkpoint(TRUNCATE)").await
    }

    async fn number(&self, sql: &'static str) -> Result<i64, StoreError> {
        let mut hand = self.hand().await;
        let (number,): (i64,) = sqlx::query_as(sql)
            .fetch_one(&mut hand.connection)
            .await
            .map_err(|source| self.trouble("measure the store", source))?;
        Ok(number)
    }

    async fn run(&self, sql: &'static str) -> Result<(), StoreError> {
        let mut hand = self.hand().await;
        let done = sqlx::query(sql).execute(&mut hand.connection).await;
        done.map(drop).map_err(|source| self.trouble("shrink the store", source))
    }
}

async fn drop_piece(connection: &mut SqliteConnection, before: i64, most: i64) -> Result<u64, Error> {
    let (end,): (Option<i64>,) = sqlx::query_as(PIECE_END).bind(before).bind(most).fetch_one(&mut *connection).await?;
    let Some(end) = end else { return Ok(0) };
    let rows = sqlx::query(DROP_PIECE).bind(end).execute(&mut *connection).await?.rows_affected();
    Ok(rows)
}
