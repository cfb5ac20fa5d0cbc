//! The one writer: opening the store and closing it. What it writes stands in `append.rs` and `sweep.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{Mutex, MutexGuard};

use super::files::{self, ASK_AGAIN, Lock};
use super::trouble::is_locked;
use super::{StoreError, schema};

/// For how long a statement waits for another program that writes to the file (`sqlite3`, a backup).
const LOCKED: Duration = Duration::from_secs(5);

/// For how long the log of changes of a new store is tried to be turned on, in steps of [`ASK_AGAIN`].
const LOG_TRIES: u32 = 100;

/// What each connection of the writer begins with. WAL lets readers read while it writes, and with NORMAL a commit
/// survives the death of the process at once, and that of the machine after the next checkpoint.
const LOG: &str = "PRAGMA journal_mode = WAL";
const PRAGMAS: [&str; 3] = [
    "PRAGMA synchronous = NORMAL",
    // 4 MiB of changes, then they go into the database; the log's file shrinks back to that size too.
    "PRAGMA wal_autocheckpoint = 1024",
    "PRAGMA journal_size_limit = 4194304",
];

/// What opening the store came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opened {
    /// Where the store that was there is now, when it was damaged and a new one was begun.
    pub set_aside: Option<PathBuf>,
}

/// The store, open for writing. There is one at a time per directory, over all processes.
#[derive(Debug)]
pub struct Store {
    // Before the lock, so that it goes before it.
    hand: Mutex<Hand>,
    pub(super) directory: PathBuf,
    pub(super) path: PathBuf,
    opened: Opened,
    _lock: Lock,
}

/// What writing needs.
#[derive(Debug)]
pub(super) struct Hand {
    pub(super) connection: SqliteConnection,
    /// Outcomes are numbered in the order in which they came.
    pub(super) next: i64,
    /// Whether a transaction was begun and not ended. (sqlx's own transactions cannot be used: when SQLite rolls back by
    /// itself, as it does when the disk is full, sqlx 0.9 goes on counting it as open and refuses to begin another.)
    open: bool,
}

impl Store {
    /// Opens the store in a directory, both made when absent, and brings it to this version's schema. While another
    /// process writes to it, this waits up to `patience`. A damaged store is set aside under a name with the time
    /// `now` ([`Store::opened`] tells), because history must never stop the prober.
    pub async fn open(directory: &Path, patience: Duration, now: Timestamp) -> Result<Self, StoreError> {
        files::make_directory(directory)?;
        let lock = Lock::take(directory, patience).await?;
        let path = files::database(directory);
        let mut opened = Opened::default();
        let hand = match Hand::reach(directory, &path).await {
            Err(StoreError::Damaged { .. }) => {
                opened.set_aside = Some(files::set_aside(&path, now)?);
                let _ = fs::remove_file(files::suspect(directory));
                Hand::reach(directory, &path).await?
            }
            reached => reached?,
        };
        Ok(Self { hand: Mutex::new(hand), directory: directory.to_owned(), path, opened, _lock: lock })
    }

    /// What opening it came to.
    #[must_use]
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The directory it is in.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What it takes on the disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        files::bytes(&self.path)
    }

    /// Closes it: all changes go into the one file, and the lock is given back.
    pub async fn close(self) {
        // It cannot matter: what was acknowledged is in the log of changes, which the next one to open reads.
        let _ = self.hand.into_inner().connection.close().await;
    }

    /// The one connection, outside of any transaction: one that was given up halfway is undone first.
    pub(super) async fn hand(&self) -> MutexGuard<'_, Hand> {
        let mut hand = self.hand.lock().await;
        hand.roll_back().await;
        hand
    }

    /// Names what SQLite says. Damage is noted for the next one to open the store.
    pub(super) fn trouble(&self, doing: &'static str, source: sqlx::Error) -> StoreError {
        let error = StoreError::database(doing, &self.path, source);
        if matches!(error, StoreError::Damaged { .. }) {
            let _ = fs::write(files::suspect(&self.directory), "");
        }
        error
    }
}

