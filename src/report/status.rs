//! How every target stands, from the store: a table, what is wrong with those that are not up, and one line to paste.
//!
//! Texts come from a file that somebody may have edited, so all of them are made safe again where they are shown.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::human::{INDENT, labelled};
use super::look::{Look, Marks, Role};
use super::status_quota::{Paused, ProviderQuota};
use super::{Format, status_json, status_quota, status_table};
use crate::exit::Exit;
use crate::outcome::words::{count, plain, span};
use crate::outcome::{Code, Status, Warmth};
use crate::store::{PastOutcome, TargetSummary, Uptime};

/// How many codes the line to paste names.
const NAMED: usize = 3;

/// Whether a target of the store is one of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is.
    Configured,
    /// It is not any more.
    Gone,
    /// There is no configuration to tell.
    Untold,
}

/// One target.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusRow {
    /// Its name.
    pub target: String,
    /// Its provider.
    pub provider: String,
    /// The LLM's id.
    pub model: String,
    /// Whether it is configured.
    pub place: Place,
    /// How it stands.
    pub status: Status,
    /// Since when. `None` where nothing is known of it.
    pub since: Option<Timestamp>,
    /// Why it is not up.
    pub code: Option<Code>,
    /// What the store has of it. `None` where it has nothing.
    pub summary: Option<TargetSummary>,
    /// When its next probe is due; one in the past is overdue. `None` where none is, or it cannot be told.
    pub due: Option<Timestamp>,
    /// Why its warm-ups are withheld, where they are. It does not touch its status.
    pub paused: Option<Paused>,
    /// The last outcome that shows why it is not up.
    pub trouble: Option<PastOutcome>,
}

/// All of them.
#[derive(Debug, Clone)]
pub struct Overview<'a> {
    /// The moment it is about.
    pub now: Timestamp,
    /// The folder of the store.
    pub store: &'a Path,
    /// probes.yaml, where there is one.
    pub config: Option<&'a Path>,
    /// The targets, in the order in which they are shown.
    pub rows: &'a [StatusRow],
    /// What is left of the quotas of their providers, as far as it is known.
    pub quotas: &'a [ProviderQuota],
    /// How the process will end.
    pub exit: Exit,
    /// What else a reader should know.
    pub notes: &'a [String],
}

impl Overview<'_> {
    /// The rows that count: those that are configured, as far as it can be told.
    fn counted(&self) -> impl Iterator<Item = &StatusRow> {
        self.rows.iter().filter(|row| row.place != Place::Gone)
    }

    /// How many stand how.
    pub(super) fn number(&self, status: Status) -> usize {
        self.counted().filter(|row| row.status == status).count()
    }

    /// The uptime of all of them together.
    pub(super) fn day(&self) -> Uptime {
        let days = self.counted().filter_map(|row| row.summary.as_ref()).map(|summary| summary.day);
        days.fold(Uptime::default(), |all, day| Uptime {
            good: all.good.saturating_add(day.good),
            bad: all.bad.saturating_add(day.bad),
            unknown: all.unknown.saturating_add(day.unknown),
        })
    }
}

/// What the last warm-up said of an LLM's state; a later check of its key says nothing of it.
pub(super) fn warmth(summary: &TargetSummary) -> Warmth {
    match summary.latest.warmth {
        Warmth::Unknown => summary.samples.last().map_or(Warmth::Unknown, |sample| sample.warmth),
        known => known,
    }
}

/// Tenths of a percent, rounded down: what was not up all the time is never 100 %.
pub(super) fn per_mille(uptime: Uptime) -> Option<u64> {
    let told = u128::from(uptime.good) + u128::from(uptime.bad);
    let share = (u128::from(uptime.good) * 1000).checked_div(told)?;
    u64::try_from(share).ok()
}

/// A share as people read it: `100 %`, `99.8 %`.
pub(super) fn percent(uptime: Uptime) -> Option<String> {
    per_mille(uptime).map(|share| match share {
        1000 => "100 %".to_owned(),
        share => format!("{}.{} %", share / 10, share % 10),
    })
}

/// The time from one moment to another; none where it is negative, as after the clock was put back.
pub(super) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// Writes the overview in a format. It has no form of one line per target: `jsonl` is written as `json`.
///
/// # Errors
/// Whatever the writer says; nothing else can fail.
pub fn render_status(view: &Overview<'_>, format: Format, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => human(view, look, out),
        Format::Json | Format::Jsonl => status_json::render(view, out),
    }
}

fn human(view: &Overview<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    if !view.rows.is_empty() {
        status_table::render(view, look, out)?;
        writeln!(out)?;
    }
    status_quota::render(view.rows, view.quotas, view.now, look, out)?;
    for trouble in gather(view.rows) {
        block(&trouble, view.now, look, out)?;
        writeln!(out)?;
    }
    for note in view.notes {
        labelled("note", &plain(note), 0, look, out)?;
    }
    if !view.notes.is_empty() {
        writeln!(out)?;
    }
    writeln!(out, "{}", line(view, look.marks))?;
    out.flush()
}

/// Targets with the same trouble at the same provider.
struct Trouble<'a> {
    /// Never empty.
    rows: Vec<&'a StatusRow>,
    /// Whether something else is to be done about each.
    varied: bool,
}

/// So many troubles of a kind have a block each; more share one, as in the report of `check`.
const FEW: usize = 3;

