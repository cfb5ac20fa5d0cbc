//! Log lines of a wait: how gates and their targets change while somebody waits for them.

use super::log::ORIGIN;
use crate::outcome::{Code, GateNews, GateState};
use crate::target::TargetId;

/// A target that is waited for will be asked again. Level `debug`.
pub(super) const TARGET_PAUSED: &str = "target.paused";

/// The names of the events, their level and when they are logged: rows of `docs/log.md`.
pub(super) const EVENTS: [(&str, &str, &str); 5] = [
    (
        "gate.waiting",
        "info",
        "`wait` begins with a gate, or turns to one more of its targets: `gate`, `verdict` (`unknown`), `says`",
    ),
    (
        "gate.opened",
        "info, warn",
        "a gate is open: `gate`, `verdict` (`ready`; `degraded` on a fallback or with a warning), `says`",
    ),
    ("gate.shut", "error", "waiting cannot open a gate any more: `gate`, `verdict` (`failed`), `says`"),
    ("gate.late", "error", "the deadline came before a gate opened: `gate`, `verdict` (`unknown`), `says`"),
    (TARGET_PAUSED, "debug", "a target that is waited for is asked again: `target`, `code`, `after_s`"),
];

/// Logs how a gate stands.
pub(super) fn news(news: &GateNews) {
    let (gate, says) = (news.gate.as_str(), news.says.as_str());
    match news.state {
        GateState::Waiting => {
            tracing::info!(name: "gate.waiting", target: ORIGIN, gate = gate, verdict = "unknown", says = says);
        }
        GateState::Open => {
            tracing::info!(name: "gate.opened", target: ORIGIN, gate = gate, verdict = "ready", says = says);
        }
        GateState::Degraded => {
            tracing::warn!(name: "gate.opened", target: ORIGIN, gate = gate, verdict = "degraded", says = says);
        }
        GateState::Shut => {
            tracing::error!(name: "gate.shut", target: ORIGIN, gate = gate, verdict = "failed", says = says);
        }
        GateState::Late => {
            tracing::error!(name: "gate.late", target: ORIGIN, gate = gate, verdict = "unknown", says = says);
        }
    }
}

/// Logs that a target is asked again after a pause.
pub(super) fn pausing(target: &TargetId, code: Code, after: std::time::Duration) {
    let after_s = (after.as_secs_f64() * 1000.0).round() / 1000.0;
    tracing::debug!(
        name: TARGET_PAUSED, target: ORIGIN, target = target.as_str(), code = code.name(), after_s = after_s
    );
}
