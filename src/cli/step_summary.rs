//! The summary of a step of GitHub Actions: the report as Markdown, added to the file that the runner names.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;

use super::terminal::Usage;
use crate::report::{Look, Report, render_markdown};

/// How much GitHub takes of a step's summary; more is not shown at all.
const SUMMARY_BYTES: usize = 1024 * 1024;

/// The file that GitHub shows below a step. Other steps of the same job have their own, other commands of the step do not:
/// it is only ever added to.
#[derive(Debug)]
pub(super) struct StepSummary {
    path: PathBuf,
    file: File,
}

impl StepSummary {
    /// Opens it.
    ///
    /// # Errors
    /// [`Usage`], with the variable that named it.
    pub(super) fn open(path: PathBuf) -> anyhow::Result<Self> {
        match OpenOptions::new().append(true).create(true).open(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => Err(Usage(format!(
                "failed to open the step summary {}: {error}; GITHUB_STEP_SUMMARY must name a file that can be written \
                 to, or not be set",
                path.display()
            ))
            .into()),
        }
    }

    /// Adds the report, in one piece.
    pub(super) fn write(mut self, report: &Report<'_>, look: &Look) -> anyhow::Result<()> {
        let there = self.file.metadata().map_or(0, |data| usize::try_from(data.len()).unwrap_or(SUMMARY_BYTES));
        let mut text = Vec::new();
        render_markdown(report, look, &mut text)?;
        let text = shortened(&String::from_utf8_lossy(&text), SUMMARY_BYTES.saturating_sub(there));
        self.file.write_all(text.as_bytes()).with_context(|| format!("write {}", self.path.display()))
    }
}

/// The whole lines that have room, and a word on the rest.
fn shortened(text: &str, room: usize) -> String {
    const REST: &str = "\nThe rest was left out: GitHub takes 1 MiB for a step.\n";
    if text.len() < room {
        return format!("{text}\n");
    }
    let mut short = String::new();
    for line in text.split_inclusive('\n') {
        if short.len() + line.len() + REST.len() > room {
            break;
        }
        short.push_str(line);
    }
    if short.is_empty() { short } else { short + REST }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_summary_never_holds_more_than_is_shown() {
        let text = "a line of text\n".repeat(100);
        assert_eq!(shortened(&text, 10_000).len(), text.len() + 1);
        let short = shortened(&text, 500);
        assert!(short.len() <= 500 && short.ends_with("1 MiB for a step.\n"), "{short}");
        assert_eq!(shortened(&text, 10), "");
    }
}
