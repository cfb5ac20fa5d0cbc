//! The ledgers of quotas, each in a file of its own beside the database: `quota-PROVIDER.json`.
//!
//! Not in the database, because that has one writer, and a quota is spent by all: the daemon, a timer's pass, and a
//! person's `check`. A lock is held while a ledger is read, changed and written; a file takes the place of the one before
//! it at once, so that a process that is killed leaves either.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::quota::{Ledger, Ledgers, QuotaSettings, Stamp, Waits};
use crate::target::ProviderId;

const LOCK: &str = "quota.lock";
/// A ledger has a few KiB; what is larger is not one.
const MOST_BYTES: u64 = 1 << 20;
/// How often the lock is asked for, and how long in between: two seconds in all. It is held for a moment only.
const ASKS: u32 = 200;
const BETWEEN_ASKS: Duration = Duration::from_millis(10);

/// Ledgers in a state directory.
#[derive(Debug)]
pub struct LedgerFiles {
    directory: PathBuf,
    /// As they were last seen: for the case that the disk fails.
    seen: Mutex<HashMap<ProviderId, Seen>>,
}

/// A ledger as it was last seen.
#[derive(Debug)]
struct Seen {
    ledger: Ledger,
    /// Whether it could not be written, so that the file is older.
    unwritten: bool,
}

impl LedgerFiles {
    /// In a directory, which is there or is made when the first is kept.
    #[must_use]
    pub fn new(directory: PathBuf) -> Self {
        Self { directory, seen: Mutex::default() }
    }

    /// The ledger of a provider as it was last kept. It makes no file and takes no lock: a ledger is replaced whole. `None`
    /// where there is none that can be read.
    #[must_use]
    pub fn peek(&self, provider: &ProviderId) -> Option<Ledger> {
        text(&self.path(provider)).ok().and_then(|text| Ledger::from_json(&text))
    }

    fn path(&self, provider: &ProviderId) -> PathBuf {
        self.directory.join(format!("quota-{provider}.json"))
    }

    /// The right to change any of them, until it is dropped.
    fn lock(&self) -> Result<File, String> {
        let path = self.directory.join(LOCK);
        let failed = |error: io::Error| format!("lock {}: {error}", path.display());
        super::files::make_directory(&self.directory).map_err(|error| error.to_string())?;
        let file = private(&path, Existing::Kept).map_err(failed)?;
        for _ in 0..ASKS {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN_ASKS),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        Err(format!("lock {}: another process holds it", path.display()))
    }

    fn read(&self, provider: &ProviderId, settings: &QuotaSettings, now: Stamp, seen: Option<&Ledger>) -> Ledger {
        let path = self.path(provider);
        match text(&path) {
            Ok(text) => Ledger::from_json(&text)
                .unwrap_or_else(|| seen.cloned().unwrap_or_else(|| Ledger::after_loss(now, settings))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                seen.cloned().unwrap_or_else(|| Ledger::new(now))
            }
            // What is there and cannot be read was spent from.
            Err(_) => seen.cloned().unwrap_or_else(|| Ledger::after_loss(now, settings)),
        }
    }

    fn write(&self, provider: &ProviderId, ledger: &Ledger) -> io::Result<()> {
        let path = self.path(provider);
        let draft = path.with_extension("json.new");
        private(&draft, Existing::Emptied)?.write_all(ledger.to_json().as_bytes())?;
        fs::rename(&draft, &path)
    }
}

impl Ledgers for LedgerFiles {
    fn change(
        &self,
        provider: &ProviderId,
        settings: &QuotaSettings,
        now: Stamp,
        change: &mut dyn FnMut(&mut Ledger),
    ) -> Result<(), String> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = self.lock();
        let last = seen.get(provider);
        let mut ledger = match last.filter(|seen| seen.unwritten) {
            Some(seen) => seen.ledger.clone(),
            // Without the lock it may change meanwhile; but what it has is nearer to the truth than nothing.
            None => self.read(provider, settings, now, last.map(|seen| &seen.ledger)),
        };
        change(&mut ledger);
        let kept = lock.and_then(|_lock| {
            self.write(provider, &ledger).map_err(|error| format!("write {}: {error}", self.path(provider).display()))
        });
        seen.insert(provider.clone(), Seen { ledger, unwritten: kept.is_err() });
        kept
    }

    fn waits(&self) -> Waits {
        Waits::Yes
    }
}

fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Existing {
    Kept,
    Emptied,
}

