//! A file that is opened before the work and there when it is done: whole, or as it was before.
//!
//! Its text is written beside it and renamed. What is no file on a disk (a pipe, a terminal, our own standard error) is
//! written to as it is.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::run::Chance;

/// Who is to read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// Whoever the umask and the file that is there say.
    AsIsUsual,
    /// Anybody: a collector runs as another user.
    Anybody,
}

/// An open file that is not in its place yet. Dropped before that, it leaves nothing behind.
#[derive(Debug)]
pub(super) struct Pending {
    /// Where it will be, links followed.
    place: PathBuf,
    /// Where it is written; `None` where it is written in place.
    beside: Option<PathBuf>,
    file: File,
}

impl Pending {
    /// Opens it.
    ///
    /// # Errors
    /// The reason and what to do, as text that fits after the path and a colon.
    pub(super) fn open(path: &Path, readers: Readers) -> Result<Self, String> {
        let descriptor = descriptor(path);
        if descriptor == Some(STDERR) {
            let file = own_stderr().map_err(|error| format!("{error}; name a file that can be written to"))?;
            return Ok(Self { place: PathBuf::from("/dev/stderr"), beside: None, file });
        }
        let there = match fs::metadata(path) {
            Ok(there) => Some(there),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(format!("{error}; name a file in a folder that can be read")),
        };
        let is_named_as_folder = path.as_os_str().to_string_lossy().ends_with(std::path::is_separator);
        if there.as_ref().is_some_and(fs::Metadata::is_dir) || path.file_name().is_none() || is_named_as_folder {
            return Err("that is a folder; name a file in it".to_owned());
        }
        let is_special = there.as_ref().is_some_and(|there| !there.is_file());
        if is_special {
            let file = OpenOptions::new().write(true).open(path);
            let file = file.map_err(|error| format!("{error}; name a file that can be written to"))?;
            return Ok(Self { place: path.to_owned(), beside: None, file });
        }
        if descriptor.is_some() {
            // It would be opened anew at its beginning, over what is there, and must not be replaced by another one.
            return Err("a file is redirected there; name that file itself".to_owned());
        }
        let place = match (&there, path.is_symlink()) {
            (Some(_), _) => fs::canonicalize(path).map_err(|error| error.to_string())?,
            (None, true) => return Err("it is a link to what is not there; remove it, or make its target".to_owned()),
            (None, false) => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                let Ok(folder) = fs::canonicalize(folder) else {
                    return Err(format!("there is no folder {}; make it first", folder.display()));
                };
                path.file_name().map_or_else(|| path.to_owned(), |name| folder.join(name))
            }
        };
        let (beside, file) = make_beside(&place)
            .map_err(|error| format!("{error}; name a file in a folder in which files can be made"))?;
        let pending = Self { place, beside: Some(beside), file };
        pending.let_read(there.as_ref(), readers);
        Ok(pending)
    }

    /// Where it will be.
    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    /// Writes the text and puts the file into its place.
    pub(super) fn finish(mut self, text: &[u8]) -> io::Result<()> {
        self.file.write_all(text)?;
        if let Some(beside) = &self.beside {
            self.file.sync_all()?;
            fs::rename(beside, &self.place)?;
            self.beside = None;
        }
        Ok(())
    }

    /// The mode of the file that is replaced, or one for all. A system that refuses leaves what is usual.
    fn let_read(&self, there: Option<&fs::Metadata>, readers: Readers) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = match (readers, there) {
                (Readers::Anybody, _) => Some(fs::Permissions::from_mode(0o644)),
                (Readers::AsIsUsual, there) => there.map(fs::Metadata::permissions),
            };
            mode.map(|mode| self.file.set_permissions(mode).ok());
        }
        #[cfg(not(unix))]
        let _ = (there, readers);
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            fs::remove_file(beside).ok();
        }
    }
}

/// The number of our standard output.
pub(super) const STDOUT: u32 = 1;
/// That of our standard error.
const STDERR: u32 = 2;
/// How many links are followed on the way to a name.
const LINKS: usize = 8;

