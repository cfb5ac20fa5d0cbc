//! The overview as one JSON document. docs/status.md describes it; adding a field is compatible, changing or dropping
//! one raises the schema.

use std::borrow::Cow;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::cost::SpentEntry;
use super::status::{Overview, Place, StatusRow, per_mille, warmth};
use super::status_quota::{PausedEntry, QuotaEntry};
use crate::outcome::words::is_unsafe;
use crate::outcome::{Code, SCHEMA, Status, Warmth};
use crate::store::{PastOutcome, Sample, Uptime};

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    at: String,
    store: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<String>,
    exit_code: u8,
    exit_name: &'static str,
    up: usize,
    degraded: usize,
    down: usize,
    unknown: usize,
    maintenance: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    uptime_24h_percent: Option<f64>,
    notes: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quotas: Vec<QuotaEntry<'a>>,
    targets: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    target: &'a str,
    provider: &'a str,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    configured: Option<bool>,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paused: Option<PausedEntry<'a>>,
    warmth: Warmth,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uptime_24h_percent: Option<f64>,
    probes_24h: u64,
    failed_24h: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    uptime_7d_percent: Option<f64>,
    probes_7d: u64,
    failed_7d: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    spent_24h: Option<SpentEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spent_7d: Option<SpentEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_due: Option<String>,
    overdue: bool,
    /// The last outcome, with the fields of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<&'a PastOutcome>,
    first_tokens: Vec<FirstToken>,
}

/// A sample with its moment as everywhere else.
#[derive(Serialize)]
struct FirstToken {
    started: String,
    first_token_ms: f64,
    warmth: Warmth,
}

/// Writes the document, indented: it is read by people too, and a machine does not mind.
pub(super) fn render(view: &Overview<'_>, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema: SCHEMA,
        at: moment(view.now),
        store: view.store.display().to_string(),
        config: view.config.map(|path| path.display().to_string()),
        exit_code: view.exit.code(),
        exit_name: view.exit.name(),
        up: view.number(Status::Up),
        degraded: view.number(Status::Degraded),
        down: view.number(Status::Down),
        unknown: view.number(Status::Unknown),
        maintenance: view.number(Status::Maintenance),
        uptime_24h_percent: share(view.day()),
        notes: view.notes,
        quotas: view.quotas.iter().map(QuotaEntry::of).collect(),
        targets: view.rows.iter().map(|row| entry(row, view.now)).collect(),
    };
    document_of(&document, out)
}

/// Writes a value as an indented document.
pub(super) fn document_of(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", harmless(&serde_json::to_string_pretty(value)?))?;
    out.flush()
}

/// JSON with everything escaped that could act on a terminal; JSON itself does so only below U+0020. Such characters are
/// in strings alone, so the whole can be gone through.
pub(super) fn harmless(json: &str) -> Cow<'_, str> {
    let acts = |character: char| character != '\n' && is_unsafe(character);
    if !json.contains(acts) {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match acts(character) {
            // All of them are in the first plane.
            true => text.push_str(&format!("\\u{:04x}", u32::from(character))),
            false => text.push(character),
        }
    }
    Cow::Owned(text)
}

fn entry(row: &StatusRow, now: Timestamp) -> Entry<'_> {
    let summary = row.summary.as_ref();
    let trouble = row.trouble.as_ref();
    let (day, week) = summary.map(|summary| (summary.day, summary.week)).unwrap_or_default();
    Entry {
        target: &row.target,
        provider: &row.provider,
        model: &row.model,
        configured: match row.place {
            Place::Configured => Some(true),
            Place::Gone => Some(false),
            Place::Untold => None,
        },
        status: row.status,
        since: row.since.map(moment),
        code: row.code,
        evidence: trouble.and_then(|trouble| trouble.evidence.as_deref()),
        remedy: trouble.and_then(|trouble| trouble.remedy.as_deref()),
        paused: row.paused.as_ref().map(PausedEntry::of),
        warmth: summary.map_or(Warmth::Unknown, warmth),
        first_token_ms: summary.and_then(|summary| summary.first_token_ms),
        uptime_24h_percent: share(day),
        probes_24h: day.probes(),
        failed_24h: day.bad,
        uptime_7d_percent: share(week),
        probes_7d: week.probes(),
        failed_7d: week.bad,
        spent_24h: summary.and_then(|summary| SpentEntry::of(&summary.spent.day)),
        spent_7d: summary.and_then(|summary| SpentEntry::of(&summary.spent.week)),
        next_due: row.due.map(moment),
        overdue: row.due.is_some_and(|due| due <= now),
        last: summary.map(|summary| &summary.latest),
        first_tokens: summary.map(|summary| summary.samples.iter().map(first_token).collect()).unwrap_or_default(),
    }
}

fn first_token(sample: &Sample) -> FirstToken {
    FirstToken { started: moment(sample.at), first_token_ms: sample.first_token_ms, warmth: sample.warmth }
}

/// A share in percent, rounded down to a tenth as in the table.
fn share(uptime: Uptime) -> Option<f64> {
    per_mille(uptime).and_then(|share| u16::try_from(share).ok()).map(|share| f64::from(share) / 10.0)
}

/// A moment in UTC to the millisecond, as in the log.
fn moment(at: Timestamp) -> String {
    format!("{at:.3}")
}
