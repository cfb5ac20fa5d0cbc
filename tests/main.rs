//! All integration tests, in one binary: on two cores, linking is what tests cost.
//!
//! `cfg(test)` is always set here; it is written so that clippy's exceptions for tests hold in helpers too.

#[cfg(test)]
mod check;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod daemon;
#[cfg(test)]
mod diagnose;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod import;
#[cfg(test)]
mod learned;
#[cfg(test)]
mod learning;
#[cfg(test)]
mod manual;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod models;
#[cfg(test)]
mod networks;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod quota;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod residence;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod status;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod wait;
#[cfg(test)]
mod warmth;
#[cfg(test)]
mod worlds;
