//! What every subcommand that reads the configuration does first: environment, file, log.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::progress::BesideProgress;
use super::terminal::{self, Usage, tell};
use super::{Global, LogFormatArg};
use crate::config::{self, Config, Environment, LoadError};
use crate::outcome::RunId;
use crate::probe::Job;
use crate::probe::clock::Clock;
use crate::run::SystemClock;
use crate::target::{Credential, CredentialSource, Depth, Provider, ProviderId, Target};
use crate::telemetry::log::{self, LogFilter, LogFormat, LogSettings, Priority};

/// The environment, with the `.env` file where one was given.
pub(super) fn environment(global: &Global) -> anyhow::Result<Environment> {
    let environment = Environment::from_process();
    let Some(path) = &global.env_file else { return Ok(environment) };
    let environment = environment.with_env_file(path).map_err(|error| Usage(format!("failed to {error}")))?;
    for note in environment.notes() {
        tell(&format!("note: {}:{}: {}", path.display(), note.line, note.text));
    }
    Ok(environment)
}

/// The configuration.
pub(super) fn config(global: &Global, environment: &Environment) -> anyhow::Result<Config> {
    let path = config::find(global.config.as_deref(), environment).map_err(|error| Usage(error.to_string()))?;
    load(&path, environment)
}

fn load(path: &Path, environment: &Environment) -> anyhow::Result<Config> {
    config::load(path, environment).map_err(|error| match error {
        LoadError::Mistakes(mistakes) => anyhow::Error::new(*mistakes),
        error => anyhow::Error::new(Usage(format!("failed to {error}"))),
    })
}

/// Starts the log. On a terminal the report is enough, unless a log was asked for.
pub(super) fn start_log(global: &Global) -> anyhow::Result<()> {
    let asked = global.log_format.is_some() || global.log_level.is_some();
    if io::stderr().is_terminal() && !asked {
        return Ok(());
    }
    install_log(global)
}

/// Starts the log of a service, which has no report: it is there on a terminal too.
pub(super) fn start_service_log(global: &Global) -> anyhow::Result<()> {
    install_log(global)
}

fn install_log(global: &Global) -> anyhow::Result<()> {
    // In the journal each line has its priority, so that `journalctl -p err` finds failures.
    let priority = if terminal::is_journal() { Priority::Marked } else { Priority::Unmarked };
    let format = match global.log_format {
        Some(LogFormatArg::Json) => LogFormat::Json,
        Some(LogFormatArg::Text) => LogFormat::Text,
        None if io::stderr().is_terminal() => LogFormat::Text,
        None => LogFormat::Json,
    };
    let filter = global.log_level.as_deref().unwrap_or("info");
    let settings = LogSettings {
        format,
        priority,
        filter: LogFilter::parse(filter).map_err(|error| Usage(format!("failed to read --log-level: {error}")))?,
        writer: BoxMakeWriter::new(|| BesideProgress),
        now: || SystemClock.wall(),
        zone: None,
    };
    log::install(settings).context("failed to start the log")
}

/// A job for each target. Each provider's key is read once, and only where a stage will look at it; all at the same time,
/// because a command may take seconds.
pub(super) fn jobs(
    targets: Vec<Target>,
    depth: Option<Depth>,
    run_id: &RunId,
    environment: &Environment,
    directory: &Path,
) -> Vec<Job> {
    let depth_of = |target: &Target| depth.unwrap_or(target.depth);
    let mut providers: HashMap<ProviderId, Arc<Provider>> = HashMap::new();
    for target in targets.iter().filter(|target| depth_of(target) > Depth::Connect) {
        providers.entry(target.provider.id.clone()).or_insert_with(|| Arc::clone(&target.provider));
    }
    let read = |provider: &Provider| Arc::new(config::read_credential(provider, environment, directory));
    let credentials: HashMap<ProviderId, Arc<Credential>> = std::thread::scope(|scope| {
        let (slow, quick): (Vec<_>, Vec<_>) =
            providers.values().partition(|provider| matches!(provider.key, CredentialSource::Command(_)));
        let slow: Vec<_> =
            slow.into_iter().map(|provider| (provider.id.clone(), scope.spawn(move || read(provider)))).collect();
        let quick: Vec<_> = quick.into_iter().map(|provider| (provider.id.clone(), read(provider))).collect();
        // A reader that panicked leaves its provider without a key, and the probe says so.
        let slow = slow.into_iter().filter_map(|(id, reader)| Some((id, reader.join().ok()?)));
        quick.into_iter().chain(slow).collect()
    });
    let job = |target: Target| {
        let credential = match credentials.get(&target.provider.id) {
            Some(credential) if depth_of(&target) > Depth::Connect => Arc::clone(credential),
            _ => Arc::new(Credential::NotNeeded),
        };
        let depth = depth_of(&target);
        Job { target: Arc::new(target), credential, depth, run_id: run_id.clone(), cold_until: None }
    };
    targets.into_iter().map(job).collect()
}
