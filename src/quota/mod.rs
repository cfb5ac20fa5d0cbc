//! What a provider allows, and the part of it that probes may spend. Pure: time is an argument.
//!
//! A [`Limit`] says how much there is and how it comes back; a [`Ledger`] knows what is left, what probes have spent and
//! what they may still; its governor ([`Ledger::ask`]) grants or withholds each warm-up.

mod bucket;
mod governor;
mod known;
mod ledger;
mod ledgers;
mod limit;
mod measured;
mod price;
mod settings;
mod stamp;
#[cfg(test)]
mod tests;
mod useful;
mod whose;
mod withheld;

pub use governor::{InFlight, Spending, Wish};
pub use ledger::{Grant, Ledger, Remaining};
pub use ledgers::{Ledgers, MemoryLedgers, Waits};
pub use limit::{Limit, Refill};
pub use price::{Charge, ModelPattern, Price, PriceList};
pub use settings::{Percent, QuotaSettings};
pub use stamp::{Stamp, Steady};
pub use useful::{Stake, gaps};
pub use whose::whose;
pub use withheld::{WhyWithheld, Withheld};
