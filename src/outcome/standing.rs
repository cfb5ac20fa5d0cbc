//! The standing of a target: what many outcomes settle into.
//!
//! One failed probe is no outage, so a status changes only after `fail_after` failures in a row, and back after
//! `recover_after` successes. Probes of different depths count apart: a key that is accepted every minute does not
//! cure an LLM that will not load, while an LLM that generates shows that its key is accepted too.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Code, Damping, Outcome, RunId, Stage, Status, Verdict, judge};
use crate::target::{Depth, TargetId};

/// What a standing needs to know of an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What was probed.
    pub target: TargetId,
    /// When the probe ended.
    pub at: Timestamp,
    /// How far it was asked to climb.
    pub depth: Depth,
    /// Where it ended.
    pub stage: Stage,
    /// The judgement.
    pub verdict: Verdict,
    /// Why it was not ready.
    pub code: Option<Code>,
    /// The pass it belongs to.
    pub run_id: RunId,
}

impl Seen {
    /// Of an outcome that was finished at `at`.
    #[must_use]
    pub fn of(outcome: &Outcome, at: Timestamp) -> Self {
        Self {
            target: outcome.target.id.clone(),
            at,
            depth: outcome.depth,
            stage: outcome.stage,
            verdict: judge(outcome),
            code: outcome.foremost().map(|diagnosis| diagnosis.code),
            run_id: outcome.run_id.clone(),
        }
    }
}

/// A change of status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flip {
    /// Whose.
    pub target: TargetId,
    /// When.
    pub at: Timestamp,
    /// What it was.
    pub from: Status,
    /// What it is.
    pub to: Status,
    /// Why, where there is a reason.
    pub code: Option<Code>,
    /// The pass that showed it.
    pub run_id: RunId,
}

/// What the outcomes of one depth add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Track {
    failures: u32,
    successes: u32,
    warnings: u32,
    down: bool,
    degraded: bool,
    stage: Option<Stage>,
    code: Option<Code>,
}

impl Track {
    fn fail(&mut self, seen: &Seen, damping: Damping) {
        self.failures = self.failures.saturating_add(1);
        self.successes = 0;
        self.stage = Some(seen.stage);
        self.code = seen.code;
        self.down |= self.failures >= damping.fail_after;
    }

    fn succeed(&mut self, damping: Damping) {
        self.successes = self.successes.saturating_add(1);
        if !self.down || self.successes >= damping.recover_after {
            (self.down, self.failures, self.stage) = (false, 0, None);
            if !self.degraded {
                self.code = None;
            }
        }
    }

    /// There was nothing to warn of.
    fn clear(&mut self) {
        (self.warnings, self.degraded) = (0, false);
        if self.failures == 0 {
            self.code = None;
        }
    }

    fn warn(&mut self, seen: &Seen, damping: Damping) {
        self.warnings = self.warnings.saturating_add(1);
        if self.warnings >= damping.fail_after {
            self.degraded = true;
        }
        if self.failures == 0 {
            self.code = seen.code;
        }
    }
}

/// The standing of one target. It outlives the process (`store/`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    status: Status,
    since: Timestamp,
    #[serde(default)]
    code: Option<Code>,
    #[serde(default)]
    connect: Track,
    #[serde(default)]
    auth: Track,
    #[serde(default)]
    warm: Track,
}

impl Standing {
    /// Of a target that nothing is known of since `at`.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        let track = Track::default();
        Self { status: Status::Unknown, since: at, code: None, connect: track, auth: track, warm: track }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// Since when.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Why it is not up.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.code
    }

    /// Failures in a row that have not been disproved, of the depth that has most.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.tracks().map(|(_, track)| track.failures).into_iter().max().unwrap_or_default()
    }

    /// Takes an outcome in, and tells whether the status changed. During maintenance (`upkeep`) it is not counted.
    pub fn observe(&mut self, seen: &Seen, damping: Damping, upkeep: Upkeep) -> Option<Flip> {
        if upkeep == Upkeep::Maintained {
            self.keep(&[]);
            return self.turn(Status::Maintenance, None, seen);
        }
        match seen.verdict {
            Verdict::Unknown => {
                let after_maintenance = self.status == Status::Maintenance;
                return if after_maintenance { self.turn(Status::Unknown, None, seen) } else { None };
            }
            Verdict::Failed => self.track(seen.depth).fail(seen, damping),
            Verdict::Ready | Verdict::Degraded => {
                for depth in Depth::ALL {
                    let track = self.track(depth);
                    // It climbed past the rung that had broken: that failure is disproved.
                    let disproved = track.stage.is_some_and(|stage| within(stage, seen.depth));
                    if depth <= seen.depth || disproved {
                        track.succeed(damping);
                    }
                    if seen.verdict == Verdict::Ready && depth <= seen.depth {
                        track.clear();
                    }
                }
                if seen.verdict == Verdict::Degraded {
                    self.track(seen.depth).warn(seen, damping);
                }
            }
        }
        let (status, code) = self.judged();
        self.turn(status, code, seen)
    }

    /// Forgets what probes of other depths found: they are not made any more, so nothing could disprove it.
    pub fn keep(&mut self, depths: &[Depth]) {
        for depth in Depth::ALL {
            if !depths.contains(&depth) {
                *self.track(depth) = Track::default();
            }
        }
    }

    fn judged(&self) -> (Status, Option<Code>) {
        let tracks = self.tracks();
        let first =
            |wanted: fn(&Track) -> bool| tracks.iter().find(|(_, track)| wanted(track)).map(|(_, track)| *track);
        if let Some(track) = first(|track| track.down) {
            return (Status::Down, track.code);
        }
        if let Some(track) = first(|track| track.failures > 0) {
            // Not enough to say so.
            return match self.status {
                Status::Unknown | Status::Maintenance => (Status::Unknown, track.code),
                Status::Down => (Status::Up, None),
                status => (status, self.code),
            };
        }
        match first(|track| track.degraded) {
            Some(track) => (Status::Degraded, track.code),
            None => (Status::Up, None),
        }
    }

    fn turn(&mut self, to: Status, code: Option<Code>, seen: &Seen) -> Option<Flip> {
        self.code = code;
        if to == self.status {
            return None;
        }
        let from = std::mem::replace(&mut self.status, to);
        self.since = seen.at;
        Some(Flip { target: seen.target.clone(), at: seen.at, from, to, code, run_id: seen.run_id.clone() })
    }

    fn tracks(&self) -> [(Depth, &Track); 3] {
        [(Depth::Connect, &self.connect), (Depth::Auth, &self.auth), (Depth::Warm, &self.warm)]
    }

    fn track(&mut self, depth: Depth) -> &mut Track {
        match depth {
            Depth::Connect => &mut self.connect,
            Depth::Auth => &mut self.auth,
            Depth::Warm => &mut self.warm,
        }
    }
}

/// Whether somebody works on the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upkeep {
    /// Nobody said so.
    None,
    /// A maintenance window covers this moment.
    Maintained,
}

/// Whether a probe of this depth climbs past a stage.
fn within(stage: Stage, depth: Depth) -> bool {
    let last = match depth {
        Depth::Connect => Stage::Tls,
        Depth::Auth => Stage::Locate,
        Depth::Warm => Stage::Warm,
    };
    stage <= last
}

#[cfg(test)]
mod tests;
