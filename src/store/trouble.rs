//! What can go wrong with the store. Each text names the place, the reason and, where there is one, the fix.

use std::io;
use std::path::{Path, PathBuf};

/// Why the store could not be opened, read or written. The text fits after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process writes to it.
    #[error(
        "open the store in `{}` for writing: {} has it open; a store has one writer, so stop that one or name another state directory",
        .directory.display(),
        holder_words(*.holder)
    )]
    Busy {
        /// The directory.
        directory: PathBuf,
        /// The process that holds the lock, where it could be told.
        holder: Option<u32>,
    },
    /// It was written by a newer pilotlight. It was not touched.
    #[error(
        "use the store `{}`: its schema is version {found} and this pilotlight knows up to {known}; it was left as it is: use the newer pilotlight, or name another state directory",
        .path.display()
    )]
    TooNew {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// It was written by an older pilotlight, and a reader may not change it.
    #[error(
        "read the store `{}`: its schema is version {found} and this pilotlight reads {known}; the daemon migrates it when it is restarted with this version",
        .path.display()
    )]
    TooOld {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The version that is read.
        known: i64,
    },
    /// The process may not.
    #[error(
        "{doing} `{}`: permission denied; run as the user that owns it, or name another state directory",
        .path.display()
    )]
    Denied {
        /// What it was about to do.
        doing: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// The file or its file system cannot be written.
    #[error(
        "write to the store `{}`: it is read-only; make the file and its directory writable, or name another state directory",
        .path.display()
    )]
    ReadOnly {
        /// The database.
        path: PathBuf,
    },
    /// There is no room.
    #[error(
        "write to the store `{}`: the disk is full, or the user's quota is; make room, or keep less history (`history:`)",
        .path.display()
    )]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// It is no database, or a broken one.
    #[error(
        "use the store `{}`: it is damaged ({reason}); the daemon sets it aside and begins a new one when it is restarted",
        .path.display()
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite says of it.
        reason: String,
    },
    /// A reader cannot share the log of changes with the writer.
    #[error(
        "read the store `{}`: it has changes in `{}-wal`, and to read them this process would have to write `{}-shm`; run as the user that owns the store, or let the daemon run",
        .path.display(), .path.display(), .path.display()
    )]
    Unshared {
        /// The database.
        path: PathBuf,
    },
    /// A file could not be handled.
    #[error("{doing} `{}`: {source}", .path.display())]
    File {
        /// What it was about to do.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// SQLite refused.
    #[error("{doing} `{}`: {source}", .path.display())]
    Database {
        /// What it was about to do.
        doing: &'static str,
        /// The database.
        path: PathBuf,
        /// Why not.
        source: sqlx::Error,
    },
    /// A record has no JSON form.
    #[error("write a record as JSON: {0}")]
    Record(#[from] serde_json::Error),
}

fn holder_words(holder: Option<u32>) -> String {
    holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// Codes of SQLite (<https://sqlite.org/rescode.html>); the low byte is the primary one.
const BUSY: u32 = 5;
const READ_ONLY: u32 = 8;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANNOT_OPEN: u32 = 14;
const NOT_A_DATABASE: u32 = 26;

impl StoreError {
    /// Of a file that could not be handled.
    pub(super) fn file(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied => Self::Denied { doing, path },
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::File { doing, path, source },
        }
    }

    /// Of what SQLite says.
    pub(super) fn database(doing: &'static str, path: &Path, source: sqlx::Error) -> Self {
        let path = path.to_owned();
        match primary_code(&source) {
            Some(READ_ONLY) => Self::ReadOnly { path },
            Some(FULL) => Self::Full { path },
            Some(CORRUPT | NOT_A_DATABASE) => Self::Damaged { path, reason: reason(&source) },
            Some(BUSY) => Self::Busy { directory: path.parent().unwrap_or(&path).to_owned(), holder: None },
            _ => Self::Database { doing, path, source },
        }
    }

    /// Whether SQLite could not open a file that is there.
    pub(super) fn is_unopened(&self) -> bool {
        match self {
            Self::Database { source, .. } => primary_code(source) == Some(CANNOT_OPEN),
            Self::ReadOnly { .. } => true,
            _ => false,
        }
    }
}

/// Whether another connection is in the way.
pub(super) fn is_locked(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(BUSY)
}

fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?.parse::<u32>().ok()?;
    Some(code & 0xff)
}

fn reason(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}
