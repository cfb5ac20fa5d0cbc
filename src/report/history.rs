//! What one target came to over time: a row per probe, the newest last as in a log, with the changes of its status
//! between them.
//!
//! Texts come from a file that somebody may have edited, so all of them are made safe again where they are shown.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::cost::{self, SpentEntry};
use super::layout::{grid, shorten_end};
use super::look::{Look, Marks, Role};
use super::sheet::{Fit, Sheet, Step, paint};
use super::status_json::{document_of, harmless};
use super::status_table::milliseconds;
use super::{Format, history_summary};
use crate::outcome::words::plain;
use crate::outcome::{Cost, SCHEMA, Status, Verdict, Warmth};
use crate::store::{PastFlip, PastOutcome, Spent};

/// The history of one target.
#[derive(Debug, Clone)]
pub struct History<'a> {
    /// Its name.
    pub target: &'a str,
    /// The moment of asking.
    pub now: Timestamp,
    /// Its outcomes, the oldest first. None where only changes of status were asked for.
    pub records: &'a [PastOutcome],
    /// The changes of its status, the oldest first.
    pub flips: &'a [PastFlip],
    /// What its warm-ups cost in the last seven days, whatever else was asked for.
    pub week: Spent,
    /// Whether there are older ones that were asked for, but are more than the limit.
    pub more: bool,
}

/// The columns, from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    When,
    Depth,
    Verdict,
    Warmth,
    FirstToken,
    Total,
    Cost,
    Reason,
}

const ALL: [Column; 8] = [
    Column::When,
    Column::Depth,
    Column::Verdict,
    Column::Warmth,
    Column::FirstToken,
    Column::Total,
    Column::Cost,
    Column::Reason,
];

/// What is left out when the terminal is narrow, in this order.
const OPTIONAL: [Column; 5] = [Column::Total, Column::Cost, Column::Warmth, Column::Depth, Column::FirstToken];

/// Evidence is cut before a column is left out; the code before it need not be.
const SQUEEZE: [Step<Column>; 2] = [(Column::Reason, 24, Fit::Easy), (Column::Reason, 8, Fit::Tight)];

/// Writes the history in a format. As `jsonl` each line is a record as it was stored, or a change of status where only
/// these were asked for.
///
/// # Errors
/// Whatever the writer says; nothing else can fail.
pub fn render_history(view: &History<'_>, format: Format, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => human(view, look, out),
        Format::Json => json(view, out),
        Format::Jsonl if view.records.is_empty() => lines(view.flips, out),
        Format::Jsonl => lines(view.records, out),
    }
}

fn lines<T: Serialize>(items: &[T], out: &mut dyn Write) -> io::Result<()> {
    for item in items {
        writeln!(out, "{}", harmless(&serde_json::to_string(item)?))?;
    }
    out.flush()
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    target: &'a str,
    more: bool,
    records: &'a [PastOutcome],
    flips: &'a [PastFlip],
    #[serde(flatten)]
    summary: history_summary::Numbers,
    #[serde(skip_serializing_if = "Option::is_none")]
    spent_7d: Option<SpentEntry>,
}

fn json(view: &History<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (records, flips) = (view.records, view.flips);
    let summary = history_summary::Numbers::of(records);
    let (target, more, spent_7d) = (view.target, view.more, SpentEntry::of(&view.week));
    let document = Document { schema: SCHEMA, target, more, records, flips, summary, spent_7d };
    document_of(&document, out)
}

