//! A plan for people: what each provider's limits are asked for, what each target gets, what it means in words; and the
//! simulation, where there is one.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::bar::bar;
use super::human::labelled;
use super::layout::{LongWord, grid, shorten, wrap};
use super::look::{Look, Marks, Role};
use super::sheet::{Fit, Sheet, Step};
use super::{Format, plan_json, plan_simulated};
use crate::outcome::words::{money, plain, quantity};
use crate::outcome::{Unit, Verdict};
use crate::plan::{AccountForecast, Forecast, LimitForecast, Pace, Simulation, TargetForecast};
use crate::quota::{Limit, Refill};

/// Days of a month, on average.
const MONTH: f64 = 30.44;

/// A plan to be shown.
#[derive(Debug, Clone, Copy)]
pub struct PlanView<'a> {
    /// probes.yaml.
    pub config: &'a Path,
    /// What will be done.
    pub forecast: &'a Forecast,
    /// What it would come to.
    pub simulation: Option<&'a Simulation>,
    /// What it means, in sentences.
    pub advice: &'a [String],
    /// What else a reader should know.
    pub notes: &'a [String],
}

/// Writes a plan in a format. It has no form of one line per target: `jsonl` is written as `json`.
///
/// # Errors
/// Whatever the writer says; nothing else can fail.
pub fn render_plan(view: &PlanView<'_>, format: Format, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => human(view, look, out),
        Format::Json | Format::Jsonl => plan_json::render(view, out),
    }
}

fn human(view: &PlanView<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let forecast = view.forecast;
    let day = |moment: Timestamp| moment.to_zoned(look.zone.clone()).strftime("%a %Y-%m-%d").to_string();
    let last = forecast.to - Duration::from_secs(1);
    let zone = look.zone.iana_name().unwrap_or("local time");
    let span =
        if forecast.days < 1.5 { day(forecast.from) } else { format!("{} to {}", day(forecast.from), day(last)) };
    lines(&format!("{}: {span} ({zone})", plain(&view.config.display().to_string())), look, out)?;
    writeln!(out)?;
    for (place, account) in forecast.accounts.iter().enumerate() {
        writeln!(out, "{}", look.paint(Role::Verdict(Verdict::Ready), &heading(account)))?;
        limits(account, look, out)?;
        targets(account, look, out)?;
        lines(&sum(account, forecast.days, look), look, out)?;
        writeln!(out)?;
        if let Some(simulated) = view.simulation.and_then(|simulation| simulation.accounts.get(place)) {
            plan_simulated::render(account, simulated, look, out)?;
            writeln!(out)?;
        }
    }
    for sentence in view.advice {
        labelled("advice", &plain(sentence), 0, look, out)?;
    }
    for note in view.notes {
        labelled("note", &plain(note), 0, look, out)?;
    }
    out.flush()
}

/// A text in as many lines as it needs.
fn lines(text: &str, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    wrap(text, look.width, LongWord::KeepAddress).iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn heading(account: &AccountForecast) -> String {
    let quota = &account.quota;
    let packs = match quota.packs {
        Some(1) => ", 1 pack".to_owned(),
        Some(packs) => format!(", {packs} packs"),
        None => String::new(),
    };
    format!("{}{packs}, share {}", account.provider.id, percent(quota.share.fraction()))
}

/// The columns of the limits, from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Limit,
    Whole,
    Spent,
    Bar,
    Part,
    When,
}

const LIMITS: [Column; 6] = [Column::Limit, Column::Whole, Column::Spent, Column::Bar, Column::Part, Column::When];
const OPTIONAL: [Column; 3] = [Column::When, Column::Whole, Column::Bar];
const SQUEEZE: [Step<Column>; 1] = [(Column::Limit, 10, Fit::Easy)];

fn limits(account: &AccountForecast, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    if account.limits.is_empty() {
        return lines("no limit is known: `limits` says what the provider allows", look, out)
            .and_then(|()| writeln!(out));
    }
    let header = ["limit", "allows", "at worst", "", "of it", "when"].map(str::to_owned).to_vec();
    let mut rows = vec![header];
    rows.extend(account.limits.iter().map(|limit| limit_row(account, limit, look)));
    let sheet = Sheet::new(LIMITS.to_vec(), rows)
        .fit(&OPTIONAL, &SQUEEZE, look.width)
        .cut(|_, cell, width| shorten(cell, width, look.marks.ellipsis()));
    let right = sheet.right(|column| matches!(column, Column::Spent | Column::Part));
    let over =
        account.limits.iter().map(|limit| limit.worst.is_some_and(|worst| worst.part > account.quota.share.fraction()));
    for (lines, over) in grid(&sheet.rows, &right).into_iter().zip(std::iter::once(None).chain(over.map(Some))) {
        for line in lines {
            let line = match over {
                None => look.paint(Role::Label, &line),
                Some(true) => look.paint(Role::Verdict(Verdict::Degraded), &line),
                Some(false) => line,
            };
            writeln!(out, "{line}")?;
        }
    }
    writeln!(out)
}

fn limit_row(account: &AccountForecast, limit: &LimitForecast, look: &Look) -> Vec<String> {
    let absent = || look.marks.absent().to_owned();
    let share = account.quota.share.fraction();
    let (spent, picture, part, when) = match (limit.worst, limit.spent) {
        (Some(worst), _) => (
            quantity(worst.spent, limit.limit.unit),
            bar(worst.part, Some(share), look.marks),
            percent(worst.part),
            stretch(worst.from, worst.to, look),
        ),
        (None, None) => ("price unknown".to_owned(), absent(), absent(), absent()),
        (None, Some(spent)) => {
            // Of what does not come back, what is spent is a part of the whole; nobody has a share of it.
            let part = spent / limit.limit.max;
            let mark = (limit.limit.refill != Refill::Never).then_some(share);
            (quantity(spent, limit.limit.unit), bar(part, mark, look.marks), percent(part), absent())
        }
    };
    vec![limit.limit.name.to_string(), whole(&limit.limit), spent, picture, part, when]
}

