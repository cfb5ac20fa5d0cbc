//! Many probes at once: concurrency, spread, retries, deadlines, and a guard against panics.
//!
//! [`Runner::pass`] takes the jobs of one pass and returns an outcome for each, whatever happens. One slow target never
//! delays another, and two probes never ask the same LLM at the same time.

mod asked;
mod chance;
mod clock;
mod cost;
mod guard;
mod limits;
mod pass;
#[cfg(test)]
mod tests;
mod treasury;
mod wait;
#[cfg(test)]
mod wait_tests;
#[cfg(test)]
mod wait_world;

pub use chance::{Chance, run_id};
pub use clock::SystemClock;
pub use pass::{Listener, Runner, Stop, Stopper};
pub use treasury::Treasury;
pub use wait::{Awaited, GateEnd, WaitSettings, Waited};
