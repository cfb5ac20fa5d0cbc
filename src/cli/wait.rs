//! `pilotlight wait`: block until a gate opens, and exit 0; give up at once where waiting cannot open it.
//!
//! The waiting itself is `run/wait.rs`; which gates are meant is `wait/awaited.rs`.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::sync::watch;

use super::check::{DepthArg, duration, runtime, signal_or_late, treasury};
use super::ended::Ended;
use super::from::{FromArgs, refuse_unnamed};
use super::progress::Progress;
use super::readers::{Readers, Records};
use super::reports::ReportArgs;
use super::run::StateArgs;
use super::signals::{Signals, end_at_once};
use super::{Global, setup, terminal};
use crate::exit::{Exit, Strictness};
use crate::outcome::words::cost;
use crate::outcome::{Cost, GateState, Outcome, Verdict};
use crate::plan::{Accepts, Patience, RetryPolicy, Watches};
use crate::probe::clock::Clock;
use crate::probe::transport::HttpNetwork;
use crate::probe::{Cause, Job};
use crate::quota::Spending;
use crate::report::{GateReport, Report};
use crate::run::{Awaited, Chance, Runner, Stop, SystemClock, WaitSettings, Waited, run_id};
use crate::target::{Depth, TargetId};

mod awaited;

use awaited::AwaitedArgs;

/// Arguments of `wait`.
#[derive(Debug, Args)]
pub(super) struct WaitArgs {
    #[command(flatten)]
    awaited: AwaitedArgs,
    #[command(flatten)]
    from: FromArgs,
    /// Give up after this time
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    deadline: Duration,
    /// How far to climb: connect, auth (free), warm (costs a request) [default: each target's own, else warm]
    #[arg(long, short, value_name = "DEPTH")]
    depth: Option<DepthArg>,
    /// Wait for the main target although a fallback is ready; a gate that opens on a fallback or with a warning: exit 4
    #[arg(long)]
    strict: bool,
    /// Warm whatever a provider refused before, and beyond the daily cap
    #[arg(long)]
    ignore_quota: bool,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    reports: ReportArgs,
}

pub(super) fn run(global: &Global, args: &WaitArgs) -> anyhow::Result<Ended> {
    let environment = setup::environment(global)?;
    setup::start_log(global)?;
    let (config, environment) = args.from.config(global, environment)?;
    let (gates, targets) = args.awaited.select(&config)?;
    refuse_unnamed(&targets, args.depth.map(Depth::from))?;
    let mut notes = config.notes_for(&targets);
    let runtime = runtime()?;
    let mut signals = runtime.block_on(async { Signals::heed() });
    let reports = args.reports.open(&environment, &terminal::look(global, &environment))?;
    let chance = Arc::new(Chance::new());
    let clock = Arc::new(SystemClock);
    let (started, begun) = (clock.wall(), clock.now());
    let run_id = run_id(clock.wall(), &chance);
    let depth = args.depth.map(Depth::from);
    let (jobs, ended) = runtime.block_on(async {
        let end = signal_or_late(&mut signals, begun.checked_add(args.deadline));
        setup::jobs_until(targets, depth, &run_id, &environment, &config.directory, end).await
    });
    let settings = WaitSettings {
        // Reading the keys counts.
        begun,
        deadline: args.deadline,
        accepts: if args.strict { Accepts::MainFirst } else { Accepts::Fallback },
        patience: Patience::default(),
    };
    let spending = if args.ignore_quota { Spending::Unlimited } else { Spending::ByHand };
    let treasury = treasury(spending, &config, args.state.directory(&environment).ok(), clock.clone());
    // One attempt a probe: all pauses are the wait's own.
    let retry = RetryPolicy { attempts: 1, loading: Watches::Closely, ..RetryPolicy::default() };
    let attended = runtime.block_on(async {
        let network = Arc::new(HttpNetwork::new(clock.clone()));
        let runner = Runner::new(network, clock.clone(), chance, retry, treasury);
        let heeded = (&mut signals, ended.flatten());
        attend(&runner, jobs, &gates, &settings, reports.records(), heeded).await
    })?;
    end_at_once(runtime);
    let strictness = if args.strict { Strictness::Strict } else { Strictness::Lenient };
    let exit = attended.signal.unwrap_or_else(|| exit(&attended.waited, strictness));
    let gates = gate_reports(&gates, &attended.waited);
    notes.extend(unneeded(&attended.waited.unneeded, &gates));
    let report = Report {
        run_id: &run_id,
        started,
        total: clock.now().saturating_duration_since(begun),
        outcomes: &attended.waited.outcomes,
        exit,
        notes: &notes,
        source: Some(&config.path),
        gates: &gates,
        strictness,
        host: None,
    };
    reports.write(&report, attended.written.as_ref().err())
}

