//! Annotations for GitHub Actions: workflow commands at the lines of probes.yaml, and the summary as a plain line.
//!
//! The syntax is documented at docs.github.com, "Workflow commands for GitHub Actions"; what has to be escaped is told by
//! `actions/toolkit` (`command.ts`). Text from the wire is only ever inside a message, where every line break is escaped,
//! so that it cannot begin a command of its own.

use std::io::{self, Write};

use super::told::{details, headline, titled};
use super::{GateReport, Look, Report, summary};
use crate::outcome::words::plain;
use crate::outcome::{Code, Outcome, Verdict, judge};

/// Writes the annotations, the worst first: GitHub shows ten of each kind for a step. `report.source` is shown as it is
/// given, so it should be relative to the repository.
///
/// # Errors
/// Whatever the writer says; nothing else can fail.
pub fn render_github(report: &Report<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let mut gates: Vec<&GateReport> = report.gates.iter().filter(|gate| gate.verdict != Verdict::Ready).collect();
    gates.sort_by_key(|gate| std::cmp::Reverse(gate.verdict));
    for gate in gates {
        let title = format!("gate {} {}", gate.name, gate.verdict);
        let level = level(report, gate.verdict, "warning");
        writeln!(out, "{}", command(level, report, gate.line, &title, &gate.says))?;
    }
    let mut outcomes: Vec<&Outcome> =
        report.outcomes.iter().map(AsRef::as_ref).filter(|outcome| judge(outcome) != Verdict::Ready).collect();
    outcomes.sort_by_key(|outcome| std::cmp::Reverse(judge(outcome)));
    for outcome in outcomes {
        writeln!(out, "{}", annotation(report, outcome, look))?;
    }
    writeln!(out, "{}", summary(report))?;
    out.flush()
}

fn annotation(report: &Report<'_>, outcome: &Outcome, look: &Look) -> String {
    let verdict = judge(outcome);
    let what = outcome.foremost().map(titled).unwrap_or_default();
    let title = format!("{} {verdict}: {what}", outcome.target.id);
    let told: Vec<String> = details(outcome, report.ended(), &look.zone)
        .into_iter()
        .map(|(label, text)| format!("{label}: {text}"))
        .collect();
    let message = if told.is_empty() { headline(outcome) } else { told.join("\n") };
    // Somebody should know of a cold start, and there is nothing left to do about this one: it is warm now.
    let only_cold = outcome.warnings.iter().all(|warning| warning.code == Code::ColdStart);
    let level = level(report, verdict, if only_cold { "notice" } else { "warning" });
    command(level, report, Some(outcome.target.line), &title, &message)
}

/// `error` for what makes the step fail; `less` for what does not.
fn level(report: &Report<'_>, verdict: Verdict, less: &'static str) -> &'static str {
    if report.refuses(verdict) { "error" } else { less }
}

/// One workflow command, without its line feed.
fn command(level: &str, report: &Report<'_>, line: Option<u32>, title: &str, message: &str) -> String {
    let mut properties = Vec::new();
    if let (Some(source), Some(line)) = (report.source, line) {
        properties.push(format!("file={}", property(&source.to_string_lossy())));
        properties.push(format!("line={line}"));
    }
    properties.push(format!("title={}", property(title)));
    format!("::{level} {}::{}", properties.join(","), data(message))
}

/// A message: its line breaks are escaped, and nothing else in it can be taken for syntax.
fn data(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| plain(line).replace('%', "%25")).collect();
    lines.join("%0A")
}

/// The value of a property, which ends at a comma or a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
