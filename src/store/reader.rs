//! Reading the store, also while another process writes to it. A reader changes nothing.
//!
//! What it can be asked for stands in `past.rs` (history) and `summary.rs` (one line per target).

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::Mutex;

use super::append::states;
use super::{StateKind, StoreError, files, schema};

/// For how long a statement waits for a lock; readers hardly ever meet one.
const LOCKED: Duration = Duration::from_secs(5);

/// The store, open for reading.
#[derive(Debug)]
pub struct Reader {
    pub(super) connection: Mutex<SqliteConnection>,
    pub(super) path: PathBuf,
}

impl Reader {
    /// Opens the store of a directory; `None` when there is none yet.
    pub async fn open(directory: &Path) -> Result<Option<Self>, StoreError> {
        let path = files::database(directory);
        match File::open(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::file("read the store", &path, error)),
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .read_only(true)
            .busy_timeout(LOCKED)
            .disable_statement_logging();
        let (connection, found) = match reach(&options, &path).await {
            Err(error) if error.is_unopened() => {
                // It may not make the index of the log of changes. Without a log there is nothing to index.
                if std::fs::metadata(files::beside(&path, "-wal")).is_ok_and(|log| log.len() > 0) {
                    return Err(StoreError::Unshared { path });
                }
                reach(&options.immutable(true), &path).await?
            }
            reached => reached?,
        };
        if found == schema::VERSION {
            return Ok(Some(Self { connection: Mutex::new(connection), path }));
        }
        // Its thread must have let go of the file: a writer that is about to make its tables has to be alone.
        let _ = connection.close().await;
        match found {
            // A writer is about to make its tables.
            0 => Ok(None),
            found if found > schema::VERSION => Err(StoreError::TooNew { path, found, known: schema::VERSION }),
            found => Err(StoreError::TooOld { path, found, known: schema::VERSION }),
        }
    }

    /// The states of a kind, by name.
    pub async fn states(&self, kind: StateKind) -> Result<Vec<(String, String)>, StoreError> {
        let mut connection = self.connection.lock().await;
        states(&mut connection, kind).await.map_err(|source| self.trouble(source))
    }

    /// Looks the whole store through. What is wrong with it, one line each; nothing when it is sound.
    pub async fn verify(&self) -> Result<Vec<String>, StoreError> {
        let mut connection = self.connection.lock().await;
        let said: Vec<(String,)> = sqlx::query_as("PRAGMA integrity_check")
            .fetch_all(&mut *connection)
            .await
            .map_err(|source| self.trouble(source))?;
        Ok(said.into_iter().map(|(line,)| line).filter(|line| line != "ok").collect())
    }

    /// Lets go of its files before it returns; when it is merely dropped, that takes a moment longer.
    pub async fn close(self) {
        // Nothing was changed, so nothing can be lost.
        let _ = self.connection.into_inner().close().await;
    }

    /// What the store takes on the disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        files::bytes(&self.path)
    }

    pub(super) fn trouble(&self, source: sqlx::Error) -> StoreError {
        StoreError::database("read the store", &self.path, source)
    }
}

async fn reach(options: &SqliteConnectOptions, path: &Path) -> Result<(SqliteConnection, i64), StoreError> {
    let trouble = |source| StoreError::database("read the store", path, source);
    let mut connection = options.connect().await.map_err(trouble)?;
    let found = schema::version(&mut connection).await.map_err(trouble)?;
    Ok((connection, found))
}
