//! Uses of an LLM that a user's own tool tells of: an empty file each in the state directory, whose time is the moment.
//!
//! Files, not rows: whoever tells may be any process, many at once, and the store has one writer. The last one counts, so
//! there is nothing to gather and nothing to clear away.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;

use super::{StoreError, files};
use crate::target::TargetId;

const PREFIX: &str = "touch-";

fn place(directory: &Path, target: &str) -> PathBuf {
    directory.join(format!("{PREFIX}{target}"))
}

/// Notes that a target's LLM was used at a moment. Makes the directory where it is not there.
///
/// # Errors
/// When the directory or the file cannot be written.
pub fn touch(directory: &Path, target: &TargetId, at: Timestamp) -> Result<(), StoreError> {
    files::make_directory(directory)?;
    let path = place(directory, target.as_str());
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let noted = options.open(&path).and_then(|file| file.set_modified(SystemTime::from(at)));
    noted.map_err(|source| StoreError::file("note a use in", &path, source))
}

/// When a target's LLM was last told to be used.
#[must_use]
pub fn touched(directory: &Path, target: &TargetId) -> Option<Timestamp> {
    moment(&fs::metadata(place(directory, target.as_str())).ok()?)
}

/// The same of every target, by name. One look at the directory.
#[must_use]
pub fn all_touched(directory: &Path) -> Vec<(String, Timestamp)> {
    // A directory that cannot be read now is looked at again later.
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let touched = entries.filter_map(|entry| {
        let name = entry.file_name().to_str()?.strip_prefix(PREFIX)?.to_owned();
        Some((name, moment(&entry.metadata().ok()?)?))
    });
    touched.collect()
}

fn moment(metadata: &fs::Metadata) -> Option<Timestamp> {
    let modified: io::Result<SystemTime> = metadata.modified();
    Timestamp::try_from(modified.ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_touch_counts_and_the_directory_is_made() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("not/there/yet");
        let (glm, kimi) = (TargetId::new("glm").unwrap(), TargetId::new("kimi").unwrap());
        assert_eq!(touched(&directory, &glm), None);
        assert_eq!(all_touched(&directory), []);
        let at = |second| Timestamp::from_second(second).unwrap();
        for (target, second) in [(&glm, 1_790_000_000), (&kimi, 1_790_000_100), (&glm, 1_790_000_200)] {
            touch(&directory, target, at(second)).unwrap();
        }
        fs::write(directory.join("pilotlight.lock"), "").unwrap();
        let mut all = all_touched(&directory);
        all.sort();
        assert_eq!(all, [("glm".to_owned(), at(1_790_000_200)), ("kimi".to_owned(), at(1_790_000_100))]);
        assert_eq!(touched(&directory, &kimi), Some(at(1_790_000_100)));
    }
}
