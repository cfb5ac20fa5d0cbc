//! The one line that says it all: the end of the report for people, and what is pasted into a chat.

use super::{Counts, Report};
use crate::exit::{Exit, Strictness};
use crate::outcome::words::{cost, duration};
use crate::outcome::{Cost, Outcome, Verdict, judge};

/// The line, without a line feed: counts, what it cost, the worst target, the exit, the run.
#[must_use]
pub fn summary(report: &Report<'_>) -> String {
    let mut parts = vec![format!("{} in {}", counted(report.counts()), duration(report.total))];
    if let Some(spent) = spent(report) {
        parts.push(format!("spent {spent}"));
    }
    if let Some(worst) = worst(report) {
        parts.push(format!("worst: {worst}"));
    }
    parts.push(format!("exit {} {}", report.exit.code(), report.exit.name()));
    parts.push(format!("run {}", report.run_id));
    format!("pilotlight: {}", parts.join("; "))
}

/// What the warm-ups cost, where it is known.
fn spent(report: &Report<'_>) -> Option<String> {
    let mut all = Cost::default();
    report.outcomes.iter().for_each(|outcome| all.add(outcome.cost));
    cost(all)
}

pub(super) fn counted(counts: Counts) -> String {
    let Counts { ready, degraded, unknown, failed } = counts;
    let named = [
        (ready, Verdict::Ready),
        (degraded, Verdict::Degraded),
        (unknown, Verdict::Unknown),
        (failed, Verdict::Failed),
    ];
    let words: Vec<String> = named
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, verdict)| format!("{number} {verdict}"))
        .collect();
    if words.is_empty() {
        return "nothing was probed".to_owned();
    }
    format!("{} of {}", words.join(", "), ready + degraded + unknown + failed)
}

/// The outcome that most needs a person, in a few words; absent when all are ready.
pub(super) fn worst(report: &Report<'_>) -> Option<String> {
    // A warning counts here even where it does not change the exit: it is still the worst there is.
    let exit = |outcome: &Outcome| Exit::of(outcome, Strictness::Strict);
    let worst = Exit::worst(report.outcomes.iter().map(|outcome| exit(outcome)));
    // A gate is kept from opening by some of its targets only: whatever set the exit comes first.
    let is_worse = !matches!(report.exit, Exit::Ready | Exit::Degraded);
    let set_it = |outcome: &Outcome| is_worse && exit(outcome) == report.exit;
    let worst = if report.outcomes.iter().any(|outcome| set_it(outcome)) { report.exit } else { worst };
    let outcome = report.outcomes.iter().find(|outcome| exit(outcome) == worst)?;
    if judge(outcome) == Verdict::Ready {
        return None;
    }
    let diagnosis = outcome.foremost()?;
    let status = outcome.http_status.map(|status| format!(" (HTTP {status})")).unwrap_or_default();
    Some(format!("{} {} at {}{status}", outcome.target.id, diagnosis.code, diagnosis.stage))
}
