//! A simulation for people: what users meet without probes and with them, side by side.

use std::io::{self, Write};
use std::time::Duration;

use super::layout::{grid, shorten_end};
use super::look::{Look, Role};
use super::plan::{percent, whole_number};
use super::sheet::{Fit, Sheet};
use crate::outcome::words::{money, quantity, span};
use crate::outcome::{Unit, Withholding};
use crate::plan::{AccountForecast, SimulatedAccount, Tally};

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
    rows.push(ours("  times withheld", with.all_withheld().to_string()));
    rows.extend(reasons(&with).into_iter().map(|(number, name)| ours(&format!("    {name}"), number.to_string())));
    for taken in simulated.taken.iter().filter(|taken| with.sent > 0 && taken.amount.is_some()) {
        let label = format!("  took of {}", taken.window);
        rows.push(ours(&label, taken.part.map_or_else(|| absent.to_owned(), percent)));
    }
    if let Some(price) = avoided(account, simulated) {
        rows.push(ours("requests for a cold start avoided", price));
    }
    // What each row says is shortened where there is no room; its figures never are.
    let sheet = Sheet::new(vec![0, 1, 2], rows).fit(&[], &[(0, 8, Fit::Easy)], look.width);
    let sheet = sheet.cut(|_, cell, width| shorten_end(cell, width, look.marks.ellipsis()));
    for (place, lines) in grid(&sheet.rows, &[1, 2]).into_iter().enumerate() {
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

/// Why warm-ups were withheld, the most frequent reason first.
fn reasons(tally: &Tally) -> Vec<(u64, &'static str)> {
    let mut reasons: Vec<(u64, &str)> = tally
        .withheld
        .into_iter()
        .zip(Withholding::ALL.map(Withholding::name))
        .filter(|(number, _)| *number > 0)
        .collect();
    reasons.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    reasons
}

/// What one cold start avoided costs, in requests and in dollars where they are known.
fn avoided(account: &AccountForecast, simulated: &SimulatedAccount) -> Option<String> {
    let number = simulated.without().cold_hits.checked_sub(simulated.with().cold_hits).filter(|number| *number > 0)?;
    let (requests, usd) = costs(account, simulated);
    let each = whole_number(number);
    let dollars = usd.map(|usd| format!(", {}", money(usd / each))).unwrap_or_default();
    // "requests" is in the row's own words already.
    let requests = quantity(requests / each, Unit::Requests).replace(" requests", "");
    Some(format!("{requests}{dollars}"))
}

/// What all warm-ups cost that were made.
pub(super) fn costs(account: &AccountForecast, simulated: &SimulatedAccount) -> (f64, Option<f64>) {
    let pairs = || account.targets.iter().zip(&simulated.targets).filter(|(_, made)| made.with.sent > 0);
    let requests = pairs().map(|(target, made)| target.price.requests * whole_number(made.with.sent)).sum();
    let usd = pairs().map(|(target, made)| Some(target.charge.usd? * whole_number(made.with.sent))).sum();
    (requests, usd)
}
