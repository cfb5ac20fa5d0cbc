//! Whether a gate is open, whom to ask for it, and when it can open no more. Pure: it knows no time and no network.
//!
//! A gate costs as few requests as it can: of those that would do, as many are asked at once as are still missing. One
//! that fails, or takes longer than one that is ready, lets the next begin; one that was asked once stays asked.

use std::time::Duration;

use super::gate::Gate;
use crate::target::TargetId;

/// Where any one of several will do, the next one begins after this at the latest.
const SHORT: Duration = Duration::from_secs(2);

/// What is known of a target that a gate looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Known {
    /// Nothing: it was not asked, or has not had the time to answer.
    Nothing,
    /// It was asked, has not failed, and takes longer than one that is ready.
    Slow,
    /// It failed in a way that waiting can cure.
    Failing,
    /// It failed, and waiting does not cure it, or not in time.
    Barred,
    /// It is ready, with a warning that waiting does not cure.
    Impaired,
    /// It is ready.
    Ready,
}

impl Known {
    /// Every state.
    pub const ALL: [Self; 6] = [Self::Nothing, Self::Slow, Self::Failing, Self::Barred, Self::Impaired, Self::Ready];

    /// Whether a gate may open on it.
    #[must_use]
    pub fn is_ready(self) -> bool {
        matches!(self, Self::Ready | Self::Impaired)
    }
}

/// Whether a fallback is taken while its main target may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    /// As soon as the main target has failed.
    Fallback,
    /// Only when the main target cannot come any more (`--strict`).
    MainFirst,
}

/// How a gate stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateStanding<'g> {
    /// It is open.
    Open {
        /// On what.
        how: How,
        /// The targets that opened it, in the order of the gate.
        through: Vec<&'g TargetId>,
    },
    /// It can still open. These are to be asked, or waited for, now; never empty.
    Waiting(Vec<&'g TargetId>),
    /// It cannot open any more, because of these.
    Shut(Vec<&'g TargetId>),
}

/// On what a gate is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// On what was wanted.
    Whole,
    /// On what was wanted, with a warning.
    Impaired,
    /// On a fallback.
    Fallback,
}

impl Gate {
    /// How it stands, by what is known of its targets.
    #[must_use]
    pub fn judge(&self, known: &dyn Fn(&TargetId) -> Known, accepts: Accepts) -> GateStanding<'_> {
        match self {
            Self::MainWithFallback { main, fallback } => preferring(main, fallback, known, accepts),
            Self::Any(of) => counting(1, of, known),
            Self::All(of) => counting(of.len(), of, known),
            Self::AtLeast { n, of } => counting(*n, of, known),
        }
    }

    /// How it stands when the time is up: nobody is waited for, and a fallback that is ready will do.
    #[must_use]
    pub fn judge_late(&self, known: &dyn Fn(&TargetId) -> Known) -> GateStanding<'_> {
        let late = |target: &TargetId| match known(target) {
            Known::Nothing | Known::Slow => Known::Failing,
            other => other,
        };
        self.judge(&late, Accepts::Fallback)
    }

    /// After how long a target that has not answered counts as slow, so that the next may begin. A main target has the
    /// time that a warm one may take; where any will do, nobody is waited for so long.
    #[must_use]
    pub fn slow_after(&self, first_token: Duration) -> Duration {
        match self {
            Self::MainWithFallback { .. } => first_token,
            Self::Any(_) | Self::All(_) | Self::AtLeast { .. } => first_token.min(SHORT),
        }
    }
}

/// At least `n` of them. Each is looked at once: a gate of many targets is judged as often as one of them answers.
fn counting<'g>(n: usize, of: &'g [TargetId], known: &dyn Fn(&TargetId) -> Known) -> GateStanding<'g> {
    let (mut ready, mut whole, mut barred, mut open) = (Vec::new(), 0, Vec::new(), Vec::new());
    for target in of {
        match known(target) {
            Known::Ready => {
                whole += 1;
                ready.push(target);
            }
            Known::Impaired => ready.push(target),
            Known::Barred => barred.push(target),
            other => open.push((target, other)),
        }
    }
    if ready.len() >= n {
        return GateStanding::Open { how: if whole >= n { How::Whole } else { How::Impaired }, through: ready };
    }
    if ready.len() + open.len() < n {
        return GateStanding::Shut(barred);
    }
    GateStanding::Waiting(asked(n - ready.len(), open.into_iter()))
}

/// The main target, or else the first fallback that is ready.
fn preferring<'g>(
    main: &'g TargetId,
    fallback: &'g [TargetId],
    known: &dyn Fn(&TargetId) -> Known,
    accepts: Accepts,
) -> GateStanding<'g> {
    let of_main = known(main);
    match of_main {
        Known::Ready => return GateStanding::Open { how: How::Whole, through: vec![main] },
        Known::Impaired => return GateStanding::Open { how: How::Impaired, through: vec![main] },
        Known::Nothing | Known::Slow | Known::Failing | Known::Barred => {}
    }
    let all = || std::iter::once(main).chain(fallback);
    match fallback.iter().find(|target| known(target).is_ready()) {
        Some(_) if of_main == Known::Nothing || of_main == Known::Slow => GateStanding::Waiting(vec![main]),
        Some(_) if of_main == Known::Failing && accepts == Accepts::MainFirst => GateStanding::Waiting(vec![main]),
        Some(other) => GateStanding::Open { how: How::Fallback, through: vec![other] },
        None if all().all(|target| known(target) == Known::Barred) => GateStanding::Shut(all().collect()),
        None => GateStanding::Waiting(asked(1, all().map(|target| (target, known(target))))),
    }
}

/// Whom to ask while so many are missing: all that were asked before, and as many new ones as are missing.
fn asked<'g>(missing: usize, of: impl Iterator<Item = (&'g TargetId, Known)>) -> Vec<&'g TargetId> {
    let mut room = missing;
    let mut asked = Vec::new();
    for (target, known) in of {
        match known {
            Known::Barred | Known::Impaired | Known::Ready => {}
            Known::Slow | Known::Failing => asked.push(target),
            Known::Nothing if room > 0 => {
                room -= 1;
                asked.push(target);
            }
            Known::Nothing => {}
        }
    }
    asked
}
