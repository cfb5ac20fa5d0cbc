//! `every: auto` beside servers that say themselves what they have loaded, and beside servers that hold one model at a time:
//! the real daemon, in this process, because only there the policy's minutes can pass as fast as the simulator's.

use std::path::Path;
use std::time::Duration;

use pilotlight::outcome::{Event, Outcome, Proof, Residence, Service, Warmth};
use pilotlight::sim::{Options, Scenario, Simulator};
use pilotlight::store::Reader;
use pilotlight::warmth::{Observation, Reply};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::learning::{SPEED, start, until};

async fn simulate(scenario: &Value) -> Simulator {
    let options = Options { speed: SPEED, ..Options::default() };
    Simulator::start(Scenario::from_yaml(&scenario.to_string()).unwrap(), options).await.unwrap()
}

/// Targets `a`, `b` … with models of the same names, at one provider.
fn targets(simulator: &Simulator, provider: &Value, path: &str, names: &[&str]) -> Value {
    let mut provider = provider.clone();
    provider["base_url"] = json!(format!("{}{path}", simulator.base_url()));
    provider["api_key"] = json!("none");
    let target = |name: &&str| json!({ "name": name, "provider": "p", "model": name });
    json!({
        "version": 1,
        "defaults": { "warm": { "every": "auto" } },
        "providers": { "p": provider },
        "targets": names.iter().map(target).collect::<Vec<_>>(),
    })
}

async fn finished(events: &mut mpsc::UnboundedReceiver<Event>) -> std::sync::Arc<Outcome> {
    loop {
        let event = tokio::time::timeout(Duration::from_secs(60), events.recv()).await;
        if let Event::Finished(outcome) = event.expect("nothing happens any more").unwrap() {
            return outcome;
        }
    }
}

#[tokio::test]
async fn what_ollama_has_pinned_is_seen_for_free_and_not_warmed() {
    let model = json!({ "id": "a", "loaded": true, "load": "30s" });
    let simulator = simulate(&json!({ "flavour": "ollama", "models": [model] })).await;
    let folder = tempfile::tempdir().unwrap();
    let probes = targets(&simulator, &json!({ "preset": "ollama" }), "", &["a"]);
    let (mut events, running) = start(&probes, folder.path()).await;
    for _ in 0..4 {
        let outcome = finished(&mut events).await;
        assert_eq!((outcome.proof, outcome.warmth), (Proof::AlreadyLoaded, Warmth::Warm), "{:?}", outcome.diagnosis);
    }
    running.end().await;
    let counts = simulator.counts();
    assert_eq!((counts.generations, counts.preloads), (0, 0));
}

/// What warm-ups taught of `a`.
async fn taught(folder: &Path) -> Vec<Reply> {
    let reader = Reader::open(&folder.join("state")).await.unwrap().unwrap();
    let observations = reader.observations("a", None).await.unwrap();
    reader.close().await;
    observations.iter().map(|observation| observation.reply).collect()
}

#[tokio::test]
async fn servers_that_tell_are_believed_although_warm_is_as_slow_as_cold() {
    // By its time alone nobody could tell: warm takes six seconds, cold as many more, or less.
    let model =
        json!({ "id": "a", "load": "5s", "first_token": "6s", "idle_timeout": "10m", "loaded": false, "tokens": 2 });
    for preset in ["llamacpp", "llama-swap"] {
        let simulator = simulate(&json!({ "flavour": "llamacpp", "models": [model] })).await;
        let folder = tempfile::tempdir().unwrap();
        let state = if preset == "llamacpp" { "llama-cpp-router" } else { "llama-swap" };
        let probes = targets(&simulator, &json!({ "preset": preset, "state": state }), "/v1", &["a"]);
        let (mut events, running) = start(&probes, folder.path()).await;
        let (_, says) = until(&mut events, "known").await;
        running.end().await;
        let minutes: f64 = says.trim_start_matches("idle timeout ~").split(['m', ' ']).next().unwrap().parse().unwrap();
        assert!((6.0..=13.0).contains(&minutes), "{preset}: {says}");
        let replies = taught(folder.path()).await;
        assert!(replies.iter().any(|reply| matches!(reply, Reply::Loading(_))), "{preset}: {replies:?}");
        let warm = |reply: &Reply| matches!(reply, Reply::FirstToken(span) if span.seconds() <= 0.5);
        assert!(replies.iter().any(warm), "{preset}: {replies:?}");
    }
}

