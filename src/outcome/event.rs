//! The one stream of what happens. Log, progress, metrics, store and notifications are its readers.

use std::sync::Arc;
use std::time::Duration;

use super::{Code, Notice, Outcome, Stage};
use crate::target::{Depth, TargetId};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A probe began.
    Started {
        /// What is probed.
        target: TargetId,
        /// How far it will climb.
        depth: Depth,
    },
    /// A probe entered a stage.
    Entered {
        /// What is probed.
        target: TargetId,
        /// The stage.
        stage: Stage,
    },
    /// A probe will be tried again.
    Retrying {
        /// What is probed.
        target: TargetId,
        /// The attempt that begins, from 2.
        attempt: u32,
        /// What the last attempt ended in.
        code: Code,
    },
    /// A probe ended.
    Finished(Arc<Outcome>),
    /// A probe ended, and is no news, where a target is asked until it is ready: it came to the same as the one before it,
    /// or nobody waited for it any more.
    FinishedAlike(Arc<Outcome>),
    /// A target that is waited for will be asked again.
    Pausing {
        /// What is asked again.
        target: TargetId,
        /// Why it is not ready.
        code: Code,
        /// After how long.
        after: Duration,
    },
    /// A gate that is waited for came to another state.
    Gate(GateNews),
    /// A status changed, and it is worth telling.
    Told(Notice),
    /// Something happened to the service itself.
    Service(Service),
}

/// How a gate stands, as news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateNews {
    /// Its name, or what it asks for.
    pub gate: String,
    /// How it stands.
    pub state: GateState,
    /// Why, in one sentence.
    pub says: String,
}

/// How a gate that is waited for can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GateState {
    /// It can still open.
    Waiting,
    /// It is open.
    Open,
    /// It is open on a fallback, or with a warning.
    Degraded,
    /// It cannot open by waiting.
    Shut,
    /// The time was up before it opened.
    Late,
}

/// What happens to the service itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Service {
    /// It is ready: everything is armed.
    Started {
        /// How many targets there are.
        targets: usize,
        /// How many of them have a schedule.
        scheduled: usize,
    },
    /// A new configuration is in force.
    Reloaded {
        /// Targets that are new.
        added: usize,
        /// Targets that are gone.
        removed: usize,
        /// Targets that are probed otherwise than before, or at other times.
        changed: usize,
        /// Targets that went on as they were.
        unchanged: usize,
    },
    /// A new configuration has mistakes; the old one stays in force.
    ReloadRefused {
        /// The mistakes, as `config validate` shows them.
        mistakes: String,
    },
    /// Probes were missed, and one is made in their place.
    Missed {
        /// Whose.
        target: TargetId,
        /// How many.
        missed: u32,
    },
    /// What is learned of when an LLM unloads has come to another state.
    Learned {
        /// Whose.
        target: TargetId,
        /// The state, as one word: `learning`, `known`.
        state: &'static str,
        /// It as a sentence.
        says: String,
    },
    /// The time of day moved against the monotonic clock: it was set, or the machine was suspended.
    ClockStepped {
        /// By how many seconds; negative when it was set back.
        seconds: f64,
    },
    /// The scheduler lost alarms, and the sweep found them in time.
    AlarmsLost {
        /// How many.
        lost: u64,
    },
    /// The history cannot be written, for now; probes go on.
    StoreFailing {
        /// Why.
        error: String,
    },
    /// The history can be written again.
    StoreRecovered {
        /// Outcomes that found no room in memory meanwhile, and are missing from the history.
        dropped: u64,
    },
    /// A damaged store was set aside, and a new one begun.
    StoreSetAside {
        /// Where it is now.
        path: String,
    },
    /// It was asked to end, and waits for probes under way.
    Draining {
        /// How many.
        running: usize,
    },
    /// It ended.
    Stopped {
        /// Probes that had to be interrupted.
        interrupted: usize,
    },
}
