//! What a history adds up to: how many probes came to what, how long first tokens took, and what went wrong most often.

use std::io::{self, Write};

use serde::Serialize;

use super::cost;
use super::history::History;
use super::look::Look;
use super::status_table::milliseconds;
use crate::outcome::words::{count, plain};
use crate::outcome::{Verdict, Warmth};
use crate::store::PastOutcome;

/// How many codes are named.
const NAMED: usize = 5;

/// The first tokens of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Spread {
    probes: usize,
    median_ms: f64,
    p95_ms: f64,
    max_ms: f64,
}

impl Spread {
    /// Each is a time that was measured, not one between two.
    fn of(records: &[PastOutcome], warmth: Warmth) -> Option<Self> {
        let of_kind = records.iter().filter(|past| past.warmth == warmth);
        let mut times: Vec<f64> = of_kind.filter_map(|past| past.first_token_ms).collect();
        times.sort_by(f64::total_cmp);
        // The smallest that so many percent do not exceed (nearest rank).
        let rank = |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Some(Self { probes: times.len(), median_ms: rank(50)?, p95_ms: rank(95)?, max_ms: rank(100)? })
    }

    fn says(&self, kind: &str) -> String {
        let [median, p95, max] = [self.median_ms, self.p95_ms, self.max_ms].map(milliseconds);
        match self.probes {
            1 => format!("{kind} {median} (1)"),
            more => format!("{kind} median {median}, p95 {p95}, max {max} ({more})"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Frequent {
    code: String,
    probes: usize,
}

/// What records add up to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Numbers {
    ready: usize,
    degraded: usize,
    unknown: usize,
    failed: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_warm: Option<Spread>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_cold: Option<Spread>,
    /// The most frequent first.
    codes: Vec<Frequent>,
}

impl Numbers {
    pub(super) fn of(records: &[PastOutcome]) -> Self {
        let number = |verdict| records.iter().filter(|past| past.verdict == verdict).count();
        let mut codes: Vec<Frequent> = Vec::new();
        for code in records.iter().filter_map(|past| past.code.as_deref()) {
            match codes.iter_mut().find(|known| known.code == code) {
                Some(known) => known.probes += 1,
                None => codes.push(Frequent { code: code.to_owned(), probes: 1 }),
            }
        }
        codes.sort_by_key(|frequent| std::cmp::Reverse(frequent.probes));
        Self {
            ready: number(Verdict::Ready),
            degraded: number(Verdict::Degraded),
            unknown: number(Verdict::Unknown),
            failed: number(Verdict::Failed),
            first_token_warm: Spread::of(records, Warmth::Warm),
            first_token_cold: Spread::of(records, Warmth::Cold),
            codes,
        }
    }
}

/// Writes it for people, one line each.
pub(super) fn render(view: &History<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let who = plain(view.target);
    if view.records.is_empty() {
        let changes = match view.flips.len() {
            0 => "nothing like this is on record".to_owned(),
            number => format!("{} of status", count(number, "change")),
        };
        return writeln!(out, "{who}: {changes}");
    }
    let numbers = Numbers::of(view.records);
    let words: Vec<String> = [
        (numbers.ready, Verdict::Ready),
        (numbers.degraded, Verdict::Degraded),
        (numbers.unknown, Verdict::Unknown),
        (numbers.failed, Verdict::Failed),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, verdict)| format!("{number} {verdict}"))
    .collect();
    let older = if view.more { "; there are older ones: --limit" } else { "" };
    writeln!(out, "{who}: {}: {}{older}", count(view.records.len(), "probe"), words.join(", "))?;
    let spreads = [(numbers.first_token_warm, "warm"), (numbers.first_token_cold, "cold")];
    let spreads: Vec<String> =
        spreads.iter().filter_map(|(spread, kind)| spread.as_ref().map(|spread| spread.says(kind))).collect();
    if !spreads.is_empty() {
        writeln!(out, "first token: {}", spreads.join("; "))?;
    }
    if !numbers.codes.is_empty() {
        let times = match look.marks {
            super::Marks::Unicode => "×",
            super::Marks::Ascii => "x",
        };
        let named = |frequent: &Frequent| format!("{} {times}{}", plain(&frequent.code), frequent.probes);
        let named: Vec<String> = numbers.codes.iter().take(NAMED).map(named).collect();
        writeln!(out, "codes: {}", named.join(", "))?;
    }
    match cost::sentence(&view.week) {
        Some(sentence) => writeln!(out, "7d: {sentence}"),
        None => Ok(()),
    }
}
