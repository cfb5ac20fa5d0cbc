//! What a provider allows, and the part of it that probes may spend.

mod settings;

pub use settings::{Percent, QuotaSettings};