/// What a limit allows: `500 requests / 5h`.
fn whole(limit: &Limit) -> String {
    let all = quantity(limit.max, limit.unit);
    match limit.refill {
        Refill::Monthly => format!("{all} / month"),
        Refill::Never => format!("{all} in all"),
        _ => match limit.refill.period(limit.max) {
            Some(period) => format!("{all} / {}", length(period)),
            None => all,
        },
    }
}

/// A length to the nearest unit that says it in a word: `5h`, `7d`, `1m`.
fn length(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", (seconds + 30) / 60),
        3600..129_600 => format!("{}h", (seconds + 1800) / 3600),
        _ => format!("{}d", (seconds + 43_200) / 86_400),
    }
}

/// `Mon 08:00 to 13:00`.
fn stretch(from: Timestamp, to: Timestamp, look: &Look) -> String {
    let [from, to] = [from, to].map(|moment| moment.to_zoned(look.zone.clone()));
    let end = if from.date() == to.date() { to.strftime("%H:%M") } else { to.strftime("%a %H:%M") };
    match to.timestamp().duration_since(from.timestamp()).as_hours() {
        ..48 => format!("{} to {end}", from.strftime("%a %H:%M")),
        _ => format!("{} to {}", from.strftime("%a %-d %b"), to.strftime("%a %-d %b")),
    }
}

fn targets(account: &AccountForecast, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let main = account.limits.iter().find(|limit| limit.worst.is_some());
    let header = [
        "target",
        "warmed",
        "on a day",
        "in all",
        "checks",
        main.map_or("", |limit| limit.limit.name.as_str()),
        "a month",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(account.targets.iter().map(|target| target_row(target, main, look)));
    let columns: Vec<usize> = (0..header.len()).filter(|column| *column != 5 || main.is_some()).collect();
    for row in &mut rows {
        if main.is_none() && row.len() > 5 {
            row.remove(5);
        }
    }
    // Free checks and totals go first; the name is shortened last.
    let steps: [Step<usize>; 2] = [(1, 12, Fit::Easy), (0, 12, Fit::Tight)];
    let sheet = Sheet::new(columns, rows)
        .fit(&[4, 6, 3, 1], &steps, look.width)
        .cut(|_, cell, width| shorten(cell, width, look.marks.ellipsis()));
    let right = sheet.right(|column| column > 1);
    for (place, lines) in grid(&sheet.rows, &right).into_iter().enumerate() {
        for line in lines {
            let line = if place == 0 { look.paint(Role::Label, &line) } else { line };
            writeln!(out, "{line}")?;
        }
    }
    writeln!(out)
}

fn target_row(target: &TargetForecast, main: Option<&LimitForecast>, look: &Look) -> Vec<String> {
    let absent = || look.marks.absent().to_owned();
    let count = |number: u64| if target.pace.is_some() { number.to_string() } else { absent() };
    let days = target.days;
    let a_month = match (target.warm_ups, target.usd()) {
        (0, _) => absent(),
        (_, Some(usd)) => money(usd / days.max(f64::MIN_POSITIVE) * MONTH),
        (_, None) => "unknown".to_owned(),
    };
    vec![
        target.target.id.to_string(),
        target.pace.as_ref().map_or_else(absent, pace),
        count(target.busiest_day),
        count(target.warm_ups),
        target.checks.to_string(),
        main.filter(|_| target.pace.is_some()).and_then(|limit| target.part(limit)).map_or_else(absent, percent),
        a_month,
    ]
}

/// What sets warm-ups off, in words.
pub(super) fn pace(pace: &Pace) -> String {
    match pace {
        Pace::Auto(every) => format!("auto: every {}", compact(*every)),
        Pace::Every(every) => format!("every {}", compact(*every)),
        Pace::Cron(text) => plain(text),
    }
}

fn compact(time: Duration) -> String {
    crate::outcome::words::span(time).replace(' ', "")
}

/// What it adds up to.
fn sum(account: &AccountForecast, days: f64, look: &Look) -> String {
    let dot = match look.marks {
        Marks::Unicode => "·",
        Marks::Ascii => "|",
    };
    let requests: f64 =
        account.targets.iter().map(|target| target.price.requests * whole_number(target.warm_ups)).sum();
    let cost = match account.usd() {
        Some(usd) => format!("{} a week, {} a month", money(usd / days * 7.0), money(usd / days * MONTH)),
        None => "what they cost in money is not known".to_owned(),
    };
    let mut parts = vec![
        format!(
            "{} warm-ups ({}), {} free checks",
            account.warm_ups(),
            quantity(requests, Unit::Requests),
            account.checks()
        ),
        if account.warm_ups() == 0 { String::new() } else { cost },
    ];
    if let Some(burst) = account.busiest.filter(|burst| burst.warm_ups > 2) {
        let at = burst.at.to_zoned(look.zone.clone());
        parts.push(format!("{} at once at {}", burst.warm_ups, at.strftime("%a %H:%M")));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(&format!(" {dot} "))
}

#[expect(clippy::cast_precision_loss, reason = "probes are fewer than 2^53")]
pub(super) fn whole_number(count: u64) -> f64 {
    count as f64
}

/// A part of 1: `15 %`, `0.4 %`.
pub(super) fn percent(part: f64) -> String {
    crate::plan::percent(part)
}