/// The rows that are not up, those with the same trouble together: forty targets with one refused key are one thing to
/// mend. The worst come first.
fn gather(rows: &[StatusRow]) -> Vec<Trouble<'_>> {
    let mut kinds: Vec<Vec<Trouble<'_>>> = Vec::new();
    for status in [Status::Down, Status::Degraded] {
        for row in rows.iter().filter(|row| row.status == status) {
            let of_kind = |troubles: &&mut Vec<Trouble<'_>>| troubles.first().is_some_and(|first| first.is_kind(row));
            let Some(kind) = kinds.iter_mut().find(of_kind) else {
                kinds.push(vec![Trouble { rows: vec![row], varied: false }]);
                continue;
            };
            match kind.iter_mut().find(|trouble| trouble.remedy() == remedy(row)) {
                Some(same) => same.rows.push(row),
                None => kind.push(Trouble { rows: vec![row], varied: false }),
            }
        }
    }
    kinds.into_iter().flat_map(shared).collect()
}

/// One block for all of a kind, where they are many.
fn shared(kind: Vec<Trouble<'_>>) -> Vec<Trouble<'_>> {
    match kind.len() {
        ..=FEW => kind,
        _ => vec![Trouble { rows: kind.into_iter().flat_map(|trouble| trouble.rows).collect(), varied: true }],
    }
}

impl Trouble<'_> {
    fn is_kind(&self, row: &StatusRow) -> bool {
        let kind = |row: &StatusRow| (row.status, row.code);
        self.rows.first().is_some_and(|first| kind(first) == kind(row) && first.provider == row.provider)
    }

    fn remedy(&self) -> Option<&str> {
        self.rows.first().and_then(|first| remedy(first))
    }
}

fn remedy(row: &StatusRow) -> Option<&str> {
    row.trouble.as_ref().and_then(|trouble| trouble.remedy.as_deref())
}

/// One trouble: what it is, what was seen, what to do.
fn block(trouble: &Trouble<'_>, now: Timestamp, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let rows = &trouble.rows;
    let Some(first) = rows.first() else { return Ok(()) };
    let who = match rows.len() {
        1 => plain(&first.target),
        more => format!("{} of {}", count(more, "target"), plain(&first.provider)),
    };
    let role = Role::Status(first.status);
    let stage = first.trouble.as_ref().map(|trouble| format!(" at {}", trouble.stage)).unwrap_or_default();
    let code = first.code.map_or_else(|| first.status.name().to_owned(), |code| format!("{code}{stage}"));
    // Of several the longest: since then somebody may have waited for it.
    let since = rows.iter().filter_map(|row| row.since).min();
    let long = since.map(|since| format!(", {} for {}", first.status, span(between(since, now)))).unwrap_or_default();
    writeln!(out, "{} {who}: {}{long}", look.paint(role, look.marks.of_status(first.status)), look.paint(role, &code))?;
    let mut say = |label: &str, text: &str| labelled(label, &plain(text), INDENT, look, out);
    if rows.len() > 1 {
        let ids: Vec<&str> = rows.iter().map(|row| row.target.as_str()).collect();
        say("who", &ids.join(", "))?;
    }
    let Some(last) = &first.trouble else { return Ok(()) };
    let known = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(str::to_owned);
    let seen = |row: &&StatusRow| row.trouble.as_ref().map(|trouble| trouble.evidence.clone());
    let alike = if rows.iter().any(|row| seen(row) != seen(first)) { " (the others alike)" } else { "" };
    if let Some(evidence) = known(&last.evidence) {
        say("seen", &format!("{evidence}{alike}"))?;
    }
    if let Some(remedy) = known(&last.remedy) {
        // It names this one's own values.
        let of_first = if trouble.varied { format!("{}: ", first.target) } else { String::new() };
        say("do", &format!("{of_first}{remedy}"))?;
    }
    match known(&last.request_id).filter(|_| rows.len() == 1) {
        Some(id) => say("request", &id),
        None => Ok(()),
    }
}

/// The line to paste, without a line feed: `3 targets: 1 up, 1 degraded, 1 down (key-refused) · 24h 97.2 %`.
fn line(view: &Overview<'_>, marks: Marks) -> String {
    let all = view.counted().count();
    let words: Vec<String> = [Status::Up, Status::Degraded, Status::Down, Status::Unknown, Status::Maintenance]
        .into_iter()
        .map(|status| (view.number(status), status))
        .filter(|(number, _)| *number > 0)
        .map(|(number, status)| format!("{number} {status}{}", codes(view, status)))
        .collect();
    let stands = if words.is_empty() { "nothing to tell".to_owned() } else { words.join(", ") };
    let dot = match marks {
        Marks::Unicode => "·",
        Marks::Ascii => "|",
    };
    let day = percent(view.day()).map(|day| format!(" {dot} 24h {day}")).unwrap_or_default();
    let paused = match view.counted().filter(|row| row.paused.is_some()).count() {
        0 => String::new(),
        paused => format!(" {dot} {paused} paused"),
    };
    format!("{}: {stands}{paused}{day}", count(all, "target"))
}

/// Why those of a status are not up, the most frequent reasons first.
fn codes(view: &Overview<'_>, status: Status) -> String {
    let mut codes: Vec<(usize, Code)> = Vec::new();
    let told = matches!(status, Status::Down | Status::Degraded);
    let of_status = view.counted().filter(|row| told && row.status == status);
    for code in of_status.filter_map(|row| row.code) {
        match codes.iter_mut().find(|(_, known)| *known == code) {
            Some((number, _)) => *number += 1,
            None => codes.push((1, code)),
        }
    }
    codes.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    let more = codes.len().saturating_sub(NAMED);
    let mut named: Vec<String> = codes.iter().take(NAMED).map(|(_, code)| code.to_string()).collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    if named.is_empty() { String::new() } else { format!(" ({})", named.join(", ")) }
}
