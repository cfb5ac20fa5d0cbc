//! The stable codes of what can go wrong, and what follows from each.
//!
//! The texts stand in `code_table.rs`; `docs/diagnoses.md` is made from them and compared by a test.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Stage;
use super::code_table::explanation;

/// What went wrong. The kebab-case names are stable: scripts, alerts and documents refer to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is explained in code_table.rs, from which the documents are made")]
pub enum Code {
    CredentialMissing,
    CredentialMalformed,
    DnsNotFound,
    DnsFailed,
    AddressesExcluded,
    ConnectRefused,
    ConnectTimeout,
    ConnectFailed,
    ProxyUnreachable,
    ProxyRefused,
    ProxyFailed,
    ConnectionLost,
    TlsUntrusted,
    TlsNameMismatch,
    TlsExpired,
    TlsNotYetValid,
    TlsTimeout,
    TlsFailed,
    ClientCertificateUnusable,
    ClientCertificateRefused,
    CertificateExpiring,
    AnswerTimeout,
    AnswerCut,
    AnswerTooLarge,
    KeyRefused,
    PermissionDenied,
    RegionBlocked,
    EdgeBlocked,
    ModelNotFound,
    BaseUrlWrong,
    Redirected,
    WindowSpent,
    RateLimited,
    BalanceSpent,
    PlanEnded,
    Overloaded,
    UpstreamFailed,
    Loading,
    FirstTokenTimeout,
    StreamCut,
    StreamStalled,
    EmptyAnswer,
    NotThisApi,
    BadRequest,
    ColdStart,
    Offline,
    QuotaWithheld,
    Interrupted,
    ProbePanicked,
}

impl Code {
    /// Every code, in the order of the ladder.
    pub const ALL: [Self; 49] = [
        Self::CredentialMissing,
        Self::CredentialMalformed,
        Self::DnsNotFound,
        Self::DnsFailed,
        Self::AddressesExcluded,
        Self::ConnectRefused,
        Self::ConnectTimeout,
        Self::ConnectFailed,
        Self::ProxyUnreachable,
        Self::ProxyRefused,
        Self::ProxyFailed,
        Self::ConnectionLost,
        Self::TlsUntrusted,
        Self::TlsNameMismatch,
        Self::TlsExpired,
        Self::TlsNotYetValid,
        Self::TlsTimeout,
        Self::TlsFailed,
        Self::ClientCertificateUnusable,
        Self::ClientCertificateRefused,
        Self::CertificateExpiring,
        Self::AnswerTimeout,
        Self::AnswerCut,
        Self::AnswerTooLarge,
        Self::KeyRefused,
        Self::PermissionDenied,
        Self::RegionBlocked,
        Self::EdgeBlocked,
        Self::ModelNotFound,
        Self::BaseUrlWrong,
        Self::Redirected,
        Self::WindowSpent,
        Self::RateLimited,
        Self::BalanceSpent,
        Self::PlanEnded,
        Self::Overloaded,
        Self::UpstreamFailed,
        Self::Loading,
        Self::FirstTokenTimeout,
        Self::StreamCut,
        Self::StreamStalled,
        Self::EmptyAnswer,
        Self::NotThisApi,
        Self::BadRequest,
        Self::ColdStart,
        Self::Offline,
        Self::QuotaWithheld,
        Self::Interrupted,
        Self::ProbePanicked,
    ];

    /// What there is to know of a code.
    #[must_use]
    pub fn explain(self) -> Explanation {
        explanation(self)
    }

    /// The kebab-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.explain().name
    }

    /// What kind of trouble it is; it decides the exit code.
    #[must_use]
    pub fn class(self) -> Class {
        self.explain().class
    }

    /// What cures it.
    #[must_use]
    pub fn cure(self) -> Cure {
        self.explain().cure
    }

    /// The code with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What kind of trouble a code is. Each class but `Notice` has one exit code (`exit.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Nothing failed; a person should know.
    Notice,
    /// Nothing was learned about the target.
    Unknown,
    /// Name, connection or TLS.
    Unreachable,
    /// The key, its permissions, or where we call from.
    Unauthorized,
    /// The LLM or the API is not there.
    NotFound,
    /// A limit that ends by itself.
    RateLimited,
    /// A limit that ends when somebody pays.
    Payment,
    /// The provider's own trouble.
    ProviderError,
    /// Too slow, or still loading.
    TooSlow,
    /// An answer that cannot be used.
    Unusable,
    /// pilotlight's own trouble.
    Internal,
}

/// What cures a failure. `wait` gives up at once where waiting cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cure {
    /// It can pass by itself.
    Waiting,
    /// Somebody has to do something.
    Person,
}

/// What there is to know of a code: one row of `docs/diagnoses.md`.
#[derive(Debug, Clone, Copy)]
pub struct Explanation {
    /// The kebab-case name.
    pub name: &'static str,
    /// What kind of trouble it is.
    pub class: Class,
    /// What cures it.
    pub cure: Cure,
    /// The stages it can come from.
    pub stages: &'static [Stage],
    /// What it means, in one sentence.
    pub meaning: &'static str,
    /// What to do, as sentences with places for the target's own values (`{model}`); a sentence whose value is not
    /// known is left out.
    pub remedy: &'static [&'static str],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_and_serializes_to_it() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        for code in Code::ALL {
            assert_eq!(serde_json::to_string(&code).unwrap(), format!("\"{}\"", code.name()));
            assert_eq!(Code::from_name(code.name()), Some(code));
            assert!(!code.explain().remedy.is_empty(), "{code} has no remedy");
            assert!(!code.explain().stages.is_empty(), "{code} has no stage");
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
