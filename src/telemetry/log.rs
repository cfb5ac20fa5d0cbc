//! The log: one line per event, as JSON with a schema of our own, or as text for people.
//!
//! A finished probe is logged with the fields of [`Record`], the same as in the JSON report; `docs/log.md` lists them.
//! Other rooms log with `tracing`'s macros and a name: `tracing::info!(name: "config.reloaded", targets = 7)`.

use std::str::FromStr;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt;

use super::escape::json;
use super::line::Lines;
use super::{gates, service};
use crate::outcome::{Code, Event, Record, Verdict};

/// A probe began. Level `debug`.
pub const PROBE_STARTED: &str = "probe.started";
/// A probe entered a stage. Level `trace`.
pub const PROBE_ENTERED: &str = "probe.entered";
/// A probe will be tried again. Level `info`; `debug` where the model goes on loading.
pub const PROBE_RETRYING: &str = "probe.retrying";
/// A probe ended. Level `info` when it is ready or its warm-up was withheld to spare the quota, else `warn` when it is degraded or unknown, `error` when it failed; `debug` where `wait` has been told the same of it before.
pub const PROBE_FINISHED: &str = "probe.finished";
/// The status of a target changed. Level `error` when it goes down, `warn` when degraded, else `info`.
pub const TARGET_STATUS: &str = "target.status";
/// A trouble that all targets of a provider share began or ended. Level `error` or `info`.
pub const PROVIDER_STATUS: &str = "provider.status";
/// Events found no room in the log's queue. Level `warn`.
pub const LOG_DROPPED: &str = "log.dropped";
/// What has no name: a line of a library. The field `origin` says of which.
pub const LOG: &str = "log";

/// A library whose faults are caught and told by us; its own lines about them come by the thousand. Silent unless asked for
/// (`tokio_cron_scheduler=warn`).
const SCHEDULER: &str = "tokio_cron_scheduler";
/// Where our own events say they come from.
pub(super) const ORIGIN: &str = "pilotlight::telemetry";
/// The field that holds a whole record. A callsite has at most 32 fields, all known when it is compiled, and absent ones
/// would be lost; so a record travels as the one JSON object that it becomes anyway.
pub(super) const RECORD: &str = "record";

/// Logs an event of the stream. Costs a comparison where nobody listens at its level.
pub fn emit(event: &Event) {
    match event {
        Event::Started { target, depth } => {
            tracing::debug!(name: PROBE_STARTED, target: ORIGIN, target = target.as_str(), depth = depth.name());
        }
        Event::Entered { target, stage } => {
            tracing::trace!(name: PROBE_ENTERED, target: ORIGIN, target = target.as_str(), stage = stage.name());
        }
        // That it goes on loading is no news.
        Event::Retrying { target, attempt, code } if *code == Code::Loading && *attempt > 2 => tracing::debug!(
            name: PROBE_RETRYING, target: ORIGIN, target = target.as_str(), attempt = attempt, code = code.name()
        ),
        Event::Retrying { target, attempt, code } => tracing::info!(
            name: PROBE_RETRYING, target: ORIGIN, target = target.as_str(), attempt = attempt, code = code.name()
        ),
        Event::Finished(outcome) => {
            let record = || json(&Record::of(outcome));
            match crate::outcome::judge(outcome) {
                // It was meant so: nobody is to be woken by it.
                Verdict::Unknown if outcome.withheld.is_some() => {
                    tracing::info!(name: PROBE_FINISHED, target: ORIGIN, record = record().as_str());
                }
                Verdict::Ready => tracing::info!(name: PROBE_FINISHED, target: ORIGIN, record = record().as_str()),
                Verdict::Degraded | Verdict::Unknown => {
                    tracing::warn!(name: PROBE_FINISHED, target: ORIGIN, record = record().as_str());
                }
                Verdict::Failed => tracing::error!(name: PROBE_FINISHED, target: ORIGIN, record = record().as_str()),
            }
        }
        Event::FinishedAlike(outcome) => {
            // What was told already is for those who want every probe.
            tracing::debug!(name: PROBE_FINISHED, target: ORIGIN, record = json(&Record::of(outcome)).as_str());
        }
        Event::Pausing { target, code, after } => gates::pausing(target, *code, *after),
        Event::Gate(news) => gates::news(news),
        Event::Told(notice) => service::notice(notice),
        Event::Service(service) => service::service(service),
    }
}

