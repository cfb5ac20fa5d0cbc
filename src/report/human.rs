//! The report for people: a table, what to do about everything that is not ready, notes, and one line to paste.

use std::io::{self, Write};
use std::sync::Arc;

use super::issues::{Issue, gather};
use super::layout::{LongWord, wrap};
use super::look::{Look, Role};
use super::{Report, summary, table};
use crate::outcome::words::{again, count, plain};
use crate::outcome::{Outcome, Proof, Verdict};

/// Columns before a label, and the columns a label takes with the space after it.
pub(super) const INDENT: usize = 2;
pub(super) const LABEL: usize = 9;

/// Writes the report.
pub(super) fn render(report: &Report<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    if !report.outcomes.is_empty() {
        table::render(report.outcomes, look, out)?;
        writeln!(out)?;
    }
    for issue in gather(report.outcomes) {
        block(&issue, report, look, out)?;
        writeln!(out)?;
    }
    let notes = notes(report);
    for note in &notes {
        labelled("note", note, 0, look, out)?;
    }
    if !notes.is_empty() {
        writeln!(out)?;
    }
    gates(report, look, out)?;
    writeln!(out, "{}", summary(report))?;
    out.flush()
}

/// One trouble: what it is, what was seen, what to do.
fn block(issue: &Issue<'_>, report: &Report<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let diagnosis = issue.diagnosis;
    let Some(first) = issue.outcomes.first() else { return Ok(()) };
    let alone = issue.outcomes.len() == 1;
    let who = if alone {
        first.target.id.to_string()
    } else {
        format!("{} of {}", count(issue.outcomes.len(), "target"), first.target.provider.id)
    };
    let title = format!("{} at {}", diagnosis.code, diagnosis.stage);
    let role = Role::Verdict(issue.verdict);
    writeln!(out, "{} {who}: {}", look.paint(role, look.marks.of(issue.verdict)), look.paint(role, &title))?;

    let mut say = |label: &str, text: &str| labelled(label, text, INDENT, look, out);
    if issue.varied && issue.diagnoses.iter().any(|own| !own.nearest.is_empty()) {
        for (number, (outcome, own)) in issue.outcomes.iter().zip(&issue.diagnoses).enumerate() {
            let label = if number == 0 { "who" } else { "" };
            let nearest = own.nearest.first().map_or_else(|| "nothing".to_owned(), |id| format!("`{id}`"));
            say(label, &plain(&format!("{}: {nearest} is near `{}`", outcome.target.id, outcome.target.model)))?;
        }
    } else if !alone {
        let ids: Vec<&str> = issue.outcomes.iter().map(|outcome| outcome.target.id.as_str()).collect();
        say("who", &ids.join(", "))?;
    }
    if !diagnosis.evidence.is_empty() {
        let mut seen = plain(&diagnosis.evidence);
        if !issue.evidence_is_shared {
            seen.push_str(" (the others alike)");
        }
        if alone && first.attempts > 1 {
            seen.push_str(&format!(" (after {})", count(usize::try_from(first.attempts).unwrap_or(0), "attempt")));
        }
        say("seen", &seen)?;
    }
    if let Some(proof) = shared_proof(&issue.outcomes) {
        say("holds", proof.says())?;
    }
    let remedy = issue.remedy();
    if !remedy.is_empty() {
        say("do", &plain(&remedy))?;
    }
    // Most remedies name the nearest ids already.
    if !issue.varied && diagnosis.nearest.first().is_some_and(|nearest| !diagnosis.remedy.contains(nearest.as_str())) {
        say("nearest", &plain(&diagnosis.nearest.join(", ")))?;
    }
    if let Some(reset) = diagnosis.reset {
        say("again", &again(reset.at, report.ended(), &look.zone))?;
    }
    if let (true, true, Some(id)) = (alone, issue.verdict == Verdict::Failed, &first.request_id) {
        say("request", &plain(id))?;
    }
    Ok(())
}

/// How the gates stand that were waited for, a line each.
fn gates(report: &Report<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    for gate in report.gates {
        let role = Role::Verdict(gate.verdict);
        let lead = format!("{} {}:", look.marks.of(gate.verdict), plain(&gate.name));
        let place = match (report.source, gate.line) {
            // Where there is nothing to mend, nobody looks for the line.
            (Some(path), Some(line)) if gate.verdict == Verdict::Failed => format!(" ({}:{line})", path.display()),
            _ => String::new(),
        };
        let text = format!("{lead} {}{}", plain(&gate.says), plain(&place));
        let width = look.width.saturating_sub(INDENT).max(20);
        for (number, line) in wrap(&text, width, LongWord::KeepAddress).iter().enumerate() {
            match line.strip_prefix(&lead) {
                Some(rest) if number == 0 => writeln!(out, "{}{rest}", look.paint(role, &lead))?,
                _ if number == 0 => writeln!(out, "{line}")?,
                _ => writeln!(out, "{:INDENT$}{line}", "")?,
            }
        }
    }
    if !report.gates.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}

/// What was shown in spite of the trouble, where it was the same for all: it says where not to look. That there was a
/// connection is no news beside the stage.
fn shared_proof(outcomes: &[&Outcome]) -> Option<Proof> {
    let proof = outcomes.first()?.proof;
    (proof > Proof::Answered && outcomes.iter().all(|outcome| outcome.proof == proof)).then_some(proof)
}

/// A label and its text, wrapped to the width with the following lines under the first.
pub(super) fn labelled(label: &str, text: &str, indent: usize, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let margin = indent + LABEL;
    // On a terminal of a few columns a long line is better than a column of single letters.
    let width = look.width.saturating_sub(margin).max(20);
    for (number, line) in wrap(text, width, LongWord::KeepAddress).iter().enumerate() {
        if number == 0 {
            let label = look.paint(Role::Label, &format!("{label:<LABEL$}"));
            writeln!(out, "{:indent$}{label}{line}", "")?;
        } else {
            writeln!(out, "{:margin$}{line}", "")?;
        }
    }
    Ok(())
}

/// Notes of outcomes with their targets, the same note once; then those of the configuration.
fn notes(report: &Report<'_>) -> Vec<String> {
    let mut gathered: Vec<(&str, Vec<&str>)> = Vec::new();
    for (outcome, note) in report
        .outcomes
        .iter()
        .flat_map(|outcome: &Arc<Outcome>| outcome.notes.iter().map(move |note| (outcome, note.as_str())))
    {
        match gathered.iter_mut().find(|(text, _)| *text == note) {
            Some((_, ids)) => ids.push(outcome.target.id.as_str()),
            None => gathered.push((note, vec![outcome.target.id.as_str()])),
        }
    }
    let of_outcomes = gathered.into_iter().map(|(note, ids)| plain(&format!("{}: {note}", ids.join(", "))));
    of_outcomes.chain(report.notes.iter().map(|note| plain(note))).collect()
}
