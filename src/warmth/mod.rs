//! When to send the next warm-up: each model's idle timeout is learned from the outcomes of its own warm-ups. Pure.
//!
//! One [`Keeper`] per target. It is told of every warm-up that taught something ([`Keeper::observe`]) and of users'
//! requests ([`Keeper::touch`]), and says what to do next ([`Keeper::answer`]). Time is an argument; nothing here waits,
//! reads or writes.
//!
//! The rule: *wait the longest gap for which, under what is believed now, the model is expected to be cold for at most
//! 0.45 % of the time.* `gap.rs` has it; `belief.rs` says what is believed, over the cells of `grid.rs`; `likelihood.rs`
//! says what a reply's time means; `suspend.rs` when warming stops. The constants were tuned on the worlds of
//! `benches/warmth/`, by simulation: no live provider was measured.

mod seconds;

mod observation;

mod normal;

mod grid;

mod likelihood;

mod belief;

mod gap;

mod suspend;

mod says;

mod keeper;

mod state;

mod replay;

mod shown;

pub use belief::IdleTimeout;
pub use keeper::{Again, Answer, Idle, Keeper, Settings};
pub use observation::{Hours, Observation, Reply, Sight};
pub use replay::{Filter, LineError, Visibility, error_line};
pub use says::{Coarse, Fine, Says};
pub use seconds::{Moment, Span};
pub use shown::{Believed, Judged};
pub use state::{HISTORY, Restored};
pub use suspend::Keep;

#[cfg(test)]
mod tests;
