//! One target up the ladder.
pub mod classify;
pub mod clock;
pub mod transport;
pub mod wire;
