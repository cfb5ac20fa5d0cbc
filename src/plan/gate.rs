//! Gates: named rules that say when some targets together are ready. The rules only; judging them is done elsewhere.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::target::{IdError, TargetId};

/// The name of a gate, unique within one configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct GateId(Arc<str>);

impl GateId {
    /// A name from text, under the rules of [`TargetId::new`].
    pub fn new(text: &str) -> Result<Self, IdError> {
        TargetId::new(text).map(|name| Self(name.as_str().into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A gate with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedGate {
    /// Its name.
    pub id: GateId,
    /// Its rule.
    pub gate: Gate,
    /// The line of probes.yaml that names it, from 1.
    pub line: u32,
}

/// When a gate is open. Every list names each target once and is not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// When the main target is ready, or else the first fallback that is. On a fallback it is open and degraded.
    MainWithFallback {
        /// The target that is wanted.
        main: TargetId,
        /// What will do, in order of preference. It may be empty.
        fallback: Vec<TargetId>,
    },
    /// When one of these is ready.
    Any(Vec<TargetId>),
    /// When all of these are ready.
    All(Vec<TargetId>),
    /// When at least `n` of these are ready.
    AtLeast {
        /// From 1 to the number of targets.
        n: usize,
        /// The targets.
        of: Vec<TargetId>,
    },
}

impl Gate {
    /// The targets that it looks at, in order.
    #[must_use]
    pub fn targets(&self) -> Vec<&TargetId> {
        match self {
            Self::MainWithFallback { main, fallback } => std::iter::once(main).chain(fallback).collect(),
            Self::Any(of) | Self::All(of) | Self::AtLeast { of, .. } => of.iter().collect(),
        }
    }
}
