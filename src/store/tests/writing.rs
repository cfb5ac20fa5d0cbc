//! The writer in the background.

use super::super::*;
use super::*;

async fn history(directory: &Path) -> Vec<PastOutcome> {
    reader(directory).await.history("glm", Filter { limit: 100_000, ..Filter::default() }).await.unwrap()
}

/// What a full disk looks like to SQLite.
async fn fill_disk(store: &Store) {
    let mut hand = store.hand().await;
    sqlx::query("PRAGMA max_page_count = 1").execute(&mut hand.connection).await.unwrap();
}

async fn make_room(store: &Store) {
    let mut hand = store.hand().await;
    sqlx::query("PRAGMA max_page_count = 1000000").execute(&mut hand.connection).await.unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn what_was_flushed_is_durable() {
    let place = tempfile::tempdir().unwrap();
    let writer = Writer::start(open(place.path()).await);
    for number in 0..1234 {
        writer.submit(ready("glm", number)).await;
    }
    writer.flush().await.unwrap();
    assert_eq!(history(place.path()).await.len(), 1234);
    let health = writer.health().borrow().clone();
    assert_eq!(health, StoreHealth { written: 1234, ..StoreHealth::default() });
    writer.submit(ready("glm", 2000)).await;
    writer.close().await.unwrap();
    assert_eq!(history(place.path()).await.len(), 1235);
    open(place.path()).await.close().await;
}

#[tokio::test(flavor = "current_thread")]
async fn nobody_has_to_ask() {
    let place = tempfile::tempdir().unwrap();
    let writer = Writer::start(open(place.path()).await);
    writer.submit(ready("glm", 1)).await;
    let mut health = writer.health();
    health.wait_for(|health| health.written == 1).await.unwrap();
    assert_eq!(history(place.path()).await.len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_full_disk_is_reported_and_made_up_for() {
    let place = tempfile::tempdir().unwrap();
    let writer = Writer::start(open(place.path()).await);
    let mut health = writer.health();
    fill_disk(writer.store()).await;
    for number in 0..2000 {
        writer.submit(ready("glm", number)).await;
    }
    health.wait_for(|health| !health.ok).await.unwrap();
    let unsaved = writer.flush().await.unwrap_err();
    assert_eq!(unsaved.pending, 2000);
    assert!(unsaved.to_string().contains("the disk is full"), "{unsaved}");
    make_room(writer.store()).await;
    let health = health.wait_for(|health| health.written == 2000).await.unwrap().clone();
    assert_eq!((health.ok, health.dropped), (true, 0));
    writer.close().await.unwrap();
    assert_eq!(history(place.path()).await.len(), 2000);
}

#[tokio::test(flavor = "current_thread")]
async fn a_disk_that_stays_full_blocks_nobody_and_costs_the_oldest() {
    let place = tempfile::tempdir().unwrap();
    let writer = Writer::start(open(place.path()).await);
    fill_disk(writer.store()).await;
    for number in 0..11_500 {
        writer.submit(ready("glm", 20_000 - number)).await;
    }
    writer.flush().await.unwrap_err();
    let health = writer.health().borrow().clone();
    assert!(!health.ok);
    assert_eq!((health.pending, health.dropped), (10_000, 1_500));
    make_room(writer.store()).await;
    writer.flush().await.unwrap();
    let past = history(place.path()).await;
    assert_eq!((past.len(), past.last().unwrap().at), (10_000, ago(20_000 - 1_500)));
    fill_disk(writer.store()).await;
    for number in 0..2000 {
        writer.submit(ready("glm", number)).await;
    }
    assert!(writer.close().await.is_err(), "a shutdown does not wait for a disk");
}

#[tokio::test(flavor = "current_thread")]
async fn an_append_that_fails_leaves_nothing_behind() {
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path()).await;
    store.append(vec![ready("glm", 1)]).await.unwrap();
    fill_disk(&store).await;
    let error = store.append((0..500).map(|index| ready("glm", index)).collect()).await.unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    make_room(&store).await;
    assert_eq!(history(place.path()).await.len(), 1);
    store.append(vec![ready("glm", 1)]).await.unwrap();
    assert_eq!(history(place.path()).await.len(), 2);
    let [glm] = &reader(place.path()).await.summaries(now()).await.unwrap()[..] else { panic!() };
    assert_eq!(glm.day.good, 2);
}

#[tokio::test(flavor = "current_thread")]
async fn an_append_that_is_given_up_does_not_lock_the_store() {
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path()).await;
    for _ in 0..20 {
        let many = (0..300).map(|index| ready("glm", index)).collect();
        let _ = tokio::time::timeout(Duration::from_millis(2), store.append(many)).await;
    }
    store.append(vec![ready("kimi", 1)]).await.unwrap();
    assert_eq!(history(place.path()).await.len() % 300, 0, "all of a batch, or none");
}
