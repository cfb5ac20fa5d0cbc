//! Medians, percentiles, and the rows of the table.

use std::fmt;
use std::time::Duration;

/// A duration in milliseconds.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The value below which so many per cent of the values are (nearest rank).
pub(crate) fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// The value in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

/// One line of the table.
pub(crate) struct Row {
    /// What was measured.
    pub what: String,
    /// pilotlight's figure.
    pub ours: String,
    /// Its peer's.
    pub peer: String,
    /// The two compared.
    pub figure: String,
    /// What it should be, and whether it is.
    pub target: Option<(String, bool)>,
}

impl Row {
    /// The table's head, in Markdown, as the rows are.
    pub(crate) const HEADING: &str = "| what | pilotlight | peer | figure | target | |\n|---|---|---|---|---|---|";

    /// Two costs in milliseconds of CPU, and their ratio.
    pub(crate) fn ratio(what: impl Into<String>, ours: f64, peer: f64, at_most: Option<f64>) -> Self {
        let ratio = ours / peer;
        Self {
            what: what.into(),
            ours: format!("{ours:.3} ms"),
            peer: format!("{peer:.3} ms"),
            figure: format!("{ratio:.2} ×"),
            target: at_most.map(|at_most| (format!("≤ {at_most} ×"), ratio <= at_most)),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (target, met) = match &self.target {
            Some((target, true)) => (target.as_str(), "met"),
            Some((target, false)) => (target.as_str(), "**missed**"),
            None => ("", ""),
        };
        write!(f, "| {} | {} | {} | {} | {target} | {met} |", self.what, self.ours, self.peer, self.figure)
    }
}
