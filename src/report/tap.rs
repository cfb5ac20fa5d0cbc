//! The Test Anything Protocol, version 13: a line for each target and each gate, and what is known of it below as YAML.
//!
//! Not version 14: the consumer of Perl 5.36 (Debian 12) refuses it, and nothing that was added there is needed here. Nothing is
//! skipped: a consumer counts a skipped test as passed, and what could not be told is not ready.

use std::io::{self, Write};

use super::told::{details, gist};
use super::{Look, Report, summary};
use crate::outcome::words::plain;
use crate::outcome::{Outcome, Verdict, judge};

/// Writes the report. `look` gives the zone of clock times.
///
/// # Errors
/// Whatever the writer says; nothing else can fail.
pub fn render_tap(report: &Report<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let tests = report.outcomes.len() + report.gates.len();
    writeln!(out, "TAP version 13")?;
    match tests {
        0 => writeln!(out, "1..0 # SKIP nothing was probed")?,
        tests => writeln!(out, "1..{tests}")?,
    }
    let mut number = 0;
    for outcome in report.outcomes {
        number += 1;
        let name = description(outcome.target.id.as_str());
        line(report, judge(outcome), number, &name, out)?;
        yaml(&facts(report, outcome, look), out)?;
    }
    for gate in report.gates {
        number += 1;
        line(report, gate.verdict, number, &format!("gate {}", description(&gate.name)), out)?;
        yaml(&[("verdict", gate.verdict.to_string()), ("says", gate.says.clone())], out)?;
    }
    writeln!(out, "# {}", summary(report))?;
    out.flush()
}

fn line(report: &Report<'_>, verdict: Verdict, number: usize, name: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} {number} - {name}", if report.refuses(verdict) { "not ok" } else { "ok" })
}

fn facts(report: &Report<'_>, outcome: &Outcome, look: &Look) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("verdict", judge(outcome).to_string()),
        ("provider", outcome.target.provider.id.to_string()),
        ("model", outcome.target.model.to_string()),
        ("says", gist(outcome)),
    ];
    if let Some(diagnosis) = outcome.foremost() {
        facts.push(("code", diagnosis.code.name().to_owned()));
    }
    // A key may stand in a mapping once: of several troubles the first is told.
    for (label, text) in details(outcome, report.ended(), &look.zone) {
        if facts.iter().all(|(there, _)| *there != label) {
            facts.push((label, text));
        }
    }
    if let Some(first) = outcome.timings.first_token {
        facts.push(("first_token_ms", format!("{:.3}", first.as_secs_f64() * 1000.0)));
    }
    facts.push(("total_ms", format!("{:.3}", outcome.timings.total.as_secs_f64() * 1000.0)));
    facts
}

fn yaml(facts: &[(&str, String)], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "  ---")?;
    for (name, text) in facts {
        writeln!(out, "  {name}: {}", quoted(text))?;
    }
    writeln!(out, "  ...")
}

/// A double-quoted scalar of YAML. Without control characters two marks are all that is special there, and all that the
/// little YAML of TAP's consumers knows.
fn quoted(text: &str) -> String {
    format!("\"{}\"", plain(text).replace('\\', "\\\\").replace('"', "\\\""))
}

/// A description: a `#` in it would begin a directive.
fn description(text: &str) -> String {
    plain(text).replace('\\', "\\\\").replace('#', "\\#")
}
