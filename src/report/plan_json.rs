//! A plan as one JSON document. docs/plan.md describes it; adding a field is compatible, changing or dropping one raises the
//! schema. What is not known is absent.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::plan::{PlanView, pace};
use super::plan_simulated::costs;
use super::status_json::document_of;
use crate::outcome::{SCHEMA, Unit, Withholding};
use crate::plan::{AccountForecast, LimitForecast, SimulatedAccount, Simulation, Tally, TargetForecast};

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    config: String,
    from: String,
    to: String,
    days: f64,
    providers: Vec<Account<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    advice: &'a [String],
    notes: &'a [String],
}

#[derive(Serialize)]
struct Account<'a> {
    provider: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    packs: Option<u32>,
    share_percent: u8,
    warm_ups: u64,
    checks: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usd: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usd_week: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usd_month: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    busiest_minute: Option<Busiest>,
    limits: Vec<Entry<'a>>,
    targets: Vec<Row<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    simulated: Option<Value>,
}

#[derive(Serialize)]
struct Busiest {
    at: String,
    warm_ups: u64,
}

#[derive(Serialize)]
struct Entry<'a> {
    limit: &'a str,
    unit: Unit,
    max: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    period_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regenerates: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worst: Option<Stretch>,
}

#[derive(Serialize)]
struct Stretch {
    from: String,
    to: String,
    spent: f64,
    percent: f64,
}

#[derive(Serialize)]
struct Row<'a> {
    target: &'a str,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    warmed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval_s: Option<f64>,
    warm_ups: u64,
    busiest_day: u64,
    checks: u64,
    price_requests: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_usd: Option<f64>,
    /// By the limit's name, in per cent of it.
    limits_percent: Map<String, Value>,
}

/// Writes the document.
pub(super) fn render(view: &PlanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let forecast = view.forecast;
    let accounts = forecast.accounts.iter().enumerate().map(|(place, account)| {
        let simulated = view.simulation.and_then(|simulation| simulation.accounts.get(place));
        entry(account, forecast.days, simulated)
    });
    let document = Document {
        schema: SCHEMA,
        config: view.config.display().to_string(),
        from: moment(forecast.from),
        to: moment(forecast.to),
        days: rounded(forecast.days),
        providers: accounts.collect(),
        seed: view.simulation.map(|Simulation { seed, .. }| *seed),
        advice: view.advice,
        notes: view.notes,
    };
    document_of(&document, out)
}

fn entry<'a>(account: &'a AccountForecast, days: f64, simulated: Option<&SimulatedAccount>) -> Account<'a> {
    let usd = account.usd().filter(|_| account.warm_ups() > 0);
    Account {
        provider: account.provider.id.as_str(),
        packs: account.quota.packs,
        share_percent: account.quota.share.get(),
        warm_ups: account.warm_ups(),
        checks: account.checks(),
        withheld: account.withheld,
        usd: usd.map(rounded),
        usd_week: usd.map(|usd| rounded(usd / days * 7.0)),
        usd_month: usd.map(|usd| rounded(usd / days * 30.44)),
        busiest_minute: account.busiest.map(|burst| Busiest { at: moment(burst.at), warm_ups: burst.warm_ups }),
        limits: account.limits.iter().map(limit).collect(),
        targets: account.targets.iter().map(|target| row(target, account)).collect(),
        simulated: simulated.map(|simulated| played(account, simulated)),
    }
}

fn limit(limit: &LimitForecast) -> Entry<'_> {
    Entry {
        limit: limit.limit.name.as_str(),
        unit: limit.limit.unit,
        max: limit.limit.max,
        period_s: limit.limit.refill.period(limit.limit.max).map(|period| period.as_secs_f64()),
        spent: limit.spent.map(rounded),
        regenerates: limit.regenerates.map(rounded),
        worst: limit.worst.map(|worst| Stretch {
            from: moment(worst.from),
            to: moment(worst.to),
            spent: rounded(worst.spent),
            percent: rounded(worst.part * 100.0),
        }),
    }
}

fn row<'a>(target: &'a TargetForecast, account: &AccountForecast) -> Row<'a> {
    let parts = account.limits.iter().filter_map(|limit| {
        let part = target.part(limit)?;
        Some((limit.limit.name.to_string(), json!(rounded(part * 100.0))))
    });
    let interval = target.pace.as_ref().and_then(crate::plan::Pace::interval);
    Row {
        target: target.target.id.as_str(),
        model: target.target.model.as_str(),
        warmed: target.pace.as_ref().map(pace),
        interval_s: interval.map(|every| every.as_secs_f64()),
        warm_ups: target.warm_ups,
        busiest_day: target.busiest_day,
        checks: target.checks,
        price_requests: target.price.requests,
        price_usd: target.charge.usd.map(rounded),
        limits_percent: parts.collect(),
    }
}

fn played(account: &AccountForecast, simulated: &SimulatedAccount) -> Value {
    let (requests, usd) = costs(account, simulated);
    let taken: Vec<Value> = simulated
        .taken
        .iter()
        .map(|taken| {
            let mut entry = json!({ "limit": taken.window.as_str() });
            put(&mut entry, "amount", taken.amount);
            put(&mut entry, "percent", taken.part.map(|part| part * 100.0));
            entry
        })
        .collect();
    let targets: Vec<Value> = simulated
        .targets
        .iter()
        .map(|target| {
            json!({ "target": target.target.as_str(), "without": tally(&target.without), "with": tally(&target.with) })
        })
        .collect();
    let (without, with) = (simulated.without(), simulated.with());
    let mut all = json!({
        "without": tally(&without),
        "with": tally(&with),
        "price_requests": rounded(requests),
        "taken": taken,
        "targets": targets,
    });
    put(&mut all, "price_usd", usd.filter(|_| with.sent > 0));
    all
}

fn tally(tally: &Tally) -> Value {
    let withheld: Map<String, Value> = Withholding::ALL
        .map(Withholding::name)
        .into_iter()
        .zip(tally.withheld)
        .filter(|(_, number)| *number > 0)
        .map(|(name, number)| (name.to_owned(), json!(number)))
        .collect();
    json!({
        "sessions": tally.sessions,
        "cold_hits": tally.cold_hits,
        "cold_wait_s": rounded(tally.cold_wait_s),
        "requests": tally.requests,
        "refused": tally.refused,
        "queued": tally.queued,
        "queued_s": rounded(tally.queued_s),
        "behind_probe": tally.behind_probe,
        "behind_probe_s": rounded(tally.behind_probe_s),
        "warm_ups": tally.sent,
        "warm_ups_cold": tally.loads,
        "warm_ups_refused": tally.sent_refused,
        "withheld": withheld,
    })
}

fn put(entry: &mut Value, key: &str, value: Option<f64>) {
    if let (Some(map), Some(value)) = (entry.as_object_mut(), value) {
        map.insert(key.to_owned(), json!(rounded(value)));
    }
}

/// To six digits after the point: more are noise of the reckoning.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

fn moment(at: Timestamp) -> String {
    format!("{at:.3}")
}
