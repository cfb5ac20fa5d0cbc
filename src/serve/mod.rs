//! The daemon's own little web server: `/metrics`, `/healthz`, `/readyz` and `/status`, and nothing that changes anything.
//!
//! It listens at this machine only, unless there is a token to ask for. It knows nothing of the daemon but [`Source`].

mod access;
mod address;
mod connection;
mod listen;
mod negotiate;
mod routes;
#[cfg(unix)]
mod socket;
#[cfg(test)]
mod tests;

pub use address::{AddressError, DEFAULT_ADDRESS, ListenAddress};
pub use listen::{ServeError, Server};
pub use routes::{Health, Source};
