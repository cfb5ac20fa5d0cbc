//! Verdict and diagnosis to exit code: one function, one table.
//!
//! The README's table is compared with [`Exit::ALL`] by a test, and so is the order of severity.

use crate::outcome::{Class, Code, Outcome, Status, Verdict, judge};

/// What the process says of itself when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// All that was asked for is ready.
    Ready,
    /// pilotlight itself failed.
    Internal,
    /// Bad arguments, or an invalid probes.yaml.
    Usage,
    /// Could not tell: nothing was learned about the target.
    Unknown,
    /// With `--strict`: ready, but slow or with a warning.
    Degraded,
    /// Name, connection or TLS failed.
    Unreachable,
    /// Key missing, malformed, refused, or without permission; region or edge block.
    Unauthorized,
    /// No such model, or the base URL is wrong.
    NotFound,
    /// A window's quota is spent; waiting cures it.
    RateLimited,
    /// Credit is used up, or the plan has ended; waiting does not cure it.
    Payment,
    /// Overloaded or failing on the provider's side.
    ProviderError,
    /// No first token before the deadline: still cold, or hanging.
    TooSlow,
    /// An answer that is not this API: HTML, broken JSON, a cut or empty stream.
    Unusable,
    /// Stopped by SIGINT.
    Interrupted,
    /// Stopped by SIGTERM.
    Terminated,
}

impl Exit {
    /// Every exit, in the order of its code.
    pub const ALL: [Self; 15] = [
        Self::Ready,
        Self::Internal,
        Self::Usage,
        Self::Unknown,
        Self::Degraded,
        Self::Unreachable,
        Self::Unauthorized,
        Self::NotFound,
        Self::RateLimited,
        Self::Payment,
        Self::ProviderError,
        Self::TooSlow,
        Self::Unusable,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// When there are several: the one that most needs a person first (DESIGN.md section 4). `Internal` stands before
    /// the failures, because it casts doubt on them; a signal stands before all, because the run was not finished.
    const SEVERITY: [Self; 15] = [
        Self::Interrupted,
        Self::Terminated,
        Self::Usage,
        Self::Internal,
        Self::Unauthorized,
        Self::Payment,
        Self::NotFound,
        Self::Unreachable,
        Self::Unusable,
        Self::ProviderError,
        Self::TooSlow,
        Self::RateLimited,
        Self::Unknown,
        Self::Degraded,
        Self::Ready,
    ];

    /// The process's exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Ready => 0,
            Self::Internal => 1,
            Self::Usage => 2,
            Self::Unknown => 3,
            Self::Degraded => 4,
            Self::Unreachable => 10,
            Self::Unauthorized => 11,
            Self::NotFound => 12,
            Self::RateLimited => 13,
            Self::Payment => 14,
            Self::ProviderError => 15,
            Self::TooSlow => 16,
            Self::Unusable => 17,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// Its name in the documents and in the JSON report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Internal => "internal",
            Self::Usage => "usage",
            Self::Unknown => "unknown",
            Self::Degraded => "degraded",
            Self::Unreachable => "unreachable",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not-found",
            Self::RateLimited => "rate-limited",
            Self::Payment => "payment",
            Self::ProviderError => "provider-error",
            Self::TooSlow => "too-slow",
            Self::Unusable => "unusable",
            Self::Interrupted => "interrupted",
            Self::Terminated => "terminated",
        }
    }

    /// The exit of a class of codes.
    #[must_use]
    pub fn of_class(class: Class) -> Self {
        match class {
            Class::Notice => Self::Degraded,
            Class::Unknown => Self::Unknown,
            Class::Unreachable => Self::Unreachable,
            Class::Unauthorized => Self::Unauthorized,
            Class::NotFound => Self::NotFound,
            Class::RateLimited => Self::RateLimited,
            Class::Payment => Self::Payment,
            Class::ProviderError => Self::ProviderError,
            Class::TooSlow => Self::TooSlow,
            Class::Unusable => Self::Unusable,
            Class::Internal => Self::Internal,
        }
    }

    /// The exit that one outcome alone would give.
    #[must_use]
    pub fn of(outcome: &Outcome, strictness: Strictness) -> Self {
        match judge(outcome) {
            Verdict::Ready => Self::Ready,
            Verdict::Degraded => match strictness {
                Strictness::Lenient => Self::Ready,
                Strictness::Strict => Self::Degraded,
            },
            Verdict::Unknown | Verdict::Failed => {
                outcome.diagnosis.as_ref().map_or(Self::Unknown, |diagnosis| Self::of_class(diagnosis.code.class()))
            }
        }
    }

    /// The exit of a standing, with why it is not up. During maintenance nothing is held against a target.
    #[must_use]
    pub fn of_status(status: Status, code: Option<Code>, strictness: Strictness) -> Self {
        match (status, strictness) {
            (Status::Up | Status::Maintenance, _) | (Status::Degraded, Strictness::Lenient) => Self::Ready,
            (Status::Degraded, Strictness::Strict) => Self::Degraded,
            (Status::Down, _) => code.map_or(Self::Unknown, |code| Self::of_class(code.class())),
            (Status::Unknown, _) => Self::Unknown,
        }
    }

    /// The worst of several; `Ready` of none.
    #[must_use]
    pub fn worst(exits: impl IntoIterator<Item = Self>) -> Self {
        let rank = |exit: Self| Self::SEVERITY.iter().position(|other| *other == exit);
        exits.into_iter().min_by_key(|exit| rank(*exit)).unwrap_or(Self::Ready)
    }
}

/// Whether `degraded` counts as ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// It does.
    Lenient,
    /// It does not (`--strict`).
    Strict,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_ranks_every_exit_once() {
        for exit in Exit::ALL {
            assert_eq!(Exit::SEVERITY.iter().filter(|other| **other == exit).count(), 1, "{exit:?}");
        }
    }

    #[test]
    fn the_order_is_the_designs() {
        let codes: Vec<u8> =
            Exit::SEVERITY.iter().map(|exit| exit.code()).filter(|code| !matches!(code, 0 | 1 | 130 | 143)).collect();
        assert_eq!(codes, [2, 11, 14, 12, 10, 17, 15, 16, 13, 3, 4]);
    }

    #[test]
    fn a_standing_exits_as_the_outcomes_that_led_to_it() {
        let exit = |status, strictness| Exit::of_status(status, Some(Code::KeyRefused), strictness);
        assert_eq!(exit(Status::Up, Strictness::Strict), Exit::Ready);
        assert_eq!(exit(Status::Degraded, Strictness::Lenient), Exit::Ready);
        assert_eq!(exit(Status::Degraded, Strictness::Strict), Exit::Degraded);
        assert_eq!(exit(Status::Down, Strictness::Lenient), Exit::Unauthorized);
        assert_eq!(exit(Status::Unknown, Strictness::Lenient), Exit::Unknown);
        assert_eq!(exit(Status::Maintenance, Strictness::Strict), Exit::Ready);
        // A code of a later version.
        assert_eq!(Exit::of_status(Status::Down, None, Strictness::Lenient), Exit::Unknown);
    }

    #[test]
    fn the_worst_needs_a_person_most() {
        assert_eq!(Exit::worst([Exit::Ready, Exit::TooSlow, Exit::Unauthorized, Exit::NotFound]), Exit::Unauthorized);
        assert_eq!(Exit::worst([Exit::Ready, Exit::Degraded]), Exit::Degraded);
        assert_eq!(Exit::worst([]), Exit::Ready);
    }
}
