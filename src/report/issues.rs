//! What is not ready, gathered: the same trouble of the same provider is told once, with all the targets it hits.
//!
//! Forty targets with one refused key are one thing to mend, and forty blocks would hide the forty-first.

use std::sync::Arc;

use crate::outcome::{Diagnosis, Outcome, Verdict, judge};

/// One trouble, and everything it was seen at.
#[derive(Debug)]
pub(super) struct Issue<'a> {
    /// How bad it is: a warning is `degraded` even beside a failure.
    pub(super) verdict: Verdict,
    /// The diagnosis, as it was made for the first of the outcomes.
    pub(super) diagnosis: &'a Diagnosis,
    /// Where it was seen, in the order of the report. Never empty.
    pub(super) outcomes: Vec<&'a Outcome>,
    /// Whether all of them gave the same evidence.
    pub(super) evidence_is_shared: bool,
}

/// Gathers the troubles: failures first, then what could not be told, then warnings; each in the order of the report.
pub(super) fn gather(outcomes: &[Arc<Outcome>]) -> Vec<Issue<'_>> {
    let mut issues: Vec<Issue<'_>> = Vec::new();
    for outcome in outcomes {
        let own = outcome.diagnosis.iter().map(|diagnosis| (judge(outcome), diagnosis));
        let warnings = outcome.warnings.iter().map(|warning| (Verdict::Degraded, warning));
        for (verdict, diagnosis) in own.chain(warnings) {
            match issues.iter_mut().find(|issue| issue.is(verdict, diagnosis, outcome)) {
                Some(issue) => {
                    issue.evidence_is_shared &= issue.diagnosis.evidence == diagnosis.evidence;
                    issue.outcomes.push(outcome);
                }
                None => {
                    issues.push(Issue { verdict, diagnosis, outcomes: vec![outcome], evidence_is_shared: true });
                }
            }
        }
    }
    issues.sort_by_key(|issue| std::cmp::Reverse(issue.verdict));
    issues
}

impl Issue<'_> {
    /// Whether a diagnosis is this trouble again: what a person would do about it is the same. Evidence may differ in
    /// its details (a request id, a number of seconds).
    fn is(&self, verdict: Verdict, diagnosis: &Diagnosis, outcome: &Outcome) -> bool {
        self.verdict == verdict
            && self.diagnosis.code == diagnosis.code
            && self.diagnosis.stage == diagnosis.stage
            && self.diagnosis.remedy == diagnosis.remedy
            && self.diagnosis.nearest == diagnosis.nearest
            && self.outcomes.first().is_some_and(|first| first.target.provider.id == outcome.target.provider.id)
    }
}