/// A file for its owner alone.
fn private(path: &Path, existing: Existing) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(existing == Existing::Emptied);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Unit, WindowName};
    use crate::quota::{Charge, InFlight, Limit, Refill, Spending, Wish};

    fn settings() -> QuotaSettings {
        let refill = Refill::Steps { every: Duration::from_secs(900), amount: 25.0 };
        let limit = Limit { name: WindowName::FIVE_HOUR, unit: Unit::Requests, max: 500.0, refill };
        QuotaSettings { limits: vec![limit], ..QuotaSettings::default() }
    }

    fn ask(files: &LedgerFiles, now: Stamp) -> (bool, Result<(), String>) {
        let wish = Wish {
            spending: Spending::Scheduled,
            charge: Charge { requests: 1.0, ..Charge::default() },
            at_most_usd: None,
            in_flight: InFlight::No,
            pace: None,
            outstanding: Charge::default(),
        };
        let mut granted = false;
        let provider = ProviderId::new("synthetic").unwrap();
        let kept = files.change(&provider, &settings(), now, &mut |ledger| {
            granted = ledger.ask(&settings(), &wish, now).is_ok();
        });
        (granted, kept)
    }

    #[test]
    fn processes_spend_from_one_ledger() {
        let directory = tempfile::tempdir().unwrap();
        let now = Stamp::of_wall(1_795_046_400_000);
        let granted: Vec<bool> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let files = LedgerFiles::new(directory.path().join("state"));
                    scope.spawn(move || (0..5).map(|_| ask(&files, now).0).collect::<Vec<_>>())
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(granted.iter().filter(|granted| **granted).count(), 7, "30 % of 25");
        let peeked = LedgerFiles::new(directory.path().join("state")).peek(&ProviderId::new("synthetic").unwrap());
        assert_eq!(peeked.unwrap().share_left(&WindowName::FIVE_HOUR), Some(0.5));
        let elsewhere = LedgerFiles::new(directory.path().join("elsewhere"));
        assert_eq!(elsewhere.peek(&ProviderId::new("synthetic").unwrap()), None);
        assert!(!directory.path().join("elsewhere").exists(), "a look makes nothing");
        let file = directory.path().join("state/quota-synthetic.json");
        assert!(Ledger::from_json(&fs::read_to_string(&file).unwrap()).is_some());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn what_cannot_be_read_gives_nothing_away() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("quota-synthetic.json");
        for broken in ["", "{", "{\"schema\":1}", "\u{0}\u{0}"] {
            fs::write(&file, broken).unwrap();
            let files = LedgerFiles::new(directory.path().to_owned());
            assert_eq!(ask(&files, Stamp::of_wall(1_795_046_400_000)), (false, Ok(())), "{broken:?}");
            assert_eq!(ask(&files, Stamp::of_wall(1_795_046_400_000 + 900_000)), (true, Ok(())), "{broken:?}");
        }
    }

    #[test]
    fn a_ledger_that_can_be_read_and_not_written_is_spent_once() {
        let directory = tempfile::tempdir().unwrap();
        let files = LedgerFiles::new(directory.path().to_owned());
        let now = Stamp::of_wall(1_795_046_400_000);
        assert_eq!(ask(&files, now), (true, Ok(())));
        // Where the draft would be is a directory.
        fs::create_dir(directory.path().join("quota-synthetic.json.new")).unwrap();
        let granted = (0..20).filter(|_| ask(&files, now).0).count();
        assert_eq!(granted, 6);
        fs::remove_dir(directory.path().join("quota-synthetic.json.new")).unwrap();
        assert_eq!(ask(&files, now), (false, Ok(())), "and it is written as soon as it can be");
        assert!(!ask(&LedgerFiles::new(directory.path().to_owned()), now).0);
    }

    #[test]
    fn a_lock_that_another_holds_gives_nobody_a_new_share() {
        let directory = tempfile::tempdir().unwrap();
        let now = Stamp::of_wall(1_795_046_400_000);
        let files = LedgerFiles::new(directory.path().to_owned());
        while ask(&files, now).0 {}
        let lock = File::open(directory.path().join(LOCK)).unwrap();
        lock.lock().unwrap();
        let (granted, kept) = ask(&LedgerFiles::new(directory.path().to_owned()), now);
        assert!(!granted && kept.is_err());
    }

    #[test]
    fn a_disk_that_fails_costs_the_memory_and_not_the_share() {
        let directory = tempfile::tempdir().unwrap();
        // A file stands where the directory should be.
        let place = directory.path().join("state");
        fs::write(&place, "").unwrap();
        let files = LedgerFiles::new(place);
        let now = Stamp::of_wall(1_795_046_400_000);
        let asked: Vec<_> = (0..10).map(|_| ask(&files, now)).collect();
        assert_eq!(asked.iter().filter(|(granted, _)| *granted).count(), 7);
        assert!(asked.iter().all(|(_, kept)| kept.as_ref().is_err_and(|error| error.contains("state"))));
    }
}
