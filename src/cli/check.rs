//! `pilotlight check`: probe targets once, report, and exit with what is wrong.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use tokio::sync::watch;

use super::ended::Ended;
use super::from::{FromArgs, refuse_unnamed};
use super::readers::{Readers, Records};
use super::reports::ReportArgs;
use super::run::StateArgs;
use super::signals::{Signals, end_at_once};
use super::terminal;
use super::wanted::WantedArgs;
use super::{Global, setup};
use crate::config::Config;
use crate::exit::{Exit, Strictness};
use crate::outcome::{Outcome, RunId};
use crate::plan::RetryPolicy;
use crate::probe::clock::Clock;
use crate::probe::transport::HttpNetwork;
use crate::probe::{Cause, Job};
use crate::quota::{Ledgers, MemoryLedgers, Spending};
use crate::report::{self, Format, Look, Report};
use crate::run::{Chance, Runner, Stop, SystemClock, Treasury, run_id};
use crate::store::LedgerFiles;
use crate::target::Depth;

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    wanted: WantedArgs,
    #[command(flatten)]
    from: FromArgs,
    /// How far to climb: connect, auth (free), warm (costs a request) [default: each target's own, else warm]
    #[arg(long, short, value_name = "DEPTH")]
    depth: Option<DepthArg>,
    /// Count `degraded` (cold, slow, a certificate near its end) as not ready: exit 4
    #[arg(long)]
    strict: bool,
    /// Stop the whole run after this time; what is not finished is `unknown`
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<Duration>,
    /// Attempts for what can heal within seconds (1 to 10)
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=10))]
    attempts: u32,
    /// Warm whatever a provider refused before, and beyond the daily cap
    #[arg(long)]
    ignore_quota: bool,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    reports: ReportArgs,
}

/// How far to climb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DepthArg {
    Connect,
    Auth,
    Warm,
}

impl From<DepthArg> for Depth {
    fn from(depth: DepthArg) -> Self {
        match depth {
            DepthArg::Connect => Self::Connect,
            DepthArg::Auth => Self::Auth,
            DepthArg::Warm => Self::Warm,
        }
    }
}

/// No command takes longer, and the clock can count so far.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Reads `90s`, `2m30s`. A bare number has no unit, so it is refused.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed: jiff::SignedDuration = text
        .parse()
        .map_err(|_| format!("`{text}` is not a duration; write a number with a unit, as in 90s or 2m30s"))?;
    match Duration::try_from(parsed) {
        Ok(duration) if duration > LONGEST => {
            Err(format!("`{text}` is too long; write at most 8784h, which is 366 days"))
        }
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(format!("`{text}` must be more than zero")),
    }
}

pub(super) fn run(global: &Global, args: &CheckArgs) -> anyhow::Result<Ended> {
    let environment = setup::environment(global)?;
    setup::start_log(global)?;
    let (config, environment) = args.from.config(global, environment)?;
    let targets = args.wanted.select(&config)?;
    refuse_unnamed(&targets, args.depth.map(Depth::from))?;
    let notes = config.notes_for(&targets);
    let runtime = runtime()?;
    let mut signals = runtime.block_on(async { Signals::heed() });
    let reports = args.reports.open(&environment, &terminal::look(global, &environment))?;
    let chance = Arc::new(Chance::new());
    let clock = Arc::new(SystemClock);
    let begun = clock.now();
    let run_id = run_id(clock.wall(), &chance);
    let depth = args.depth.map(Depth::from);
    let (jobs, ended) = runtime.block_on(async {
        let end = signal_or_late(&mut signals, args.timeout.and_then(|timeout| begun.checked_add(timeout)));
        setup::jobs_until(targets, depth, &run_id, &environment, &config.directory, end).await
    });
    let settings = PassSettings {
        // Reading the keys counts.
        timeout: args.timeout.map(|timeout| timeout.saturating_sub(clock.now().saturating_duration_since(begun))),
        retry: RetryPolicy { attempts: args.attempts, ..RetryPolicy::default() },
        records: reports.records(),
    };
    let spending = if args.ignore_quota { Spending::Unlimited } else { Spending::ByHand };
    let treasury = treasury(spending, &config, args.state.directory(&environment).ok(), clock.clone());
    let passed = runtime.block_on(async {
        let runner = Runner::new(Arc::new(HttpNetwork::new(clock.clone())), clock, chance, settings.retry, treasury);
        pass_heeding(&runner, jobs, run_id, &settings, &mut signals, ended.flatten()).await
    })?;
    end_at_once(runtime);
    let strictness = if args.strict { Strictness::Strict } else { Strictness::Lenient };
    let exit = passed.exit(strictness);
    let report = Report { source: Some(&config.path), strictness, ..passed.seen(exit, &notes) };
    reports.write(&report, passed.written.as_ref().err())
}

