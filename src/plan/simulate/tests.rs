//! The quota world of the reference policy: six LLMs on one pack, a user near the limit, an idle timeout of 15 minutes.
//!
//! `cargo test --release --lib quota_world -- --ignored --nocapture` prints the table of docs/plan.md.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::outcome::sample;
use crate::plan::{Assumed, Daily, Planned, Question, TargetSchedule, Trigger, WarmSchedule, WarmTrigger, Windows};
use crate::quota::{Limit, QuotaSettings, Refill};
use crate::target::{Family, Target};

/// 15 working days, three weeks in all.
const DAYS: i64 = 21;
const WORKING_DAYS: f64 = 15.0;

/// One pack of Synthetic.
pub(crate) fn pack() -> QuotaSettings {
    let refill = Refill::Steps { every: Duration::from_secs(900), amount: 25.0 };
    let limit = Limit { name: WindowName::FIVE_HOUR, unit: Unit::Requests, max: 500.0, refill };
    QuotaSettings { packs: Some(1), limits: vec![limit], parallel: Some(1), ..QuotaSettings::default() }
}

/// Targets of Synthetic that unload after a quarter of an hour, each used so often.
fn world(number: usize, every: Duration, requests_per_hour: f64) -> (Vec<Target>, Vec<TargetSchedule>, Vec<Assumed>) {
    let mut provider = sample::provider("synthetic");
    provider.family = Family::Synthetic;
    provider.unloads = true;
    let provider = Arc::new(provider);
    let windows = Windows {
        during: Daily::parse_all("Mon-Fri 09:00-18:00").unwrap(),
        timezone: TimeZone::get("Europe/Berlin").unwrap(),
        except: Vec::new(),
    };
    let mut all = (Vec::new(), Vec::new(), Vec::new());
    for place in 0..number {
        let target = Target { provider: Arc::clone(&provider), ..sample::target("x", &format!("m{place}"), "m") };
        let trigger = WarmTrigger::Fixed(Trigger::Every(every));
        let warm =
            Some(WarmSchedule { trigger, windows: windows.clone(), lead: None, keep: crate::warmth::Keep::WhileUsed });
        all.1.push(TargetSchedule { target: target.id.clone(), auth: None, warm });
        all.0.push(target);
        all.2.push(Assumed {
            requests_per_hour: Some(requests_per_hour),
            idle_timeout: Some(Duration::from_secs(900)),
            cold_start: Some(Duration::from_secs(30)),
            during: None,
        });
    }
    all
}

fn forecast(number: usize, every: Duration, requests_per_hour: f64, days: i64) -> Forecast {
    let (targets, schedules, assumed) = world(number, every, requests_per_hour);
    let planned: Vec<Planned<'_>> = targets
        .iter()
        .zip(&schedules)
        .zip(&assumed)
        .map(|((target, schedule), assumed)| Planned {
            target,
            schedule: Some(schedule),
            assumed: Some(assumed),
            learned: None,
        })
        .collect();
    let quotas = BTreeMap::from([(targets[0].provider.id.clone(), pack())]);
    let from: Timestamp = "2026-11-22T23:00:00Z".parse().unwrap();
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let to = from + SignedDuration::from_hours(24 * days);
    Forecast::of(&Question { from, to, zone: &zone, targets: &planned, quotas: &quotas }).unwrap()
}

/// One row of the table.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    probes: f64,
    share: f64,
    refused: f64,
    cold: f64,
}

/// The requests that each of six LLMs gets in an hour: so many that a cron of 5 minutes has one in eleven refused.
const BUSY: f64 = 15.6;
const SEEDS: u64 = 8;

fn line(every_minutes: u64, probing: Probing) -> Line {
    let forecast = forecast(6, Duration::from_secs(every_minutes * 60), BUSY, DAYS);
    let mut line = Line::default();
    for seed in 0..SEEDS {
        let played = Simulation::of(&forecast, probing, seed);
        let account = &played.accounts[0];
        let tally = if probing == Probing::No { account.without() } else { account.with() };
        let part = |some: u64, all: u64| number(some) / number(all) * 100.0;
        line.probes += number(tally.sent) / WORKING_DAYS;
        line.share += if probing == Probing::No { 0.0 } else { account.taken[0].part.unwrap() * 100.0 };
        line.refused += part(tally.refused, tally.requests);
        line.cold += part(tally.cold_hits, tally.sessions);
    }
    let seeds = number(SEEDS);
    Line {
        probes: line.probes / seeds,
        share: line.share / seeds,
        refused: line.refused / seeds,
        cold: line.cold / seeds,
    }
}

#[test]
fn probes_keep_to_their_share_beside_a_busy_user() {
    let (none, cron, governed) = (line(5, Probing::No), line(5, Probing::Unheld), line(5, Probing::Governed));
    assert!(none.refused < 0.2 && none.cold > 50.0, "{none:?}");
    assert!(cron.refused - none.refused > 7.0 && cron.share > 65.0 && cron.cold < 0.1, "{cron:?}");
    assert!(governed.refused - none.refused <= 0.5 && governed.cold < none.cold / 2.0, "{none:?} {governed:?}");
    // `share` is of what comes back in the nine hours of a working day; two more are saved up before it begins.
    assert!(governed.share * 9.0 / 11.0 <= 30.0, "{governed:?}");
}

#[test]
#[ignore = "prints the table of docs/plan.md; run it by name"]
#[expect(clippy::print_stdout, reason = "the table is what it is run for")]
fn quota_world() {
    for (mode, every, probing) in [
        ("no probes", 5, Probing::No),
        ("every 5 min", 5, Probing::Unheld),
        ("every 5 min, with the governor", 5, Probing::Governed),
        ("every 14 min", 14, Probing::Unheld),
        ("every 14 min, with the governor", 14, Probing::Governed),
    ] {
        let Line { probes, share, refused, cold } = line(every, probing);
        println!("| {mode} | {probes:.0} | {share:.1} % | {refused:.2} % | {cold:.2} % |");
    }
}
