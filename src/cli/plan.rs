//! `pilotlight plan`: what the configuration will do, before it does it. Nothing is sent anywhere.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::check::duration;
use super::run::StateArgs;
use super::terminal::{self, Usage};
use super::wanted::WantedArgs;
use super::{Global, gaps, setup};
use crate::config::Config;
use crate::exit::Exit;
use crate::plan::{Assumed, COLD_START, Forecast, IDLE_TIMEOUT, Planned, Probing, Question, Simulation, advice};
use crate::probe::clock::Clock;
use crate::report::{self, Format, PlanView};
use crate::run::SystemClock;
use crate::target::{Target, TargetId};

/// How many days are planned at most.
const DAYS: i64 = 92;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    wanted: WantedArgs,
    /// How many days (1 to 92)
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(i64).range(1..=DAYS))]
    days: i64,
    /// The first day, in local time [default: today]
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Form of the report on standard output
    #[arg(long, short, alias = "report", value_name = "FORMAT", default_value = "human")]
    format: PlanFormat,
    /// Play so many days with users, models that unload and the governor: 7d
    #[arg(long, value_name = "DAYS", value_parser = days, conflicts_with = "days")]
    simulate: Option<i64>,
    /// Users' requests in an hour, of every target or of one: 20/h, glm=20/h [default: `assume` in probes.yaml]
    #[arg(long, value_name = "[TARGET=]N/h", value_parser = users, requires = "simulate")]
    users: Vec<Stated<f64>>,
    /// After how long models unload: 15m, glm=15m [default: `assume`, else 15m]
    #[arg(long, value_name = "[TARGET=]TIME", value_parser = time)]
    idle_timeout: Vec<Stated<Duration>>,
    /// How long models load: 30s, glm=30s [default: `assume`, else 30s]
    #[arg(long, value_name = "[TARGET=]TIME", value_parser = time, requires = "simulate")]
    cold_start: Vec<Stated<Duration>>,
    /// Another seed gives other users
    #[arg(long, value_name = "N", default_value_t = 1, requires = "simulate")]
    seed: u64,
    #[command(flatten)]
    state: StateArgs,
}

/// The form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlanFormat {
    Human,
    Json,
}

/// Something that is stated of one target, or of all.
#[derive(Debug, Clone, PartialEq)]
struct Stated<T> {
    target: Option<String>,
    value: T,
}

