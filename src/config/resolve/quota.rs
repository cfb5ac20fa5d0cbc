//! What a provider allows, what its models cost, and what probes may have of it.

use super::super::fields::{Fields, boolean, number};
use super::super::mask::quote;
use super::super::mistakes::Mistake;
use super::super::node::Node;
use super::super::table::{LIMIT, PRICE, REFILL};
use super::super::table_of_quota::MONTH;
use super::super::values;
use super::super::values_of_quota::{amount, money, period, price, weight};
use super::Context;
use super::layers::{Layers, Origin, Origins};
use crate::outcome::{Unit, WindowName};
use crate::quota::{Limit, ModelPattern, Percent, Price, PriceList, QuotaSettings, Refill};
use crate::target::{Family, Provider};

/// Synthetic sells at most so many packs to one account.
const MOST_SYNTHETIC_PACKS: u32 = 5;

/// What is said of a provider's quota.
pub(super) fn quota(
    context: &mut Context<'_>,
    own: Fields<'_, '_>,
    layers: &Layers<'_, '_>,
    provider: &Provider,
    origins: &mut Origins,
) -> QuotaSettings {
    let packs = packs(context, own, provider, origins);
    let percent = |node: &Node<'_>| node.text().and_then(|text| values::percent(text).ok());
    let usual = QuotaSettings::default();
    QuotaSettings {
        packs,
        share: layers.value(origins, "share", usual.share, percent),
        floor: layers.value(origins, "floor", usual.floor, percent),
        long_floor: layers.value(origins, "long_floor", usual.long_floor, percent),
        limits: limits(context, layers, origins, f64::from(packs.unwrap_or(1))),
        prices: prices(layers, origins),
        daily_cap: layers.value(origins, "daily_cap", None, |node| node.text().map(|text| money(text).ok())),
        parallel: layers.value(origins, "parallel", None, |node| number(node).map(|number| u32::try_from(number).ok())),
    }
}

fn packs(context: &mut Context<'_>, own: Fields<'_, '_>, provider: &Provider, origins: &mut Origins) -> Option<u32> {
    let node = own.get("packs")?;
    origins.set("packs", Origin::Provider);
    let packs = number(node).and_then(|number| u32::try_from(number).ok());
    if provider.family != Family::Synthetic {
        context.note(node.span, format!("`packs` says nothing about {}, which does not sell any", provider.title));
    } else if packs.is_some_and(|packs| packs > MOST_SYNTHETIC_PACKS) {
        context.report(
            Mistake::at(node.span, format!("Synthetic sells {MOST_SYNTHETIC_PACKS} packs at most"))
                .fix("write how many packs the subscription has"),
        );
    }
    packs
}

/// The limits of the nearest layer that has any: a limit is not laid over another.
fn limits(context: &mut Context<'_>, layers: &Layers<'_, '_>, origins: &mut Origins, packs: f64) -> Vec<Limit> {
    let Some((origin, node)) = layers.find("limits") else { return Vec::new() };
    origins.set("limits", origin);
    let mut limits: Vec<Limit> = Vec::new();
    for item in node.items().unwrap_or_default() {
        let Some(fields) = Fields::of(item, &LIMIT) else { continue };
        let Some(limit) = limit(context, fields, packs) else { continue };
        if limits.iter().any(|known| known.name == limit.name) {
            let text = format!("there are two limits called {}", quote(limit.name.as_str()));
            context.report(Mistake::at(fields.span_of("name"), text).fix("give each a name of its own"));
            continue;
        }
        limits.push(limit);
    }
    limits
}

fn limit(context: &mut Context<'_>, fields: Fields<'_, '_>, packs: f64) -> Option<Limit> {
    let name = fields.text("name").filter(|name| values::name(name).is_ok())?;
    let unit = one_of(context, fields, &["requests", "tokens", "usd"], "what it counts", "`requests: 500`");
    let refill = refill(context, fields);
    let unit = unit?;
    let text = fields.text(unit)?;
    let (unit, read) = match unit {
        "requests" => (Unit::Requests, amount(text)),
        "tokens" => (Unit::Tokens, amount(text)),
        _ => (Unit::Usd, money(text)),
    };
    let times = if fields.get("per_pack").and_then(boolean) == Some(true) { packs } else { 1.0 };
    let max = read.ok()? * times;
    let refill = match refill? {
        // A part was noted; it is a part of the whole.
        Refill::Steps { every, amount } => Refill::Steps { every, amount: amount * max },
        other => other,
    };
    Some(Limit { name: WindowName::new(name), unit, max, refill })
}

/// How it comes back. A step's amount is the part of the whole, from 0 to 1.
fn refill(context: &mut Context<'_>, fields: Fields<'_, '_>) -> Option<Refill> {
    let ways: Vec<&str> = ["refill", "every", "over"].into_iter().filter(|key| fields.mentions(key)).collect();
    match ways.as_slice() {
        [] => Some(Refill::Never),
        ["every"] if fields.text("every") == Some(MONTH) => Some(Refill::Monthly),
        ["every"] => Some(Refill::Fixed { every: fields.text("every").and_then(|text| period(text).ok())? }),
        ["over"] => Some(Refill::Rolling { over: fields.text("over").and_then(|text| period(text).ok())? }),
        ["refill"] => {
            let steps = fields.section("refill", &REFILL)?;
            let part = steps.text("part").and_then(|text| values::percent(text).ok()).map(Percent::fraction)?;
            let every = steps.text("every").and_then(|text| period(text).ok())?;
            Some(Refill::Steps { every, amount: part })
        }
        [_] => None,
        [first, second, ..] => {
            context.report(
                Mistake::at(fields.span_of(second), format!("both `{first}` and `{second}` are there"))
                    .also(fields.span_of(first), "this says how it comes back, too")
                    .fix("keep one of them"),
            );
            None
        }
    }
}

/// The one of some keys that is there.
fn one_of(
    context: &mut Context<'_>,
    fields: Fields<'_, '_>,
    keys: &[&'static str],
    what: &str,
    example: &str,
) -> Option<&'static str> {
    let there: Vec<&'static str> = keys.iter().copied().filter(|key| fields.mentions(key)).collect();
    match there.as_slice() {
        [one] => Some(one),
        [] => {
            context.report(
                Mistake::at(fields.span, format!("the limit does not say {what}")).fix(format!("add {example}")),
            );
            None
        }
        [first, second, ..] => {
            context.report(
                Mistake::at(fields.span_of(second), format!("both `{first}` and `{second}` are there"))
                    .also(fields.span_of(first), format!("this says {what}, too"))
                    .fix("make two limits of them"),
            );
            None
        }
    }
}

/// The prices in the order of the text, of which the first that fits counts; one's own come before the preset's.
fn prices(layers: &Layers<'_, '_>, origins: &mut Origins) -> PriceList {
    let mut all = Vec::new();
    for (origin, node) in layers.each("prices") {
        origins.set("prices", origin);
        for (key, value) in node.entries().unwrap_or_default() {
            let Some(fields) = Fields::of(value, &PRICE) else { continue };
            let read = |key: &str, read: fn(&str) -> Result<f64, values::Problem>| {
                fields.text(key).and_then(|text| read(text).ok())
            };
            let price = Price {
                requests: read("requests", weight).unwrap_or(1.0),
                input_usd: read("input", price),
                output_usd: read("output", price),
            };
            let pattern = ModelPattern::new(&key.text);
            if all.iter().all(|(known, _)| *known != pattern) {
                all.push((pattern, price));
            }
        }
    }
    PriceList::new(all)
}
