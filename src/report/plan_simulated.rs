//! A simulation for people: what users meet without probes and with them, side by side.

use std::io::{self, Write};
use std::time::Duration;

use super::layout::grid;
use super::look::{Look, Role};
use super::plan::{percent, whole_number};
use crate::outcome::words::{money, quantity, span};
use crate::outcome::Unit;
use crate::plan::{AccountForecast, SimulatedAccount, Tally};
use crate::quota::WhyWithheld;

/// Writes it.
pub(super) fn render(
    account: &AccountForecast,
    simulated: &SimulatedAccount,
    look: &Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (without, with) = (simulated.without(), simulated.with());
    let absent = look.marks.absent();
    let both = |label: &str, value: &dyn Fn(&Tally) -> String| vec![label.to_owned(), value(&without), value(&with)];
    let ours = |label: &str, value: String| vec![label.to_owned(), absent.to_owned(), value];
    let mut rows = vec![vec!["simulated".to_owned(), "without".to_owned(), "with probes".to_owned()]];
    rows.push(both("users' requests", &|tally| tally.requests.to_string()));
    rows.push(both("  refused (429)", &|tally| part(tally.refused, tally.requests)));
    rows.push(both("  queued at their model", &|tally| waits(tally.queued, tally.queued_s, absent)));
    rows.push(ours("  waited behind a probe", waits(with.behind_probe, with.behind_probe_s, absent)));
    rows.push(both("sessions begun cold", &|tally| part(tally.cold_hits, tally.sessions)));
    rows.push(both("  waited for loading", &|tally| time(tally.cold_wait_s)));
    rows.push(ours("warm-ups made", with.sent.to_string()));
    rows.push(ours("  found it unloaded", part(with.loads, with.sent)));
    if with.sent_refused > 0 {
        rows.push(ours("  refused (429)", with.sent_refused.to_string()));
    }
    rows.push(ours("  withheld", withheld(&with)));
    for taken in simulated.taken.iter().filter(|taken| with.sent > 0 && taken.amount.is_some()) {
        let label = format!("  took of {}", taken.window);
        rows.push(ours(&label, taken.part.map_or_else(|| absent.to_owned(), percent)));
    }
    if let Some(price) = avoided(account, simulated) {
        rows.push(ours("a cold start avoided costs", price));
    }
    for (place, lines) in grid(&rows, &[1, 2]).into_iter().enumerate() {
        for line in lines {
            let line = if place == 0 { look.paint(Role::Label, &line) } else { line };
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// `12.5 % (3)`.
fn part(some: u64, all: u64) -> String {
    match all {
        0 => "0".to_owned(),
        all => format!("{} ({some})", percent(whole_number(some) / whole_number(all))),
    }
}

fn time(seconds: f64) -> String {
    span(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

fn waits(number: u64, seconds: f64, absent: &str) -> String {
    match number {
        0 => absent.to_owned(),
        number => format!("{number}, {:.1}s each", seconds / whole_number(number)),
    }
}

/// Why, the most frequent reason first.
fn withheld(tally: &Tally) -> String {
    let mut reasons: Vec<(u64, &str)> =
        tally.withheld.into_iter().zip(WhyWithheld::NAMES).filter(|(number, _)| *number > 0).collect();
    reasons.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    let words: Vec<String> = reasons.iter().map(|(number, name)| format!("{name} {number}")).collect();
    match words.len() {
        0 => "0".to_owned(),
        _ => format!("{} ({})", tally.all_withheld(), words.join(", ")),
    }
}

/// What one cold start avoided costs, in requests and in dollars where they are known.
fn avoided(account: &AccountForecast, simulated: &SimulatedAccount) -> Option<String> {
    let number = simulated.without().cold_hits.checked_sub(simulated.with().cold_hits).filter(|number| *number > 0)?;
    let (requests, usd) = costs(account, simulated);
    let each = whole_number(number);
    let dollars = usd.map(|usd| format!(", {}", money(usd / each))).unwrap_or_default();
    Some(format!("{}{dollars}", quantity(requests / each, Unit::Requests)))
}

/// What all warm-ups cost that were made.
pub(super) fn costs(account: &AccountForecast, simulated: &SimulatedAccount) -> (f64, Option<f64>) {
    let pairs = || account.targets.iter().zip(&simulated.targets).filter(|(_, made)| made.with.sent > 0);
    let requests = pairs().map(|(target, made)| target.price.requests * whole_number(made.with.sent)).sum();
    let usd = pairs().map(|(target, made)| Some(target.charge.usd? * whole_number(made.with.sent))).sum();
    (requests, usd)
}
