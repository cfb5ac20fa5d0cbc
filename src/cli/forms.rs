//! The forms that the report of a pass can take, and one pass as text in each of them.
//!
//! Metrics are among them, which `telemetry/` writes: so the choice is made here and not in `report/`.

use std::io;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::outcome::judge;
use crate::report::{self, Format, Look, Report};
use crate::telemetry::Metrics;

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// For people.
    Human,
    /// One JSON document.
    Json,
    /// One JSON record for each target.
    Jsonl,
    /// JUnit's XML.
    Junit,
    /// Annotations for GitHub Actions.
    Github,
    /// Markdown.
    Markdown,
    /// The Test Anything Protocol.
    Tap,
    /// The output of a Nagios plugin.
    Nagios,
    /// Metrics for Prometheus.
    Prometheus,
}

impl Form {
    /// Every form, in the order of the documentation.
    pub(super) const ALL: [Self; 9] = [
        Self::Human,
        Self::Json,
        Self::Jsonl,
        Self::Junit,
        Self::Github,
        Self::Markdown,
        Self::Tap,
        Self::Nagios,
        Self::Prometheus,
    ];

    /// The word on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Junit => "junit",
            Self::Github => "github",
            Self::Markdown => "markdown",
            Self::Tap => "tap",
            Self::Nagios => "nagios",
            Self::Prometheus => "prometheus",
        }
    }

    /// The form with this name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// What reads the names on the command line, and completes them.
    pub(super) fn parser() -> impl TypedValueParser<Value = Self> {
        PossibleValuesParser::new(Self::ALL.map(Self::name))
            .try_map(|name| Self::from_name(&name).ok_or("there is no such form"))
    }

    /// A pass in this form. Text of others is made harmless for who reads the form, not for a terminal or a runner that
    /// shows it.
    pub(super) fn text(self, report: &Report<'_>, look: &Look) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        match self {
            Self::Human => report::render(report, Format::Human, look, &mut text)?,
            Self::Json => report::render(report, Format::Json, look, &mut text)?,
            Self::Jsonl => report::render(report, Format::Jsonl, look, &mut text)?,
            Self::Junit => report::render_junit(report, look, &mut text)?,
            Self::Github => report::render_github(report, look, &mut text)?,
            Self::Markdown => report::render_markdown(report, look, &mut text)?,
            Self::Tap => report::render_tap(report, look, &mut text)?,
            Self::Nagios => report::render_nagios(report, look, &mut text)?,
            Self::Prometheus => text = metrics(report).into_bytes(),
        }
        Ok(text)
    }
}

/// The pass as the daemon's metrics would have it, had they begun with it: without those of the process, which would be
/// taken for those of whoever reads the file.
fn metrics(report: &Report<'_>) -> String {
    let metrics =
        Metrics::new(env!("CARGO_PKG_VERSION"), report.outcomes.iter().map(|outcome| outcome.target.as_ref()));
    for outcome in report.outcomes {
        metrics.observe(outcome, None);
        metrics.judged(&outcome.target.id, judge(outcome));
    }
    for gate in report.gates {
        metrics.gate(&gate.name, gate.verdict);
    }
    metrics.textfile()
}
