//! `pilotlight diagnose TARGET`: everything there is to know of why one target is not ready, or that it is.
//!
//! An examination that costs nothing comes first, then the probe that `check` would make, whose verdict is the exit code.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::check::{self, PassSettings, Passed, duration, interrupted, runtime};
use super::progress::Progress;
use super::readers::Records;
use super::run::StateArgs;
use super::terminal::{self, Usage};
use super::{Global, quotas, setup};
use crate::config::{self, AdHoc, Config, Environment};
use crate::daemon::Memory;
use crate::exit::{Exit, Strictness};
use crate::outcome::{Event, Examination, Outcome, Stage};
use crate::plan::RetryPolicy;
use crate::probe::Job;
use crate::probe::clock::Clock;
use crate::probe::examine::{Recording, examine};
use crate::probe::transport::HttpNetwork;
use crate::quota::Spending;
use crate::report::{self, Diagnosed, Format, ProviderQuota};
use crate::run::{Chance, Runner, SystemClock, run_id};
use crate::store::{Reader, StateKind, TargetSummary};
use crate::target::{Depth, Dialect, Target};

/// Arguments of `diagnose`.
#[derive(Debug, Args)]
pub(super) struct DiagnoseArgs {
    /// A target by name, or a base URL that stands in no configuration
    #[arg(value_name = "TARGET|URL")]
    target: String,
    /// Of a URL: the model [default: none, which goes as far as the list of models]
    #[arg(long, short, value_name = "ID")]
    model: Option<String>,
    /// Of a URL: the variable that holds the key [default: the one that its provider is known for, if that is set]
    #[arg(long, value_name = "VARIABLE")]
    key_env: Option<String>,
    /// Of a URL: the wire format [default: guessed from the URL]
    #[arg(long, value_name = "DIALECT")]
    dialect: Option<DialectArg>,
    /// Send no warm-up, which costs a request: all that is free is looked at
    #[arg(long)]
    no_warm: bool,
    /// For how long to look at all that is free; the warm-up has its own deadlines
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    timeout: Duration,
    /// Warm whatever a provider refused before, and beyond the daily cap
    #[arg(long)]
    ignore_quota: bool,
    /// Form of the report on standard output
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: DiagnoseFormat,
    #[command(flatten)]
    state: StateArgs,
}

/// The wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DialectArg {
    Openai,
    Anthropic,
    Ollama,
}

impl From<DialectArg> for Dialect {
    fn from(dialect: DialectArg) -> Self {
        match dialect {
            DialectArg::Openai => Self::OpenAi,
            DialectArg::Anthropic => Self::Anthropic,
            DialectArg::Ollama => Self::Ollama,
        }
    }
}

/// The form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DiagnoseFormat {
    Human,
    Json,
}

/// What the examination and the probe led to.
struct Found {
    examination: Examination,
    passed: Passed,
}

pub(super) fn run(global: &Global, args: &DiagnoseArgs) -> anyhow::Result<Exit> {
    let environment = setup::environment(global)?;
    setup::start_log(global)?;
    let (config, target) = subject(global, args, &environment)?;
    let notes = config.notes_for(std::slice::from_ref(&target));
    let depth = if args.no_warm { target.depth.min(Depth::Auth) } else { target.depth };
    if depth == Depth::Warm && target.provider.dialect != Dialect::Ollama {
        tell_cost(&target);
    }
    let (clock, chance) = (Arc::new(SystemClock), Arc::new(Chance::new()));
    let run_id = run_id(clock.wall(), &chance);
    let jobs = setup::jobs(vec![target], Some(depth), &run_id, &environment, &config.directory);
    let Some(job) = jobs.into_iter().next() else { return Ok(Exit::Internal) };
    let state = args.state.directory(&environment).ok();
    let spending = if args.ignore_quota { Spending::Unlimited } else { Spending::ByHand };
    let treasury = check::treasury(spending, &config, state.clone(), clock.clone());
    let network = Arc::new(Recording::new(Arc::new(HttpNetwork::new(clock.clone())), clock.clone()));
    let runner = Runner::new(network.clone(), clock, chance, RetryPolicy::default(), treasury);
    let runtime = runtime()?;
    let (found, kept) = runtime.block_on(async {
        let found = look(&job, &network, &runner, args.timeout).await?;
        let kept = match state.as_deref() {
            Some(directory) => kept(&config, &job.target, directory).await,
            None => Kept::default(),
        };
        anyhow::Ok((found, kept))
    })?;
    // Name look-ups run on threads that cannot be cancelled; the process does not wait for them.
    runtime.shutdown_background();
    let Found { examination, passed } = match found {
        Ok(found) => found,
        Err(signal) => return Ok(signal),
    };
    let exit = passed.exit(Strictness::Lenient);
    let Some(outcome) = passed.outcomes.first() else { return Ok(exit) };
    let written =
        write(global, args, &environment, View { outcome, examination: &examination, exit, kept: &kept, notes });
    // What was found outranks that it could not be written.
    match (written, exit) {
        (Err(error), Exit::Ready | Exit::Degraded) => Err(error.context("failed to write the report")),
        (Err(error), exit) => {
            terminal::tell(&format!("error: failed to write the report: {error:#}"));
            Ok(exit)
        }
        (Ok(()), exit) => Ok(exit),
    }
}

