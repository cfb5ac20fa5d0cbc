//! What outlives the process: the history of outcomes, the standing of each target, and its changes.
//!
//! [`Store`] is the one writer of a state directory, [`Writer`] gathers what is to be written so that no probe waits
//! for a disk, and [`Reader`] reads, also while another process writes. [`LedgerFiles`] keeps what quotas were spent on,
//! beside it. docs/store.md describes the files.

mod append;
mod files;
mod hours;
mod ledgers;
mod observations;
mod open;
mod past;
mod place;
mod reader;
mod retention;
mod rows;
mod schema;
mod spent;
mod summary;
mod sweep;
#[cfg(test)]
mod tests;
mod touches;
mod trouble;
mod writer;

pub use append::{Entry, Learned, Observed, StateKind};
pub use ledgers::LedgerFiles;
pub use open::{Opened, Store};
pub use past::{Filter, PastFlip, PastOutcome};
pub use place::{StatePlaces, state_directory};
pub use reader::Reader;
pub use retention::Retention;
pub use spent::{Spent, SpentLately};
pub use summary::{DayCount, Sample, TargetSummary, Uptime};
pub use sweep::Swept;
pub use touches::{all_touched, touch, touched};
pub use trouble::StoreError;
pub use writer::{StoreHealth, Unsaved, Writer};