fn stated<T>(text: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Stated<T>, String> {
    match text.split_once('=') {
        Some((target, value)) => Ok(Stated { target: Some(target.to_owned()), value: read(value)? }),
        None => Ok(Stated { target: None, value: read(text)? }),
    }
}

fn users(text: &str) -> Result<Stated<f64>, String> {
    stated(text, |text| {
        let number = text.strip_suffix("/h").unwrap_or(text).parse::<f64>();
        let known = number.ok().filter(|number| (0.0..=100_000.0).contains(number));
        known.ok_or_else(|| format!("`{text}` is not a number of requests in an hour; write 20/h, or 0.5/h"))
    })
}

fn time(text: &str) -> Result<Stated<Duration>, String> {
    stated(text, duration)
}

/// Reads `7d`.
fn days(text: &str) -> Result<i64, String> {
    let number = text.strip_suffix('d').and_then(|number| number.parse::<i64>().ok());
    number
        .filter(|number| (1..=DAYS).contains(number))
        .ok_or_else(|| format!("`{text}` is not a number of days from 1d to {DAYS}d, as in 7d"))
}

pub(super) fn run(global: &Global, args: &PlanArgs) -> anyhow::Result<Exit> {
    let environment = setup::environment(global)?;
    let config = setup::config(global, &environment)?;
    let targets = args.wanted.select(&config)?;
    let look = terminal::look(global, &environment);
    let (from, to) = span(args, &look.zone)?;
    let assumed = assumptions(args, &config)?;
    let (gaps, learned) = gaps::learned(&config, &targets, &args.state, &environment)?;
    let planned: Vec<Planned<'_>> = targets
        .iter()
        .map(|target| Planned {
            target,
            schedule: config.schedules.get(&target.id),
            assumed: assumed.get(&target.id),
            learned: gaps.get(&target.id).copied(),
        })
        .collect();
    let question = Question { from, to, zone: &look.zone, targets: &planned, quotas: &config.quotas };
    let forecast = Forecast::of(&question).map_err(|error| Usage(format!("failed to read cron fields: {error}")))?;
    let simulation = args.simulate.map(|_| Simulation::of(&forecast, Probing::Governed, args.seed));
    let mut notes = config.notes_for(&targets);
    notes.extend(learned);
    if simulation.is_some() {
        notes.extend(unstated(&targets, &assumed));
    }
    let advice = advice(&forecast);
    let view = PlanView {
        config: &config.path,
        forecast: &forecast,
        simulation: simulation.as_ref(),
        advice: &advice,
        notes: &notes,
    };
    let format = match args.format {
        PlanFormat::Human => Format::Human,
        PlanFormat::Json => Format::Json,
    };
    terminal::output(|out| report::render_plan(&view, format, &look, out))
}

/// The days that are planned, in whole days of the local calendar.
fn span(args: &PlanArgs, zone: &TimeZone) -> anyhow::Result<(Timestamp, Timestamp)> {
    let first = args.from.unwrap_or_else(|| zone.to_datetime(SystemClock.wall()).date());
    let moment = |day: Date| day.to_zoned(zone.clone()).map(|midnight| midnight.timestamp());
    let days = args.simulate.unwrap_or(args.days);
    let far = || Usage(format!("{first} is too far away to plan for"));
    let near = (1700..2200).contains(&first.year());
    let last = first.checked_add(days.days()).ok().filter(|_| near).ok_or_else(far)?;
    Ok((moment(first).map_err(|_| far())?, moment(last).map_err(|_| far())?))
}

/// What probes.yaml states, with what the command line states laid over it.
fn assumptions(args: &PlanArgs, config: &Config) -> anyhow::Result<BTreeMap<TargetId, Assumed>> {
    let mut assumed = config.assumptions.clone();
    lay(config, &args.users, &mut assumed, |own, rate| own.requests_per_hour = Some(rate))?;
    lay(config, &args.idle_timeout, &mut assumed, |own, time| own.idle_timeout = Some(time))?;
    lay(config, &args.cold_start, &mut assumed, |own, time| own.cold_start = Some(time))?;
    Ok(assumed)
}

/// What is stated of all targets comes first, so that what is stated of one counts for it.
fn lay<T: Copy>(
    config: &Config,
    stated: &[Stated<T>],
    assumed: &mut BTreeMap<TargetId, Assumed>,
    set: impl Fn(&mut Assumed, T),
) -> anyhow::Result<()> {
    let names: Vec<&str> = stated.iter().filter_map(|one| one.target.as_deref()).collect();
    let none: [&str; 0] = [];
    config.select(&names, &none, &none).map_err(|error| Usage(error.to_string()))?;
    let (all, named): (Vec<_>, Vec<_>) = stated.iter().partition(|one| one.target.is_none());
    for Stated { target: named, value } in all.into_iter().chain(named) {
        let fits = |target: &&Target| named.as_deref().is_none_or(|named| named == target.id.as_str());
        for target in config.targets.iter().filter(fits) {
            set(assumed.entry(target.id.clone()).or_default(), *value);
        }
    }
    Ok(())
}

/// What a simulation had to assume.
fn unstated(targets: &[Target], assumed: &BTreeMap<TargetId, Assumed>) -> Vec<String> {
    let lacks = |has: &dyn Fn(&Assumed) -> bool| targets.iter().any(|target| !assumed.get(&target.id).is_some_and(has));
    let every = |has: &dyn Fn(&Assumed) -> bool| targets.iter().all(|target| !assumed.get(&target.id).is_some_and(has));
    let mut notes = Vec::new();
    if every(&|own| own.requests_per_hour.is_some_and(|rate| rate > 0.0)) {
        notes
            .push("nobody uses these models, as far as is stated: --users 20/h, or `assume` in probes.yaml".to_owned());
    }
    if lacks(&|own| own.idle_timeout.is_some()) {
        let minutes = IDLE_TIMEOUT.as_secs() / 60;
        notes.push(format!("where no idle timeout is stated, {minutes}m is taken (--idle-timeout)"));
    }
    if lacks(&|own| own.cold_start.is_some()) {
        notes.push(format!("where no cold start is stated, {}s is taken (--cold-start)", COLD_START.as_secs()));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stated_is_of_one_target_or_of_all() {
        assert_eq!(users("20/h"), Ok(Stated { target: None, value: 20.0 }));
        assert_eq!(users("glm=0.5/h"), Ok(Stated { target: Some("glm".to_owned()), value: 0.5 }));
        assert_eq!(time("glm=15m").unwrap().value, Duration::from_secs(900));
        for text in ["many", "-1/h", "glm=", "NaN", "inf", "20/d"] {
            assert!(users(text).is_err(), "{text}");
        }
        assert_eq!(days("7d"), Ok(7));
        for text in ["7", "0d", "93d", "-1d", "week"] {
            assert!(days(text).is_err(), "{text}");
        }
    }
}
