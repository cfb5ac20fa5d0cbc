//! pilotlight keeps hosted LLMs warm, and says exactly what is wrong when one is not ready.
//!
//! The modules are declared in reading order: each may use only those above it (`ARCHITECTURE.md` has the table and
//! `tests/tidy.rs` enforces it). Nouns come first, then the engine that probes, then those who tell people.

pub mod outcome;
pub mod target;

pub mod exit;
pub mod report;
pub mod telemetry;

pub mod sim;

pub mod cli;
