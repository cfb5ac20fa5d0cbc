//! The output of a Nagios plugin: a status line, performance data, and long output below; with the state that the exit code
//! says.
//!
//! By the Monitoring Plugins Development Guidelines: sections "Plugin Output", "Return Codes" and "Performance data".

use std::io::{self, Write};
use std::time::Duration;

use super::summary::{counted, worst};
use super::told::{details, headline};
use super::{Look, Report};
use crate::outcome::words::plain;
use crate::outcome::{Outcome, Verdict, judge};

/// The state of a service, and the exit code of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NagiosState {
    /// All is ready.
    Ok,
    /// Something is degraded.
    Warning,
    /// Something failed.
    Critical,
    /// It could not be told.
    Unknown,
}

impl NagiosState {
    /// The state of a pass: that of its gates where it has any, else of the worst of its targets. What failed counts for
    /// more than what could not be told.
    #[must_use]
    pub fn of(report: &Report<'_>) -> Self {
        match report.verdict() {
            Verdict::Ready => Self::Ok,
            Verdict::Degraded => Self::Warning,
            Verdict::Failed => Self::Critical,
            Verdict::Unknown => Self::Unknown,
        }
    }

    /// The exit code: 0 to 3.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    /// The word in the status line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// Writes the report. Performance data stand in the first line, because what is long is cut at its end (Nagios
/// keeps 4 or 8 KiB).
///
/// # Errors
/// Whatever the writer says; nothing else can fail.
pub fn render_nagios(report: &Report<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let state = NagiosState::of(report);
    let gates = report.gates.iter().map(|gate| format!("gate {} {}: {}", gate.name, gate.verdict, gate.says));
    let mut said: Vec<String> = gates.collect();
    said.push(counted(report.counts()));
    said.extend(worst(report).map(|worst| format!("worst: {worst}")));
    let data: Vec<String> = performance(report).collect();
    writeln!(out, "PILOTLIGHT {} - {} | {}", state.name(), text(&said.join("; ")), data.join(" "))?;
    for outcome in report.outcomes.iter().filter(|outcome| judge(outcome) != Verdict::Ready) {
        let line = format!("[{}] {}: {}", judge(outcome), outcome.target.id, headline(outcome));
        writeln!(out, "{}", text(&line))?;
        let told = details(outcome, report.ended(), &look.zone);
        for (label, said) in told.iter().filter(|(label, _)| matches!(*label, "do" | "again")) {
            writeln!(out, "  {label}: {}", text(said))?;
        }
    }
    out.flush()
}

/// The one line of a plugin that could not do its work.
#[must_use]
pub fn nagios_unknown(why: &str) -> String {
    let words: Vec<&str> = why.split_whitespace().collect();
    format!("PILOTLIGHT UNKNOWN - {}", text(&words.join(" ")))
}

/// How many have which verdict, and the times of each target. What was not measured is absent.
fn performance(report: &Report<'_>) -> impl Iterator<Item = String> {
    let counts = report.counts();
    let all = report.outcomes.len();
    let numbers = [
        (Verdict::Ready, counts.ready),
        (Verdict::Degraded, counts.degraded),
        (Verdict::Unknown, counts.unknown),
        (Verdict::Failed, counts.failed),
    ];
    let numbers =
        numbers.into_iter().map(move |(verdict, count)| format!("{}={count};;;0;{all}", label(verdict.name())));
    numbers.chain(report.outcomes.iter().flat_map(|outcome| times(outcome)))
}

/// The first token with what is expected of it, warm and cold; and the whole probe.
fn times(outcome: &Outcome) -> Vec<String> {
    let id = &outcome.target.id;
    let expect = &outcome.target.expect;
    let first = outcome.timings.first_token.map(|first| {
        let (warning, critical) = (seconds(expect.first_token), seconds(expect.cold_start));
        format!("{}={}s;{warning};{critical};0", label(&format!("{id} first token")), seconds(first))
    });
    let total = format!("{}={}s;;;0", label(&format!("{id} total")), seconds(outcome.timings.total));
    first.into_iter().chain([total]).collect()
}

/// A number of the class `[-0-9.]`.
fn seconds(duration: Duration) -> String {
    let text = format!("{:.3}", duration.as_secs_f64());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A quoted label: a quote in it is doubled, and `=` ends it for many readers.
fn label(name: &str) -> String {
    format!("'{}'", text(name).replace('=', "-").replace('\'', "''"))
}

/// Text in which nothing is taken for the beginning of performance data.
fn text(said: &str) -> String {
    plain(said).replace('|', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_numbers_are_by_the_grammar() {
        assert_eq!(label("o'clock=|x\n"), "'o''clock-/x\\u{a}'");
        assert_eq!(seconds(Duration::from_millis(1_200)), "1.2");
        assert_eq!(seconds(Duration::from_secs(10)), "10");
        assert_eq!(seconds(Duration::ZERO), "0");
    }

    #[test]
    fn a_mistake_is_one_line() {
        assert_eq!(nagios_unknown("a | b\n  c\n"), "PILOTLIGHT UNKNOWN - a / b c");
    }
}
