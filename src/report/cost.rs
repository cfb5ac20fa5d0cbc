//! What warm-ups cost, in words and in documents.

use serde::Serialize;

use crate::outcome::words::{cost, count, money, quantity, tokens};
use crate::outcome::{Cost, Unit};
use crate::store::Spent;

/// A cost in a cell: money where it is known, else requests.
pub(super) fn cell(cost: Cost) -> Option<String> {
    let requests = cost.requests.map(|requests| quantity(requests, Unit::Requests));
    cost.usd.map(money).or(requests)
}

/// `168 warm-ups, 2.9k tokens, 168 requests, $0.012; 9 cold starts absorbed: 18.7 requests each; 12 withheld`. `None`
/// where nothing was warmed or withheld.
pub(super) fn sentence(spent: &Spent) -> Option<String> {
    if spent.warm_ups == 0 && spent.withheld == 0 {
        return None;
    }
    let warm_ups = usize::try_from(spent.warm_ups).unwrap_or(usize::MAX);
    let made = [Some(count(warm_ups, "warm-up")), spent.tokens().map(tokens), cost(spent.cost())];
    let mut parts = vec![made.into_iter().flatten().collect::<Vec<_>>().join(", ")];
    if let Some(each) = spent.per_cold_start() {
        let number = usize::try_from(spent.cold_starts).unwrap_or(usize::MAX);
        let each = cost(each).map(|each| format!(": {each} each")).unwrap_or_default();
        parts.push(format!("{} absorbed{each}", count(number, "cold start")));
    }
    if spent.withheld > 0 {
        parts.push(format!("{} withheld", spent.withheld));
    }
    Some(parts.join("; "))
}

/// What was spent in a document, with what each cold start cost that no user met.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct SpentEntry {
    #[serde(flatten)]
    spent: Spent,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_requests_per_cold_start: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_usd_per_cold_start: Option<f64>,
}

impl SpentEntry {
    /// `None` where nothing was warmed or withheld.
    pub(super) fn of(spent: &Spent) -> Option<Self> {
        let each = spent.per_cold_start().unwrap_or_default();
        // Sums of decimal fractions have digits that are nobody's.
        let rounded = |number: f64| Some((number * 1e9).round() / 1e9).filter(|whole| whole.is_finite());
        let spent = Spent {
            price_requests: spent.price_requests.and_then(rounded),
            price_usd: spent.price_usd.and_then(rounded),
            ..*spent
        };
        (spent.warm_ups > 0 || spent.withheld > 0).then_some(Self {
            spent,
            price_requests_per_cold_start: each.requests.and_then(rounded),
            price_usd_per_cold_start: each.usd.and_then(rounded),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_week_cost_is_one_sentence() {
        let mut week = Spent {
            warm_ups: 168,
            cold_starts: 9,
            withheld: 12,
            input_tokens: Some(1_940),
            output_tokens: Some(1_000),
            price_requests: Some(168.0),
            price_usd: None,
        };
        assert_eq!(
            sentence(&week).unwrap(),
            "168 warm-ups, 2.9k tokens, 168 requests; 9 cold starts absorbed: 18.7 requests each; 12 withheld"
        );
        (week.price_usd, week.withheld, week.cold_starts) = (Some(0.012), 0, 1);
        assert_eq!(
            sentence(&week).unwrap(),
            "168 warm-ups, 2.9k tokens, 168 requests, $0.012; 1 cold start absorbed: 168 requests, $0.012 each"
        );
        assert_eq!(cell(week.cost()).as_deref(), Some("$0.012"));
        assert_eq!(sentence(&Spent { withheld: 1, ..Spent::default() }).unwrap(), "0 warm-ups; 1 withheld");
        assert_eq!(sentence(&Spent::default()), None);
        assert_eq!(SpentEntry::of(&Spent::default()), None);
    }
}
