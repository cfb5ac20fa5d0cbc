//! pilotlight keeps hosted LLMs warm, and says exactly what is wrong when one is not ready.
//!
//! The modules are declared in reading order: each may use only those above it (`ARCHITECTURE.md` has the table and
//! `tests/tidy.rs` enforces it). Nouns come first, then the engine that probes, then those who tell people.

// Nouns.
pub mod target;

pub mod outcome;

pub mod quota;

pub mod warmth;

// Deciding, then doing.
pub mod plan;

pub mod probe;

pub mod run;

// Remembering.
pub mod store;

// Telling.
pub mod exit;

pub mod report;

pub mod telemetry;

pub mod serve;

// From a file to nouns.
pub mod config;

// The conductor of the service.
pub mod daemon;

// The other side of the wire.
pub mod sim;

// The command line.
pub mod cli;
