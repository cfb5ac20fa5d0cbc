//! Metrics as a file for node_exporter's textfile collector: whole, or not there.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a file of metrics could not be written. The text fits after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum TextfileError {
    /// The collector reads only files that are named so.
    #[error("write metrics to {0}: the name must end in `.prom`, or node_exporter does not read it")]
    Name(PathBuf),
    /// The system refused.
    #[error("write metrics to {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes metrics to a file that anybody may read. They are written beside it and renamed, so that whoever reads the file
/// finds either the old text or the new one, also after a crash. Waits for the disk: not for a thread that has probes to
/// time.
///
/// # Errors
/// When the name does not end in `.prom`, or the folder cannot be written to.
pub fn write_textfile(path: &Path, text: &str) -> Result<(), TextfileError> {
    let name = path.file_name().filter(|_| path.extension() == Some(OsStr::new("prom")));
    let Some(name) = name else { return Err(TextfileError::Name(path.to_owned())) };
    // Not `.prom` at its end, lest the collector read it; with our process in it, lest two of us share it.
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(hidden);
    let written = write_whole(&beside, text).and_then(|()| fs::rename(&beside, path));
    written.map_err(|source| {
        // It may not even be there; the first failure is the one to tell.
        let _ = fs::remove_file(&beside);
        TextfileError::Write { path: path.to_owned(), source }
    })
}

fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    // One that an earlier process with our number left behind. A new file is insisted on, so that nobody can have put a
    // link there.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let_all_read(&file)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// node_exporter runs as another user, whatever our umask says.
#[cfg(unix)]
fn let_all_read(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn let_all_read(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pilotlight.prom");
        write_textfile(&path, "a 1\n").unwrap();
        let old = File::open(&path).unwrap();
        write_textfile(&path, "a 2\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a 2\n");
        assert_eq!(io::read_to_string(old).unwrap(), "a 1\n", "a reader of the old one keeps it whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    #[cfg(unix)]
    fn anybody_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pilotlight.prom");
        write_textfile(&path, "").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    }

    #[test]
    fn a_name_that_would_not_be_read_is_refused() {
        for name in ["metrics.txt", "prom", ".prom", "x.prom.bak", "/", ""] {
            let error = write_textfile(Path::new(name), "").unwrap_err().to_string();
            assert!(error.contains("must end in `.prom`"), "{name}: {error}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = write_textfile(Path::new("/nowhere/at/all/x.prom"), "").unwrap_err();
        assert!(error.to_string().starts_with("write metrics to /nowhere/at/all/x.prom: "), "{error}");
    }

    #[test]
    fn what_cannot_be_put_in_place_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.prom");
        fs::create_dir(&path).unwrap();
        assert!(matches!(write_textfile(&path, "a 1\n"), Err(TextfileError::Write { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
