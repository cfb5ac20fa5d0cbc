//! The seam to where ledgers are kept: in memory here, in files in `store/`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::{Ledger, QuotaSettings, Stamp};
use crate::target::ProviderId;

/// Where ledgers are kept, a provider's each.
pub trait Ledgers: Send + Sync {
    /// Changes the ledger of a provider while nobody else can, another process included, and keeps it. A provider
    /// without one gets a new one. Where it cannot be kept it is changed all the same, in memory, and the error says why;
    /// it fits after "failed to".
    fn change(
        &self,
        provider: &ProviderId,
        settings: &QuotaSettings,
        now: Stamp,
        change: &mut dyn FnMut(&mut Ledger),
    ) -> Result<(), String>;

    /// Whether changing one may wait for a disk.
    fn waits(&self) -> Waits;
}

/// Whether something may wait for a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// It is done at once.
    No,
    /// It may take time.
    Yes,
}

/// Ledgers that end with the process.
#[derive(Debug, Default)]
pub struct MemoryLedgers(Mutex<HashMap<ProviderId, Ledger>>);

impl Ledgers for MemoryLedgers {
    fn change(
        &self,
        provider: &ProviderId,
        _: &QuotaSettings,
        now: Stamp,
        change: &mut dyn FnMut(&mut Ledger),
    ) -> Result<(), String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry(provider.clone()).or_insert_with(|| Ledger::new(now)));
        Ok(())
    }

    fn waits(&self) -> Waits {
        Waits::No
    }
}
