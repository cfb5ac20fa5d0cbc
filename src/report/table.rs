//! The table of the report for people: one row per target, as wide as the terminal and no wider.
//!
//! It says what a verdict rests on; what to do about one that is not ready stands below it (`human.rs`).

use std::io::{self, Write};
use std::sync::Arc;

use super::layout::{LongWord, grid, shorten, wrap};
use super::look::{Look, Role};
use super::sheet::{Fit, Sheet, Step, paint};
use crate::outcome::words::{duration, plain};
use crate::outcome::{Outcome, Verdict, Warmth, judge};

/// The columns that an id, a name and a reason need to be read with ease. Measured times are left out before one of
/// them gets less.
const EASY: usize = 18;
const EASY_NAME: usize = 24;
const EASY_REASON: usize = 27;

/// The columns, from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Verdict,
    Target,
    Llm,
    FirstToken,
    Warmth,
    Total,
    Reason,
}

/// What is left out when the terminal is narrow, in this order.
const OPTIONAL: [Column; 3] = [Column::Warmth, Column::Total, Column::FirstToken];

/// Where to find room when a row is still too wide. Long reasons wrap before ids are cut, and the target's own name goes
/// late, because everything below the table refers to it.
const SQUEEZE: [Step<Column>; 8] = [
    (Column::Reason, EASY_REASON, Fit::Easy),
    (Column::Target, EASY_NAME, Fit::Easy),
    (Column::Llm, EASY, Fit::Easy),
    (Column::Reason, 20, Fit::Tight),
    (Column::Llm, 12, Fit::Tight),
    (Column::Target, 12, Fit::Tight),
    (Column::Llm, 6, Fit::Tight),
    (Column::Reason, 10, Fit::Tight),
];

/// Writes the table.
pub(super) fn render(outcomes: &[Arc<Outcome>], look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let mut shown = vec![Column::Verdict, Column::Target, Column::Llm];
    if outcomes.iter().any(|outcome| outcome.timings.first_token.is_some()) {
        shown.extend([Column::FirstToken, Column::Warmth]);
    }
    shown.extend([Column::Total, Column::Reason]);
    let mut rows = vec![shown.iter().map(|column| header(*column).to_owned()).collect::<Vec<_>>()];
    rows.extend(outcomes.iter().map(|outcome| shown.iter().map(|column| cell(*column, outcome, look)).collect()));
    let sheet = Sheet::new(shown, rows).fit(&OPTIONAL, &SQUEEZE, look.width).cut(|column, cell, width| match column {
        // Names lose their middle, reasons wrap.
        Column::Target | Column::Llm => shorten(cell, width, look.marks.ellipsis()),
        Column::Reason => wrap(cell, width, LongWord::Break).join("\n"),
        Column::Verdict | Column::FirstToken | Column::Warmth | Column::Total => cell.to_owned(),
    });
    let right = sheet.right(|column| matches!(column, Column::FirstToken | Column::Total));
    let rows = sheet.rows;
    let verdicts = std::iter::once(None).chain(outcomes.iter().map(|outcome| Some(judge(outcome))));
    for ((lines, row), verdict) in grid(&rows, &right).into_iter().zip(&rows).zip(verdicts) {
        for (number, line) in lines.iter().enumerate() {
            match verdict {
                None => writeln!(out, "{}", look.paint(Role::Label, line))?,
                Some(verdict) if number == 0 => writeln!(out, "{}", painted(line, row, verdict, look))?,
                Some(_) => writeln!(out, "{line}")?,
            }
        }
    }
    Ok(())
}

fn header(column: Column) -> &'static str {
    match column {
        Column::Verdict => "verdict",
        Column::Target => "target",
        Column::Llm => "model",
        Column::FirstToken => "first token",
        Column::Warmth => "warmth",
        Column::Total => "total",
        Column::Reason => "because",
    }
}

fn cell(column: Column, outcome: &Outcome, look: &Look) -> String {
    let absent = || look.marks.absent().to_owned();
    match column {
        Column::Verdict => format!("{} {}", look.marks.of(judge(outcome)), judge(outcome)),
        Column::Target => outcome.target.id.to_string(),
        Column::Llm => plain(outcome.target.model.as_str()),
        Column::FirstToken => outcome.timings.first_token.map_or_else(absent, duration),
        Column::Warmth => match outcome.warmth {
            Warmth::Unknown => absent(),
            known => known.name().to_owned(),
        },
        Column::Total => duration(outcome.timings.total),
        Column::Reason => because(outcome),
    }
}

/// What the verdict rests on, or what stands against it.
fn because(outcome: &Outcome) -> String {
    match outcome.foremost() {
        Some(diagnosis) => format!("{} at {}", diagnosis.code, diagnosis.stage),
        None => outcome.proof.says().to_owned(),
    }
}

/// Colours the first line of a row: the verdict, and the reason where it is one for not being ready.
fn painted(line: &str, row: &[String], verdict: Verdict, look: &Look) -> String {
    let head = row.first().map_or("", String::as_str);
    let tail = match verdict {
        Verdict::Ready => "",
        _ => row.last().and_then(|cell| cell.lines().next()).unwrap_or(""),
    };
    paint(line, head, tail, Role::Verdict(verdict), look)
}
