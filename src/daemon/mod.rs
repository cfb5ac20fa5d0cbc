//! The daemon: it stays up for months, keeps its targets warm, and shows how each one stands.
//!
//! One task schedules ([`Daemon::run`]): it takes alarms from the trigger, hands who is due to the runner that `check`
//! uses, and settles what comes back: standing, history, metrics, the next alarm. Nothing else changes that state, so
//! there is nothing to lock. Reading files, keys and the store happens elsewhere, and is waited for by nobody.

mod board;
mod drain;
mod drift;
mod errand;
mod exhibit;
mod kept;
mod keys;
mod learner;
#[cfg(test)]
mod learner_tests;
mod learning;
mod life;
mod manager;
mod once;
mod outlook;
mod parts;
mod reload;
mod reply;
mod scale;
mod settle;
mod shared;
mod slot;
#[cfg(test)]
mod slot_tests;
mod source;
mod stakes;
mod trigger;
mod turns;
mod witness;

pub use board::{Board, Phase, Row};
pub use exhibit::Exhibit;
pub use kept::{keeper_settings, llm_of_kept};
pub use life::Daemon;
pub use manager::Manager;
pub use once::{Once, Wanted};
pub use outlook::next_due;
pub use parts::{DaemonError, Ended, Pace, Parts, Signal};
pub use scale::TimeScale;
pub use settle::Memory;
pub use slot::Pause;
pub use source::{Source, SourceError};