#[tokio::test]
async fn two_models_that_push_each_other_out_are_noticed_and_one_is_left_alone() {
    for (flavour, provider, path) in [
        ("ollama", json!({ "preset": "ollama", "keep_alive": "30m" }), ""),
        ("llamacpp", json!({ "preset": "llama-swap", "state": "llama-swap" }), "/v1"),
    ] {
        let model = |id: &str| json!({ "id": id, "load": "5s", "idle_timeout": "30m", "loaded": false, "first_token": "300ms" });
        let scenario = json!({ "flavour": flavour, "models": [model("a"), model("b")], "max_loaded": 1 });
        let simulator = simulate(&scenario).await;
        let folder = tempfile::tempdir().unwrap();
        let (mut events, running) = start(&targets(&simulator, &provider, path, &["a", "b"]), folder.path()).await;
        let (target, says) = loop {
            let event = tokio::time::timeout(Duration::from_secs(60), events.recv()).await;
            let event = event.unwrap_or_else(|_| panic!("{flavour}: nothing happens any more")).unwrap();
            if let Event::Service(Service::Learned { state: "in-turns", target, says }) = event {
                break (target, says);
            }
        };
        let other = if target.as_str() == "a" { "b" } else { "a" };
        let sentence = format!("pushed out by {other} and pushing it out: the server holds one model at a time");
        assert!(says.starts_with(&sentence), "{flavour}: {says}");
        let row = |name: &str| running.board.rows().into_iter().find(|row| row.target.as_str() == name).unwrap();
        assert_eq!(row(target.as_str()).learned.as_deref(), Some(says.as_str()), "the status says it");
        // The other one stays warm from now on.
        let mut rest = Vec::new();
        while rest.len() < 4 {
            let outcome = finished(&mut events).await;
            assert_eq!(outcome.target.id.as_str(), other, "{flavour}: it is left alone");
            rest.push(outcome.residence);
        }
        let there = |residence: &Option<Residence>| matches!(residence, Some(Residence::Loaded { .. }));
        assert!(rest.iter().skip(1).all(there), "{flavour}: {rest:?}");
        running.end().await;
    }
}

#[tokio::test]
async fn two_models_that_go_by_themselves_after_a_minute_are_not_taken_for_rivals() {
    let model =
        |id: &str| json!({ "id": id, "load": "5s", "idle_timeout": "1m", "loaded": false, "first_token": "300ms" });
    let simulator = simulate(&json!({ "flavour": "llamacpp", "models": [model("a"), model("b")] })).await;
    let folder = tempfile::tempdir().unwrap();
    let provider = json!({ "preset": "llama-swap", "state": "llama-swap" });
    let (mut events, running) = start(&targets(&simulator, &provider, "/v1", &["a", "b"]), folder.path()).await;
    let mut given_up = Vec::new();
    while given_up.len() < 2 {
        let event =
            tokio::time::timeout(Duration::from_secs(60), events.recv()).await.expect("nothing happens any more");
        if let Event::Service(Service::Learned { state, target, says }) = event.unwrap() {
            assert_ne!(state, "in-turns", "{target}: {says}");
            if state == "unkeepable" {
                given_up.push(target);
            }
        }
    }
    running.end().await;
}

#[tokio::test]
async fn two_targets_of_one_model_learn_its_timeout_together() {
    let model = json!({ "id": "m", "load": "60s", "idle_timeout": "10m", "loaded": false });
    let simulator = simulate(&json!({ "flavour": "llamacpp", "models": [model] })).await;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("{}/v1", simulator.base_url());
    // Two accounts at the same place, as a person's and a team's. The server says what it found, so that a busy machine's
    // delays, which here are minutes, are not taken for loads.
    let account = json!({ "preset": "llama-swap", "state": "llama-swap", "base_url": url, "api_key": "none" });
    let probes = json!({
        "version": 1,
        "defaults": { "warm": { "every": "auto" } },
        "providers": { "mine": account, "ours": account },
        "targets": [
            { "name": "a", "provider": "mine", "model": "m" },
            { "name": "b", "provider": "ours", "model": "m" },
        ],
    });
    let (mut events, running) = start(&probes, folder.path()).await;
    let (mut known, mut probed) = (Vec::new(), [0_u32; 2]);
    while known.len() < 2 || probed.contains(&0) {
        let event =
            tokio::time::timeout(Duration::from_secs(60), events.recv()).await.expect("nothing happens any more");
        match event.unwrap() {
            Event::Finished(outcome) => probed[usize::from(outcome.target.id.as_str() == "b")] += 1,
            Event::Service(Service::Learned { state: "known", target, says }) => {
                let minutes: f64 =
                    says.trim_start_matches("idle timeout ~").split(['m', ' ']).next().unwrap().parse().unwrap();
                // Neither takes the other's warm-ups for the model's staying.
                assert!((6.0..=13.0).contains(&minutes), "{target}: {says}");
                known.push(target);
            }
            _ => {}
        }
        assert!(probed[0] + probed[1] <= 40, "{probed:?}, and only {known:?} are known");
    }
    running.end().await;
    // One warms for both, in turns.
    assert!(probed[0].abs_diff(probed[1]) <= 2, "{probed:?}");
    let reader = Reader::open(&folder.path().join("state")).await.unwrap().unwrap();
    let observations = reader.observations("a", None).await.unwrap();
    reader.close().await;
    let soon = |pair: &[Observation]| pair[1].at.since(pair[0].at).seconds() < 60.0;
    let twice = observations.windows(2).filter(|pair| soon(pair)).count();
    assert!(twice <= 1, "only the second of the first contact: {observations:?}");
}
