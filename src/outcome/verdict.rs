//! The judgement of one outcome.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Class, Outcome};

/// The judgement of one outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All that was asked for holds.
    Ready,
    /// It holds, with something a person should know: slow, cold, a certificate near its end.
    Degraded,
    /// Nothing was learned about the target.
    Unknown,
    /// It does not hold.
    Failed,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 4] = [Self::Ready, Self::Degraded, Self::Unknown, Self::Failed];

    /// The word used everywhere.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Judges an outcome. A diagnosis of a class that says nothing of the target leaves it unknown; any other fails it;
/// warnings alone degrade it.
#[must_use]
pub fn judge(outcome: &Outcome) -> Verdict {
    match &outcome.diagnosis {
        Some(diagnosis) => match diagnosis.code.class() {
            Class::Unknown | Class::Internal => Verdict::Unknown,
            Class::Notice => Verdict::Degraded,
            _ => Verdict::Failed,
        },
        None if outcome.warnings.is_empty() => Verdict::Ready,
        None => Verdict::Degraded,
    }
}
