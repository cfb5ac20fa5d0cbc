//! The simulated provider: a real HTTP server on loopback, the other side of the wire.
//!
//! It is a provider's API with models that load and unload, accounts that are good or not, quotas that refill, and any
//! misbehaviour that a scenario asks for; and it keeps exact counts of what was asked of it, which tests take as the
//! truth. It shares no code with the prober: what both sides misunderstood alike would never be found.
//!
//! `docs/simulator.md` is the manual. To read the code, begin with `scenario` (what can be said), `connection` (what
//! happens to a request) and `generate` (what a generation is); the rest is one idea per file:
//!
//! - the wire: `server`, `connection`, `wire`, `http`, `tls`, `routes`
//! - the provider: `provider`, `models`, `accounts`, `quota`, `limits`, `counts`, `clock`, `random`
//! - the surfaces: `openai`, `anthropic`, `ollama`, `checks`, `local`, `admin`
//! - what goes wrong: `errors` and `flavour` (documented refusals), `faults`, `misbehave`, `pages`, `gzip`

mod accounts;
mod admin;
mod anthropic;
mod checks;
mod clock;
mod connection;
mod counts;
mod errors;
mod exchange;
mod faults;
mod flavour;
mod generate;
mod gzip;
mod http;
mod limits;
mod local;
mod misbehave;
mod models;
mod ollama;
mod openai;
mod pages;
mod provider;
mod quota;
mod random;
mod routes;
mod scenario;
mod server;
mod spans;
#[cfg(test)]
mod tests;
mod tls;
mod wire;

pub use counts::{Counts, ModelCounts, RequestRecord};
pub use faults::FaultCount;
pub use provider::Door;
pub use scenario::{Scenario, ScenarioError};
pub use server::{Options, SimError, Simulator, serve};
pub use tls::{TlsError, TlsMode};