/// Whether an event would be logged. Most of a probe's events are for the levels below `info`, and handing them to
/// another thread for nothing costs more than the rest of the log.
#[must_use]
pub fn wants(event: &Event) -> bool {
    match event {
        Event::Started { .. } | Event::FinishedAlike(_) | Event::Pausing { .. } => {
            tracing::enabled!(target: ORIGIN, tracing::Level::DEBUG)
        }
        Event::Entered { .. } => tracing::enabled!(target: ORIGIN, tracing::Level::TRACE),
        Event::Retrying { .. } | Event::Finished(_) | Event::Gate(_) | Event::Told(_) | Event::Service(_) => {
            tracing::enabled!(target: ORIGIN, tracing::Level::ERROR)
        }
    }
}

/// Logs that events found no room: whatever reads the log was too slow for a while.
pub fn dropped(events: u64) {
    tracing::warn!(name: LOG_DROPPED, target: ORIGIN, events = events);
}

/// The layout of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// JSON lines, for collectors.
    #[default]
    Json,
    /// `19:02:11 WARN  probe.finished target=glm …`, for people.
    Text,
}

impl LogFormat {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Json, Self::Text];

    /// The word used on the command line and in YAML.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
        }
    }

    /// The format with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// Why a filter cannot be read. The text fits after "failed to".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a level (off, error, warn, info, debug, trace) nor `module=level`")]
pub struct LogFilterError(String);

/// Which events are logged.
#[derive(Debug, Clone)]
pub struct LogFilter(Targets);

impl LogFilter {
    /// Reads a filter: levels and `module=level`, separated by commas (`debug,hyper=info`). A bare level is for our own
    /// events, `info` unless said; libraries log at `warn`, or less where ours do. `off` silences all.
    ///
    /// # Errors
    /// When a part is neither. (`tracing` itself would take a misspelled level for the name of a module.)
    pub fn parse(text: &str) -> Result<Self, LogFilterError> {
        let mut own = LevelFilter::INFO;
        let mut modules = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = || LogFilterError(part.to_owned());
            // Numbers are levels to `tracing` too, but say nothing to a reader.
            let level = |text: &str| match text.parse::<u8>() {
                Ok(_) => Err(wrong()),
                Err(_) => LevelFilter::from_str(text).map_err(|_| wrong()),
            };
            match part.split_once('=') {
                None => own = level(part)?,
                Some((module, text)) if !module.trim().is_empty() => {
                    modules.push((module.trim().to_owned(), level(text.trim())?));
                }
                Some(_) => return Err(wrong()),
            }
        }
        let base = Targets::new().with_default(own.min(LevelFilter::WARN)).with_target("pilotlight", own);
        let base = base.with_target(SCHEDULER, LevelFilter::OFF);
        Ok(Self(base.with_targets(modules)))
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        let base = Targets::new().with_default(LevelFilter::WARN).with_target(SCHEDULER, LevelFilter::OFF);
        Self(base.with_target("pilotlight", LevelFilter::INFO))
    }
}

/// Whether a line begins with its priority as journald reads it: `<3>` for an error (`sd-daemon(3)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Priority {
    /// It does not.
    #[default]
    Unmarked,
    /// It does; journald takes it off again.
    Marked,
}

/// How and where to log.
#[derive(Debug)]
pub struct LogSettings {
    /// The layout.
    pub format: LogFormat,
    /// Whether a line begins with its priority.
    pub priority: Priority,
    /// What is logged.
    pub filter: LogFilter,
    /// Where lines go: `BoxMakeWriter::new(std::io::stderr)` in the program.
    pub writer: BoxMakeWriter,
    /// The clock that `ts` is read from.
    pub now: fn() -> Timestamp,
    /// The zone of the text format's clock; the system's where absent.
    pub zone: Option<TimeZone>,
}

/// Why the log could not be installed.
#[derive(Debug, thiserror::Error)]
#[error("install the log: there is one already")]
pub struct LogInstallError(#[from] tracing::subscriber::SetGlobalDefaultError);

/// Makes this the log of the process.
///
/// # Errors
/// When there is one already.
pub fn install(settings: LogSettings) -> Result<(), LogInstallError> {
    Ok(tracing::subscriber::set_global_default(subscriber(settings))?)
}

/// Logs so while `work` runs, on this thread only. For tests, and for whoever wants two logs.
pub fn with<T>(settings: LogSettings, work: impl FnOnce() -> T) -> T {
    tracing::subscriber::with_default(subscriber(settings), work)
}

fn subscriber(settings: LogSettings) -> impl Subscriber + Send + Sync {
    let LogSettings { format, priority, filter: LogFilter(targets), writer, now, zone } = settings;
    let zone = zone.map_or_else(OnceLock::new, OnceLock::from);
    tracing_subscriber::registry().with(Lines { format, priority, writer, now, zone }).with(targets)
}
