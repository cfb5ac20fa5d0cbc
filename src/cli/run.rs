//! `pilotlight run`: the daemon, or with `--once` what is due, from a timer.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use secrecy::SecretString;
use tokio::sync::mpsc;

use super::check::{duration, runtime};
use super::service_log::ServiceLog;
use super::terminal::{self, Usage};
use super::wanted::WantedArgs;
use super::{Global, setup};
use crate::config::{self, Environment};
use crate::daemon::{
    Board, Daemon, DaemonError, Exhibit, Manager, Pace, Parts, Signal, Source, SourceError, TimeScale, Wanted,
};
use crate::exit::{Exit, Strictness};
use crate::outcome::Status;
use crate::probe::clock::Clock;
use crate::probe::transport::HttpNetwork;
use crate::report::{self, Format, Report};
use crate::run::{Chance, SystemClock, run_id};
use crate::serve::{ListenAddress, ServeError, Server};
use crate::store::state_directory;
use crate::telemetry::{Metrics, write_textfile};

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    wanted: WantedArgs,
    /// Probe what is due by its schedule, report, and end: for cron and systemd timers
    #[arg(long)]
    once: bool,
    /// With --once: probe every target, due or not
    #[arg(long, requires = "once")]
    now: bool,
    /// With --once: count `degraded` as not ready: exit 4
    #[arg(long, requires = "once")]
    strict: bool,
    /// With --once: end with 0 until the status of a target is down (or degraded, with --strict), not at its first failure
    #[arg(long, requires = "once", conflicts_with = "no_state")]
    damped: bool,
    #[command(flatten)]
    state: StateArgs,
    /// Keep no history and no status
    #[arg(long, conflicts_with = "state_dir")]
    no_state: bool,
    /// Where /metrics, /healthz, /readyz and /status are served: host:port, unix:/path, or none
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9477", conflicts_with = "once")]
    listen: String,
    /// A file with the bearer token that /metrics and /status ask for
    #[arg(long, value_name = "FILE", conflicts_with = "once")]
    token_file: Option<PathBuf>,
    /// Write the metrics to this file, for node_exporter's textfile collector: after --once, or every 15 seconds
    #[arg(long, value_name = "FILE.prom")]
    textfile: Option<PathBuf>,
    /// How long probes under way may take to finish when it is asked to end
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = duration, conflicts_with = "once")]
    drain: Duration,
}

/// Where the state is kept.
#[derive(Debug, Clone, Args)]
pub(super) struct StateArgs {
    /// Where history and status are kept [default: $STATE_DIRECTORY, /var/lib/pilotlight for root, else
    /// ~/.local/state/pilotlight]
    #[arg(long, value_name = "FOLDER", env = "PILOTLIGHT_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
}

impl StateArgs {
    /// The folder.
    pub(super) fn directory(&self, environment: &Environment) -> anyhow::Result<PathBuf> {
        let places = environment.state_places(self.state_dir.clone());
        state_directory(&places).ok_or_else(|| {
            Usage("there is no folder for the state: HOME is not set; say one with --state-dir FOLDER".to_owned())
                .into()
        })
    }
}

/// How often the metrics are written to a file.
const TEXTFILE_EVERY: Duration = Duration::from_secs(15);

pub(super) fn run(global: &Global, args: &RunArgs) -> anyhow::Result<Exit> {
    // The variables of the process alone: the daemon reads the .env file itself, again at each reload.
    let environment = setup::environment(global)?;
    if args.once {
        setup::start_log(global)?;
    } else {
        setup::start_service_log(global)?;
    }
    args.textfile.as_deref().map(check_textfile).transpose()?;
    let path = config::find(global.config.as_deref(), &environment).map_err(|error| Usage(error.to_string()))?;
    let state = match args.no_state {
        true => None,
        false => Some(args.state.directory(&environment)?),
    };
    let source = Source {
        path,
        environment: Environment::from_process(),
        env_file: global.env_file.clone(),
        names: args.wanted.targets.clone(),
        tags: args.wanted.tag.clone(),
        providers: args.wanted.provider.clone(),
    };
    let runtime = runtime()?;
    let exit = runtime.block_on(async {
        if args.once { once(global, args, source, state, &environment).await } else { stay(args, source, state).await }
    });
    // Name look-ups run on threads that cannot be cancelled; the process does not wait for them.
    runtime.shutdown_background();
    exit
}

