//! What every subcommand that reads the configuration does first: environment, file, log.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use tokio::task::JoinSet;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::progress::BesideProgress;
use super::terminal::{self, Usage, tell};
use super::{Global, LogFormatArg};
use crate::config::{self, Config, Environment, LoadError};
use crate::outcome::RunId;
use crate::probe::Job;
use crate::probe::clock::Clock;
use crate::run::SystemClock;
use crate::target::{Credential, CredentialFault, CredentialSource, Depth, Provider, ProviderId, Target};
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
    let providers = asked_for_keys(&targets, depth);
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
    with_credentials(targets, depth, run_id, &credentials)
}

/// The same within a runtime, with an end: what is not read when `end` comes counts as not there. What `end` said, where
/// it came first.
pub(super) async fn jobs_until<E>(
    targets: Vec<Target>,
    depth: Option<Depth>,
    run_id: &RunId,
    environment: &Environment,
    directory: &Path,
    end: impl Future<Output = E>,
) -> (Vec<Job>, Option<E>) {
    let providers = asked_for_keys(&targets, depth);
    let (shared, folder) = (Arc::new(environment.clone()), Arc::new(directory.to_owned()));
    let mut credentials = HashMap::new();
    let mut reading = JoinSet::new();
    for (id, provider) in &providers {
        // Only these can take time: a file may be a pipe.
        if matches!(provider.key, CredentialSource::Command(_) | CredentialSource::File(_)) {
            let (provider, environment, directory) = (Arc::clone(provider), Arc::clone(&shared), Arc::clone(&folder));
            reading.spawn_blocking(move || {
                let credential = config::read_credential(&provider, &environment, &directory);
                (provider.id.clone(), Arc::new(credential))
            });
        } else {
            credentials.insert(id.clone(), Arc::new(config::read_credential(provider, environment, directory)));
        }
    }
    tokio::pin!(end);
    let ended = loop {
        tokio::select! {
            biased;
            ended = &mut end => break Some(ended),
            read = reading.join_next() => match read {
                Some(Ok((id, credential))) => {
                    credentials.insert(id, credential);
                }
                // A reader that panicked leaves its provider without a key.
                Some(Err(_)) => {}
                None => break None,
            },
        }
    };
    // A command that still runs is left to itself: it cannot be cancelled.
    reading.detach_all();
    for (id, provider) in providers {
        credentials.entry(id).or_insert_with(|| Arc::new(not_in_time(&provider.key)));
    }
    (with_credentials(targets, depth, run_id, &credentials), ended)
}

fn not_in_time(source: &CredentialSource) -> Credential {
    let reason = "it was not done in time".to_owned();
    let fault = match source {
        CredentialSource::File(path) => CredentialFault::FileUnreadable { path: path.clone(), reason },
        CredentialSource::Command(words) => {
            CredentialFault::CommandFailed { program: words.first().cloned().unwrap_or_default(), reason }
        }
        // These take no time.
        CredentialSource::NotNeeded | CredentialSource::Env(_) | CredentialSource::Literal(_) => {
            return Credential::NotNeeded;
        }
    };
    Credential::Missing { source: source.clone(), fault }
}

/// The providers of which a key is needed.
fn asked_for_keys(targets: &[Target], depth: Option<Depth>) -> HashMap<ProviderId, Arc<Provider>> {
    let looks = |target: &&Target| depth.unwrap_or(target.depth) > Depth::Connect;
    let provider = |target: &Target| (target.provider.id.clone(), Arc::clone(&target.provider));
    targets.iter().filter(looks).map(provider).collect()
}

fn with_credentials(
    targets: Vec<Target>,
    depth: Option<Depth>,
    run_id: &RunId,
    credentials: &HashMap<ProviderId, Arc<Credential>>,
) -> Vec<Job> {
    let depth_of = |target: &Target| depth.unwrap_or(target.depth);
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