/// What a wait led to, and how it was ended.
struct Attended {
    waited: Waited,
    signal: Option<Exit>,
    /// Whether the records that were streamed could be written.
    written: std::io::Result<()>,
}

/// Waits, with log, progress and signals, of which one may have come already.
async fn attend(
    runner: &Runner,
    jobs: Vec<Job>,
    gates: &[Awaited],
    settings: &WaitSettings,
    records: Records,
    (signals, mut signal): (&mut Signals, Option<Exit>),
) -> anyhow::Result<Attended> {
    let (stop, stopper) = watch::channel(signal.map_or(Stop::No, |_| Stop::Because(Cause::Signal)));
    let readers = Readers::beside(Progress::of_a_wait(jobs.len(), settings.deadline), records)?;
    let listener = readers.listener();
    let waited = {
        let waiting = runner.wait(jobs, gates, settings, &listener, stopper);
        tokio::pin!(waiting);
        tokio::select! {
            biased;
            waited = &mut waiting => waited,
            exit = signals.next() => {
                signal = Some(exit);
                stop.send_replace(Stop::Because(Cause::Signal));
                // What is known is told.
                waiting.await
            }
        }
    };
    drop(listener);
    // A log or a report that nobody reads is waited for, unless a signal says not to.
    let written = tokio::select! {
        written = readers.finish() => written,
        exit = signals.next() => {
            signal.get_or_insert(exit);
            Ok(())
        }
    };
    Ok(Attended { waited, signal, written })
}

/// The exit of gates that were waited for: of those that did not open, the worst of the targets that they lacked.
fn exit(waited: &Waited, strictness: Strictness) -> Exit {
    let of_target = |target: &TargetId| {
        let outcome = waited.outcomes.iter().find(|outcome| outcome.target.id == *target);
        outcome.map_or(Exit::Unknown, |outcome| Exit::of(outcome, strictness))
    };
    let held = waited.gates.iter().flat_map(|gate| &gate.held_by).map(of_target);
    let states = waited.gates.iter().map(|gate| match (gate.state, strictness) {
        (GateState::Degraded, Strictness::Strict) => Exit::Degraded,
        (GateState::Open | GateState::Degraded, _) => Exit::Ready,
        // Never better than this, and nothing beside what is known of the targets.
        (GateState::Waiting | GateState::Shut | GateState::Late, _) => Exit::Unknown,
    });
    Exit::worst(states.chain(held))
}

/// What is to be said of targets that were asked for nothing, if there are any.
fn unneeded(outcomes: &[Arc<Outcome>], gates: &[GateReport]) -> Option<String> {
    let names: Vec<&str> = outcomes.iter().map(|outcome| outcome.target.id.as_str()).collect();
    let mut all = Cost::default();
    outcomes.iter().for_each(|outcome| all.add(outcome.cost));
    let spent = cost(all).map(|spent| format!(", after {spent}")).unwrap_or_default();
    let why = match gates.iter().find(|gate| gate.verdict == Verdict::Failed) {
        Some(shut) => format!("because {} cannot open", shut.name),
        None => "for all was settled without them".to_owned(),
    };
    (!names.is_empty()).then(|| format!("stopped, {why}{spent}: {}", names.join(", ")))
}

/// The gates as the report has them.
fn gate_reports(gates: &[Awaited], waited: &Waited) -> Vec<GateReport> {
    let verdict = |state| match state {
        GateState::Open => Verdict::Ready,
        GateState::Degraded => Verdict::Degraded,
        GateState::Shut => Verdict::Failed,
        GateState::Waiting | GateState::Late => Verdict::Unknown,
    };
    let ends = gates.iter().zip(&waited.gates);
    ends.map(|(gate, end)| GateReport {
        name: gate.name.clone(),
        line: gate.line,
        verdict: verdict(end.state),
        says: end.says.clone(),
    })
    .collect()
}