impl Hand {
    /// Begins a transaction, which [`Hand::end`] ends.
    pub(super) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        self.open = true;
        let begun = sqlx::query("BEGIN IMMEDIATE").execute(&mut self.connection).await;
        if begun.is_err() {
            self.roll_back().await;
        }
        begun.map(drop)
    }

    /// Ends it: what was done counts when all of it was done and could be committed.
    pub(super) async fn end<T>(&mut self, done: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        let ended = match done {
            Ok(value) => sqlx::query("COMMIT").execute(&mut self.connection).await.map(|_| value),
            Err(error) => Err(error),
        };
        match &ended {
            Ok(_) => self.open = false,
            Err(_) => self.roll_back().await,
        }
        ended
    }

    async fn roll_back(&mut self) {
        if self.open {
            // It fails where SQLite has done so itself.
            let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
            self.open = false;
        }
    }

    async fn reach(directory: &Path, path: &Path) -> Result<Self, StoreError> {
        files::make_database(path)?;
        let trouble = |source| StoreError::database("open the store", path, source);
        let options = SqliteConnectOptions::new().filename(path).busy_timeout(LOCKED).disable_statement_logging();
        let mut connection = options.connect().await.map_err(trouble)?;
        match Self::prepare(&mut connection, directory, path).await {
            Ok(next) => Ok(Self { connection, next, open: false }),
            Err(error) => {
                // Its thread must have let go of the files before they are moved.
                let _ = connection.close().await;
                Err(error)
            }
        }
    }

    /// Makes the connection ready to write; returns the number of the next outcome.
    async fn prepare(connection: &mut SqliteConnection, directory: &Path, path: &Path) -> Result<i64, StoreError> {
        let trouble = |source| StoreError::database("open the store", path, source);
        let found = schema::version(connection).await.map_err(trouble)?;
        if found > schema::VERSION {
            return Err(StoreError::TooNew { path: path.to_owned(), found, known: schema::VERSION });
        }
        if found == 0 {
            // Only before the first table; and on a store that is there it would write.
            sqlx::query("PRAGMA auto_vacuum = INCREMENTAL").execute(&mut *connection).await.map_err(trouble)?;
        }
        begin_log(connection).await.map_err(trouble)?;
        for pragma in PRAGMAS {
            sqlx::query(pragma).persistent(false).execute(&mut *connection).await.map_err(trouble)?;
        }
        let suspect = files::suspect(directory);
        if suspect.exists() {
            let (said,): (String,) =
                sqlx::query_as("PRAGMA quick_check(1)").fetch_one(&mut *connection).await.map_err(trouble)?;
            if said != "ok" {
                return Err(StoreError::Damaged { path: path.to_owned(), reason: said });
            }
            let _ = fs::remove_file(&suspect);
        }
        schema::migrate(connection, found)
            .await
            .map_err(|source| StoreError::database("bring up to date the store", path, source))?;
        let (last,): (i64,) = sqlx::query_as(LAST).fetch_one(connection).await.map_err(trouble)?;
        Ok(last.saturating_add(1))
    }
}

/// Turns the log of changes on. A new store has to be alone for that, and SQLite does not wait for a reader that looks
/// whether there is a store yet; on one that has its log this does nothing.
async fn begin_log(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut tries = 0;
    loop {
        match sqlx::query(LOG).persistent(false).execute(&mut *connection).await {
            Err(error) if is_locked(&error) && tries < LOG_TRIES => {
                tries += 1;
                tokio::time::sleep(ASK_AGAIN).await;
            }
            done => return done.map(drop),
        }
    }
}

/// Numbers only have to tell apart what happened in one millisecond, so that of the newest outcome and beyond will do.
const LAST: &str = "SELECT COALESCE(MAX(id), 0) FROM
    (SELECT id FROM (SELECT id FROM outcomes ORDER BY at_ms DESC LIMIT 1000) AS newest
     UNION ALL SELECT id FROM (SELECT id FROM flips ORDER BY at_ms DESC LIMIT 1000) AS turned) AS both_of_them";
