//! One record per line, flushed line by line, so that a reader at the other end of a pipe sees each as it comes.
//!
//! No summary line: every line has the same shape.

use std::io::{self, Write};

use super::Report;
use crate::outcome::{Outcome, Record};

/// Writes every outcome.
pub(super) fn render(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    report.outcomes.iter().try_for_each(|outcome| line(outcome, out))
}

/// Writes one outcome: its record, a line feed, a flush. For a caller that does not want to wait for the whole pass.
///
/// # Errors
/// Whatever the writer says.
pub fn line(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let mut text = serde_json::to_vec(&Record::of(outcome))?;
    text.push(b'\n');
    out.write_all(&text)?;
    out.flush()
}