/// A daemon's parts, with the program's own clock, network and log.
fn parts(source: Source, state: Option<PathBuf>, manager: Manager, pace: Pace, log: &ServiceLog) -> Parts {
    let clock = Arc::new(SystemClock);
    Parts {
        source,
        network: Arc::new(HttpNetwork::new(clock.clone())),
        board: Arc::new(Board::new(clock.now())),
        clock,
        chance: Arc::new(Chance::new()),
        listener: log.listener(),
        state,
        manager,
        metrics: Metrics::new(env!("CARGO_PKG_VERSION"), []),
        pace,
        time_scale: TimeScale::REAL,
    }
}

async fn stay(args: &RunArgs, source: Source, state: Option<PathBuf>) -> anyhow::Result<Exit> {
    let address = listen_address(&args.listen)?;
    let token = args.token_file.as_deref().map(token).transpose()?;
    let log = ServiceLog::start()?;
    let parts = parts(source, state, Manager::of_process(), Pace { drain: args.drain, ..Pace::default() }, &log);
    let exhibit = Arc::new(Exhibit::new(Arc::clone(&parts.board), parts.metrics.clone(), Arc::clone(&parts.clock)));
    let metrics = parts.metrics.clone();
    let mut signals = signals();
    // The address is taken before anything is probed: two daemons by mistake are told so at once.
    let server = match &address {
        None => None,
        Some(address) => {
            let server = Server::bind(address, token, exhibit).await;
            Some(server.map_err(unheard)?)
        }
    };
    // It answers while the daemon starts, too: that it is not ready.
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = server.map(|server| {
        tokio::spawn(server.run(async {
            stopped.await.ok();
        }))
    });
    // Starting may take long, where another process holds the store or a command asks for a password.
    let started = tokio::select! {
        biased;
        () = asked_to_end(&mut signals) => None,
        daemon = Daemon::start(parts) => Some(daemon.map_err(explained)?),
    };
    if let Some(daemon) = started {
        let writing = args.textfile.clone().map(|path| tokio::spawn(write_metrics(path, metrics)));
        daemon.run(signals).await;
        if let Some(writing) = writing {
            writing.abort();
        }
    }
    drop(stop);
    if let Some(serving) = serving {
        // A client that does not let go must not keep the process.
        tokio::time::timeout(Duration::from_secs(2), serving).await.ok();
    }
    log.finish().await;
    Ok(Exit::Ready)
}

/// Waits until somebody asks it to end. That the configuration is to be read is what it does anyway.
async fn asked_to_end(signals: &mut mpsc::UnboundedReceiver<Signal>) {
    while signals.recv().await == Some(Signal::Reload) {}
}

async fn once(
    global: &Global,
    args: &RunArgs,
    source: Source,
    state: Option<PathBuf>,
    environment: &Environment,
) -> anyhow::Result<Exit> {
    let log = ServiceLog::start()?;
    let parts =
        parts(source, state, Manager::default(), Pace { store: Duration::from_secs(60), ..Pace::default() }, &log);
    let (clock, metrics) = (Arc::clone(&parts.clock), parts.metrics.clone());
    let run_id = run_id(clock.wall(), &parts.chance);
    let (started, begun) = (clock.wall(), clock.now());
    let daemon = Daemon::start(parts).await.map_err(explained)?;
    let passed = daemon.once(&run_id, if args.now { Wanted::All } else { Wanted::Due }, signals()).await;
    log.finish().await;
    let strictness = if args.strict { Strictness::Strict } else { Strictness::Lenient };
    let exit = match passed.stopped {
        Some(Signal::Interrupt) => Exit::Interrupted,
        Some(Signal::Terminate | Signal::Reload) => Exit::Terminated,
        None => {
            let counted = |status: Status| match status {
                Status::Down => true,
                Status::Degraded => args.strict,
                Status::Unknown | Status::Up | Status::Maintenance => false,
            };
            let outcomes = passed.outcomes.iter().zip(&passed.statuses);
            let counted = outcomes.filter(|(_, status)| !args.damped || counted(**status));
            Exit::worst(counted.map(|(outcome, _)| Exit::of(outcome, strictness)))
        }
    };
    if passed.outcomes.is_empty() {
        terminal::output(|out| match passed.next {
            Some(next) => writeln!(out, "Nothing is due; the next probe is at {next:.0}."),
            None => writeln!(out, "Nothing is due, and nothing will be: no target has a schedule."),
        })?;
    } else {
        let total = clock.now().saturating_duration_since(begun);
        let report = Report {
            run_id: &run_id,
            started,
            total,
            outcomes: &passed.outcomes,
            exit,
            notes: &[],
            source: None,
            gates: &[],
            strictness,
            host: None,
        };
        let look = terminal::look(global, environment);
        terminal::output(|out| report::render(&report, Format::Human, &look, out))?;
    }
    // What was found outranks that it could not be written.
    match args.textfile.as_deref().map(|path| write_textfile(path, &metrics.textfile())) {
        Some(Err(error)) if matches!(exit, Exit::Ready | Exit::Degraded) => Err(anyhow::anyhow!("failed to {error}")),
        Some(Err(error)) => {
            terminal::tell(&format!("error: failed to {error}"));
            Ok(exit)
        }
        Some(Ok(())) | None => Ok(exit),
    }
}

