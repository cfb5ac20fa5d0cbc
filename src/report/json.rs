//! The whole pass as one JSON document. A result has the fields of the log under the same names, and beside them the
//! lists that a flat line cannot carry.

use std::io::{self, Write};

use serde::Serialize;

use super::{Counts, Report};
use crate::outcome::{Code, Diagnosis, Outcome, Record, SCHEMA, Stage, Verdict};

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    run_id: &'a str,
    started: String,
    total_ms: f64,
    exit: ExitEntry,
    counts: Counts,
    notes: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gates: Vec<GateEntry<'a>>,
    results: Vec<ResultEntry<'a>>,
}

#[derive(Serialize)]
struct GateEntry<'a> {
    gate: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    verdict: Verdict,
    says: &'a str,
}

#[derive(Serialize)]
struct ExitEntry {
    code: u8,
    name: &'static str,
}

#[derive(Serialize)]
struct ResultEntry<'a> {
    #[serde(flatten)]
    record: Record,
    nearest: &'a [String],
    warnings: Vec<WarningEntry<'a>>,
    notes: &'a [String],
    stages: Vec<StageEntry>,
}

#[derive(Serialize)]
struct WarningEntry<'a> {
    code: Code,
    stage: Stage,
    evidence: &'a str,
    remedy: &'a str,
}

#[derive(Serialize)]
struct StageEntry {
    stage: Stage,
    start_ms: f64,
    duration_ms: f64,
}

/// Writes the document, indented: it is read by people too, and a machine does not mind.
pub(super) fn render(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema: SCHEMA,
        run_id: report.run_id.as_str(),
        started: format!("{:.3}", report.started),
        total_ms: milliseconds(report.total),
        exit: ExitEntry { code: report.exit.code(), name: report.exit.name() },
        counts: report.counts(),
        notes: report.notes,
        gates: report
            .gates
            .iter()
            .map(|gate| GateEntry { gate: &gate.name, line: gate.line, verdict: gate.verdict, says: &gate.says })
            .collect(),
        results: report.outcomes.iter().map(|outcome| result(outcome)).collect(),
    };
    let mut text = serde_json::to_vec_pretty(&document)?;
    text.push(b'\n');
    out.write_all(&text)?;
    out.flush()
}

fn result(outcome: &Outcome) -> ResultEntry<'_> {
    ResultEntry {
        record: Record::of(outcome),
        nearest: outcome.foremost().map_or(&[], |diagnosis| &diagnosis.nearest),
        warnings: outcome.warnings.iter().map(warning).collect(),
        notes: &outcome.notes,
        stages: outcome
            .stages
            .iter()
            .map(|time| StageEntry {
                stage: time.stage,
                start_ms: milliseconds(time.start),
                duration_ms: milliseconds(time.duration),
            })
            .collect(),
    }
}

fn warning(diagnosis: &Diagnosis) -> WarningEntry<'_> {
    WarningEntry {
        code: diagnosis.code,
        stage: diagnosis.stage,
        evidence: &diagnosis.evidence,
        remedy: &diagnosis.remedy,
    }
}

/// Milliseconds to the microsecond, as in [`Record`].
fn milliseconds(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
