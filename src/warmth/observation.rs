//! What is told to a keeper: a probe's reply, and what could be seen of others' requests meanwhile. Facts only.

use serde::{Deserialize, Serialize};

use super::seconds::{Moment, Span};

/// What came back, and after how long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// The time to the first token.
    FirstToken(Span),
    /// The provider said outright that the model had to load; the time to the first token.
    Loading(Span),
    /// Nothing came for this long.
    TimedOut(Span),
}

impl Reply {
    /// How long it took, or was waited for.
    #[must_use]
    pub const fn span(self) -> Span {
        match self {
            Self::FirstToken(span) | Self::Loading(span) | Self::TimedOut(span) => span,
        }
    }
}

/// What can be seen of requests that are not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sight {
    /// All of them, and of which model they are.
    Seen,
    /// A counter of the whole account, and it did not move since the last touch.
    CounterStill,
    /// A counter of the whole account, and it moved: somebody used some model.
    CounterMoved,
    /// Nothing.
    Blind,
}

/// Where a moment lies in the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hours {
    /// In a warm window.
    Inside,
    /// Outside all warm windows.
    Outside,
}

/// One warm-up that taught something. A refused key or a broken network teaches nothing and is not told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// When the reply was complete.
    pub at: Moment,
    /// The longest that the model can have been idle before; `None` where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Span>,
    /// How much shorter it can have been.
    #[serde(default)]
    pub slack: Span,
    /// What came back.
    pub reply: Reply,
    /// What could be seen of others' requests in the gap.
    pub sight: Sight,
    /// Whether that was in a warm window.
    pub hours: Hours,
}

/// The chance that a request which nobody sees reset the idle clock, at least.
const LEAST_HIDDEN: f64 = 0.1;
/// The same where the account's counter moved.
const HIDDEN_BY_COUNTER: f64 = 0.7;
/// Requests a second that a blind prober assumes in a warm window (2 an hour).
const ASSUMED_RATE: f64 = 2.0 / 3600.0;
/// The chance outside, as a share of that inside.
const OUTSIDE: f64 = 0.05;

impl Observation {
    /// The chance that a request which we did not see reset the idle clock: at least .1; .7 where the shared counter
    /// moved; for the blind `1 − e^(−2g per hour)` in a window and 5 % of it outside.
    pub(super) fn hidden(&self, gap: Span) -> f64 {
        let term = match self.sight {
            Sight::Seen | Sight::CounterStill => 0.0,
            Sight::CounterMoved => HIDDEN_BY_COUNTER,
            Sight::Blind => {
                let inside = 1.0 - (-ASSUMED_RATE * gap.seconds()).exp();
                if self.hours == Hours::Inside { inside } else { OUTSIDE * inside }
            }
        };
        term.max(LEAST_HIDDEN)
    }
}
