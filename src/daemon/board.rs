//! What the daemon shows to others: the standing of each target and its own health. Written by the one task that
//! schedules, read by the HTTP server, `demo --live` and the service manager's status line.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

use crate::outcome::{Code, Status, Verdict, Warmth};
use crate::target::{ModelId, ProviderId, TargetId};

/// The scheduler counts as stuck when it has not advanced for this long.
const STUCK: Duration = Duration::from_secs(15);

/// One target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub target: TargetId,
    /// Where it is.
    pub provider: ProviderId,
    /// The LLM's id.
    pub model: ModelId,
    /// Its standing.
    pub status: Status,
    /// Since when.
    pub since: Timestamp,
    /// Why it is not up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Why its warm-ups are withheld: `quota below 15 %`. It does not touch its status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// The judgement of the last probe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What the last warm-up said of the LLM's state.
    pub warmth: Warmth,
    /// The last warm-up's time to its first token, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<f64>,
    /// When the last probe began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probed: Option<Timestamp>,
    /// When the next is due. Absent while one is under way, and where there is no schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Whether a probe is under way.
    pub running: bool,
    /// What was learned of when its LLM unloads, for `every: auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learned: Option<String>,
}

/// How the daemon is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It reads its configuration and its store.
    Starting,
    /// It is armed.
    Ready,
    /// It was asked to end.
    Draining,
}

#[derive(Debug)]
struct State {
    rows: BTreeMap<TargetId, Row>,
    phase: Phase,
    /// When the scheduler was last seen to advance.
    advanced: Instant,
}

/// The board.
#[derive(Debug)]
pub struct Board(Mutex<State>);

impl Board {
    /// An empty board of a daemon that begins at `now`.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self(Mutex::new(State { rows: BTreeMap::new(), phase: Phase::Starting, advanced: now }))
    }

    /// Every target, by name.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.with(|state| state.rows.values().cloned().collect())
    }

    /// What it is doing.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.with(|state| state.phase)
    }

    /// For how long the scheduler has not advanced, where that is too long.
    #[must_use]
    pub fn stuck(&self, now: Instant) -> Option<Duration> {
        let stands = self.with(|state| now.saturating_duration_since(state.advanced));
        (stands >= STUCK).then_some(stands)
    }

    pub(super) fn put(&self, row: Row) {
        self.with(|state| state.rows.insert(row.target.clone(), row));
    }

    pub(super) fn retain(&self, there: impl Fn(&TargetId) -> bool) {
        self.with(|state| state.rows.retain(|id, _| there(id)));
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.with(|state| state.phase = phase);
    }

    pub(super) fn advance(&self, now: Instant) {
        self.with(|state| state.advanced = now);
    }

    /// The line for `systemctl status`: `7 targets: 5 up, 1 degraded, 1 down`.
    pub(super) fn line(&self) -> String {
        self.with(|state| {
            let total = state.rows.len();
            let mut line = format!("{total} target{}", if total == 1 { "" } else { "s" });
            let mut mark = ": ";
            for status in [Status::Up, Status::Degraded, Status::Down, Status::Maintenance, Status::Unknown] {
                let count = state.rows.values().filter(|row| row.status == status).count();
                if count > 0 {
                    line.push_str(&format!("{mark}{count} {status}"));
                    mark = ", ";
                }
            }
            let paused = state.rows.values().filter(|row| row.paused.is_some()).count();
            if paused > 0 {
                line.push_str(&format!("; {paused} not warmed for now, to spare the quota"));
            }
            line
        })
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
