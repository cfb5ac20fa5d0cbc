//! What is not ready, gathered: the same trouble of the same provider is told once, with all the targets it hits.
//!
//! Forty targets with one refused key are one thing to mend, and forty blocks would hide the forty-first. Where every
//! target needs something else done to it (another name instead of a wrong one), a few have a block each, and many share
//! one that lists them.

use std::sync::Arc;

use crate::outcome::{Code, Diagnosis, Outcome, Verdict, judge};

/// One trouble, and everything it was seen at.
#[derive(Debug)]
pub(super) struct Issue<'a> {
    /// How bad it is: a warning is `degraded` even beside a failure.
    pub(super) verdict: Verdict,
    /// The diagnosis, as it was made for the first of the outcomes.
    pub(super) diagnosis: &'a Diagnosis,
    /// Where it was seen, in the order of the report. Never empty.
    pub(super) outcomes: Vec<&'a Outcome>,
    /// What was found of each, in the same order.
    pub(super) diagnoses: Vec<&'a Diagnosis>,
    /// Whether all of them gave the same evidence.
    pub(super) evidence_is_shared: bool,
    /// Whether the remedies differ in their details.
    pub(super) varied: bool,
}

/// So many troubles of a kind have a block each; more share one.
const FEW: usize = 3;

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
                    issue.diagnoses.push(diagnosis);
                }
                None => {
                    let (outcomes, diagnoses): (Vec<&Outcome>, _) = (vec![outcome], vec![diagnosis]);
                    issues.push(Issue {
                        verdict,
                        diagnosis,
                        outcomes,
                        diagnoses,
                        evidence_is_shared: true,
                        varied: false,
                    });
                }
            }
        }
    }
    let mut issues = merged(issues);
    issues.sort_by_key(|issue| std::cmp::Reverse(issue.verdict));
    issues
}

/// Makes one of many that differ only in the details of what is to be done.
fn merged(issues: Vec<Issue<'_>>) -> Vec<Issue<'_>> {
    let mut kinds: Vec<Vec<Issue<'_>>> = Vec::new();
    for issue in issues {
        match kinds.iter_mut().find(|kind| kind.first().is_some_and(|first| first.resembles(&issue))) {
            Some(kind) => kind.push(issue),
            None => kinds.push(vec![issue]),
        }
    }
    kinds.into_iter().flat_map(shared).collect()
}

/// One block for all of a kind, where they are many, or where nothing is to be done about any: a quota is the provider's.
fn shared(kind: Vec<Issue<'_>>) -> Vec<Issue<'_>> {
    let spared = kind.first().is_some_and(|first| first.diagnosis.code == Code::QuotaWithheld);
    if kind.len() <= if spared { 1 } else { FEW } {
        return kind;
    }
    let evidence = |issue: &Issue<'_>| issue.diagnosis.evidence.clone();
    let is_shared =
        kind.iter().all(|issue| issue.evidence_is_shared && kind.first().map(evidence) == Some(evidence(issue)));
    let mut rest = kind.into_iter();
    let Some(mut first) = rest.next() else { return Vec::new() };
    first.varied = true;
    first.evidence_is_shared = is_shared;
    for other in rest {
        // Of several waits the longest is the one after which all can be tried again.
        if other.diagnosis.reset.map(|reset| reset.at) > first.diagnosis.reset.map(|reset| reset.at) {
            first.diagnosis = other.diagnosis;
        }
        first.outcomes.extend(other.outcomes);
        first.diagnoses.extend(other.diagnoses);
    }
    vec![first]
}

impl Issue<'_> {
    /// What to do. Where it differs, the names of single targets are left out: they are in the list.
    pub(super) fn remedy(&self) -> String {
        let mut text = self.diagnosis.remedy.clone();
        let about = self.outcomes.iter().zip(&self.diagnoses).find(|(_, own)| std::ptr::eq(**own, self.diagnosis));
        let Some((outcome, _)) = about.filter(|_| self.varied) else { return text };
        for sentence in self.diagnosis.code.explain().remedy {
            let own = sentence.replace("{nearest}", &self.diagnosis.nearest.join(", "));
            let own = own.replace("{model}", outcome.target.model.as_str());
            if sentence.contains("{nearest}") {
                text = text.replace(&own, "");
            } else if sentence.contains("{model}") {
                let all =
                    if self.diagnosis.code == Code::QuotaWithheld { "these models" } else { "each of these models" };
                text = text.replace(&own, &sentence.replace("{model}", all));
            }
        }
        text.trim().to_owned()
    }

    /// Whether it is the same kind of trouble at the same provider.
    fn resembles(&self, other: &Self) -> bool {
        let provider = |issue: &Self| issue.outcomes.first().map(|outcome| outcome.target.provider.id.clone());
        self.verdict == other.verdict
            && self.diagnosis.code == other.diagnosis.code
            && self.diagnosis.stage == other.diagnosis.stage
            && provider(self) == provider(other)
    }

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
