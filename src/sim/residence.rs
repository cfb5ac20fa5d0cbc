//! One model's place in memory: a state machine of unloaded, loading and loaded.
//!
//! Pure: time is an argument, and what should have happened since the last look happens when somebody looks.

use std::time::Duration;

use super::clock::Moment;
use super::model_spec::ModelSpec;

/// Where a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Unloaded,
    Loading { until: Moment },
    Loaded,
}

impl Phase {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unloaded => "unloaded",
            Self::Loading { .. } => "loading",
            Self::Loaded => "loaded",
        }
    }
}

/// What a request finds when it arrives at a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Warm,
    /// It was unloaded: this request began the load.
    Cold,
    /// Somebody else's load was under way: this request shares it.
    Loading,
}

/// One model's place in memory.
#[derive(Debug, Clone)]
pub(crate) struct Residence {
    pub(crate) phase: Phase,
    pub(crate) since: Moment,
    /// Requests that hold it in memory.
    pub(crate) busy: u32,
    pub(crate) idle_from: Moment,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) evict_at: Option<Moment>,
}

impl Residence {
    pub(crate) fn new(spec: &ModelSpec) -> Self {
        Self {
            phase: if spec.starts_loaded() { Phase::Loaded } else { Phase::Unloaded },
            since: Moment::default(),
            busy: 0,
            idle_from: Moment::default(),
            idle_timeout: if spec.always_on { None } else { spec.idle_timeout },
            evict_at: None,
        }
    }

    /// When it will be unloaded if nobody comes; `None` when nothing unloads it.
    pub(crate) fn leaves_at(&self) -> Option<Moment> {
        if self.phase != Phase::Loaded || self.busy > 0 {
            return None;
        }
        let idle = self.idle_timeout.map(|timeout| self.idle_from.plus(timeout));
        idle.into_iter().chain(self.evict_at).min()
    }

    /// Lets happen what was due by `now`.
    pub(crate) fn settle(&mut self, now: Moment) {
        if let Phase::Loading { until } = self.phase
            && until <= now
        {
            (self.phase, self.since) = (Phase::Loaded, until);
            self.idle_from = self.idle_from.max(until);
        }
        if let Some(moment) = self.leaves_at().filter(|moment| *moment <= now) {
            (self.phase, self.since, self.evict_at) = (Phase::Unloaded, moment, None);
        }
    }

    /// Makes sure that it is loaded or loading; says when it is ready.
    pub(crate) fn wake(&mut self, now: Moment, load: Duration) -> (Found, Moment) {
        self.settle(now);
        match self.phase {
            Phase::Loaded => (Found::Warm, now),
            Phase::Loading { until } => (Found::Loading, until),
            Phase::Unloaded => {
                let until = now.plus(load);
                (self.phase, self.since) = (Phase::Loading { until }, now);
                (Found::Cold, until)
            }
        }
    }
}