fn human(view: &History<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let mut flips = view.flips.iter().peekable();
    if view.records.is_empty() {
        flips.try_for_each(|flip| separator(flip, view.now, look, out))?;
    } else {
        let is_known = |column: &Column| match column {
            Column::Warmth => view.records.iter().any(|past| past.warmth != Warmth::Unknown),
            Column::FirstToken => view.records.iter().any(|past| past.first_token_ms.is_some()),
            Column::Cost => view.records.iter().any(|past| price(past).is_some()),
            _ => true,
        };
        let shown: Vec<Column> = ALL.into_iter().filter(is_known).collect();
        let mut rows = vec![shown.iter().map(|column| header(*column).to_owned()).collect::<Vec<_>>()];
        let cells = |past: &PastOutcome| shown.iter().map(|column| cell(*column, past, look)).collect();
        rows.extend(view.records.iter().map(cells));
        let sheet = Sheet::new(shown, rows).fit(&OPTIONAL, &SQUEEZE, look.width);
        let verdict = sheet.columns.iter().position(|column| *column == Column::Verdict);
        let sheet = sheet.cut(|column, cell, width| match column {
            Column::Reason => shorten_end(cell, width, look.marks.ellipsis()),
            _ => cell.to_owned(),
        });
        let right = sheet.right(|column| matches!(column, Column::FirstToken | Column::Total | Column::Cost));
        let mut rows = grid(&sheet.rows, &right).into_iter().zip(&sheet.rows);
        for line in rows.next().map(|(lines, _)| lines).unwrap_or_default() {
            writeln!(out, "{}", look.paint(Role::Label, &line))?;
        }
        for ((lines, cells), past) in rows.zip(view.records) {
            // A status changes when the probe that changed it ends, so a change stands after its probe.
            while let Some(flip) = flips.next_if(|flip| flip.at < past.at) {
                separator(flip, view.now, look, out)?;
            }
            for line in lines {
                writeln!(out, "{}", painted(&line, cells, verdict, past.verdict, look))?;
            }
        }
        flips.try_for_each(|flip| separator(flip, view.now, look, out))?;
    }
    if !(view.records.is_empty() && view.flips.is_empty()) {
        writeln!(out)?;
    }
    history_summary::render(view, look, out)?;
    out.flush()
}

/// Colours a row from its verdict on, where it was not ready; the verdict alone where it was.
fn painted(line: &str, cells: &[String], place: Option<usize>, verdict: Verdict, look: &Look) -> String {
    let word = place.and_then(|place| cells.get(place)).map_or("", String::as_str);
    let Some((before, _)) = line.split_once(word).filter(|_| !word.is_empty()) else { return line.to_owned() };
    let rest = line.get(before.len()..).unwrap_or_default();
    let reason = match verdict {
        Verdict::Ready => "",
        _ => cells.last().map_or("", String::as_str),
    };
    format!("{before}{}", paint(rest, word, reason, Role::Verdict(verdict), look))
}

/// `── down since 14:02 (key-refused) ──`.
fn separator(flip: &PastFlip, now: Timestamp, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let rule = match look.marks {
        Marks::Unicode => "──",
        Marks::Ascii => "--",
    };
    let (at, today) = (flip.at.to_zoned(look.zone.clone()), now.to_zoned(look.zone.clone()));
    let form = if at.date() == today.date() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    let why = flip.code.as_deref().filter(|_| flip.to != Status::Up).map(|code| format!(" ({})", plain(code)));
    let text = format!("{rule} {} since {}{} {rule}", flip.to, at.strftime(form), why.unwrap_or_default());
    writeln!(out, "{}", look.paint(Role::Status(flip.to), &text))
}

/// What a probe cost.
fn price(past: &PastOutcome) -> Option<String> {
    cost::cell(Cost { requests: past.price_requests, usd: past.price_usd })
}

fn header(column: Column) -> &'static str {
    match column {
        Column::When => "when",
        Column::Depth => "depth",
        Column::Verdict => "verdict",
        Column::Warmth => "warmth",
        Column::FirstToken => "first token",
        Column::Total => "total",
        Column::Cost => "cost",
        Column::Reason => "because",
    }
}

fn cell(column: Column, past: &PastOutcome, look: &Look) -> String {
    let absent = || look.marks.absent().to_owned();
    match column {
        // With the day, so that a line can be copied out and still be read.
        Column::When => past.at.to_zoned(look.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Column::Depth => past.depth.name().to_owned(),
        Column::Verdict => format!("{} {}", look.marks.of(past.verdict), past.verdict),
        Column::Warmth => match past.warmth {
            Warmth::Unknown => absent(),
            known => known.name().to_owned(),
        },
        Column::FirstToken => past.first_token_ms.map_or_else(absent, milliseconds),
        Column::Total => milliseconds(past.total_ms),
        Column::Cost => price(past).unwrap_or_else(absent),
        Column::Reason => match (&past.code, &past.evidence) {
            (Some(code), Some(evidence)) if !evidence.is_empty() => plain(&format!("{code}: {evidence}")),
            (Some(code), _) => plain(code),
            (None, _) => plain(&past.proof.replace('-', " ")),
        },
    }
}
