//! What is written: outcomes with what followed from them, and states.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::Error;
use sqlx::sqlite::SqliteConnection;

use super::hours::{self, Hours, hour_of};
use super::open::Store;
use super::rows::Insert;
use super::{Spent, StoreError, Uptime};
use crate::outcome::{Flip, Record, Verdict};
use crate::warmth::Observation;

/// What a state is of. A state is JSON that its own room reads and writes; the store only keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StateKind {
    /// The standing of a target.
    Standing,
    /// When a target was last warm, and the like.
    Past,
    /// What was learned of a target or a provider.
    Learned,
    /// The trouble of a provider.
    Outage,
}

impl StateKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Standing, Self::Past, Self::Learned, Self::Outage];

    /// The word in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Standing => "standing",
            Self::Past => "past",
            Self::Learned => "learned",
            Self::Outage => "outage",
        }
    }
}

/// A finished probe with what followed from it. All of it lands, or none.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The outcome.
    pub record: Record,
    /// When it began.
    pub at: Timestamp,
    /// Whether it counts for the uptime: what is found during maintenance does not.
    pub counts: bool,
    /// The target's standing after it, as JSON ([`StateKind::Standing`] under the target's name).
    pub standing: Option<String>,
    /// The target's past after it, as JSON ([`StateKind::Past`] under the target's name).
    pub past: Option<String>,
    /// What was learned of the LLM up to it.
    pub learned: Option<Learned>,
    /// The change of status that it brought.
    pub flip: Option<Flip>,
}

/// What a target's warm-ups have taught so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// What is kept of it, as JSON ([`StateKind::Learned`] under the target's name).
    pub kept: String,
    /// What this probe taught, if anything, and of which LLM.
    pub observed: Option<Observed>,
}

/// An observation, and which LLM it is of.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The LLM, in words that change when the target's name comes to mean another one.
    pub llm: String,
    /// What was seen.
    pub observation: Observation,
}

const OUTCOME: Insert = Insert {
    into: "INSERT INTO outcomes (target, at_ms, id, provider, model, depth, stage, verdict, warmth, code, run_id,
        first_token_ms, total_ms, attempts, record)",
    columns: 15,
    conflict: "",
};
const LATEST: Insert = Insert {
    into: "INSERT INTO latest (target, at_ms, record)",
    columns: 3,
    conflict: "ON CONFLICT (target) DO UPDATE SET at_ms = excluded.at_ms, record = excluded.record
        WHERE excluded.at_ms >= latest.at_ms",
};
const STATE: Insert = Insert {
    into: "INSERT INTO states (kind, name, json)",
    columns: 3,
    conflict: "ON CONFLICT (kind, name) DO UPDATE SET json = excluded.json",
};
const FLIP: Insert =
    Insert { into: "INSERT INTO flips (at_ms, id, target, was, became, code, run_id)", columns: 7, conflict: "" };

const OBSERVATION: Insert =
    Insert { into: "INSERT INTO observations (target, at_ms, id, llm, json)", columns: 5, conflict: "" };

impl Store {
    /// Writes entries in one transaction. When this returns `Ok`, they survive the death of the process.
    pub async fn append(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        self.append_all(&entries).await
    }

    pub(super) async fn append_all(&self, entries: &[Entry]) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        let records = entries.iter().map(|entry| serde_json::to_string(&entry.record));
        let records = records.collect::<Result<Vec<String>, _>>()?;
        let mut hand = self.hand().await;
        let trouble = |source| self.trouble("write history to", source);
        hand.begin().await.map_err(trouble)?;
        let first = hand.next;
        let written = write(&mut hand.connection, entries, &records, first).await;
        hand.next = hand.end(written).await.map_err(trouble)?;
        Ok(())
    }

    /// Keeps a state under a name, in the place of the one that was there.
    pub async fn put_state(&self, kind: StateKind, key: &str, json: &str) -> Result<(), StoreError> {
        let mut hand = self.hand().await;
        put(&mut hand.connection, kind, key, json).await.map_err(|source| self.trouble("write a state to", source))
    }

    /// The states of a kind, by name.
    pub async fn states(&self, kind: StateKind) -> Result<Vec<(String, String)>, StoreError> {
        let mut hand = self.hand().await;
        states(&mut hand.connection, kind).await.map_err(|source| self.trouble("read the states in", source))
    }
}

pub(super) async fn states(connection: &mut SqliteConnection, kind: StateKind) -> Result<Vec<(String, String)>, Error> {
    sqlx::query_as("SELECT name, json FROM states WHERE kind = $1 ORDER BY name")
        .bind(kind.name())
        .fetch_all(connection)
        .await
}