/// Which open file of ours a path is a name of, links followed: 1 for `/dev/stdout`, 63 for `/dev/fd/63`. What stands
/// there may be a file on a disk that somebody else writes to as well.
pub(super) fn descriptor(path: &Path) -> Option<u32> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let named = [("/dev/stdin", 0), ("/dev/stdout", STDOUT), ("/dev/stderr", STDERR)];
        if let Some((_, number)) = named.into_iter().find(|(name, _)| path == Path::new(name)) {
            return Some(number);
        }
        let folders = ["/dev/fd", "/proc/self/fd", "/proc/thread-self/fd"];
        if folders.iter().any(|folder| path.parent() == Some(Path::new(folder))) {
            return path.file_name()?.to_str()?.parse().ok();
        }
        let next = fs::read_link(&path).ok()?;
        path = path.parent()?.join(next);
    }
    None
}

/// Our standard error once more: what is written to both stands one behind the other, also in a file.
fn own_stderr() -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        Ok(File::from(io::stderr().as_fd().try_clone_to_owned()?))
    }
    #[cfg(not(unix))]
    OpenOptions::new().write(true).open("/dev/stderr")
}

/// Makes a new file beside a place, hidden, with a name that nobody else uses: processes in two containers have the same
/// number.
pub(super) fn make_beside(place: &Path) -> io::Result<(PathBuf, File)> {
    let mut name = OsString::from(".");
    name.push(place.file_name().unwrap_or_default());
    name.push(format!(".{:016x}.tmp", Chance::new().bits()));
    let beside = place.with_file_name(name);
    // A new file is insisted on, so that nobody can have put a link there.
    let file = OpenOptions::new().write(true).create_new(true).open(&beside)?;
    Ok((beside, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_old_file_stays_until_the_new_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.xml");
        fs::write(&path, "old").unwrap();
        let pending = Pending::open(&path, Readers::AsIsUsual).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()).len(), 2);
        drop(pending);
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names(folder.path()).len()), ("old", 1));
        Pending::open(&path, Readers::AsIsUsual).unwrap().finish(b"new").unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names(folder.path()).len()), ("new", 1));
    }

    #[test]
    fn a_bad_place_is_told_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let told = |path: &Path| Pending::open(path, Readers::AsIsUsual).unwrap_err();
        assert_eq!(told(folder.path()), "that is a folder; name a file in it");
        assert_eq!(told(&folder.path().join("a/")), "that is a folder; name a file in it");
        assert!(told(&folder.path().join("a/b.xml")).ends_with("; make it first"));
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    #[cfg(unix)]
    fn links_are_followed_devices_stay_and_modes_are_kept() {
        use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&path, &link).unwrap();
        Pending::open(&link, Readers::AsIsUsual).unwrap().finish(b"new").unwrap();
        assert!(link.is_symlink());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("new", 0o640));
        Pending::open(&path, Readers::Anybody).unwrap().finish(b"").unwrap();
        assert_eq!(mode(&path), 0o644);
        Pending::open(Path::new("/dev/null"), Readers::AsIsUsual).unwrap().finish(b"x").unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        let nowhere = folder.path().join("nowhere");
        symlink(folder.path().join("absent"), &nowhere).unwrap();
        assert!(Pending::open(&nowhere, Readers::AsIsUsual).unwrap_err().contains("a link to what is not there"));
    }

    #[test]
    fn two_that_write_the_same_report_at_once_do_not_touch_each_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.xml");
        // Both in one process, as in two containers: with one number.
        let one = Pending::open(&path, Readers::AsIsUsual).unwrap();
        let other = Pending::open(&path, Readers::AsIsUsual).unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        one.finish(b"one").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        other.finish(b"other").unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names(folder.path()).len()), ("other", 1));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_in_memory_is_replaced_as_one_on_a_disk() {
        let Ok(folder) = tempfile::tempdir_in("/dev/shm") else { return };
        let path = folder.path().join("report.xml");
        fs::write(&path, "a longer text that was there before").unwrap();
        Pending::open(&path, Readers::AsIsUsual).unwrap().finish(b"new").unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names(folder.path()).len()), ("new", 1));
    }

    #[test]
    #[cfg(unix)]
    fn our_own_open_files_are_known_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("log");
        std::os::unix::fs::symlink("/dev/stdout", &link).unwrap();
        for (name, number) in [
            ("/dev/stdout", Some(1)),
            ("/dev//stderr", Some(2)),
            ("/dev/fd/63", Some(63)),
            ("/proc/self/fd/1", Some(1)),
            ("/dev/null", None),
            ("/dev/shm/1", None),
            (link.to_str().unwrap(), Some(1)),
        ] {
            assert_eq!(descriptor(Path::new(name)), number, "{name}");
        }
    }
}
