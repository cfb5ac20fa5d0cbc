//! One outcome in a few sentences, for the formats that other programs show: the same words in each of them.
//!
//! It judges nothing. Texts are of one line and without control characters; each format escapes what is special to it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Report;
use crate::exit::{Exit, Strictness};
use crate::outcome::words::{again, duration, plain};
use crate::outcome::{Diagnosis, Outcome, Proof, Verdict, Warmth, judge};

impl Report<'_> {
    /// The judgement of the whole pass. Where gates were asked for, they are what counts: one may be open although a
    /// target is not ready. A pass that was stopped, or in which nothing was probed, is at best `unknown`.
    pub(super) fn verdict(&self) -> Verdict {
        let gates = self.gates.iter().map(|gate| gate.verdict).max();
        let targets = || self.outcomes.iter().map(|outcome| judge(outcome)).max();
        let found = gates.or_else(targets).unwrap_or(Verdict::Unknown);
        match self.exit {
            Exit::Interrupted | Exit::Terminated | Exit::Internal | Exit::Usage => found.max(Verdict::Unknown),
            _ => found,
        }
    }

    /// Whether a verdict counts as a failure, where there is nothing between that and success. It agrees with the exit.
    pub(super) fn refuses(&self, verdict: Verdict) -> bool {
        match verdict {
            Verdict::Ready => false,
            Verdict::Degraded => self.strictness == Strictness::Strict,
            Verdict::Unknown | Verdict::Failed => true,
        }
    }
}

/// What an outcome came to, without the evidence: `key-refused at authenticate`, `first token 350ms, warm`.
pub(super) fn gist(outcome: &Outcome) -> String {
    match (outcome.foremost(), outcome.timings.first_token) {
        (Some(diagnosis), _) => titled(diagnosis),
        (None, Some(first)) => match outcome.warmth {
            Warmth::Unknown => format!("first token {}", duration(first)),
            Warmth::Warm | Warmth::Cold => format!("first token {}, {}", duration(first), outcome.warmth.name()),
        },
        (None, None) => outcome.proof.says().to_owned(),
    }
}

/// What an outcome came to and what was seen, in one line.
pub(super) fn headline(outcome: &Outcome) -> String {
    match outcome.foremost().map(|diagnosis| plain(&diagnosis.evidence)).filter(|seen| !seen.is_empty()) {
        Some(seen) => format!("{}: {seen}", gist(outcome)),
        None => gist(outcome),
    }
}

/// A diagnosis by name: `key-refused at authenticate`.
pub(super) fn titled(diagnosis: &Diagnosis) -> String {
    format!("{} at {}", diagnosis.code, diagnosis.stage)
}

/// What there is to know of everything that is wrong with an outcome, as labels and sentences; the labels are those of the
/// report for people.
pub(super) fn details(outcome: &Outcome, now: Timestamp, zone: &TimeZone) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let mut say = |label, text: String| {
        if !text.is_empty() {
            lines.push((label, text));
        }
    };
    let all: Vec<&Diagnosis> = outcome.diagnosis.iter().chain(&outcome.warnings).collect();
    for diagnosis in &all {
        if all.len() > 1 {
            say("what", titled(diagnosis));
        }
        say("seen", plain(&diagnosis.evidence));
        say("do", plain(&diagnosis.remedy));
        if let Some(reset) = diagnosis.reset {
            say("again", again(reset.at, now, zone));
        }
    }
    if !all.is_empty() && outcome.proof > Proof::Answered {
        say("holds", outcome.proof.says().to_owned());
    }
    if let (Verdict::Failed, Some(id)) = (judge(outcome), &outcome.request_id) {
        say("request", plain(id));
    }
    for note in &outcome.notes {
        say("note", plain(note));
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::report::GateReport;
    use crate::report::sample::{look, ms, pass, run_id, started};

    #[test]
    fn an_outcome_is_told_in_a_line() {
        let lines: Vec<String> = pass().iter().map(|outcome| headline(outcome)).collect();
        assert_eq!(lines[0], "first token 350ms, warm");
        assert_eq!(lines[1], "cold-start at warm: first token after 74.3s, expected within 10s");
        assert_eq!(lines[2], "key accepted, model listed");
        assert_eq!(lines[4], "window-spent at warm: HTTP 429, retry-after 700");
    }

    #[test]
    fn details_have_the_labels_of_the_report_for_people() {
        let told = details(&pass()[4], started(), &look(80).zone);
        assert_eq!(
            told.iter().map(|(label, _)| *label).collect::<Vec<_>>(),
            ["seen", "do", "again", "holds", "request"]
        );
        assert_eq!(told[2].1, "in 12m, at 20:13");
        assert!(details(&pass()[0], started(), &look(80).zone).is_empty());
    }

    #[test]
    fn gates_count_before_targets_and_a_stop_is_at_best_unknown() {
        let (id, outcomes) = (run_id(), pass());
        let gate = |verdict| GateReport { name: "review".to_owned(), line: None, verdict, says: String::new() };
        let open = [gate(Verdict::Degraded)];
        let report = Report {
            run_id: &id,
            started: started(),
            total: ms(1),
            outcomes: &outcomes,
            exit: Exit::Ready,
            notes: &[],
            source: None,
            gates: &open,
            strictness: Strictness::Lenient,
            host: None,
        };
        assert_eq!(report.verdict(), Verdict::Degraded);
        assert_eq!(Report { exit: Exit::Interrupted, ..report.clone() }.verdict(), Verdict::Unknown);
        assert_eq!(Report { gates: &[], ..report.clone() }.verdict(), Verdict::Failed);
        let none: [Arc<Outcome>; 0] = [];
        assert_eq!(Report { gates: &[], outcomes: &none, ..report.clone() }.verdict(), Verdict::Unknown);
        assert!(!report.refuses(Verdict::Degraded));
        assert!(Report { strictness: Strictness::Strict, ..report }.refuses(Verdict::Degraded));
    }
}
