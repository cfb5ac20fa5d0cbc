//! Whether a gate is open, whom to ask for it, and when it can open no more. Pure: it knows no time and no network.
//!
//! A gate costs as few requests as it can: of those that would do, as many are asked at once as are still missing. One
//! that fails, or takes longer than one that is ready, lets the next begin; one that was asked once stays asked.

use std::time::Duration;

use super::gate::Gate;

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

/// How a gate stands. Its targets are told by their places in [`Gate::targets`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateStanding {
    /// It is open.
    Open {
        /// On what.
        how: How,
        /// The targets that opened it, in the order of the gate.
        through: Vec<usize>,
    },
    /// It can still open. These are to be asked, or waited for, now; never empty.
    Waiting(Vec<usize>),
    /// It cannot open any more, because of these.
    Shut(Vec<usize>),
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
    /// How it stands, by what is known of its targets, in the order of [`Gate::targets`].
    #[must_use]
    pub fn judge(&self, known: &[Known], accepts: Accepts) -> GateStanding {
        match self {
            Self::MainWithFallback { .. } => preferring(known, accepts),
            Self::Any(_) => counting(1, known),
            Self::All(of) => counting(of.len(), known),
            Self::AtLeast { n, .. } => counting(*n, known),
        }
    }

    /// How it stands when the time is up: nobody is waited for, and a fallback that is ready will do.
    #[must_use]
    pub fn judge_late(&self, known: &[Known]) -> GateStanding {
        let late = |known: &Known| match known {
            Known::Nothing | Known::Slow => Known::Failing,
            other => *other,
        };
        self.judge(&known.iter().map(late).collect::<Vec<_>>(), Accepts::Fallback)
    }

    /// Whether it can open on one of its targets while another is silent.
    #[must_use]
    pub fn has_alternatives(&self) -> bool {
        match self {
            Self::MainWithFallback { fallback, .. } => !fallback.is_empty(),
            Self::Any(of) => of.len() > 1,
            Self::All(_) => false,
            Self::AtLeast { n, of } => *n < of.len(),
        }
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

/// At least `n` of them.
fn counting(n: usize, known: &[Known]) -> GateStanding {
    let (mut ready, mut whole, mut barred) = (Vec::new(), 0, Vec::new());
    for (place, known) in known.iter().enumerate() {
        match known {
            Known::Ready => {
                whole += 1;
                ready.push(place);
            }
            Known::Impaired => ready.push(place),
            Known::Barred => barred.push(place),
            Known::Nothing | Known::Slow | Known::Failing => {}
        }
    }
    if ready.len() >= n {
        return GateStanding::Open { how: if whole >= n { How::Whole } else { How::Impaired }, through: ready };
    }
    if known.len() - barred.len() < n {
        return GateStanding::Shut(barred);
    }
    GateStanding::Waiting(asked(n - ready.len(), known))
}

/// The main target, which is the first, or else the first fallback that is ready.
fn preferring(known: &[Known], accepts: Accepts) -> GateStanding {
    let Some((main, fallback)) = known.split_first() else { return GateStanding::Shut(Vec::new()) };
    let keeps_waiting = match main {
        Known::Ready => return GateStanding::Open { how: How::Whole, through: vec![0] },
        Known::Impaired => return GateStanding::Open { how: How::Impaired, through: vec![0] },
        Known::Nothing | Known::Slow => true,
        Known::Failing => accepts == Accepts::MainFirst,
        Known::Barred => false,
    };
    match fallback.iter().position(|known| known.is_ready()) {
        Some(_) if keeps_waiting => GateStanding::Waiting(vec![0]),
        Some(place) => GateStanding::Open { how: How::Fallback, through: vec![place + 1] },
        None if known.iter().all(|known| *known == Known::Barred) => GateStanding::Shut((0..known.len()).collect()),
        None => GateStanding::Waiting(asked(1, known)),
    }
}

/// Whom to ask while so many are missing: all that were asked before, and as many new ones as are missing.
fn asked(missing: usize, known: &[Known]) -> Vec<usize> {
    let mut room = missing;
    let mut asked = Vec::new();
    for (place, known) in known.iter().enumerate() {
        match known {
            Known::Barred | Known::Impaired | Known::Ready => {}
            Known::Slow | Known::Failing => asked.push(place),
            Known::Nothing if room > 0 => {
                room -= 1;
                asked.push(place);
            }
            Known::Nothing => {}
        }
    }
    asked
}
