//! What a provider allows, and the part of it that probes may spend. Pure: time is an argument.

mod limit;
mod price;
mod settings;

pub use limit::{Limit, Refill};
pub use price::{Charge, ModelPattern, Price, PriceList};
pub use settings::{Percent, QuotaSettings};
