//! How `config show` writes limits and prices: in the form that probes.yaml reads.

use super::show::quoted;
use super::table_of_quota::MONTH;
use super::values::duration_text;
use super::values_of_quota::number_text;
use crate::outcome::Unit;
use crate::quota::{Limit, PriceList, Refill};

/// Limits, packs reckoned in.
pub(super) fn limits(limits: &[Limit]) -> String {
    if limits.is_empty() {
        return "none".to_owned();
    }
    let each: Vec<String> = limits.iter().map(limit).collect();
    format!("[{}]", each.join(", "))
}

fn limit(limit: &Limit) -> String {
    let counts = match limit.unit {
        Unit::Requests => "requests",
        Unit::Tokens => "tokens",
        Unit::Usd | Unit::OtherMoney | Unit::Percent => "usd",
    };
    let back = match limit.refill {
        Refill::Steps { every, amount } => {
            let part = number_text((100.0 * amount / limit.max).round());
            format!(", refill: {{ part: {part}%, every: {} }}", duration_text(every))
        }
        Refill::Fixed { every } => format!(", every: {}", duration_text(every)),
        Refill::Monthly => format!(", every: {MONTH}"),
        Refill::Rolling { over } => format!(", over: {}", duration_text(over)),
        Refill::Never => String::new(),
    };
    format!("{{ name: {}, {counts}: {}{back} }}", limit.name, number_text(limit.max))
}

/// Prices.
pub(super) fn prices(prices: &PriceList) -> String {
    let each: Vec<String> = prices
        .iter()
        .map(|(pattern, price)| {
            let mut said = format!("requests: {}", number_text(price.requests));
            for (name, usd) in [("input", price.input_usd), ("output", price.output_usd)] {
                if let Some(usd) = usd {
                    said.push_str(&format!(", {name}: ${}", number_text(usd)));
                }
            }
            format!("{}: {{ {said} }}", quoted(&pattern.text()))
        })
        .collect();
    if each.is_empty() { "none".to_owned() } else { format!("{{ {} }}", each.join(", ")) }
}
