//! What a daemon is made of, what it can be asked, and how it can end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::board::Board;
use super::manager::Manager;
use super::scale::TimeScale;
use super::source::{Source, SourceError};
use crate::probe::clock::Clock;
use crate::probe::transport::Network;
use crate::run::{Chance, Listener};
use crate::store::StoreError;
use crate::telemetry::Metrics;

/// What a daemon is made of.
pub struct Parts {
    /// Where its configuration comes from.
    pub source: Source,
    /// The way to providers.
    pub network: Arc<dyn Network>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for run ids and jitter.
    pub chance: Arc<Chance>,
    /// Takes every event.
    pub listener: Listener,
    /// The folder of the store. Without one nothing outlives the process.
    pub state: Option<PathBuf>,
    /// The service manager.
    pub manager: Manager,
    /// Where it shows how its targets stand.
    pub board: Arc<Board>,
    /// Its metrics.
    pub metrics: Metrics,
    /// Its pace.
    pub pace: Pace,
    /// How many times faster the providers live than we do: [`TimeScale::REAL`], but beside a simulator.
    pub time_scale: TimeScale,
}

/// How patient the daemon is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How long probes under way may take to finish when it is asked to end.
    pub drain: Duration,
    /// How often the configuration file is looked at.
    pub watch: Duration,
    /// How long it waits for another process to let go of the store.
    pub store: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { drain: Duration::from_secs(20), watch: Duration::from_secs(2), store: Duration::from_secs(10) }
    }
}

/// What a daemon is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Read the configuration again.
    Reload,
    /// End, in good order; asked twice, at once.
    Terminate,
    /// The same, asked for from a terminal.
    Interrupt,
}

/// How a daemon ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Probes that had to be interrupted.
    pub interrupted: usize,
}

/// Why a daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Its configuration is not valid.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The history cannot be opened.
    #[error("failed to {0}")]
    Store(#[from] StoreError),
    /// The scheduler does not start.
    #[error("failed to start the scheduler: {0}")]
    Scheduler(String),
}
