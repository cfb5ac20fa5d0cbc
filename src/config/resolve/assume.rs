//! What is stated of the world: a target's comes before its provider's, before that of `defaults`.

use jiff::tz::TimeZone;

use super::super::fields::{Fields, duration};
use super::super::values;
use super::super::values_of_times as times;
use super::Context;
use super::layers::{Layers, Origin};
use super::schedule;
use crate::plan::{Assumed, WarmSchedule, Windows};

/// What these layers add up to. Users are there when the LLM is warmed, unless it is said; and at home on the same days.
pub(super) fn resolve<'n, 'a: 'n>(
    context: &mut Context<'_>,
    layers: impl IntoIterator<Item = (Origin, Option<Fields<'n, 'a>>)>,
    warm: Option<&WarmSchedule>,
) -> Assumed {
    let layers = Layers::new(layers);
    let node = |key: &str| layers.find(key).map(|(_, node)| node);
    let mut assumed = Assumed {
        requests_per_hour: node("requests_per_hour").and_then(|node| times::hourly(node.text()?).ok()),
        idle_timeout: node("idle_timeout").and_then(|node| duration(times::idle, node)),
        cold_start: node("cold_start").and_then(|node| duration(values::wait, node)),
        during: None,
    };
    let during = node("during").and_then(|node| values::during(node.text()?).ok());
    if let Some(during) = during {
        let windows = warm.map(|warm| &warm.windows);
        let timezone = match node("timezone") {
            Some(node) => schedule::zone(context, node),
            None => windows.map_or(TimeZone::UTC, |windows| windows.timezone.clone()),
        };
        let except = windows.map(|windows| windows.except.clone()).unwrap_or_default();
        assumed.during = Some(Windows { during, timezone, except });
    } else if let Some(node) = node("timezone") {
        context.note(node.span, "`timezone` is that of `during`, and there is no `during` beside it");
    }
    assumed
}
