//! What the overview says of quotas: whose warm-ups are withheld and until when, and what is left of each limit.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::bar::bar_of;
use super::cost::SpentEntry;
use super::human::labelled;
use super::layout::{LongWord, wrap};
use super::look::{Look, Role};
use super::status::{StatusRow, between};
use crate::outcome::words::{again, money, part, plain, quantity, wait};
use crate::outcome::{Unit, Verdict};
use crate::store::Spent;

/// Why the warm-ups of a target are withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    /// In a few words: `quota below 15 %`.
    pub why: String,
    /// When it is asked for again, where that is known.
    pub until: Option<Timestamp>,
}

/// What is known of a provider's quota.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderQuota {
    /// Its name.
    pub provider: String,
    /// What is left of each limit that it told of.
    pub limits: Vec<LimitLeft>,
    /// Until when nothing is asked of it, where it has refused.
    pub refused_until: Option<Timestamp>,
    /// What all probes together may cost in a day (UTC), in US dollars, where there is such a cap.
    pub daily_cap_usd: Option<f64>,
    /// What they have cost today (UTC), in US dollars.
    pub today_usd: f64,
    /// What the warm-ups of its targets cost in 24 hours.
    pub day: Spent,
    /// The part of what comes back in a day that this was, from 0; of the limit of which it was most. `None` where
    /// nothing comes back.
    pub part_of_regained: Option<f64>,
}

/// What is left of one limit.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitLeft {
    /// Its name: `five-hour`.
    pub window: String,
    /// What it counts.
    pub unit: Unit,
    /// What is left, in its unit.
    pub remaining: f64,
    /// The whole, where it is known.
    pub max: Option<f64>,
    /// What probes may still spend of their share, in its unit.
    pub share_left: Option<f64>,
    /// What must be left for a warm-up to be made, from 0 to 1.
    pub floor: f64,
    /// When something comes back, where that is known.
    pub next: Option<Timestamp>,
}

impl LimitLeft {
    /// What is left, from 0 to 1.
    fn share(&self) -> Option<f64> {
        let share = self.remaining / self.max?;
        share.is_finite().then(|| share.clamp(0.0, 1.0))
    }

    /// `364 of 500 requests (five-hour, more in 8m)`.
    fn says(&self, now: Timestamp) -> String {
        let left = match self.max {
            Some(max) => part(self.remaining, max, self.unit),
            None => format!("{} left", quantity(self.remaining, self.unit)),
        };
        // What is full regains nothing.
        let next = self.next.filter(|next| *next > now && self.share() != Some(1.0));
        let more = next.map(|next| format!(", more in {}", wait(between(now, next)))).unwrap_or_default();
        format!("{left} ({}{more})", self.window)
    }
}

impl ProviderQuota {
    /// The limit of which the least is left.
    fn scarcest(&self) -> Option<(&LimitLeft, f64)> {
        let shares = self.limits.iter().filter_map(|limit| Some((limit, limit.share()?)));
        shares.min_by(|(_, one), (_, other)| one.total_cmp(other))
    }

    fn says(&self, now: Timestamp) -> String {
        let limits: Vec<String> = self.limits.iter().map(|limit| limit.says(now)).collect();
        let left = if limits.is_empty() { "what is left is not known".to_owned() } else { limits.join(", ") };
        let mut parts = vec![left];
        if let Some(until) = self.refused_until.filter(|until| *until > now) {
            parts.push(format!("refused, asked again in {}", wait(between(now, until))));
        }
        if let Some(cap) = self.daily_cap_usd {
            parts.push(format!("{} of {} today (UTC)", money(self.today_usd), money(cap)));
        }
        let regained = self.part_of_regained.map(|part| format!(", {} of what comes back", percent(part)));
        parts.push(format!("probes: {} in 24h{}", self.day.warm_ups, regained.unwrap_or_default()));
        format!("{}: {}", self.provider, parts.join("; "))
    }
}

/// A part of a whole: `3 %`, `<1 %`.
fn percent(part: f64) -> String {
    match part * 100.0 {
        none if none <= 0.0 => "0 %".to_owned(),
        little if little < 1.0 => "<1 %".to_owned(),
        some => format!("{some:.0} %"),
    }
}

/// Cells of a bar.
const CELLS: usize = 10;
/// Narrower than this there is no room for one.
const ROOM: usize = 80;

/// How much is left, as a bar with a mark where warming ends; colour says whether that is enough to warm.
fn bar(limit: &LimitLeft, share: f64, look: &Look) -> String {
    let verdict = match share {
        none if none <= 0.0 => Verdict::Failed,
        low if low < limit.floor => Verdict::Degraded,
        _ => Verdict::Ready,
    };
    look.paint(Role::Verdict(verdict), &bar_of(CELLS, share, Some(limit.floor), look.marks))
}

