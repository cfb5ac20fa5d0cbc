//! The daemon when the clock is set, or the machine was suspended: nothing is missed without a word, nothing comes as a
//! burst, nothing stops.
//!
//! The daemon and the simulated provider run in this process, because only a clock of our own can be stepped; it is the
//! real one with an offset.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use pilotlight::config::Environment;
use pilotlight::daemon::{Board, Daemon, Ended, Manager, Pace, Parts, Signal, Source, TimeScale};
use pilotlight::outcome::{Event, Service, Status};
use pilotlight::probe::clock::Clock;
use pilotlight::probe::transport::HttpNetwork;
use pilotlight::run::{Chance, SystemClock};
use pilotlight::sim::{Options, Scenario, Simulator};
use pilotlight::telemetry::Metrics;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The machine's clocks, the time of day being off by so many milliseconds.
#[derive(Default)]
struct Stepped(AtomicI64);

impl Clock for Stepped {
    fn now(&self) -> Instant {
        SystemClock.now()
    }

    fn wall(&self) -> Timestamp {
        SystemClock.wall() + SignedDuration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

const TARGETS: usize = 50;

/// A daemon of fifty targets, each checked every two seconds.
struct World {
    clock: Arc<Stepped>,
    board: Arc<Board>,
    events: mpsc::UnboundedReceiver<Event>,
    signals: mpsc::UnboundedSender<Signal>,
    running: JoinHandle<Ended>,
    _folder: tempfile::TempDir,
    _simulator: Simulator,
}

impl World {
    async fn start(rest: serde_json::Value) -> Self {
        let models: Vec<_> = (0..TARGETS).map(|n| json!({ "id": format!("m{n}") })).collect();
        let scenario = json!({ "flavour": "openai", "models": models }).to_string();
        let simulator = Simulator::start(Scenario::from_yaml(&scenario).unwrap(), Options::default()).await.unwrap();
        let targets: Vec<_> = (0..TARGETS)
            .map(|n| json!({ "name": format!("t{n}"), "provider": "p", "model": format!("m{n}") }))
            .collect();
        let base_url = format!("{}/v1", simulator.base_url());
        let mut probes = json!({
            "version": 1,
            "defaults": { "auth": { "every": "2s" } },
            "providers": { "p": { "dialect": "openai", "base_url": base_url, "api_key": "none" } },
            "targets": targets,
        });
        probes.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().join("probes.yaml");
        std::fs::write(&path, probes.to_string()).unwrap();
        let clock = Arc::new(Stepped::default());
        let board = Arc::new(Board::new(clock.now()));
        let (send, events) = mpsc::unbounded_channel();
        let parts = Parts {
            source: Source::of(path, Environment::from_pairs(Vec::<(String, String)>::new())),
            network: Arc::new(HttpNetwork::new(Arc::new(SystemClock))),
            clock: clock.clone(),
            chance: Arc::new(Chance::from_seed(1)),
            listener: Arc::new(move |event| {
                send.send(event).ok();
            }),
            state: None,
            manager: Manager::default(),
            board: Arc::clone(&board),
            metrics: Metrics::new("test", []),
            pace: Pace::default(),
            time_scale: TimeScale::REAL,
        };
        let daemon = Daemon::start(parts).await.unwrap();
        let (signals, received) = mpsc::unbounded_channel();
        let running = tokio::spawn(daemon.run(received));
        Self { clock, board, events, signals, running, _folder: folder, _simulator: simulator }
    }

    fn step(&self, by: SignedDuration) {
        self.clock.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
    }

    /// Waits until each target has been probed this often from now on; returns what happened to the service meanwhile.
    async fn until_each_was_probed(&mut self, often: usize) -> Vec<Service> {
        let mut probed: BTreeMap<String, usize> = BTreeMap::new();
        let mut service = Vec::new();
        while probed.len() < TARGETS || probed.values().any(|count| *count < often) {
            let event = tokio::time::timeout(Duration::from_secs(60), self.events.recv()).await;
            match event.expect("nothing happens any more").unwrap() {
                Event::Finished(outcome) => *probed.entry(outcome.target.id.to_string()).or_default() += 1,
                Event::Service(event) => service.push(event),
                _ => {}
            }
        }
        service
    }

    /// Waits until the daemon has noticed a step; returns its seconds.
    async fn noticed(&mut self) -> f64 {
        loop {
            let event = tokio::time::timeout(Duration::from_secs(60), self.events.recv()).await;
            if let Event::Service(Service::ClockStepped { seconds }) = event.expect("not noticed").unwrap() {
                return seconds;
            }
        }
    }

    async fn end(self) {
        self.signals.send(Signal::Terminate).unwrap();
        assert_eq!(self.running.await.unwrap(), Ended { interrupted: 0 });
    }
}

fn missed(service: &[Service]) -> BTreeMap<String, Vec<u32>> {
    let mut missed: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for event in service {
        if let Service::Missed { target, missed: count } = event {
            missed.entry(target.to_string()).or_default().push(*count);
        }
    }
    missed
}

#[tokio::test]
async fn after_a_suspend_each_target_is_made_up_for_once() {
    let mut world = World::start(json!({})).await;
    world.until_each_was_probed(1).await;
    world.step(SignedDuration::from_hours(8));
    assert_eq!(world.noticed().await.round(), 8.0 * 3600.0);
    let service = world.until_each_was_probed(3).await;
    let missed = missed(&service);
    for (target, counts) in &missed {
        assert_eq!(counts.len(), 1, "{target} was made up for more than once: {counts:?}");
        // 8 h of 2 s, but no more is counted than this.
        assert!(counts[0] >= 10_000, "{target}: {counts:?}");
    }
    // Whoever was due or probed between the step and its being noticed ran at the new time, and missed nothing.
    assert!(!missed.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_stops_nothing() {
    let mut world = World::start(json!({})).await;
    world.until_each_was_probed(1).await;
    world.step(SignedDuration::from_hours(-3));
    assert_eq!(world.noticed().await.round(), -3.0 * 3600.0);
    let service = world.until_each_was_probed(2).await;
    assert_eq!(missed(&service), BTreeMap::new());
    // And to and fro.
    for hours in [5, -5, 1] {
        world.step(SignedDuration::from_hours(hours));
        world.noticed().await;
    }
    world.until_each_was_probed(2).await;
    world.end().await;
}

#[tokio::test]
async fn maintenance_is_a_status_of_its_own() {
    let maintenance =
        json!({ "maintenance": [{ "during": "Mon-Sun 00:00-24:00", "timezone": "UTC", "targets": ["t1"] }] });
    let mut world = World::start(maintenance).await;
    world.until_each_was_probed(1).await;
    let rows = world.board.rows();
    let status = |name: &str| rows.iter().find(|row| row.target.as_str() == name).unwrap().status;
    assert_eq!((status("t0"), status("t1")), (Status::Up, Status::Maintenance));
    world.end().await;
}
