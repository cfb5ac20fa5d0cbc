//! The words for how a target stands, and how many outcomes it takes to change them.

use std::fmt;

use serde::{Deserialize, Serialize};

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
