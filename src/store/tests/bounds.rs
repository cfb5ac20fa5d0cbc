//! The store stays within its bounds, and the file really shrinks.

use super::super::*;
use super::*;

async fn filled(directory: &Path, batches: i64) -> Store {
    let store = open(directory).await;
    for batch in 0..batches {
        let entries = (0..500).map(|index| ready("glm", 60 * (500 * batch + index))).collect();
        store.append(entries).await.unwrap();
    }
    store
}

#[tokio::test(flavor = "current_thread")]
async fn old_outcomes_go() {
    let place = tempfile::tempdir().unwrap();
    let store = filled(place.path(), 6).await;
    let mut old = failed("gone", 40 * 3600);
    old.flip = Some(flip("gone", 40 * 3600, Status::Up, Status::Down));
    store.append(vec![old]).await.unwrap();
    let before = store.sweep(AMPLE, now()).await.unwrap();
    assert_eq!((before.outcomes, before.flips), (0, 0));
    let retention = Retention { age: Duration::from_hours(1), ..AMPLE };
    let swept = store.sweep(retention, now()).await.unwrap();
    assert_eq!((swept.outcomes, swept.flips), (3001 - 61, 1));
    assert!(swept.bytes_after < before.bytes_after / 5, "{before:?} {swept:?}");
    assert_eq!(swept.bytes_after, store.bytes());
    let reader = reader(place.path()).await;
    let summaries = reader.summaries(now()).await.unwrap();
    assert_eq!(summaries.len(), 1, "a target that is not probed any more is forgotten");
    assert_eq!(reader.history("glm", Filter { limit: 1000, ..Filter::default() }).await.unwrap().len(), 61);
    assert_eq!(reader.verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "current_thread")]
async fn a_store_that_is_too_large_loses_its_oldest() {
    let place = tempfile::tempdir().unwrap();
    let store = filled(place.path(), 8).await;
    store.append(vec![ready("rare", 100 * 24 * 3600)]).await.unwrap();
    let full = store.sweep(AMPLE, now()).await.unwrap();
    let bytes = full.bytes_after / 2;
    let swept = store.sweep(Retention { bytes, ..AMPLE }, now()).await.unwrap();
    assert!(swept.bytes_after <= bytes && swept.bytes_after > bytes / 2, "{full:?} {swept:?}");
    let reader = reader(place.path()).await;
    let past = reader.history("glm", Filter { limit: 10_000, ..Filter::default() }).await.unwrap();
    assert_eq!(past.len() as u64, 4001 - swept.outcomes);
    assert_eq!(past[0].at, ago(0), "the newest stay");
    let summaries = reader.summaries(now()).await.unwrap();
    assert_eq!(summaries.len(), 2, "the last outcome of a target goes by age only");
    let again = store.sweep(Retention { bytes, ..AMPLE }, now()).await.unwrap();
    assert_eq!(again.outcomes, 0);
    let none = store.sweep(Retention { bytes: 0, ..AMPLE }, now()).await.unwrap();
    assert_eq!(none.outcomes, past.len() as u64, "no bound is too small to end at");
}

#[tokio::test(flavor = "current_thread")]
async fn the_log_of_changes_does_not_grow() {
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path()).await;
    let _reader = reader(place.path()).await;
    let log = files::beside(&files::database(place.path()), "-wal");
    let mut largest = 0;
    for batch in 0..40 {
        store.append((0..500).map(|index| ready("glm", 500 * batch + index)).collect()).await.unwrap();
        largest = largest.max(std::fs::metadata(&log).unwrap().len());
    }
    assert!(largest < 12 << 20, "{largest}");
    let swept = store.sweep(AMPLE, now()).await.unwrap();
    assert_eq!(std::fs::metadata(&log).unwrap().len(), 0, "{swept:?}");
}
