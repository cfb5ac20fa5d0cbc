//! Writes a file whole or not at all, and over another only where that was asked for.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::pending::{Pending, Readers, make_beside};
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
/// With it, links are followed, the file keeps its mode, and what is no file (a pipe, `/dev/null`) is refused.
pub(super) fn write_file(path: &Path, text: &str, existing: Existing) -> anyhow::Result<()> {
    refuse_existing(path, existing)?;
    let failed = |error: io::Error| Usage(format!("failed to write {}: {error}", path.display()));
    match existing {
        Existing::Replace => replace(path, text),
        Existing::Keep => Ok(make(path, text, |from, to| fs::hard_link(from, to)).map_err(failed)?),
    }
}

fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let failed = |reason: String| Usage(format!("failed to write {}: {reason}", path.display()));
    if fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        let reason = "that is no file but a device or a pipe; leave out --output to write to standard output";
        return Err(failed(reason.to_owned()).into());
    }
    let pending = Pending::open(path, Readers::AsIsUsual).map_err(failed)?;
    Ok(pending.finish(text.as_bytes()).map_err(|error| failed(error.to_string()))?)
}

/// Makes a file whose name is not taken.
fn make(path: &Path, text: &str, link: impl Fn(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    let (beside, mut file) = make_beside(path)?;
    let written = fill(&mut file, text).and_then(|()| link(&beside, path));
    let written = match written {
        // A link fails where the name is taken by now, which a rename would not.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && beside.exists() => {
            // Some file systems have no links (FAT, some of those of containers). A new file fails there just as well.
            let made = write_new(path, text);
            if made.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::AlreadyExists) {
                fs::remove_file(path).ok();
            }
            made
        }
        written => written,
    };
    fs::remove_file(&beside).ok();
    written
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    fill(&mut OpenOptions::new().write(true).create_new(true).open(path)?, text)
}

fn fill(file: &mut File, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes())?;
    file.sync_all()
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
    #[test]
    fn a_file_system_without_links_will_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("probes.yaml");
        let none = |_: &Path, _: &Path| Err(io::Error::from(io::ErrorKind::PermissionDenied));
        make(&path, "a", none).unwrap();
        assert_eq!(make(&path, "b", none).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "a");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    #[cfg(unix)]
    fn what_is_replaced_keeps_its_mode_and_its_links_and_is_a_file() {
        use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("real.yaml"), folder.path().join("probes.yaml"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&path, &link).unwrap();
        write_file(&link, "new", Existing::Replace).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for special in [Path::new("/dev/null"), &socket] {
            let error = write_file(special, "new", Existing::Replace).unwrap_err().to_string();
            assert!(error.contains("a device or a pipe"), "{error}");
        }
        assert!(fs::symlink_metadata(&socket).unwrap().file_type().is_socket());
    }
}
