//! Writes a file whole or not at all, and over another only where that was asked for.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::pending::make_beside;
use super::terminal::Usage;

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    /// It stays, and nothing is written.
    Keep,
    /// It is replaced.
    Replace,
}

/// Fails where a file is there already that must stay. For asking before anything else is done.
pub(super) fn refuse_existing(path: &Path, existing: Existing) -> Result<(), Usage> {
    if existing == Existing::Keep && fs::symlink_metadata(path).is_ok() {
        return Err(Usage(format!("{} is there already; --force replaces it, --output names another", path.display())));
    }
    Ok(())
}

/// Writes a file. A reader sees the old one or the whole new one, and two writers cannot both succeed without `--force`.
pub(super) fn write_file(path: &Path, text: &str, existing: Existing) -> anyhow::Result<()> {
    refuse_existing(path, existing)?;
    let failed = |error: io::Error| Usage(format!("failed to write {}: {error}", path.display()));
    let (beside, mut file) = make_beside(path).map_err(failed)?;
    let written = (|| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        match existing {
            Existing::Replace => fs::rename(&beside, path),
            // A link fails where the name is taken by now, which a rename would not.
            Existing::Keep => fs::hard_link(&beside, path),
        }
    })();
    if existing == Existing::Keep || written.is_err() {
        fs::remove_file(&beside).ok();
    }
    Ok(written.map_err(failed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_stays_unless_it_may_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("probes.yaml");
        write_file(&path, "a", Existing::Keep).unwrap();
        let error = write_file(&path, "b", Existing::Keep).unwrap_err().to_string();
        assert!(error.contains("is there already; --force"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "a");
        write_file(&path, "b", Existing::Replace).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "b");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        let error = write_file(&folder.path().join("no/such"), "b", Existing::Keep).unwrap_err().to_string();
        assert!(error.starts_with("failed to write"), "{error}");
    }
}
