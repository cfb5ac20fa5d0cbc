//! Metrics for Prometheus: what the daemon has seen, counted.
//!
//! The state is plain numbers (`state.rs`); an exposition is a function of a copy of it (`sheet.rs`), so that nothing
//! that probes ever waits for one being written. `docs/metrics.md` is made from the table in `families.rs`.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use super::process::Process;
use crate::outcome::{Outcome, Status, Verdict};
use crate::target::{Target, TargetId};

mod classic;
mod document;
mod families;
mod sheet;
mod state;
#[cfg(test)]
mod tests;

use classic::Classic;
pub use document::metrics_markdown;
use sheet::Sheet;
use state::{State, Store, Trigger};

/// The formats in which metrics are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposition {
    /// Prometheus' text format 0.0.4, which every collector reads.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Exposition {
    /// The value of `Content-Type`.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// The metrics of a daemon. A clone is the same metrics.
///
/// It knows the targets it was made with, or was last told of by [`retain`](Self::retain). What is told of others, such
/// as the end of a probe whose target was removed while it ran, makes no series.
#[derive(Debug, Clone)]
pub struct Metrics {
    state: Arc<Mutex<State>>,
    /// How long the last exposition was: the next one will need as much.
    length: Arc<AtomicUsize>,
}

impl Metrics {
    /// Of a daemon of this version that watches these targets, of which nothing is known yet.
    #[must_use]
    pub fn new<'a>(version: &str, targets: impl IntoIterator<Item = &'a Target>) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(version, targets))), length: Arc::default() }
    }

    /// Counts a finished probe, and how much later than due it began.
    pub fn observe(&self, outcome: &Outcome, lateness: Option<Duration>) {
        self.state().observe(outcome, lateness);
    }

    /// Takes the status of a target and since when it has it. A name that now means another LLM begins anew.
    pub fn standing(&self, target: &Target, status: Status, since: Timestamp) {
        self.state().standing(target, status, since);
    }

    /// Takes the verdict of a single pass as the status of a target, where nobody keeps a standing. Since when it has it is
    /// not known.
    pub fn judged(&self, target: &TargetId, verdict: Verdict) {
        self.state().judged(target, verdict);
    }

    /// Takes how a gate stood when a pass ended.
    pub fn gate(&self, name: &str, verdict: Verdict) {
        self.state().gates.insert(name.to_owned(), verdict);
    }

    /// Takes when a target is due next; `None` when it is not scheduled.
    pub fn next_due(&self, target: &TargetId, at: Option<Timestamp>) {
        self.state().next_due(target, at);
    }

    /// Takes why warm-ups of a target are withheld; `None` when they are not.
    pub fn paused(&self, target: &TargetId, why: Option<&str>) {
        self.state().paused(target, why);
    }

    /// Takes the totals of the trigger since the process began.
    pub fn trigger(&self, fired: u64, lost: u64, missed: u64) {
        self.state().trigger = Some(Trigger { fired, lost, missed });
    }

    /// Takes that a configuration was loaded, and whether it was accepted.
    pub fn config_loaded(&self, at: Timestamp, ok: bool) {
        let mut state = self.state();
        state.reload_ok = Some(ok);
        if ok {
            state.reloaded = Some(at);
        }
    }

    /// Takes how the store fares: records that wait, totals of those dropped and of failed writes, and its size.
    pub fn store(&self, pending: usize, dropped: u64, failures: u64, bytes: Option<u64>) {
        self.state().store = Some(Store { pending, dropped, failures, bytes });
    }

    /// Takes how many probes wait for their turn and how many are under way.
    pub fn queue(&self, waiting: usize, running: usize) {
        self.state().queue = Some((waiting, running));
    }

    /// Takes how many tasks the runtime has.
    pub fn tasks(&self, tasks: usize) {
        self.state().tasks = Some(tasks);
    }

    /// Takes all targets of a new configuration: the series of others go, and so do those of providers without a target.
    /// [`standing`](Self::standing) then makes the series of new ones.
    pub fn retain(&self, targets: &HashSet<TargetId>) {
        self.state().retain(targets);
    }

    /// The metrics in Prometheus' text format 0.0.4.
    #[must_use]
    pub fn encode(&self) -> String {
        self.render(Exposition::Text)
    }

    /// The metrics in the OpenMetrics text format 1.0.
    #[must_use]
    pub fn encode_openmetrics(&self) -> String {
        self.render(Exposition::OpenMetrics)
    }

    /// The metrics for node_exporter's textfile collector: without those of the process, which would be taken for
    /// node_exporter's own.
    #[must_use]
    pub fn textfile(&self) -> String {
        self.written(Exposition::Text, Process::default())
    }

    /// The metrics in a format. A thousand targets take tens of milliseconds: not for a thread that has probes to time.
    #[must_use]
    pub fn render(&self, exposition: Exposition) -> String {
        self.written(exposition, Process::read())
    }

    fn written(&self, exposition: Exposition, process: Process) -> String {
        let sheet = Sheet { state: self.state().clone(), process };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(sheet));
        let length = self.length.load(Ordering::Relaxed);
        let mut text = String::with_capacity(length + length / 16);
        let written = match exposition {
            Exposition::Text => encode(&mut Classic::new(&mut text), &registry),
            Exposition::OpenMetrics => encode(&mut text, &registry),
        };
        // A text in memory takes what is written to it.
        debug_assert!(written.is_ok());
        self.length.store(text.len(), Ordering::Relaxed);
        text
    }

    /// A panic while it was held leaves numbers that are still numbers.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
