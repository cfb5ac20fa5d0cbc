//! `pilotlight status` and `pilotlight history` with the binary: what `run --once` left in the store, and what is told
//! where there is nothing.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::scenarios::Sim;

/// A probes.yaml with a target for each pair of a name and a model, all at one provider.
fn write_probes(folder: &Path, url: &str, targets: &[(&str, &str)]) {
    let targets: Vec<Value> = targets
        .iter()
        .map(|(name, model)| {
            json!({ "name": name, "provider": "p", "model": model, "tags": [format!("about-{name}")],
                "auth": { "every": "1h" }, "warm": { "every": "2h" } })
        })
        .collect();
    let provider = json!({ "dialect": "openai", "base_url": format!("{url}/v1"), "api_key": "none" });
    let probes = json!({ "version": 1, "providers": { "p": provider }, "targets": targets });
    fs::write(folder.join("probes.yaml"), probes.to_string()).unwrap();
}

fn run(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pilotlight"))
        .args(args)
        .args(["--state-dir", "state"])
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[track_caller]
fn told(folder: &Path, args: &[&str], code: i32) -> String {
    let output = run(folder, args);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}\n{err}");
    if out.is_empty() { err } else { out }
}

#[track_caller]
fn document(folder: &Path, args: &[&str], code: i32) -> Value {
    serde_json::from_str(&told(folder, args, code)).unwrap()
}

fn probe(folder: &Path, times: usize) {
    for _ in 0..times {
        run(folder, &["run", "--once", "--now", "--log-level", "off"]);
    }
}

fn sim(models: &[&str]) -> Sim {
    let models: Vec<Value> = models.iter().map(|id| json!({ "id": id, "first_token": "1ms", "tokens": 2 })).collect();
    Sim::start(&json!({ "flavour": "openai", "models": models }), 1.0)
}

#[test]
fn what_run_keeps_is_shown() {
    let sim = sim(&["m0", "m1"]);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let url = &sim.doors["plain"];
    write_probes(folder, url, &[("zulu", "m0"), ("alpha", "m1"), ("lost", "absent")]);
    probe(folder, 1);
    // One failure is no outage yet.
    let view = document(folder, &["status", "--format", "json"], 3);
    assert_eq!((&view["up"], &view["down"], &view["unknown"]), (&json!(2), &json!(0), &json!(1)));
    probe(folder, 2);

    let text = told(folder, &["status"], 12);
    let rows: Vec<&str> = text.lines().take(4).collect();
    assert!(rows[0].starts_with("status  target  model"), "{text}");
    assert!(rows[1].starts_with("✓ up    zulu    m0"), "in the order of probes.yaml\n{text}");
    assert!(rows[1].contains("▁▁▁") && rows[1].contains("100 %") && rows[1].ends_with("ago, ready"), "{text}");
    assert!(rows[3].starts_with("✗ down  lost    absent") && rows[3].contains("0.0 %"), "{text}");
    assert!(rows[3].contains("ago, model-not") && rows[3].contains("  in "), "{text}");
    assert!(text.contains("\n✗ lost: model-not-found at warm, down for "), "{text}");
    assert!(text.contains("\n  seen     HTTP 404") && text.contains("\n  do       "), "{text}");
    assert!(text.ends_with("\n3 targets: 2 up, 1 down (model-not-found) · 24h 66.6 %\n"), "{text}");

    let view = document(folder, &["status", "--format", "json"], 12);
    assert_eq!((&view["schema"], &view["exit_code"], &view["exit_name"]), (&json!(1), &json!(12), &json!("not-found")));
    assert_eq!(view["uptime_24h_percent"], json!(66.6));
    let lost = &view["targets"][2];
    assert_eq!(
        (&lost["status"], &lost["code"], &lost["failed_24h"], &lost["overdue"], &lost["configured"]),
        (&json!("down"), &json!("model-not-found"), &json!(3), &json!(false), &json!(true)),
        "{lost}"
    );
    assert!(lost["next_due"].is_string() && lost["evidence"].is_string() && lost["since"].is_string(), "{lost}");
    assert_eq!(view["targets"][0]["first_tokens"].as_array().unwrap().len(), 3);

    assert!(told(folder, &["status", "alpha"], 0).ends_with("\n1 target: 1 up · 24h 100 %\n"));
    assert!(told(folder, &["status", "--tag", "about-zulu"], 0).contains("zulu"));
    assert!(told(folder, &["status", "--provider", "p"], 12).contains("3 targets"));
    let unknown = told(folder, &["status", "alhpa"], 2);
    assert_eq!(unknown, "error: there is no target `alhpa`; did you mean `alpha`? Targets: zulu, alpha, lost\n");

    what_becomes_of_a_new_configuration(folder, url);
    histories(folder);
}