/// What may be spent by hand. What was spent is kept where a daemon keeps it, if there is such a place; one is made where a
/// cap on the day's money would not hold otherwise.
pub(super) fn treasury(
    spending: Spending,
    config: &Config,
    state: Option<PathBuf>,
    clock: Arc<dyn Clock>,
) -> Arc<Treasury> {
    let capped = config.quotas.values().any(|settings| settings.daily_cap.is_some());
    let ledgers: Arc<dyn Ledgers> = match state.filter(|directory| capped || directory.is_dir()) {
        Some(directory) => Arc::new(LedgerFiles::new(directory)),
        None => Arc::new(MemoryLedgers::default()),
    };
    let treasury = Treasury::new(spending, clock, ledgers);
    treasury.adopt(config.quotas.clone(), &[]);
    Arc::new(treasury)
}

/// One thread: a thousand probes need no more, and a one-shot command pays for every thread it starts.
pub(super) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// How a pass is run.
pub(super) struct PassSettings {
    pub timeout: Option<Duration>,
    pub retry: RetryPolicy,
    pub records: Records,
}

/// What a pass led to.
pub(super) struct Passed {
    pub run_id: RunId,
    pub started: jiff::Timestamp,
    pub total: Duration,
    pub outcomes: Vec<Arc<Outcome>>,
    pub signal: Option<Exit>,
    /// Whether the records that were streamed could be written.
    pub written: io::Result<()>,
}

impl Passed {
    /// The exit code's meaning: a signal first, then the worst of the outcomes.
    pub(super) fn exit(&self, strictness: Strictness) -> Exit {
        self.signal.unwrap_or_else(|| Exit::worst(self.outcomes.iter().map(|outcome| Exit::of(outcome, strictness))))
    }

    /// Writes the report to standard output.
    pub(super) fn report(&self, format: Format, look: &Look, exit: Exit, notes: &[String]) -> anyhow::Result<()> {
        terminal::output(|out| report::render(&self.seen(exit, notes), format, look, out))?;
        Ok(())
    }

    /// What there is to report.
    pub(super) fn seen<'a>(&'a self, exit: Exit, notes: &'a [String]) -> Report<'a> {
        Report {
            run_id: &self.run_id,
            started: self.started,
            total: self.total,
            outcomes: &self.outcomes,
            exit,
            notes,
            source: None,
            gates: &[],
            strictness: Strictness::Lenient,
            host: None,
        }
    }
}

/// Runs one pass with log, progress, deadline and signals.
pub(super) async fn pass(
    runner: &Runner,
    jobs: Vec<Job>,
    run_id: RunId,
    settings: &PassSettings,
) -> anyhow::Result<Passed> {
    pass_heeding(runner, jobs, run_id, settings, &mut Signals::heed(), None).await
}

/// The same with signals that are heeded already, of which one may have come.
async fn pass_heeding(
    runner: &Runner,
    jobs: Vec<Job>,
    run_id: RunId,
    settings: &PassSettings,
    signals: &mut Signals,
    mut signal: Option<Exit>,
) -> anyhow::Result<Passed> {
    let clock = SystemClock;
    let (started, begun) = (clock.wall(), clock.now());
    let (stop, stopper) = watch::channel(signal.map_or(Stop::No, |_| Stop::Because(Cause::Signal)));
    let readers = Readers::start(jobs.len(), settings.records)?;
    let outcomes = {
        let passing = runner.pass(jobs, readers.listener(), stopper);
        let interrupted = signals.next();
        let deadline = async {
            match settings.timeout {
                Some(timeout) => tokio::time::sleep(timeout).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(passing, interrupted, deadline);
        let (mut waiting, mut listening) = (true, true);
        loop {
            tokio::select! {
                biased;
                outcomes = &mut passing => break outcomes,
                exit = &mut interrupted, if listening => {
                    listening = false;
                    signal = Some(exit);
                    stop.send_replace(Stop::Because(Cause::Signal));
                }
                () = &mut deadline, if waiting => {
                    waiting = false;
                    stop.send_replace(Stop::Because(Cause::Deadline));
                }
            }
        }
    };
    let total = clock.now().saturating_duration_since(begun);
    // A log or a report that nobody reads is waited for, unless a signal says not to.
    let written = tokio::select! {
        written = readers.finish() => written,
        exit = signals.next() => {
            signal.get_or_insert(exit);
            Ok(())
        }
    };
    Ok(Passed { run_id, started, total, outcomes, signal, written })
}

/// Waits for a signal, or until it is late: then there is none.
pub(super) async fn signal_or_late(signals: &mut Signals, late: Option<Instant>) -> Option<Exit> {
    let late = async {
        match late {
            Some(late) => tokio::time::sleep_until(late.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        exit = signals.next() => Some(exit),
        () = late => None,
    }
}

/// Waits for SIGINT or SIGTERM.
pub(super) async fn interrupted() -> Exit {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            // Without handlers the signals end the process by themselves.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => Exit::Interrupted,
            _ = terminate.recv() => Exit::Terminated,
        }
    }
    #[cfg(not(unix))]
    {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Exit::Interrupted,
            Err(_) => std::future::pending().await,
        }
    }
}
