//! One target up the ladder.
pub mod clock;
pub mod transport;
pub mod wire;
