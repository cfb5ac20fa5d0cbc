//! Log lines of the service: changes of status, and what happens to the daemon itself.

use super::log::{LOG_DROPPED, ORIGIN, PROVIDER_STATUS, TARGET_STATUS};
use crate::outcome::{Code, Notice, Service, Status};

/// The names of the service's events, their level and when they are logged: rows of `docs/log.md`.
pub(super) const EVENTS: [(&str, &str, &str); 16] = [
    (
        TARGET_STATUS,
        "info, warn, error",
        "the status of a target changed: `target`, `from`, `to` (`unknown`, `up`, `degraded`, `down`, `maintenance`), \
         `code`, `run_id`",
    ),
    (
        PROVIDER_STATUS,
        "info, error",
        "a trouble that all targets of a provider share began (`to` is `down`) or ended (`up`): `provider`, `to`, `code`, \
         `shown_by`, `targets`",
    ),
    (
        "target.learned",
        "info",
        "what is learned of when a model unloads came to another state: `target`, `state` (`new`, `learning`, `known`, \
         `changed`, `never-unloads`, `random-evictions`, `unkeepable`, `asleep`, `in-turns`), `says`",
    ),
    ("daemon.started", "info", "everything is armed: `targets`, `scheduled`"),
    ("daemon.draining", "info", "it was asked to end and waits: `running`"),
    ("daemon.stopped", "info", "it ended: `interrupted`"),
    ("config.reloaded", "info", "a new configuration is in force: `added`, `removed`, `changed`, `unchanged`"),
    ("config.refused", "error", "a new configuration has mistakes, the old one stays in force: `mistakes`"),
    ("probe.missed", "warn", "probes were missed and one is made in their place: `target`, `missed`"),
    ("clock.stepped", "warn", "the clock was set, or the machine suspended: `seconds`"),
    ("alarms.lost", "warn", "the scheduler lost alarms, and the sweep found them in time: `lost`"),
    ("store.failing", "error", "the history cannot be written for now; probes go on: `error`"),
    ("store.recovered", "info", "the history can be written again; outcomes that found no room meanwhile: `dropped`"),
    ("store.set-aside", "error", "a damaged store was set aside and a new one begun: `path`"),
    ("textfile.failing", "error", "the metrics cannot be written to their file: `path`, `error`"),
    (LOG_DROPPED, "warn", "whatever reads the log was too slow, and events found no room: `events`"),
];

/// Logs a change of status.
pub(super) fn notice(notice: &Notice) {
    match notice {
        Notice::Target(flip) => {
            let (id, run_id) = (flip.target.as_str(), flip.run_id.as_str());
            let (from, to) = (flip.from.name(), flip.to.name());
            let code = flip.code.map(Code::name);
            match flip.to {
                Status::Down => tracing::error!(
                    name: TARGET_STATUS, target: ORIGIN, target = id, from = from, to = to, code = code, run_id = run_id
                ),
                Status::Degraded => tracing::warn!(
                    name: TARGET_STATUS, target: ORIGIN, target = id, from = from, to = to, code = code, run_id = run_id
                ),
                Status::Unknown | Status::Up | Status::Maintenance => tracing::info!(
                    name: TARGET_STATUS, target: ORIGIN, target = id, from = from, to = to, code = code, run_id = run_id
                ),
            }
        }
        Notice::Provider(flip) => {
            let (provider, to, code) = (flip.provider.as_str(), flip.to.name(), flip.code.name());
            let (shown_by, targets) = (flip.shown_by.as_str(), flip.targets);
            if flip.to == Status::Down {
                tracing::error!(
                    name: PROVIDER_STATUS, target: ORIGIN,
                    provider = provider, to = to, code = code, shown_by = shown_by, targets = targets
                );
            } else {
                tracing::info!(
                    name: PROVIDER_STATUS, target: ORIGIN,
                    provider = provider, to = to, code = code, shown_by = shown_by, targets = targets
                );
            }
        }
    }
}

/// Logs what happened to the service.
pub(super) fn service(event: &Service) {
    match event {
        Service::Started { targets, scheduled } => {
            tracing::info!(name: "daemon.started", target: ORIGIN, targets = targets, scheduled = scheduled);
        }
        Service::Reloaded { added, removed, changed, unchanged } => tracing::info!(
            name: "config.reloaded", target: ORIGIN,
            added = added, removed = removed, changed = changed, unchanged = unchanged
        ),
        Service::ReloadRefused { mistakes } => {
            tracing::error!(name: "config.refused", target: ORIGIN, mistakes = mistakes.as_str());
        }
        Service::Missed { target, missed } => {
            tracing::warn!(name: "probe.missed", target: ORIGIN, target = target.as_str(), missed = missed);
        }
        Service::Learned { target, state, says } => {
            let target = target.as_str();
            tracing::info!(name: "target.learned", target: ORIGIN, target = target, state = *state, says = says.as_str());
        }
        Service::ClockStepped { seconds } => tracing::warn!(name: "clock.stepped", target: ORIGIN, seconds = seconds),
        Service::AlarmsLost { lost } => tracing::warn!(name: "alarms.lost", target: ORIGIN, lost = lost),
        Service::StoreFailing { error } => {
            tracing::error!(name: "store.failing", target: ORIGIN, error = error.as_str());
        }
        Service::StoreRecovered { dropped } => {
            tracing::info!(name: "store.recovered", target: ORIGIN, dropped = dropped);
        }
        Service::StoreSetAside { path } => {
            tracing::error!(name: "store.set-aside", target: ORIGIN, path = path.as_str());
        }
        Service::Draining { running } => tracing::info!(name: "daemon.draining", target: ORIGIN, running = running),
        Service::Stopped { interrupted } => {
            tracing::info!(name: "daemon.stopped", target: ORIGIN, interrupted = interrupted);
        }
    }
}
