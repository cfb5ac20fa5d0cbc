//! The table of the report for people: one row per target, as wide as the terminal and no wider.
//!
//! It says what a verdict rests on; what to do about one that is not ready stands below it (`human.rs`).

use std::io::{self, Write};
use std::sync::Arc;

use super::layout::{LongWord, columns, grid, shorten, wrap};
use super::look::{Look, Role};
use crate::outcome::words::{duration, plain};
use crate::outcome::{Outcome, Verdict, Warmth, judge};

/// The space between two columns.
const GAP: usize = 2;
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

/// Where to find room when a row is still too wide: a column, and how small it may become in this step. Long reasons
/// wrap before ids are cut, and the target's own name goes late, because everything below the table refers to it.
const SQUEEZE: [(Column, usize); 8] = [
    (Column::Reason, EASY_REASON),
    (Column::Target, EASY_NAME),
    (Column::Llm, EASY),
    (Column::Reason, 20),
    (Column::Llm, 12),
    (Column::Target, 12),
    (Column::Llm, 6),
    (Column::Reason, 10),
];

/// Writes the table.
pub(super) fn render(outcomes: &[Arc<Outcome>], look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let mut shown = vec![Column::Verdict, Column::Target, Column::Llm];
    if outcomes.iter().any(|outcome| outcome.timings.first_token.is_some()) {
        shown.extend([Column::FirstToken, Column::Warmth]);
    }
    shown.extend([Column::Total, Column::Reason]);
    let mut dropped = OPTIONAL.iter();
    let rows = loop {
        let mut rows = vec![shown.iter().map(|column| header(*column).to_owned()).collect::<Vec<_>>()];
        rows.extend(outcomes.iter().map(|outcome| shown.iter().map(|column| cell(*column, outcome, look)).collect()));
        let mut widths = measure(&rows);
        if squeeze(&mut widths, &shown, look.width) == Fit::Easy {
            break cut(rows, &widths, &shown, look);
        }
        match dropped.next() {
            Some(column) => shown.retain(|other| other != column),
            None => break cut(rows, &widths, &shown, look),
        }
    };

    let right: Vec<usize> = (0..)
        .zip(&shown)
        .filter(|(_, column)| matches!(column, Column::FirstToken | Column::Total))
        .map(|(index, _)| index)
        .collect();
    let verdicts = std::iter::once(None).chain(outcomes.iter().map(|outcome| Some(judge(outcome))));
    for ((lines, row), verdict) in grid(&rows, &right).into_iter().zip(&rows).zip(verdicts) {
        for (number, line) in lines.iter().enumerate() {
            match verdict {
                None => writeln!(out, "{}", look.paint(Role::Label, line))?,
                Some(verdict) if number == 0 => writeln!(out, "{}", paint(line, row, verdict, look))?,
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

/// How wide every column is by itself.
fn measure(rows: &[Vec<String>]) -> Vec<usize> {
    let number = rows.first().map_or(0, Vec::len);
    let widest = |index: usize| rows.iter().filter_map(|row| row.get(index).map(|cell| columns(cell))).max();
    (0..number).map(|index| widest(index).unwrap_or(0)).collect()
}

/// Whether a row fits with ids and reasons that can be read with ease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Easy,
    Tight,
}

/// Makes the widths fit, as far as they can.
fn squeeze(widths: &mut [usize], shown: &[Column], available: usize) -> Fit {
    let mut fit = Fit::Easy;
    for (column, least) in SQUEEZE {
        let total = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let excess = total.saturating_sub(available);
        if excess == 0 {
            break;
        }
        if !matches!((column, least), (Column::Reason, EASY_REASON) | (Column::Target, EASY_NAME) | (Column::Llm, EASY))
        {
            fit = Fit::Tight;
        }
        if let Some((width, _)) = widths.iter_mut().zip(shown).find(|(_, other)| **other == column) {
            *width = width.saturating_sub(excess).max(least.min(*width));
        }
    }
    fit
}

/// Brings the cells to their columns' widths: names lose their middle, reasons wrap.
fn cut(mut rows: Vec<Vec<String>>, widths: &[usize], shown: &[Column], look: &Look) -> Vec<Vec<String>> {
    for row in &mut rows {
        for ((cell, width), column) in row.iter_mut().zip(widths).zip(shown) {
            match column {
                Column::Target | Column::Llm => *cell = shorten(cell, *width, look.marks.ellipsis()),
                Column::Reason => *cell = wrap(cell, *width, LongWord::Break).join("\n"),
                Column::Verdict | Column::FirstToken | Column::Warmth | Column::Total => {}
            }
        }
    }
    rows
}

/// Colours the first line of a row: the verdict, and the reason where it is one for not being ready.
fn paint(line: &str, row: &[String], verdict: Verdict, look: &Look) -> String {
    let role = Role::Verdict(verdict);
    let head = row.first().map_or("", String::as_str);
    let tail = match verdict {
        Verdict::Ready => "",
        _ => row.last().and_then(|cell| cell.lines().next()).unwrap_or(""),
    };
    let Some(rest) = line.strip_prefix(head) else { return line.to_owned() };
    match rest.strip_suffix(tail) {
        Some(middle) if !tail.is_empty() => format!("{}{middle}{}", look.paint(role, head), look.paint(role, tail)),
        _ => format!("{}{rest}", look.paint(role, head)),
    }
}