fn what_becomes_of_a_new_configuration(folder: &Path, url: &str) {
    // Another LLM under an old name, a new target, and one that is gone.
    write_probes(folder, url, &[("alpha", "m1"), ("zulu", "m1"), ("fresh", "m0")]);
    let view = document(folder, &["status", "--format", "json"], 3);
    let stand: Vec<(&str, &str)> = view["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["target"].as_str().unwrap(), row["status"].as_str().unwrap()))
        .collect();
    assert_eq!(stand, [("alpha", "up"), ("zulu", "unknown"), ("fresh", "unknown")]);
    assert!(view["targets"][1].get("last").is_none(), "what was seen of another LLM");

    let all = told(folder, &["status", "--all"], 3);
    assert!(all.contains("✗ down     lost (removed)"), "{all}");
    assert!(all.ends_with("\n3 targets: 1 up, 2 unknown · 24h 100 %\n"), "one that is gone does not count\n{all}");
    assert!(told(folder, &["status", "--all", "lost"], 0).contains("lost (removed)"));

    // Without one that can be used the history alone is told.
    let probes = folder.join("probes.yaml");
    fs::write(&probes, "version: 1\n").unwrap();
    let text = told(folder, &["status"], 12);
    assert!(text.contains("note     probes.yaml cannot be used here (`pilotlight config validate`"), "{text}");
    assert!(text.contains("✓ up    alpha") && text.contains("3 targets: 2 up, 1 down"), "{text}");
    fs::remove_file(&probes).unwrap();
    let view = document(folder, &["status", "--format", "json"], 12);
    assert!(view.get("config").is_none() && view["targets"][0].get("configured").is_none(), "{view}");
    assert!(told(folder, &["status", "--tag", "about-zulu"], 2).contains("tags are in probes.yaml"));
    assert!(told(folder, &["status", "--config", "absent.yaml"], 2).contains("absent.yaml"));
    write_probes(folder, url, &[("alpha", "m1"), ("lost", "absent"), ("fresh", "m0")]);
}

fn histories(folder: &Path) {
    let text = told(folder, &["history", "lost"], 0);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("when                 depth  verdict"), "{text}");
    assert!(lines[1].contains("✗ failed") && lines[1].contains("model-not-found: HTTP 404"), "{text}");
    assert!(lines[3].starts_with("── down since ") && lines[3].ends_with(" (model-not-found) ──"), "{text}");
    assert!(text.contains("\nlost: 3 probes: 3 failed\ncodes: model-not-found ×3\n"), "{text}");
    assert!(text.ends_with("×3\n7d: 3 warm-ups\n"), "asked for, and nothing is known of a cost\n{text}");

    let warm = told(folder, &["history", "zulu", "--depth", "warm", "--limit", "2", "--since", "24h"], 0);
    assert!(
        warm.contains("zulu: 2 probes: 2 ready; there are older ones: --limit\nfirst token: warm median "),
        "{warm}"
    );
    assert_eq!(told(folder, &["history", "zulu", "--failures"], 0), "zulu: nothing like this is on record\n");
    assert!(told(folder, &["history", "lost", "--flips"], 0).ends_with("\nlost: 1 change of status\n"));
    assert_eq!(told(folder, &["history", "fresh"], 0), "fresh: nothing like this is on record\n");

    let view = document(folder, &["history", "lost", "--format", "json"], 0);
    assert_eq!((&view["schema"], &view["failed"], &view["codes"][0]["probes"]), (&json!(1), &json!(3), &json!(3)));
    assert_eq!((&view["flips"][0]["from"], &view["flips"][0]["to"]), (&json!("unknown"), &json!("down")));
    let lines = told(folder, &["history", "lost", "--format", "jsonl"], 0);
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(Some(&records), view["records"].as_array().as_ref().map(|records| *records));
    assert!(records.iter().is_sorted_by_key(|record| record["started"].as_str().unwrap()), "the newest last");

    let unknown = told(folder, &["history", "zul"], 2);
    assert_eq!(unknown, "error: there is no target `zul`; did you mean `zulu`? Targets: alpha, fresh, lost, zulu\n");
    assert!(told(folder, &["history", "zulu", "--since", "yesterday"], 2).contains("24h or 7d"));
}