/// Refuses a place for the metrics that cannot be right, before anything is probed.
fn check_textfile(path: &Path) -> anyhow::Result<()> {
    let told = |what: &str| Usage(format!("failed to read --textfile: {} {what}", path.display())).into();
    if path.extension() != Some("prom".as_ref()) {
        return Err(told("does not end in .prom, and node_exporter reads no other file"));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() { Ok(()) } else { Err(told("is in a folder that is not there; make it first")) }
}

fn explained(error: DaemonError) -> anyhow::Error {
    match error {
        DaemonError::Source(SourceError::Mistakes(text)) => Usage(text).into(),
        DaemonError::Source(error) => Usage(error.to_string()).into(),
        // Its text has its cause's; as a cause it would be told twice.
        error => anyhow::anyhow!("{error}"),
    }
}

/// Why it cannot listen. What another process holds, or what the machine does not have yet, may change by itself: a
/// service manager may start us again. Anything else is a mistake in the arguments.
fn unheard(error: ServeError) -> anyhow::Error {
    match error {
        ServeError::InUse(_) | ServeError::Bind { .. } => anyhow::anyhow!("failed to {error}"),
        error => Usage(format!("failed to {error}")).into(),
    }
}

fn listen_address(text: &str) -> anyhow::Result<Option<ListenAddress>> {
    if text == "none" {
        return Ok(None);
    }
    match text.parse() {
        Ok(address) => Ok(Some(address)),
        Err(error) => Err(Usage(format!("failed to read --listen: {error}")).into()),
    }
}

fn token(path: &Path) -> anyhow::Result<SecretString> {
    let wrong = |reason: String| Usage(format!("failed to read the token file {}: {reason}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let text = text.trim();
    if text.len() < 16 {
        return Err(
            wrong("it holds fewer than 16 characters; `openssl rand -hex 32` makes a good one".to_owned()).into()
        );
    }
    Ok(SecretString::from(text.to_owned()))
}

/// Writes the metrics now and then. A file that cannot be written is told of by the log, once a time.
async fn write_metrics(path: PathBuf, metrics: Metrics) {
    let mut interval = tokio::time::interval(TEXTFILE_EVERY);
    let mut failed = false;
    loop {
        interval.tick().await;
        let (metrics, place) = (metrics.clone(), path.clone());
        let written = tokio::task::spawn_blocking(move || write_textfile(&place, &metrics.textfile())).await;
        match written {
            Ok(Err(error)) if !failed => {
                failed = true;
                tracing::error!(name: "textfile.failing", path = %path.display(), error = %error);
            }
            Ok(Ok(())) => failed = false,
            Ok(Err(_)) | Err(_) => {}
        }
    }
}

/// SIGHUP reloads; SIGTERM and SIGINT end, and a second one at once.
fn signals() -> mpsc::UnboundedReceiver<Signal> {
    let (send, receive) = mpsc::unbounded_channel();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [
            (SignalKind::hangup(), Signal::Reload),
            (SignalKind::terminate(), Signal::Terminate),
            (SignalKind::interrupt(), Signal::Interrupt),
        ];
        for (kind, meaning) in kinds {
            // Without a handler the signal does what it does by itself.
            let Ok(mut stream) = signal(kind) else { continue };
            let send = send.clone();
            tokio::spawn(async move { while stream.recv().await.is_some() && send.send(meaning).is_ok() {} });
        }
    }
    #[cfg(not(unix))]
    tokio::spawn(async move { while tokio::signal::ctrl_c().await.is_ok() && send.send(Signal::Interrupt).is_ok() {} });
    receive
}
