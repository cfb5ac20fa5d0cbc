//! Importing what exists: another tool's settings to a draft of a probes.yaml.
//!
//! Every source becomes a [`Draft`]: providers, targets, gates, and remarks on what was mapped, what was not and why,
//! each with its line. A draft becomes text ([`Draft::yaml`]) or a configuration at once ([`Draft::config`]), whose
//! places are those of the source. Everything in a draft was judged on its way in, so that what is written loads.
//!
//! Keys stay where they are: a draft names the variable and never holds a value. Nothing is read from the disk or the
//! network here.

mod ad_hoc;
mod choose;
mod draft;
mod kodus;
mod litellm;
mod litellm_entry;
mod litellm_key;
mod litellm_providers;
#[cfg(test)]
mod litellm_tests;
mod names;
mod offer;
#[cfg(test)]
mod tests;
mod well_known;
mod write;

pub use ad_hoc::{AdHoc, AdHocError, NO_MODEL, ad_hoc};
pub use draft::{Draft, Remark, RemarkKind};
pub use kodus::kodus;
pub use litellm::{Through, litellm};
pub use names::is_key_variable;
pub use offer::{Answers, Offer, offers, started};
pub use well_known::{well_known, well_known_variables};