#[test]
fn a_target_that_is_not_warmed_says_so_and_what_is_left() {
    let scenario = json!({
        "flavour": "synthetic",
        "accounts": [{ "key": "syn_test" }],
        "models": [{ "id": "hf:a/m0", "first_token": "1ms", "tokens": 2 }],
        "quota": { "packs": 1, "request_credit": 0.5 },
    });
    let sim = Sim::start(&scenario, 1.0);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("key"), "syn_test").unwrap();
    let write = |floor: &str| {
        let url = format!("{}/openai/v1", sim.doors["plain"]);
        let provider =
            json!({ "preset": "synthetic", "base_url": url, "api_key": { "file": "key" }, "packs": 1, "floor": floor });
        let target = json!({ "name": "glm", "provider": "ours", "model": "hf:a/m0", "warm": { "every": "2h" } });
        let probes = json!({ "version": 1, "providers": { "ours": provider }, "targets": [target] });
        fs::write(folder.join("probes.yaml"), probes.to_string()).unwrap();
    };
    write("15%");
    probe(folder, 1);
    assert!(!told(folder, &["status"], 0).contains("paused"));
    write("100%");
    probe(folder, 1);

    let text = told(folder, &["status"], 0);
    let row = text.lines().nth(1).unwrap();
    assert!(row.starts_with("✓ up") && row.ends_with("paused: quota below 100 %"), "{text}");
    assert!(text.contains("\npaused   glm: quota below 100 %; again in "), "{text}");
    assert!(text.contains("\nquota    ██████████ ours: 499 of 500 requests (five-hour, more in "), "{text}");
    assert!(text.contains("; probes: 1 in 24h, <1 %"), "{text}");
    assert!(text.ends_with("\n1 target: 1 up · 1 paused · 24h 100 %\n"), "{text}");
    let view = document(folder, &["status", "--format", "json"], 0);
    let (glm, ours) = (&view["targets"][0], &view["quotas"][0]);
    assert_eq!((&glm["status"], &glm["paused"]["why"]), (&json!("up"), &json!("quota below 100 %")));
    assert!(glm["paused"]["until"].is_string(), "{glm}");
    let spent = &glm["spent_24h"];
    assert_eq!((&spent["warm_ups"], &spent["withheld"], &spent["price_requests"]), (&json!(1), &json!(1), &json!(1.0)));
    assert_eq!(
        (&ours["provider"], &ours["limits"][0]["remaining"], &ours["limits"][1]["remaining"]),
        (&json!("ours"), &json!(499.0), &json!(23.5)),
        "{ours}"
    );
    let text = told(folder, &["history", "glm"], 0);
    assert!(text.lines().next().unwrap().ends_with("  cost  because"), "{text}");
    assert!(text.contains("  quota-withheld: quota "), "{text}");
    // The catalogue has a price.
    assert!(text.contains("\n7d: 1 warm-up, 12 tokens, 1 request, $") && text.ends_with("; 1 withheld\n"), "{text}");

    // Looking changes nothing, and where there is no ledger nothing is made.
    let ledger = folder.join("state/quota-ours.json");
    let before = fs::read(&ledger).unwrap();
    told(folder, &["status"], 0);
    assert_eq!(fs::read(&ledger).unwrap(), before);
    fs::remove_file(&ledger).unwrap();
    assert!(!told(folder, &["status"], 0).contains("quota    "));
    assert!(!ledger.exists());
}

#[test]
fn without_a_store_it_is_told_where_it_would_be() {
    let folder = tempfile::tempdir().unwrap();
    write_probes(folder.path(), "http://127.0.0.1:1", &[("glm", "m0")]);
    for args in [&["status"][..], &["status", "--format", "json"], &["history", "glm"]] {
        let output = run(folder.path(), args);
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0), "{err}");
        assert!(err.starts_with("there is no history in state: ") && err.contains("`pilotlight run`"), "{err}");
    }
}

#[test]
fn a_store_that_a_daemon_writes_to_can_be_read() {
    let sim = sim(&["m0"]);
    let folder = tempfile::tempdir().unwrap();
    write_probes(folder.path(), &sim.doors["plain"], &[("glm", "m0")]);
    probe(folder.path(), 1);
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_pilotlight"))
        .args(["run", "--listen", "none", "--state-dir", "state", "--log-format", "json"])
        .current_dir(folder.path())
        .env_clear()
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Its first line says that it has started, and so that it has the store.
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(daemon.stderr.take().unwrap()), &mut line).unwrap();
    assert!(told(folder.path(), &["status"], 0).contains("✓ up"), "{line}");
    assert!(told(folder.path(), &["history", "glm"], 0).contains("1 probe: 1 ready"), "{line}");
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}
