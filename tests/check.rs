//! `pilotlight check` on many targets, with the release binary: the worst exit, signals, readers that do not read.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::scenarios::Sim;

/// A probes.yaml with a target for each model, all at one provider.
fn probes(url: &str, models: &[String], provider: &Value, expect: &Value) -> Value {
    let mut settings = json!({ "dialect": "openai", "base_url": format!("{url}/v1"), "api_key": "none" });
    settings.as_object_mut().unwrap().extend(provider.as_object().unwrap().clone());
    let targets: Vec<Value> = (0..)
        .zip(models)
        .map(|(n, model)| json!({ "name": format!("t{n}"), "provider": "p", "model": model, "expect": expect }))
        .collect();
    json!({ "version": 1, "providers": { "p": settings }, "targets": targets })
}

fn command(folder: &Path, probes: &Value, args: &[&str]) -> Command {
    let path = folder.join("probes.yaml");
    fs::write(&path, probes.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pilotlight"));
    command
        .args(["check", "--config"])
        .arg(&path)
        .args(args)
        .env_clear()
        .env("STATE_DIRECTORY", folder.join("state"))
        .env("PATH", "/usr/bin:/bin");
    command
}

fn check(probes: &Value, args: &[&str]) -> (Output, Value) {
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path(), probes, args).output().unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output, report)
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("m{n}")).collect()
}

fn sim(models: &[String], rest: &Value) -> Sim {
    let models: Vec<Value> = models.iter().map(|id| json!({ "id": id, "first_token": "1ms", "tokens": 2 })).collect();
    let mut scenario = json!({ "flavour": "openai", "models": models });
    scenario.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    Sim::start(&scenario, 1.0)
}

