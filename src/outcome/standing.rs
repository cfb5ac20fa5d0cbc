//! The standing of a target: what many outcomes settle into.
//!
//! One failed probe is no outage, so a status changes only after `fail_after` failures in a row, and back after
//! `recover_after` successes. Probes of different depths count apart: a key that is accepted every minute does not
//! cure an LLM that will not load, while an LLM that generates shows that its key is accepted too.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Code, Outcome, RunId, Stage, Verdict, judge};
use crate::target::{Depth, TargetId};

/// The standing of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Nothing is known yet.
    Unknown,
    /// It answers.
    Up,
    /// It answers, with something a person should know.
    Degraded,
    /// It does not.
    Down,
    /// Somebody works on it; what probes find is not held against it.
    Maintenance,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Unknown, Self::Up, Self::Degraded, Self::Down, Self::Maintenance];

    /// The word used everywhere.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Maintenance => "maintenance",
        }
    }

    /// The status with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How many outcomes it takes to change a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damping {
    /// Failures in a row until it is down, or degraded ones until it is degraded. At least 1.
    pub fail_after: u32,
    /// Successes in a row until it is up again. At least 1.
    pub recover_after: u32,
}

impl Default for Damping {
    fn default() -> Self {
        Self { fail_after: 2, recover_after: 1 }
    }
}

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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn seen(second: i64, depth: Depth, verdict: Verdict, stage: Stage, code: Option<Code>) -> Seen {
        let target = TargetId::new("glm").unwrap();
        Seen { target, at: at(second), depth, stage, verdict, code, run_id: RunId::new("r") }
    }

    fn ready(second: i64, depth: Depth) -> Seen {
        seen(second, depth, Verdict::Ready, Stage::Warm, None)
    }

    fn failed(second: i64, depth: Depth, stage: Stage, code: Code) -> Seen {
        seen(second, depth, Verdict::Failed, stage, Some(code))
    }

    fn play(damping: Damping, seen: &[Seen]) -> (Standing, Vec<(Status, Status)>) {
        let mut standing = Standing::new(at(0));
        let flips = seen.iter().filter_map(|seen| standing.observe(seen, damping, Upkeep::None));
        let flips = flips.map(|flip| (flip.from, flip.to)).collect();
        (standing, flips)
    }

    #[test]
    fn one_failure_is_no_outage_and_two_in_a_row_are() {
        let slow = |second| failed(second, Depth::Warm, Stage::Warm, Code::FirstTokenTimeout);
        let list = [ready(1, Depth::Warm), slow(2), ready(3, Depth::Warm), slow(4), slow(5), ready(6, Depth::Warm)];
        let (standing, flips) = play(Damping::default(), &list);
        assert_eq!(flips, [(Status::Unknown, Status::Up), (Status::Up, Status::Down), (Status::Down, Status::Up)]);
        assert_eq!((standing.status(), standing.since(), standing.code()), (Status::Up, at(6), None));
    }

    #[test]
    fn coming_back_takes_as_many_successes_as_asked_for() {
        let refused = |second| failed(second, Depth::Auth, Stage::Connect, Code::ConnectRefused);
        let damping = Damping { fail_after: 1, recover_after: 2 };
        let list = [refused(1), ready(2, Depth::Auth), refused(3), ready(4, Depth::Auth), ready(5, Depth::Auth)];
        let (_, flips) = play(damping, &list);
        assert_eq!(flips, [(Status::Unknown, Status::Down), (Status::Down, Status::Up)]);
    }

    #[test]
    fn an_accepted_key_does_not_cure_an_llm_that_will_not_load() {
        let slow = |second| failed(second, Depth::Warm, Stage::Warm, Code::FirstTokenTimeout);
        let list = [slow(1), ready(2, Depth::Auth), slow(3), ready(4, Depth::Auth), ready(5, Depth::Auth)];
        let (standing, flips) = play(Damping::default(), &list);
        assert_eq!(flips, [(Status::Unknown, Status::Down)]);
        assert_eq!(standing.code(), Some(Code::FirstTokenTimeout));
    }

    #[test]
    fn a_connection_that_stands_disproves_that_it_broke() {
        let refused = |second| failed(second, Depth::Warm, Stage::Connect, Code::ConnectRefused);
        let (_, flips) = play(Damping::default(), &[refused(1), refused(2), ready(3, Depth::Auth)]);
        assert_eq!(flips, [(Status::Unknown, Status::Down), (Status::Down, Status::Up)]);
    }

    #[test]
    fn a_generated_token_shows_that_the_key_is_accepted() {
        let refused = |second| failed(second, Depth::Auth, Stage::Authenticate, Code::KeyRefused);
        let (_, flips) = play(Damping::default(), &[refused(1), refused(2), ready(3, Depth::Warm)]);
        assert_eq!(flips.last(), Some(&(Status::Down, Status::Up)));
    }

    #[test]
    fn one_cold_start_is_no_degradation_and_two_in_a_row_are() {
        let cold = |second| seen(second, Depth::Warm, Verdict::Degraded, Stage::Warm, Some(Code::ColdStart));
        let list = [cold(1), ready(2, Depth::Warm), cold(3), cold(4), ready(5, Depth::Auth), ready(6, Depth::Warm)];
        let (standing, flips) = play(Damping::default(), &list);
        assert_eq!(
            flips,
            [(Status::Unknown, Status::Up), (Status::Up, Status::Degraded), (Status::Degraded, Status::Up)]
        );
        assert_eq!(standing.code(), None);
    }

    #[test]
    fn what_could_not_be_told_changes_nothing() {
        let refused = |second| failed(second, Depth::Auth, Stage::Connect, Code::ConnectTimeout);
        let offline = |second| seen(second, Depth::Auth, Verdict::Unknown, Stage::Connect, Some(Code::Offline));
        let (standing, flips) = play(Damping::default(), &[offline(1), refused(2), offline(3), refused(4), offline(5)]);
        assert_eq!(flips, [(Status::Unknown, Status::Down)]);
        assert_eq!(standing.failures(), 2);
    }

    #[test]
    fn maintenance_is_not_held_against_a_target() {
        let mut standing = Standing::new(at(0));
        let damping = Damping::default();
        let refused = |second| failed(second, Depth::Auth, Stage::Connect, Code::ConnectRefused);
        standing.observe(&ready(1, Depth::Auth), damping, Upkeep::None);
        let flip = standing.observe(&refused(2), damping, Upkeep::Maintained).unwrap();
        assert_eq!((flip.from, flip.to), (Status::Up, Status::Maintenance));
        assert_eq!(standing.observe(&refused(3), damping, Upkeep::Maintained), None);
        let flip = standing.observe(&refused(4), damping, Upkeep::None).unwrap();
        assert_eq!(flip.to, Status::Unknown, "failures during maintenance do not count");
        assert_eq!(standing.observe(&refused(5), damping, Upkeep::None).unwrap().to, Status::Down);
    }

    #[test]
    fn a_depth_that_is_no_longer_probed_cannot_hold_a_target_down() {
        let slow = |second| failed(second, Depth::Warm, Stage::Warm, Code::FirstTokenTimeout);
        let (mut standing, _) = play(Damping::default(), &[slow(1), slow(2)]);
        standing.keep(&[Depth::Auth]);
        let flip = standing.observe(&ready(3, Depth::Auth), Damping::default(), Upkeep::None).unwrap();
        assert_eq!(flip.to, Status::Up);
    }

    #[test]
    fn it_is_the_same_after_the_store() {
        let slow = failed(1, Depth::Warm, Stage::Warm, Code::FirstTokenTimeout);
        let (standing, _) = play(Damping::default(), &[slow]);
        let text = serde_json::to_string(&standing).unwrap();
        assert_eq!(serde_json::from_str::<Standing>(&text).unwrap(), standing);
    }

    proptest! {
        /// Whatever happens: it goes down only after so many failures in a row of one depth, and up again as soon as
        /// a probe of the greatest depth has succeeded often enough.
        #[test]
        fn damping_holds(
            events in prop::collection::vec((0usize..3, 0usize..4, 0usize..7), 1..60),
            fail_after in 1u32..4,
            recover_after in 1u32..4,
        ) {
            let damping = Damping { fail_after, recover_after };
            let mut standing = Standing::new(at(0));
            let mut failures = 0;
            for (index, (depth, verdict, stage)) in events.into_iter().enumerate() {
                let (depth, verdict, stage) = (Depth::ALL[depth], Verdict::ALL[verdict], Stage::ALL[stage]);
                failures += u32::from(verdict == Verdict::Failed);
                let seen = seen(i64::try_from(index).unwrap(), depth, verdict, stage, None);
                if let Some(flip) = standing.observe(&seen, damping, Upkeep::None) {
                    prop_assert_ne!(flip.from, flip.to);
                    if flip.to == Status::Down {
                        prop_assert!(failures >= fail_after);
                        prop_assert_eq!(verdict, Verdict::Failed);
                        failures = 0;
                    }
                }
            }
            for second in 100..100 + i64::from(recover_after) {
                standing.observe(&ready(second, Depth::Warm), damping, Upkeep::None);
            }
            prop_assert_eq!(standing.status(), Status::Up);
        }
    }
}
