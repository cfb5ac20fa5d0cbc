//! The files of the store: their names, who may read them, and the lock that keeps a second writer out.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::StoreError;

const DATABASE: &str = "pilotlight.db";
const LOCK: &str = "pilotlight.lock";
/// Stands there when the last writer met damage; the next one then looks the whole database through.
const SUSPECT: &str = "pilotlight.suspect";
/// How often a writer that waits for its turn asks again.
pub(super) const ASK_AGAIN: Duration = Duration::from_millis(50);

/// The database of a state directory.
pub(super) fn database(directory: &Path) -> PathBuf {
    directory.join(DATABASE)
}

pub(super) fn suspect(directory: &Path) -> PathBuf {
    directory.join(SUSPECT)
}

/// A file beside the database: `-wal` holds the changes that are not in it yet, `-shm` their index.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// What the store takes on the disk.
pub(super) fn bytes(database: &Path) -> u64 {
    let length = |path: &Path| fs::metadata(path).map_or(0, |data| data.len());
    length(database).saturating_add(length(&beside(database, "-wal")))
}

/// Makes the directory, for its owner alone. One that is there is left as it is.
pub(super) fn make_directory(directory: &Path) -> Result<(), StoreError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(|source| StoreError::file("create the state directory", directory, source))
}

/// Makes the database's file, for its owner alone; SQLite gives its other files the same mode.
pub(super) fn make_database(path: &Path) -> Result<(), StoreError> {
    open(path).map(drop).map_err(|source| StoreError::file("create the store", path, source))
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The right to write. The kernel takes it back when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes it, and waits up to `patience` while another process has it.
    pub(super) async fn take(directory: &Path, patience: Duration) -> Result<Self, StoreError> {
        let path = directory.join(LOCK);
        let mut file = open(&path).map_err(|source| StoreError::file("open the lock", &path, source))?;
        let turn = async {
            loop {
                match file.try_lock() {
                    Ok(()) => return Ok(()),
                    Err(TryLockError::Error(source)) => return Err(StoreError::file("take the lock", &path, source)),
                    Err(TryLockError::WouldBlock) => tokio::time::sleep(ASK_AGAIN).await,
                }
            }
        };
        match tokio::time::timeout(patience, turn).await {
            Ok(taken) => taken?,
            Err(_) => return Err(StoreError::Busy { directory: directory.to_owned(), holder: holder(&mut file) }),
        }
        // Only for the message that a second writer gives, so it may fail.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Moves a damaged database out of the way, with the files beside it, and tells where it is.
pub(super) fn set_aside(database: &Path, now: Timestamp) -> Result<PathBuf, StoreError> {
    let stem = format!("{DATABASE}.damaged-{}", now.strftime("%Y%m%dT%H%M%SZ"));
    let mut aside = database.with_file_name(&stem);
    let mut again = 1;
    while aside.exists() {
        again += 1;
        aside = database.with_file_name(format!("{stem}-{again}"));
    }
    for suffix in ["-wal", "-shm", ""] {
        let (from, to) = (beside(database, suffix), beside(&aside, suffix));
        match fs::rename(&from, &to) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::file("set the damaged store aside", &from, source));
            }
            _ => {}
        }
    }
    Ok(aside)
}
