//! The table of the overview: one row per target and one line per row, as wide as the terminal and no wider.

use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;

use super::cost;
use super::layout::{grid, shorten, shorten_end};
use super::look::{Look, Role};
use super::sheet::{Fit, Sheet, Step, paint};
use super::spark::spark;
use super::status::{Overview, Place, StatusRow, between, percent, warmth};
use crate::outcome::words::{duration, plain, span};
use crate::outcome::{Status, Warmth};
use crate::store::{PastOutcome, TargetSummary};

/// The columns, from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Status,
    Target,
    Llm,
    Since,
    Warmth,
    FirstToken,
    Spark,
    Day,
    Week,
    Cost,
    Due,
    Last,
}

const ALL: [Column; 12] = [
    Column::Status,
    Column::Target,
    Column::Llm,
    Column::Since,
    Column::Warmth,
    Column::FirstToken,
    Column::Spark,
    Column::Day,
    Column::Week,
    Column::Cost,
    Column::Due,
    Column::Last,
];

/// What is left out when the terminal is narrow, in this order. Warmth can be seen from the first token, and the model
/// from the target's name.
const OPTIONAL: [Column; 9] = [
    Column::Cost,
    Column::Warmth,
    Column::Week,
    Column::Llm,
    Column::Spark,
    Column::Due,
    Column::FirstToken,
    Column::Day,
    Column::Since,
];

/// Where to find room before a column is left out, and at last when none is left to leave out.
fn squeeze(view: &Overview<'_>) -> [Step<Column>; 6] {
    // The code stands below the table too. So does why a target is paused, but it is what a reader looks for.
    let last = if view.rows.iter().any(|row| row.paused.is_some()) { PAUSED } else { 18 };
    [
        (Column::Spark, 8, Fit::Easy),
        (Column::Llm, 18, Fit::Easy),
        (Column::Last, last, Fit::Easy),
        (Column::Target, 24, Fit::Easy),
        (Column::Target, 8, Fit::Tight),
        (Column::Last, 6, Fit::Tight),
    ]
}

/// The columns of `paused: quota below 100 %`.
const PAUSED: usize = 25;

/// Writes the table.
pub(super) fn render(view: &Overview<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let shown = ALL.into_iter().filter(|column| is_known(*column, view)).collect::<Vec<_>>();
    let mut rows = vec![shown.iter().map(|column| header(*column).to_owned()).collect::<Vec<_>>()];
    let cells = |row: &StatusRow| shown.iter().map(|column| cell(*column, row, view.now, look)).collect();
    rows.extend(view.rows.iter().map(cells));
    let sheet =
        Sheet::new(shown, rows).fit(&OPTIONAL, &squeeze(view), look.width).cut(|column, cell, width| match column {
            Column::Target | Column::Llm => shorten(cell, width, look.marks.ellipsis()),
            Column::Last => shorten_end(cell, width, look.marks.ellipsis()),
            Column::Spark => newest(cell, width),
            _ => cell.to_owned(),
        });
    let right = sheet.right(|column| {
        matches!(column, Column::Since | Column::FirstToken | Column::Spark | Column::Day | Column::Week | Column::Cost)
    });
    let statuses = std::iter::once(None).chain(view.rows.iter().map(|row| Some(row.status)));
    for ((lines, cells), status) in grid(&sheet.rows, &right).into_iter().zip(&sheet.rows).zip(statuses) {
        for line in lines {
            let line = match status {
                None => look.paint(Role::Label, &line),
                Some(status) => painted(&line, cells, status, look),
            };
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// Colours a row: the status, and the last outcome where it is not up.
fn painted(line: &str, cells: &[String], status: Status, look: &Look) -> String {
    let head = cells.first().map_or("", String::as_str);
    let tail = match status {
        Status::Down | Status::Degraded => cells.last().map_or("", String::as_str),
        Status::Up | Status::Unknown | Status::Maintenance => "",
    };
    paint(line, head, tail, Role::Status(status), look)
}

/// Whether a column says anything. One that would be all dashes only takes room.
fn is_known(column: Column, view: &Overview<'_>) -> bool {
    let any = |known: fn(&TargetSummary) -> bool| view.rows.iter().filter_map(|row| row.summary.as_ref()).any(known);
    match column {
        Column::Warmth => any(|summary| warmth(summary) != Warmth::Unknown),
        Column::FirstToken | Column::Spark => any(|summary| summary.first_token_ms.is_some()),
        Column::Cost => any(|summary| cost::cell(summary.spent.day.cost()).is_some()),
        Column::Due => view.rows.iter().any(|row| row.due.is_some()),
        _ => true,
    }
}

fn header(column: Column) -> &'static str {
    match column {
        Column::Status => "status",
        Column::Target => "target",
        Column::Llm => "model",
        Column::Since => "since",
        Column::Warmth => "warmth",
        Column::FirstToken => "first token",
        Column::Spark => "lately",
        Column::Day => "24h",
        Column::Week => "7d",
        Column::Cost => "cost 24h",
        Column::Due => "next due",
        Column::Last => "last",
    }
}

fn cell(column: Column, row: &StatusRow, now: Timestamp, look: &Look) -> String {
    let summary = row.summary.as_ref();
    let known = match column {
        Column::Status => Some(format!("{} {}", look.marks.of_status(row.status), row.status)),
        Column::Target => Some(match row.place {
            Place::Gone => format!("{} (removed)", plain(&row.target)),
            Place::Configured | Place::Untold => plain(&row.target),
        }),
        Column::Llm => Some(plain(&row.model)),
        Column::Since => row.since.map(|since| span(between(since, now))),
        Column::Warmth => {
            summary.map(warmth).filter(|known| *known != Warmth::Unknown).map(|warmth| warmth.name().into())
        }
        Column::FirstToken => summary.and_then(|summary| summary.first_token_ms).map(milliseconds),
        Column::Spark => {
            summary.map(|summary| spark(summary.samples.iter().map(|sample| sample.first_token_ms), look.marks))
        }
        Column::Day => summary.and_then(|summary| percent(summary.day)),
        Column::Week => summary.and_then(|summary| percent(summary.week)),
        Column::Cost => summary.and_then(|summary| cost::cell(summary.spent.day.cost())),
        Column::Due => row.due.map(|due| due_in(due, now)),
        Column::Last => match &row.paused {
            Some(paused) => Some(format!("paused: {}", plain(&paused.why))),
            None => summary.map(|summary| last(&summary.latest, now)),
        },
    };
    known.filter(|text| !text.is_empty()).unwrap_or_else(|| look.marks.absent().to_owned())
}

/// `in 3m 20s`, `overdue 2m`.
fn due_in(due: Timestamp, now: Timestamp) -> String {
    let late = between(due, now);
    if due > now {
        format!("in {}", span(between(now, due)))
    } else if late < Duration::from_secs(1) {
        "now".to_owned()
    } else {
        format!("overdue {}", span(late))
    }
}

/// `3m 20s ago, key-refused`.
fn last(latest: &PastOutcome, now: Timestamp) -> String {
    let what = latest.code.as_deref().map_or_else(|| latest.verdict.name().to_owned(), plain);
    format!("{} ago, {what}", span(between(latest.at, now)))
}

/// The end of a row of columns, which is the newest.
fn newest(spark: &str, width: usize) -> String {
    let all = spark.chars().count();
    spark.chars().skip(all.saturating_sub(width)).collect()
}

/// A number of milliseconds of a store, which may be anything.
pub(super) fn milliseconds(number: f64) -> String {
    duration(Duration::try_from_secs_f64(number / 1000.0).unwrap_or_default())
}
