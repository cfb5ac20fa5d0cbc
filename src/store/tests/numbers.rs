//! What it costs. Prints a table and asserts nothing: `cargo test --release --lib store::tests::numbers -- --ignored
//! --nocapture`.

use std::time::Instant;

use super::super::*;
use super::*;

#[expect(clippy::disallowed_methods, reason = "it measures, and is not run with the other tests")]
fn clock() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "it measures, and is not run with the other tests")]
fn tell(what: &str, value: impl std::fmt::Display) {
    println!("{what:<60} {value}");
}

#[tokio::test(flavor = "current_thread")]
#[ignore = "it measures, and takes minutes"]
async fn what_it_costs() {
    for size in [1_i64, 100, 500] {
        let place = tempfile::tempdir().unwrap();
        let store = open(place.path()).await;
        let batches: Vec<Vec<Entry>> = (0..3000 / size)
            .map(|batch| {
                (0..size)
                    .map(|index| Entry { standing: Some("{}".to_owned()), ..ready(&format!("t{}", index % 50), batch) })
                    .collect()
            })
            .collect();
        let begun = clock();
        for batch in batches {
            store.append(batch).await.unwrap();
        }
        tell(&format!("an outcome, in batches of {size}"), format!("{} us", begun.elapsed().as_micros() / 3000));
    }
    let (targets, each) = (1000, told_each());
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path()).await;
    let begun = clock();
    let step = 7 * 24 * 3600 / each;
    for round in 0..each {
        for part in 0..2 {
            let entries = (0..targets / 2)
                .map(|target| ready(&format!("target-{:04}", part * 500 + target), step * (each - round)));
            store.append(entries.collect()).await.unwrap();
        }
    }
    tell(&format!("{targets} targets x {each} outcomes written"), format!("{:?}", begun.elapsed()));
    tell("bytes of an outcome", store.bytes() / u64::try_from(targets * each).unwrap());
    let reader = reader(place.path()).await;
    for _ in 0..2 {
        let begun = clock();
        let summaries = reader.summaries(now()).await.unwrap();
        tell(&format!("summaries of {} targets", summaries.len()), format!("{:?}", begun.elapsed()));
    }
    let begun = clock();
    let past = reader.history("target-0500", Filter::default()).await.unwrap();
    tell(&format!("history of {} outcomes", past.len()), format!("{:?}", begun.elapsed()));
    let begun = clock();
    reader.code_counts("target-0500", None).await.unwrap();
    tell("codes of a target", format!("{:?}", begun.elapsed()));
    let begun = clock();
    let swept = store.sweep(Retention { bytes: store.bytes() * 9 / 10, ..AMPLE }, now()).await.unwrap();
    tell("a sweep", format!("{:?} {swept:?}", begun.elapsed()));
}

/// Outcomes per target: the 10,000 of the design take 15 GB and ten minutes.
#[expect(clippy::disallowed_methods, reason = "it measures, and is not run with the other tests")]
fn told_each() -> i64 {
    std::env::var("PILOTLIGHT_EACH").ok().and_then(|text| text.parse().ok()).unwrap_or(1000)
}
