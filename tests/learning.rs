//! `every: auto` end to end: a daemon learns when a simulated model unloads, and is told by users' tools that it was used.
//!
//! The first test runs in this process, because only there the policy's minutes can pass as fast as the simulator's.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pilotlight::config::Environment;
use pilotlight::daemon::{Board, Daemon, Ended, Manager, Pace, Parts, Signal, Source, TimeScale};
use pilotlight::outcome::{Event, Service};
use pilotlight::probe::clock::Clock;
use pilotlight::probe::transport::HttpNetwork;
use pilotlight::run::{Chance, SystemClock};
use pilotlight::sim::{Options, Scenario, Simulator};
use pilotlight::store::{Reader, StateKind};
use pilotlight::telemetry::Metrics;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::daemon::service::{self, Place, probes, sim};
use crate::scenarios::Sim;

/// How much faster the provider lives: its ten minutes are two seconds.
pub(crate) const SPEED: f64 = 300.0;
/// About fifteen are needed.
const PROBES: usize = 40;

fn of_one_model(simulator: &Simulator) -> Value {
    json!({
        "version": 1,
        "defaults": { "warm": { "every": "auto" } },
        "providers": { "p": { "dialect": "openai", "base_url": format!("{}/v1", simulator.base_url()), "api_key": "none" } },
        "targets": [{ "name": "glm", "provider": "p", "model": "m" }],
    })
}

