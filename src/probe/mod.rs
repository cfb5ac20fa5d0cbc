//! One target up the ladder: `credential → resolve → connect → tls → authenticate → locate → warm`.
//!
//! [`climb`] takes a [`Job`] up once and returns its facts. It does not retry, run several at once, or judge readiness:
//! that is `run/`'s and `outcome/`'s. The network is reached through [`transport::Network`] and the time through
//! [`clock::Clock`]; everything in between is pure.

mod authenticate;
pub mod classify;
mod climb;
pub mod clock;
mod credential;
mod dial;
mod dialect;
mod embed;
pub mod examine;
mod exchange;
mod knobs;
mod list;
mod locate;
mod permit;
mod remedy;
mod request;
mod shown;
mod state;
mod stream;
pub mod transport;
mod warm;
pub mod wire;

pub use climb::{Cause, Climbed, Job, OnEvent, Stopped, climb, cold_start};
pub use knobs::Knobs;
pub use list::{NoList, list};
pub use permit::{Free, KnownOfQuota, Leave, NotPermitted, Permit};