async fn put(connection: &mut SqliteConnection, kind: StateKind, key: &str, json: &str) -> Result<(), Error> {
    let row = [((kind, key), json)];
    STATE.run(connection, &row, |query, ((kind, key), json)| query.bind(kind.name()).bind(*key).bind(*json)).await
}

/// Writes all, and returns the next number. What several entries change in one row is written once.
async fn write(
    connection: &mut SqliteConnection,
    entries: &[Entry],
    records: &[String],
    first: i64,
) -> Result<i64, Error> {
    let numbered: Vec<(i64, &Entry, &String)> =
        (first..).zip(entries).zip(records).map(|((number, entry), text)| (number, entry, text)).collect();
    OUTCOME
        .run(connection, &numbered, |query, (number, entry, text)| {
            let record = &entry.record;
            query
                .bind(&record.target)
                .bind(entry.at.as_millisecond())
                .bind(number)
                .bind(&record.provider)
                .bind(&record.model)
                .bind(record.depth.name())
                .bind(record.stage.name())
                .bind(record.verdict.name())
                .bind(record.warmth.name())
                .bind(record.code.map(|code| code.name()))
                .bind(&record.run_id)
                .bind(record.first_token_ms)
                .bind(record.total_ms)
                .bind(i64::from(record.attempts))
                .bind(*text)
        })
        .await?;
    let flips: Vec<(i64, &Flip)> =
        numbered.iter().filter_map(|(number, entry, _)| Some((*number, entry.flip.as_ref()?))).collect();
    FLIP.run(connection, &flips, |query, (number, flip)| {
        query
            .bind(flip.at.as_millisecond())
            .bind(number)
            .bind(flip.target.as_str())
            .bind(flip.from.name())
            .bind(flip.to.name())
            .bind(flip.code.map(|code| code.name()))
            .bind(flip.run_id.as_str())
    })
    .await?;

    let observed = numbered.iter().filter_map(|(number, entry, _)| {
        let observed = entry.learned.as_ref()?.observed.as_ref()?;
        // Numbers and words: this cannot fail.
        let json = serde_json::to_string(&observed.observation).ok()?;
        Some((*number, *entry, observed.llm.as_str(), json))
    });
    let observed: Vec<(i64, &Entry, &str, String)> = observed.collect();
    OBSERVATION
        .run(connection, &observed, |query, (number, entry, llm, json)| {
            query.bind(&entry.record.target).bind(entry.at.as_millisecond()).bind(number).bind(*llm).bind(json)
        })
        .await?;

    let mut hours = Hours::new();
    let mut latest: BTreeMap<&str, (i64, &String)> = BTreeMap::new();
    let mut states: BTreeMap<(StateKind, &str), &str> = BTreeMap::new();
    for (_, entry, text) in &numbered {
        let (target, at) = (entry.record.target.as_str(), entry.at.as_millisecond());
        let hour = hours.entry((hour_of(at), target.to_owned())).or_default();
        hour.uptime.count(if entry.counts { entry.record.verdict } else { Verdict::Unknown });
        hour.spent.add(Spent::of_record(&entry.record));
        let newest = latest.entry(target).or_insert((at, text));
        if at >= newest.0 {
            *newest = (at, text);
        }
        if let Some(json) = &entry.standing {
            states.insert((StateKind::Standing, target), json);
        }
        if let Some(json) = &entry.past {
            states.insert((StateKind::Past, target), json);
        }
        if let Some(learned) = &entry.learned {
            states.insert((StateKind::Learned, target), &learned.kept);
        }
    }
    let latest: Vec<_> = latest.into_iter().collect();
    LATEST.run(connection, &latest, |query, (target, (at, text))| query.bind(*target).bind(*at).bind(*text)).await?;
    hours::add(connection, hours).await?;
    let states: Vec<_> = states.into_iter().collect();
    STATE.run(connection, &states, |query, ((kind, key), json)| query.bind(kind.name()).bind(*key).bind(*json)).await?;
    let written = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    Ok(first.saturating_add(written))
}

impl Uptime {
    fn count(&mut self, verdict: Verdict) {
        let number = match verdict {
            Verdict::Ready | Verdict::Degraded => &mut self.good,
            Verdict::Failed => &mut self.bad,
            Verdict::Unknown => &mut self.unknown,
        };
        *number = number.saturating_add(1);
    }
}
