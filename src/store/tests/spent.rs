//! What warm-ups cost is added up by the hour, and what is not known stays so.

use super::super::*;
use super::*;
use crate::outcome::{Cost, Outcome, Warmth};
use crate::target::Depth;

const HOUR: i64 = 3600;

/// A warm-up of a price, so many seconds ago.
fn warmed(target: &str, seconds_ago: i64, cost: Cost, warmth: Warmth) -> Entry {
    let outcome = Outcome { cost, warmth, ..sample::ready("synthetic", target, "hf:zai-org/GLM-4.6") };
    entry(outcome, seconds_ago)
}

async fn spent(directory: &Path, target: &str) -> SpentLately {
    let reader = reader(directory).await;
    let spent = reader.spent(target, now()).await.unwrap();
    let summaries = reader.summaries(now()).await.unwrap();
    let summary = summaries.iter().find(|summary| summary.target == target);
    assert_eq!(summary.map(|summary| summary.spent).unwrap_or_default(), spent, "the same in the overview");
    spent
}

#[tokio::test(flavor = "current_thread")]
async fn a_day_and_a_week_are_added_up() {
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path()).await;
    let price = |requests, usd| Cost { requests: Some(requests), usd };
    let held = entry(sample::withheld("synthetic", "glm", "hf:zai-org/GLM-4.6", 240), 50);
    let mut key_check = ready("glm", 40);
    (key_check.record.depth, key_check.record.stage) = (Depth::Auth, Stage::Locate);
    (key_check.record.input_tokens, key_check.record.output_tokens) = (None, None);
    let entries = vec![
        warmed("glm", 200 * HOUR, price(1.0, None), Warmth::Warm),
        warmed("glm", 100 * HOUR, price(1.0, Some(0.25)), Warmth::Cold),
        warmed("glm", 2 * HOUR, price(0.5, Some(0.5)), Warmth::Cold),
        // In the hour of the one before, and of no known price in money.
        warmed("glm", 2 * HOUR, price(0.5, None), Warmth::Warm),
        warmed("other", HOUR, price(9.0, None), Warmth::Warm),
        held,
        key_check,
        // Broke before there was anything to pay for.
        failed("glm", 30),
    ];
    store.append(entries).await.unwrap();
    // Another batch adds to the hours of the first.
    store.append(vec![warmed("glm", 2 * HOUR, price(0.25, Some(0.25)), Warmth::Warm)]).await.unwrap();
    let day = Spent {
        warm_ups: 3,
        cold_starts: 1,
        withheld: 1,
        input_tokens: Some(27),
        output_tokens: Some(48),
        price_requests: Some(1.25),
        price_usd: Some(0.75),
    };
    let lately = spent(place.path(), "glm").await;
    assert_eq!(lately.day, day);
    let mut week = day;
    week.add(Spent { warm_ups: 1, cold_starts: 1, withheld: 0, ..day });
    (week.input_tokens, week.output_tokens) = (Some(36), Some(64));
    (week.price_requests, week.price_usd) = (Some(2.25), Some(1.0));
    assert_eq!(lately.week, week);
    assert_eq!(lately.week.per_cold_start(), Some(Cost { requests: Some(1.125), usd: Some(0.5) }));
    assert_eq!(spent(place.path(), "nobody").await, SpentLately::default());
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_not_known_is_absent() {
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path()).await;
    let mut silent = warmed("glm", 60, Cost::default(), Warmth::Unknown);
    (silent.record.input_tokens, silent.record.output_tokens) = (None, None);
    store.append(vec![silent.clone(), silent]).await.unwrap();
    let day = spent(place.path(), "glm").await.day;
    assert_eq!(day, Spent { warm_ups: 2, ..Spent::default() });
    assert_eq!((day.tokens(), day.per_cold_start()), (None, None));
    // The first that is known counts from then on.
    store.append(vec![warmed("glm", 60, Cost { requests: None, usd: Some(0.5) }, Warmth::Warm)]).await.unwrap();
    let day = spent(place.path(), "glm").await.day;
    assert_eq!((day.warm_ups, day.cost(), day.tokens()), (3, Cost { requests: None, usd: Some(0.5) }, Some(25)));
}