/// The one target, from the configuration or made of a URL.
fn subject(global: &Global, args: &DiagnoseArgs, environment: &Environment) -> anyhow::Result<(Config, Target)> {
    let config = if args.target.contains("://") {
        let asked = AdHoc {
            url: &args.target,
            dialect: args.dialect.map(Dialect::from),
            key_env: args.key_env.as_deref(),
            model: args.model.as_deref(),
        };
        config::ad_hoc(&asked, environment).map_err(|error| Usage(format!("failed to {error}")))?
    } else {
        let of_url = [
            ("--model", args.model.is_some()),
            ("--key-env", args.key_env.is_some()),
            ("--dialect", args.dialect.is_some()),
        ];
        if let Some((option, _)) = of_url.iter().find(|(_, given)| *given) {
            let text = format!(
                "{option} is for a URL, and `{}` is the name of a target, which has its own in probes.yaml",
                crate::probe::wire::text::clean(&args.target, 60)
            );
            return Err(Usage(text).into());
        }
        setup::config(global, environment)?
    };
    let names: &[&str] = if args.target.contains("://") { &[] } else { &[&args.target] };
    let target = config.select(names, &[], &[]).map_err(|error| Usage(error.to_string()))?;
    let target = target.into_iter().next().context("failed to find the target")?;
    Ok((config, target))
}

/// Says what the warm-up costs before it is sent, to whoever watches.
fn tell_cost(target: &Target) {
    use std::io::IsTerminal;
    if std::io::stderr().is_terminal() {
        let most = target.max_output_tokens;
        terminal::tell(&format!(
            "note: a warm-up of at most {most} tokens is sent, which costs one request; --no-warm sends none"
        ));
    }
}

/// Examines, then probes. Where a signal ended it before there was anything to tell, that alone.
async fn look(
    job: &Job,
    network: &Recording,
    runner: &Runner,
    timeout: Duration,
) -> anyhow::Result<Result<Found, Exit>> {
    let examined = {
        let progress = Progress::on_stderr(1);
        let reached = Mutex::new(Stage::Credential);
        let observe = |event: Event| {
            if let Event::Entered { stage, .. } = &event {
                *reached.lock().unwrap_or_else(PoisonError::into_inner) = *stage;
            }
            progress.observe(&event);
        };
        let until = SystemClock.now() + timeout;
        let examining = examine(job, network, until, &observe);
        tokio::select! {
            biased;
            signal = interrupted() => {
                drop(progress);
                let stage = *reached.lock().unwrap_or_else(PoisonError::into_inner);
                terminal::tell(&format!(
                    "note: interrupted while looking at {stage}, so there is no report; --timeout ends this part with one"
                ));
                return Ok(Err(signal));
            }
            examined = examining => examined,
        }
    };
    let settings = PassSettings { timeout: None, retry: RetryPolicy::default(), records: Records::Kept };
    let passed = check::pass(runner, vec![job.clone()], job.run_id.clone(), &settings).await?;
    Ok(Ok(Found { examination: examined.finish(job, network), passed }))
}

/// What is kept of a target from before.
#[derive(Default)]
struct Kept {
    summary: Option<TargetSummary>,
    learned: Option<String>,
    quota: Option<ProviderQuota>,
}

/// Looks into the store, where there is one. What cannot be read there is no reason to fail: it is about now.
async fn kept(config: &Config, target: &Target, directory: &Path) -> Kept {
    let provider = target.provider.id.as_str();
    let quota = |spent| quotas::quotas(config, &[provider], directory, spent, &SystemClock).into_iter().next();
    let Ok(Some(reader)) = Reader::open(directory).await else {
        return Kept { quota: quota(&Default::default()), ..Kept::default() };
    };
    let summaries = reader.summaries(SystemClock.wall()).await.unwrap_or_default();
    let quota = quota(&quotas::spent_by_provider(&summaries));
    let states = (reader.states(StateKind::Standing).await, reader.states(StateKind::Past).await);
    let learned = match states {
        (Ok(standings), Ok(pasts)) => Memory::new(standings, pasts).says(target),
        _ => None,
    };
    let of_target =
        |summary: &TargetSummary| summary.target == target.id.as_str() && summary.latest.model == target.model.as_str();
    Kept { summary: summaries.into_iter().find(of_target), learned, quota }
}

/// What is to be written.
struct View<'a> {
    outcome: &'a Arc<Outcome>,
    examination: &'a Examination,
    exit: Exit,
    kept: &'a Kept,
    notes: Vec<String>,
}

fn write(global: &Global, args: &DiagnoseArgs, environment: &Environment, view: View<'_>) -> anyhow::Result<()> {
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    let diagnosed = Diagnosed {
        outcome: view.outcome,
        examination: view.examination,
        exit: view.exit,
        now: SystemClock.wall(),
        quota: view.kept.quota.as_ref(),
        summary: view.kept.summary.as_ref(),
        learned: view.kept.learned.as_deref(),
        notes: &view.notes,
        version: env!("CARGO_PKG_VERSION"),
        system: &system,
    };
    let format = match args.format {
        DiagnoseFormat::Human => Format::Human,
        DiagnoseFormat::Json => Format::Json,
    };
    let look = terminal::look(global, environment);
    terminal::output(|out| report::render_diagnosed(&diagnosed, format, &look, out))?;
    Ok(())
}
