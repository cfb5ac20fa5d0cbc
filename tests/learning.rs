//! `every: auto` end to end: a daemon learns when a simulated model unloads, and is told by users' tools that it was used.
//!
//! The first test runs in this process, because only there the policy's minutes can pass as fast as the simulator's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pilotlight::config::Environment;
use pilotlight::daemon::{Board, Daemon, Ended, Manager, Pace, Parts, Signal, Source, TimeScale};
use pilotlight::outcome::{Event, Service};
use pilotlight::probe::clock::Clock;
use pilotlight::probe::transport::HttpNetwork;
use pilotlight::run::{Chance, SystemClock};
use pilotlight::sim::{Options, Scenario, Simulator};
use pilotlight::store::{Reader, StateKind};
use pilotlight::telemetry::Metrics;
use serde_json::json;
use tokio::sync::mpsc;

/// How much faster the provider lives: its ten minutes are two seconds.
const SPEED: f64 = 300.0;
/// Nobody has ever needed half as many.
const PROBES: usize = 60;

async fn start(simulator: &Simulator, folder: &std::path::Path) -> (mpsc::UnboundedReceiver<Event>, Running) {
    let probes = json!({
        "version": 1,
        "defaults": { "warm": { "every": "auto" } },
        "providers": { "p": { "dialect": "openai", "base_url": format!("{}/v1", simulator.base_url()), "api_key": "none" } },
        "targets": [{ "name": "glm", "provider": "p", "model": "m" }],
    });
    let path = folder.join("probes.yaml");
    std::fs::write(&path, probes.to_string()).unwrap();
    let clock = Arc::new(SystemClock);
    let board = Arc::new(Board::new(clock.now()));
    let (send, events) = mpsc::unbounded_channel();
    let parts = Parts {
        source: Source {
            path,
            environment: Environment::from_pairs(Vec::<(String, String)>::new()),
            env_file: None,
            names: Vec::new(),
            tags: Vec::new(),
            providers: Vec::new(),
        },
        network: Arc::new(HttpNetwork::new(clock.clone())),
        clock,
        chance: Arc::new(Chance::from_seed(1)),
        listener: Arc::new(move |event| {
            send.send(event).ok();
        }),
        state: Some(folder.join("state")),
        manager: Manager::default(),
        board: Arc::clone(&board),
        metrics: Metrics::new("test", []),
        pace: Pace::default(),
        time_scale: TimeScale::new(SPEED),
    };
    let daemon = Daemon::start(parts).await.unwrap();
    let (signals, received) = mpsc::unbounded_channel();
    (events, Running { board, signals, task: tokio::spawn(daemon.run(received)) })
}

struct Running {
    board: Arc<Board>,
    signals: mpsc::UnboundedSender<Signal>,
    task: tokio::task::JoinHandle<Ended>,
}

impl Running {
    async fn end(self) {
        self.signals.send(Signal::Terminate).unwrap();
        self.task.await.unwrap();
    }
}

/// Waits until the state of what is learned is this one; how many probes it took.
async fn until(events: &mut mpsc::UnboundedReceiver<Event>, wanted: &str) -> (usize, String) {
    let mut probes = 0;
    loop {
        let event = tokio::time::timeout(Duration::from_secs(60), events.recv()).await;
        match event.expect("nothing happens any more").unwrap() {
            Event::Finished(_) => probes += 1,
            Event::Service(Service::Learned { state, says, .. }) if state == wanted => return (probes, says),
            _ => {}
        }
        assert!(probes <= PROBES, "{probes} probes, and it is not {wanted}");
    }
}

#[tokio::test]
async fn an_idle_timeout_is_learned_and_survives_a_restart() {
    let model = json!({ "id": "m", "load": "90s", "idle_timeout": "10m", "first_token": "3s" });
    let scenario = json!({ "flavour": "openai", "models": [model] }).to_string();
    let options = Options { speed: SPEED, ..Options::default() };
    let simulator = Simulator::start(Scenario::from_yaml(&scenario).unwrap(), options).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (mut events, running) = start(&simulator, folder.path()).await;
    let (probes, says) = until(&mut events, "known").await;
    assert!(probes >= 4, "{says}");
    assert!(says.starts_with("idle timeout ~"), "{says}");
    let minutes: f64 = says.trim_start_matches("idle timeout ~").split(['m', ' ']).next().unwrap().parse().unwrap();
    assert!((6.0..=13.0).contains(&minutes), "{says}");
    let shown = running.board.rows().into_iter().next().unwrap().learned.unwrap();
    assert!(shown.starts_with("idle timeout ~"), "{shown}");
    running.end().await;

    let reader = Reader::open(&folder.path().join("state")).await.unwrap().unwrap();
    let observations = reader.observations("glm").await.unwrap();
    assert_eq!(observations.len(), probes, "each taught something");
    let kept: BTreeMap<_, _> = reader.states(StateKind::Learned).await.unwrap().into_iter().collect();
    assert!(kept["glm"].starts_with(r#"{"model":"m","base_url":"http"#), "{}", kept["glm"]);
    reader.close().await;

    let before = simulator.counts().generations;
    let (_, running) = start(&simulator, folder.path()).await;
    let shown = running.board.rows().into_iter().next().unwrap().learned.unwrap();
    assert!(shown.starts_with("idle timeout ~"), "{shown}");
    assert_eq!(simulator.counts().generations, before, "a restart is no reason to warm");
    running.end().await;
}
