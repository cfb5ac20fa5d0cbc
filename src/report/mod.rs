//! Outcomes to words: one file per format. Rendering sees outcomes and a writer; it never prints and never judges.
//!
//! To add a format for people: a file with `render`, a variant of [`Format`], and its arm in [`render`]. The formats of other
//! programs (JUnit, GitHub, Markdown, TAP, Nagios) are of a pass alone, and `cli/forms.rs` chooses among them.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::exit::{Exit, Strictness};
use crate::outcome::{Outcome, RunId, Verdict, judge};

mod bar;
mod cost;
mod curl;
mod diagnose;
mod diagnose_json;
mod diagnose_rungs;
#[cfg(test)]
mod diagnose_tests;
mod diagnose_ticket;
mod diagnose_tls;
mod diagnose_warm;
mod documents;
mod explain;
mod github;
mod history;
mod history_summary;
#[cfg(test)]
mod history_tests;
mod human;
mod issues;
mod json;
mod jsonl;
mod junit;
mod layout;
mod learned;
mod learned_json;
mod learned_plot;
#[cfg(test)]
mod learned_tests;
mod look;
mod markdown;
mod models;
mod nagios;
mod plan;
mod plan_json;
mod plan_simulated;
#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod quota_tests;
mod sheet;
mod spark;
mod status;
mod status_json;
mod status_quota;
mod status_table;
#[cfg(test)]
mod status_tests;
mod summary;
mod table;
mod tap;
mod told;
mod waterfall;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

pub use diagnose::{Diagnosed, render_diagnosed};
pub use documents::{diagnoses_markdown, exit_codes_markdown, exit_table_rows};
pub use explain::{explain, list};
pub use github::render_github;
pub use history::{History, render_history};
pub use jsonl::line;
pub use junit::render_junit;
pub use learned::{Learned, Warmed, render_learned};
pub use look::{Look, Marks, Style};
pub use markdown::render_markdown;
pub use models::{ModelRow, ModelsView, model_lines, render_models};
pub use nagios::{NagiosState, nagios_unknown, render_nagios};
pub use plan::{PlanView, render_plan};
pub use status::{Overview, Place, StatusRow, render_status};
pub use status_quota::{LimitLeft, Paused, ProviderQuota};
pub use summary::summary;
pub use tap::render_tap;

/// One finished pass.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// The pass.
    pub run_id: &'a RunId,
    /// When it began.
    pub started: Timestamp,
    /// How long it took.
    pub total: Duration,
    /// What was found, in the order of probes.yaml.
    pub outcomes: &'a [Arc<Outcome>],
    /// How the process will end.
    pub exit: Exit,
    /// What the configuration has to say that belongs to no one target.
    pub notes: &'a [String],
    /// The probes.yaml that names the targets, where there is one.
    pub source: Option<&'a Path>,
    /// The gates that were waited for; empty where none was.
    pub gates: &'a [GateReport],
    /// Whether `degraded` counts as ready: what has only passed and failed has to know.
    pub strictness: Strictness,
    /// The name of this machine, where it is known.
    pub host: Option<&'a str>,
}

/// How a gate stood in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateReport {
    /// Its name, or what it asks for where it came from the command line.
    pub name: String,
    /// The line of probes.yaml that names it, from 1; absent where it came from the command line.
    pub line: Option<u32>,
    /// `ready` where it is open, `degraded` where it is open on a fallback or with a warning, `failed` where it cannot
    /// open by waiting, `unknown` where the time was up first.
    pub verdict: Verdict,
    /// Why, in one sentence.
    pub says: String,
}

impl Report<'_> {
    /// How many outcomes have which verdict.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for outcome in self.outcomes {
            match judge(outcome) {
                Verdict::Ready => counts.ready += 1,
                Verdict::Degraded => counts.degraded += 1,
                Verdict::Unknown => counts.unknown += 1,
                Verdict::Failed => counts.failed += 1,
            }
        }
        counts
    }

    /// When the pass ended: the moment from which waits are counted.
    fn ended(&self) -> Timestamp {
        SignedDuration::try_from(self.total)
            .ok()
            .and_then(|total| self.started.checked_add(total).ok())
            .unwrap_or(self.started)
    }
}

/// How many outcomes have which verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Counts {
    /// All that was asked for holds.
    pub ready: usize,
    /// It holds, with a warning.
    pub degraded: usize,
    /// Nothing was learned.
    pub unknown: usize,
    /// It does not hold.
    pub failed: usize,
}

/// The forms a report can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A table, what to do about each failure, and one line to paste.
    Human,
    /// One JSON document.
    Json,
    /// One JSON record per line and outcome.
    Jsonl,
}

impl Format {
    /// Every format, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Human, Self::Json, Self::Jsonl];

    /// The word used on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
        }
    }

    /// The format with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// Writes a report in a format. `look` matters only to the formats for people.
///
/// # Errors
/// Whatever the writer says; nothing else can fail.
pub fn render(report: &Report<'_>, format: Format, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => human::render(report, look, out),
        Format::Json => json::render(report, out),
        Format::Jsonl => jsonl::render(report, out),
    }
}
