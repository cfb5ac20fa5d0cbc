//! What a warm-up costs: by the catalogue, by its tokens, by the provider's own counter.

use crate::outcome::{ListPrice, Outcome, QuotaSeen, Unit};
use crate::quota::{Charge, Price};

/// A price, with what the catalogue says where nothing nearer does.
pub(super) fn priced(price: Price, list: Option<ListPrice>) -> Price {
    let Some(list) = list else { return price };
    Price {
        input_usd: price.input_usd.or(Some(list.input_usd_per_million)),
        output_usd: price.output_usd.or(Some(list.output_usd_per_million)),
        ..price
    }
}

/// What an attempt cost. `None`: nothing.
pub(super) fn spent(price: Price, outcome: &Outcome, charged: u32) -> Option<Charge> {
    if charged == 0 {
        return None;
    }
    let tokens = outcome.target.max_output_tokens;
    // What the provider does not tell is taken to be what was asked for.
    let charge = Charge::used(price, outcome.usage).unwrap_or_else(|| Charge::expected(price, tokens));
    Some(Charge { requests: price.requests * f64::from(charged), ..charge })
}

/// What the provider's own counter says that a request cost: the difference of two readings between which nothing came back.
pub(super) fn counted(seen: &QuotaSeen) -> Option<f64> {
    seen.before.iter().filter(|before| before.unit == Unit::Requests).find_map(|before| {
        let after = seen.after.iter().find(|after| after.window == before.window && after.next == before.next)?;
        let cost = before.remaining? - after.remaining?;
        (cost > 0.0).then_some(cost)
    })
}
