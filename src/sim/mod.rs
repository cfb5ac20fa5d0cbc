//! The simulated provider: a real HTTP server on loopback, the other side of the wire.
//!
//! It is a provider's API with models that load and unload, accounts that are good or not, quotas that refill, and any
//! misbehaviour that a scenario asks for; and it keeps exact counts of what was asked of it, which tests take as the
//! truth. It shares no code with the prober: what both sides misunderstood alike would never be found.
//!
//! `docs/simulator.md` is the manual. To read the code, begin with `scenario` (what can be said), `connection` (what
//! happens to a request) and `generate` (what a generation is); the rest is one idea per file:
//!
//! - the wire: `server`, `connection`, `wire`, `socket`, `http`, `tls`, `routes`, `exchange`
//! - the provider: `provider`, `models` and `residence`, `accounts`, `admission`, `quota`, `limits`, `counts`, `clock`,
//!   `random`
//! - the surfaces: `openai`, `anthropic`, `ollama` (each a `voice`), `checks`, `local`, `admin`
//! - what goes wrong: `refusals`, `refusal_rows` and `flavour` (documented refusals), `faults` and `behaviour` (what a
//!   scenario may ask for), `misbehave`, `pages`, `gzip` (how it is done)
//! - the file format: `scenario`, `model_spec`, `spans`

mod accounts;
mod admin;
mod admission;
mod anthropic;
mod behaviour;
mod checks;
mod clock;
mod connection;
mod counts;
mod exchange;
mod faults;
mod flavour;
mod generate;
mod gzip;
mod http;
mod limits;
mod local;
mod misbehave;
mod model_spec;
mod models;
mod ollama;
mod openai;
mod pages;
mod provider;
mod proxy;
mod quota;
mod random;
mod refusal_rows;
mod refusals;
mod residence;
mod routes;
mod scenario;
mod server;
mod socket;
mod spans;
#[cfg(test)]
mod tests;
mod tls;
mod voice;
mod wire;

pub use counts::{Counts, ModelCounts, RequestRecord};
pub use faults::FaultCount;
pub use provider::Door;
pub use proxy::ProxiedRequest;
pub use scenario::{Scenario, ScenarioError};
pub use server::{Options, SimError, Simulator, serve};
pub use tls::{TlsError, TlsMode};
