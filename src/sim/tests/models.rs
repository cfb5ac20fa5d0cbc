//! Models in memory: loading, idling, leaving, sharing a load, queueing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::clock::Clock;
use super::super::models::{Found, KeepAlive, Models, Phase};
use super::super::scenario::Scenario;

fn models(yaml: &str) -> Arc<Models> {
    let scenario = Scenario::from_yaml(yaml).unwrap();
    Models::new(&scenario, Clock::start(1.0))
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const COLD: &str = "models: [{ id: m, load: 3s, idle_timeout: 60s }]";

#[tokio::test(start_paused = true)]
async fn a_cold_model_loads_serves_and_leaves() {
    let models = models(COLD);
    let entry = Arc::clone(models.find("m").unwrap());
    assert_eq!(models.phase(&entry), Phase::Unloaded);
    let seat = models.try_seat(&entry).unwrap();
    assert_eq!(seat.found, Found::Cold);
    assert_eq!(seat.ready_at.elapsed(), seconds(3));
    tokio::time::advance(seconds(3)).await;
    assert_eq!(models.phase(&entry), Phase::Loaded);
    // A model in use does not leave, however long the use takes.
    tokio::time::advance(seconds(100)).await;
    assert_eq!(models.phase(&entry), Phase::Loaded);
    drop(seat);
    tokio::time::advance(seconds(59)).await;
    assert_eq!(models.phase(&entry), Phase::Loaded);
    assert_eq!(models.idle_left(&entry), Some(seconds(1)));
    tokio::time::advance(seconds(1)).await;
    assert_eq!(models.phase(&entry), Phase::Unloaded);
}

#[tokio::test(start_paused = true)]
async fn a_request_resets_the_idle_clock_at_its_end() {
    let models = models(COLD);
    let entry = Arc::clone(models.find("m").unwrap());
    drop(models.try_seat(&entry));
    tokio::time::advance(seconds(40)).await;
    let seat = models.try_seat(&entry).unwrap();
    assert_eq!(seat.found, Found::Warm);
    tokio::time::advance(seconds(10)).await;
    drop(seat);
    tokio::time::advance(seconds(59)).await;
    assert_eq!(models.phase(&entry), Phase::Loaded);
}

#[tokio::test(start_paused = true)]
async fn arrivals_share_a_load_even_when_its_starter_left() {
    let models = models("models: [{ id: m, load: 3s, concurrency: 2 }]");
    let entry = Arc::clone(models.find("m").unwrap());
    drop(models.try_seat(&entry).unwrap());
    tokio::time::advance(seconds(1)).await;
    let second = models.try_seat(&entry).unwrap();
    assert_eq!((second.found, second.ready_at.elapsed()), (Found::Loading, seconds(3)));
}

#[tokio::test(start_paused = true)]
async fn same_model_requests_queue_in_order() {
    let models = models("models: [{ id: m }]");
    let entry = Arc::clone(models.find("m").unwrap());
    let seat = models.try_seat(&entry).unwrap();
    assert!(models.try_seat(&entry).is_none());
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..3 {
        let (models, entry, order) = (Arc::clone(&models), Arc::clone(&entry), Arc::clone(&order));
        waiting.spawn(async move {
            let _seat = models.wait_seat(&entry).await;
            order.lock().unwrap().push(number);
        });
        tokio::task::yield_now().await;
    }
    drop(seat);
    waiting.join_all().await;
    assert_eq!(*order.lock().unwrap(), [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn one_place_in_memory_makes_models_evict_each_other() {
    let models = models("{ max_loaded: 1, models: [{ id: a, load: 1s }, { id: b, load: 1s }] }");
    let (a, b) = (models.find("a").unwrap(), models.find("b").unwrap());
    drop(models.try_seat(a));
    tokio::time::advance(seconds(2)).await;
    drop(models.try_seat(b));
    assert_eq!(models.phase(a), Phase::Unloaded);
    tokio::time::advance(seconds(2)).await;
    assert_eq!(models.phase(b), Phase::Loaded);
}

#[tokio::test(start_paused = true)]
async fn keep_alive_overrides_the_idle_timeout() {
    let models = models(COLD);
    let entry = Arc::clone(models.find("m").unwrap());
    let seat = |keep_alive| {
        let mut seat = models.try_seat(&entry).unwrap();
        seat.keep_alive(keep_alive);
    };
    seat(KeepAlive::Forever);
    tokio::time::advance(seconds(1000)).await;
    assert_eq!(models.phase(&entry), Phase::Loaded);
    seat(KeepAlive::For(Duration::ZERO));
    assert_eq!(models.phase(&entry), Phase::Unloaded);
    seat(KeepAlive::Default);
    tokio::time::advance(seconds(10)).await;
    assert_eq!(models.idle_left(&entry), Some(seconds(53)));
}

#[tokio::test(start_paused = true)]
async fn random_eviction_takes_idle_models() {
    let models = models("models: [{ id: m, load: 1s, evict: 10s }]");
    let entry = Arc::clone(models.find("m").unwrap());
    drop(models.try_seat(&entry));
    tokio::time::advance(seconds(1000)).await;
    assert_eq!(models.phase(&entry), Phase::Unloaded);
}