/// Writes it, as it stands below the table, and a blank line after it.
pub(super) fn render(
    rows: &[StatusRow],
    quotas: &[ProviderQuota],
    now: Timestamp,
    look: &Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let pauses = pauses(rows);
    for (paused, targets) in &pauses {
        let until = paused.until.map(|until| format!("; again {}", again(until, now, &look.zone))).unwrap_or_default();
        labelled("paused", &plain(&format!("{}: {}{until}", targets.join(", "), paused.why)), 0, look, out)?;
    }
    for quota in quotas {
        line(quota, now, look, out)?;
    }
    if pauses.is_empty() && quotas.is_empty() { Ok(()) } else { writeln!(out) }
}

/// Targets that wait for the same thing, together.
fn pauses(rows: &[StatusRow]) -> Vec<(&Paused, Vec<&str>)> {
    let mut pauses: Vec<(&str, &Paused, Vec<&str>)> = Vec::new();
    for row in rows {
        let Some(paused) = &row.paused else { continue };
        let same = |(provider, known, _): &&mut (&str, &Paused, Vec<&str>)| {
            // To the minute: each was told at a moment of its own.
            let minute = |paused: &Paused| paused.until.map(|until| until.as_second() / 60);
            *provider == row.provider && known.why == paused.why && minute(known) == minute(paused)
        };
        match pauses.iter_mut().find(same) {
            Some((_, _, targets)) => targets.push(&row.target),
            None => pauses.push((&row.provider, paused, vec![&row.target])),
        }
    }
    pauses.into_iter().map(|(_, paused, targets)| (paused, targets)).collect()
}

/// One provider: a bar of what is scarcest, and all of it in words.
fn line(quota: &ProviderQuota, now: Timestamp, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let text = plain(&quota.says(now));
    let Some((limit, share)) = quota.scarcest().filter(|_| look.width >= ROOM) else {
        return labelled("quota", &text, 0, look, out);
    };
    let margin = super::human::LABEL + CELLS + 1;
    for (number, words) in wrap(&text, look.width.saturating_sub(margin), LongWord::Break).iter().enumerate() {
        if number == 0 {
            let label = look.paint(Role::Label, &format!("{:<1$}", "quota", super::human::LABEL));
            writeln!(out, "{label}{} {words}", bar(limit, share, look))?;
        } else {
            writeln!(out, "{:margin$}{words}", "")?;
        }
    }
    Ok(())
}

/// A pause in the document.
#[derive(Serialize)]
pub(super) struct PausedEntry<'a> {
    why: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

impl<'a> PausedEntry<'a> {
    pub(super) fn of(paused: &'a Paused) -> Self {
        Self { why: &paused.why, until: paused.until.map(moment) }
    }
}

/// A provider's quota in the document.
#[derive(Serialize)]
pub(super) struct QuotaEntry<'a> {
    provider: &'a str,
    limits: Vec<LimitEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    daily_cap_usd: Option<f64>,
    today_usd: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    spent_24h: Option<SpentEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regained_percent_24h: Option<f64>,
}

#[derive(Serialize)]
struct LimitEntry<'a> {
    window: &'a str,
    unit: &'static str,
    remaining: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    share_left: Option<f64>,
    floor_percent: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl<'a> QuotaEntry<'a> {
    pub(super) fn of(quota: &'a ProviderQuota) -> Self {
        let limit = |limit: &'a LimitLeft| LimitEntry {
            window: &limit.window,
            unit: limit.unit.name(),
            remaining: rounded(limit.remaining),
            max: limit.max,
            share_left: limit.share_left.map(rounded),
            floor_percent: rounded(limit.floor * 100.0),
            next: limit.next.map(moment),
        };
        Self {
            provider: &quota.provider,
            limits: quota.limits.iter().map(limit).collect(),
            refused_until: quota.refused_until.map(moment),
            daily_cap_usd: quota.daily_cap_usd,
            today_usd: rounded(quota.today_usd),
            spent_24h: SpentEntry::of(&quota.day),
            regained_percent_24h: quota.part_of_regained.map(|part| rounded(part * 100.0)),
        }
    }
}

fn moment(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// To a billionth: a warm-up of a small LLM costs a few millionths of a dollar.
fn rounded(number: f64) -> f64 {
    let whole = (number * 1e9).round() / 1e9;
    if whole.is_finite() { whole } else { number }
}