fn kill(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Asks the simulator until something holds; it always does within moments, or the test fails.
fn until(sim: &Sim, holds: impl Fn(&Value) -> bool) {
    for _ in 0..20_000 {
        if holds(&sim.admin("GET", "/_sim/counts")) {
            return;
        }
    }
    panic!("never: {}", sim.admin("GET", "/_sim/counts"));
}

#[test]
fn the_worst_of_many_decides_and_each_keeps_its_own() {
    let models = names(12);
    let sim = sim(
        &models,
        &json!({ "faults": [
            { "on": { "model": "m3" }, "then": "overloaded" },
            { "on": { "model": "m5" }, "then": { "error": "unpaid" } },
            { "on": { "model": "m7" }, "then": "rate_limited" },
        ] }),
    );
    let mut wanted = models.clone();
    wanted.push("absent".to_owned());
    let probes = probes(&sim.doors["plain"], &wanted, &json!({}), &json!({}));
    let (output, report) = check(&probes, &["--format", "json", "--attempts", "1"]);
    assert_eq!(output.status.code(), Some(14), "payment outranks not-found, overloaded and rate-limited");
    assert_eq!(report["counts"], json!({ "ready": 9, "degraded": 0, "unknown": 0, "failed": 4 }));
    let codes: Vec<&str> =
        report["results"].as_array().unwrap().iter().filter_map(|result| result["code"].as_str()).collect();
    assert_eq!(
        codes,
        ["overloaded", "balance-spent", "rate-limited", "model-not-found"],
        "in the order of probes.yaml"
    );
    // Each probe has one connection, and one generation at most.
    let counts = sim.admin("GET", "/_sim/counts");
    assert_eq!((counts["connections"].as_u64(), counts["generations"].as_u64()), (Some(13), Some(9)), "{counts}");
}

#[test]
fn what_can_heal_is_tried_again_by_the_binary() {
    let models = names(1);
    let fault =
        json!({ "faults": [{ "on": { "path": "/v1/chat/completions" }, "times": 1, "then": "upstream_error" }] });
    let sim = sim(&models, &fault);
    let probes = probes(&sim.doors["plain"], &models, &json!({}), &json!({}));
    let (output, report) = check(&probes, &["--format", "json"]);
    assert_eq!((output.status.code(), &report["results"][0]["attempts"]), (Some(0), &json!(2)));
}

#[test]
fn a_reader_that_does_not_read_delays_no_probe() {
    let models = names(300);
    let sim = sim(&models, &json!({}));
    let provider = json!({ "concurrency": 50 });
    let probes = probes(&sim.doors["plain"], &models, &provider, &json!({}));
    let folder = tempfile::tempdir().unwrap();
    // More than a pipe holds, on both.
    let mut child = command(folder.path(), &probes, &["--format", "jsonl", "--log-format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until(&sim, |counts| counts["completed"] == json!(300));
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let log = std::thread::spawn(move || {
        let mut text = String::new();
        err.read_to_string(&mut text).unwrap();
        text
    });
    let mut records = String::new();
    out.read_to_string(&mut records).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let ready = |text: &str| text.lines().filter(|line| line.contains("\"verdict\":\"ready\"")).count();
    assert_eq!((ready(&records), ready(&log.join().unwrap())), (300, 300));
}

#[test]
fn a_signal_ends_it_with_what_is_known() {
    let models = names(3);
    let fault = json!({ "faults": [{ "on": { "path": "/v1/chat/completions", "model": "m1" }, "then": "hang" }] });
    for (signal, code, name) in [("-INT", 130, "interrupted"), ("-TERM", 143, "terminated")] {
        let sim = sim(&models, &fault);
        let probes = probes(&sim.doors["plain"], &models, &json!({}), &json!({}));
        let folder = tempfile::tempdir().unwrap();
        let child = command(folder.path(), &probes, &["--format", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until(&sim, |counts| {
            counts["by_path"]["POST /v1/chat/completions"] == json!(3) && counts["completed"] == json!(2)
        });
        kill(&child, signal);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["exit"], json!({ "code": code, "name": name }));
        let verdicts: Vec<&str> =
            report["results"].as_array().unwrap().iter().filter_map(|result| result["verdict"].as_str()).collect();
        assert_eq!(verdicts, ["ready", "unknown", "ready"]);
        let stopped = &report["results"][1];
        // What it had found by then is kept.
        assert_eq!((&stopped["stage"], &stopped["proof"]), (&json!("warm"), &json!("catalogue-only")), "{stopped}");
        assert!(stopped["remedy"].as_str().is_some_and(|remedy| !remedy.contains("--timeout")), "{stopped}");
    }
}

#[test]
fn the_deadline_of_the_run_starts_nothing_new() {
    // Forty targets at one model that hangs: only one may ask it, and the others never begin.
    let models: Vec<String> = (0..40).map(|_| "m0".to_owned()).collect();
    let sim = sim(&names(1), &json!({ "faults": [{ "on": { "path": "/v1/chat/completions" }, "then": "hang" }] }));
    let probes = probes(&sim.doors["plain"], &models, &json!({}), &json!({}));
    let (output, report) = check(&probes, &["--format", "json", "--timeout", "500ms"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(sim.admin("GET", "/_sim/counts")["connections"], json!(1));
    let evidence = |n: usize| report["results"][n]["evidence"].as_str().unwrap().to_owned();
    assert!(evidence(39).contains("not begun"), "{}", evidence(39));
    assert!(report["results"].as_array().unwrap().iter().any(|result| result["stage"] == json!("warm")));
}

#[test]
fn a_key_is_sent_in_its_header_only() {
    let models = names(1);
    let sim = sim(&models, &json!({ "accounts": [{ "key": "syn_0123456789abcdef" }] }));
    let key = json!({ "api_key": "syn_0123456789abcdef" });
    let probes = probes(&sim.doors["plain"], &models, &key, &json!({}));
    assert_eq!(check(&probes, &["--format", "json"]).0.status.code(), Some(0));
    let counts = sim.admin("GET", "/_sim/counts");
    assert_eq!((&counts["misplaced_keys"], &counts["by_credential"]["none"]), (&json!(0), &Value::Null), "{counts}");
}