/// A daemon with such a probes.yaml, for which a provider's minutes pass as fast as in the simulator.
pub(crate) async fn start(probes: &Value, folder: &std::path::Path) -> (mpsc::UnboundedReceiver<Event>, Running) {
    let path = folder.join("probes.yaml");
    std::fs::write(&path, probes.to_string()).unwrap();
    let clock = Arc::new(SystemClock);
    let board = Arc::new(Board::new(clock.now()));
    let (send, events) = mpsc::unbounded_channel();
    let parts = Parts {
        source: Source::of(path, Environment::from_pairs(Vec::<(String, String)>::new())),
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

pub(crate) struct Running {
    pub(crate) board: Arc<Board>,
    signals: mpsc::UnboundedSender<Signal>,
    task: tokio::task::JoinHandle<Ended>,
}

impl Running {
    pub(crate) async fn end(self) {
        self.signals.send(Signal::Terminate).unwrap();
        self.task.await.unwrap();
    }
}

/// Waits until the state of what is learned is this one; how many probes it took.
pub(crate) async fn until(events: &mut mpsc::UnboundedReceiver<Event>, wanted: &str) -> (usize, String) {
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
    let model = json!({ "id": "m", "load": "120s", "idle_timeout": "10m", "first_token": "300ms" });
    let scenario = json!({ "flavour": "openai", "models": [model] }).to_string();
    let options = Options { speed: SPEED, ..Options::default() };
    let simulator = Simulator::start(Scenario::from_yaml(&scenario).unwrap(), options).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (mut events, running) = start(&of_one_model(&simulator), folder.path()).await;
    let (probes, says) = until(&mut events, "known").await;
    assert!(probes >= 4, "{says}");
    assert!(says.starts_with("idle timeout ~"), "{says}");
    let minutes: f64 = says.trim_start_matches("idle timeout ~").split(['m', ' ']).next().unwrap().parse().unwrap();
    assert!((6.0..=13.0).contains(&minutes), "{says}");
    let shown = running.board.rows().into_iter().next().unwrap().learned.unwrap();
    assert!(shown.starts_with("idle timeout ~"), "{shown}");
    running.end().await;

    let reader = Reader::open(&folder.path().join("state")).await.unwrap().unwrap();
    let observations = reader.observations("glm", None).await.unwrap();
    assert_eq!(observations.len(), probes, "each taught something");
    let kept: BTreeMap<_, _> = reader.states(StateKind::Learned).await.unwrap().into_iter().collect();
    assert!(kept["glm"].starts_with(r#"{"model":"m","base_url":"http"#), "{}", kept["glm"]);
    reader.close().await;

    let before = simulator.counts().generations;
    let (_, running) = start(&of_one_model(&simulator), folder.path()).await;
    let shown = running.board.rows().into_iter().next().unwrap().learned.unwrap();
    assert!(shown.starts_with("idle timeout ~"), "{shown}");
    assert_eq!(simulator.counts().generations, before, "a restart is no reason to warm");
    running.end().await;
}

fn touch(place: &Place, args: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pilotlight"));
    command.arg("touch").arg("--config").arg(place.path("probes.yaml"));
    command.arg("--state-dir").arg(place.path("state")).args(args);
    command.env_clear().output().unwrap()
}

#[test]
fn a_touch_puts_the_next_warm_up_off() {
    let sim = sim(&["glm", "kimi"], &json!({}));
    let place = Place::new(&probes(&sim.doors["plain"], &["glm", "kimi"], &json!({})));
    let text = std::fs::read_to_string(place.path("probes.yaml")).unwrap();
    let auto = text.replace(r#""every":"1s""#, r#""every":"auto""#);
    place.write(&auto);

    // No daemon, no state directory: it is made.
    let done = touch(&place, &["glm"]);
    assert!(done.status.success() && done.stdout.is_empty(), "{done:?}");
    let strange = touch(&place, &["kimmi", "glm"]);
    assert_eq!(strange.status.code(), Some(2));
    let told = String::from_utf8(strange.stderr).unwrap();
    assert!(told.contains("there is no target `kimmi`; did you mean `kimi`?"), "{told}");
    assert!(!place.path("state/touch-kimmi").exists());

    // The daemon takes it up: the model was used just now, so its first warm-up can wait.
    let checked = auto.replace(r#""every":"auto""#, r#""every":"auto"},"auth":{"every":"1s""#);
    place.write(&checked);
    let mut service = place.start();
    let first = last_use(&place, &mut service, None);
    service.finished("glm");
    service.finished("glm");
    assert!(touch(&place, &["glm"]).status.success());
    let later = last_use(&place, &mut service, Some(first));
    assert!(later.duration_since(first).as_secs_f64() > 0.5, "{first} {later}");
    let learned = service.status_of("glm")["learned"].as_str().unwrap().to_owned();
    assert!(learned.starts_with("nothing observed yet"), "{learned}");
    let log = service.end();
    assert!(log.iter().any(|line| line["event"] == "target.learned" && line["state"] == "new"), "{log:#?}");
    assert!(log.iter().all(|line| line["target"] != "glm" || line["depth"] != "warm"), "{log:#?}");
    place.write(&auto);

    // From a timer it is honoured too: only the other one, of which nothing is known, is due.
    std::fs::remove_dir_all(place.path("state")).unwrap();
    assert!(touch(&place, &["glm"]).status.success());
    let once = place.once(&[]);
    let report = String::from_utf8(once.stdout).unwrap();
    assert!(report.contains("kimi") && !report.contains("glm"), "{report}");
}

#[test]
fn a_pass_warms_an_llm_once_whatever_number_of_targets_name_it() {
    let sim = Sim::start(&json!({ "flavour": "openai", "models": [{ "id": "m", "load": "20s", "tokens": 2 }] }), 100.0);
    let generations = || sim.admin("GET", "/_sim/counts")["generations"].clone();
    let url = format!("{}/v1", sim.doors["plain"]);
    let account = json!({ "dialect": "openai", "base_url": url, "api_key": "none" });
    let target = |name: &str, provider: &str| json!({ "name": name, "provider": provider, "model": "m" });
    let place = Place::new(&json!({
        "version": 1,
        "defaults": { "warm": { "every": "auto" } },
        "providers": { "p": account, "q": account },
        "targets": [target("ours", "p"), target("theirs", "q"), target("too", "q")],
    }));
    let report = |pass: std::process::Output| String::from_utf8(pass.stdout).unwrap();
    let first = report(place.once(&[]));
    assert!(first.contains("ours") && !first.contains("theirs") && !first.contains("too"), "{first}");
    assert_eq!(generations(), 1);
    let second = report(place.once(&[]));
    assert!(!second.contains("ours") && !second.contains("theirs"), "what the others were told is kept: {second}");
    assert_eq!(generations(), 1);
    // Asked for by hand, each is probed.
    let forced = report(place.once(&["--now"]));
    assert!(forced.contains("ours") && forced.contains("theirs") && forced.contains("too"), "{forced}");
    assert_eq!(generations(), 4);
}

#[test]
fn where_one_target_of_an_llm_fails_in_a_pass_the_next_warms_it() {
    let sim = Sim::start(
        &json!({ "flavour": "openai", "accounts": [{ "key": "right" }], "models": [{ "id": "m", "tokens": 2 }] }),
        1.0,
    );
    let url = format!("{}/v1", sim.doors["plain"]);
    let account = |file: &str| json!({ "dialect": "openai", "base_url": url, "api_key": { "file": file } });
    let place = Place::new(&json!({
        "version": 1,
        "defaults": { "warm": { "every": "auto" } },
        "providers": { "p": account("wrong-key"), "q": account("right-key") },
        "targets": [
            { "name": "a", "provider": "p", "model": "m" },
            { "name": "b", "provider": "q", "model": "m" },
            { "name": "c", "provider": "q", "model": "m" },
        ],
    }));
    std::fs::write(place.path("wrong-key"), "wrong").unwrap();
    std::fs::write(place.path("right-key"), "right").unwrap();
    let pass = place.once(&[]);
    let log = String::from_utf8(pass.stderr).unwrap();
    let told: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let probed = told.iter().filter(|line| line["event"] == "probe.finished");
    let probed: Vec<_> =
        probed.map(|line| (line["target"].as_str().unwrap(), line["verdict"].as_str().unwrap())).collect();
    assert_eq!(probed, [("a", "failed"), ("b", "ready")], "{log}");
}

/// A user's request of a model, by the same key.
fn use_model(url: &str, model: &str) {
    let body = json!({ "model": model, "messages": [{ "role": "user", "content": "hello" }] }).to_string();
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    write!(
        stream,
        "POST /openai/v1/chat/completions HTTP/1.1\r\nHost: sim\r\nAuthorization: Bearer syn_test\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_users_request_that_the_counter_shows_puts_the_next_warm_up_off() {
    let model = json!({ "id": "hf:a/glm", "first_token": "1ms", "tokens": 2 });
    let scenario = json!({
        "flavour": "synthetic", "accounts": [{ "key": "syn_test" }], "models": [model], "quota": { "packs": 1 },
    });
    let sim = Sim::start(&scenario, 1.0);
    let url = sim.doors.values().next().unwrap();
    let place = Place::new(&json!({
        "version": 1,
        "providers": { "synthetic": {
            "preset": "synthetic", "base_url": format!("{url}/openai/v1"), "api_key": { "file": "key" },
        } },
        "targets": [{
            "name": "glm", "provider": "synthetic", "model": "hf:a/glm",
            "auth": { "every": "1s" }, "warm": { "every": "auto" },
        }],
    }));
    std::fs::write(place.path("key"), "syn_test").unwrap();
    // It need not be warmed at once, and from then on the counter alone tells.
    assert!(touch(&place, &["glm"]).status.success());
    let mut service = place.start();
    let first = last_use(&place, &mut service, None);
    service.finished("glm");
    service.finished("glm");
    use_model(url, "hf:a/glm");
    let later = last_use(&place, &mut service, Some(first));
    assert!(later.duration_since(first).as_secs_f64() > 0.5, "{first} {later}");
    service.end();
}

/// When the model was last used, as far as the daemon knows, later than `after`. It keeps that within seconds; each second
/// it makes a check meanwhile.
fn last_use(place: &Place, service: &mut service::Service, after: Option<Timestamp>) -> Timestamp {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    loop {
        service.finished("glm");
        let states = runtime.block_on(async {
            let reader = Reader::open(&place.path("state")).await.unwrap().unwrap();
            reader.states(StateKind::Past).await.unwrap()
        });
        let Some((_, past)) = states.into_iter().find(|(name, _)| name == "glm") else { continue };
        let past: Value = serde_json::from_str(&past).unwrap();
        let used: Timestamp = past["learned"]["touched"].as_str().unwrap().parse().unwrap();
        if after.is_none_or(|after| used > after) {
            return used;
        }
    }
}
