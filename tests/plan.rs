//! `pilotlight plan` with the binary: what it refuses, that it says the same twice, and that docs/plan.md shows what it
//! shows.
//!
//! `UPDATE_DOCS=1 cargo test --release` writes the outputs in docs/plan.md anew.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use pilotlight::probe::clock::Clock;
use pilotlight::run::SystemClock;
use pilotlight::store::{StateKind, Store};
use serde_json::{Value, json};

const PROBES: &str = "\
version: 1
providers:
  synthetic: { preset: synthetic, packs: 1 }
  openai: { preset: openai }
targets:
  - name: glm
    provider: synthetic
    model: hf:zai-org/GLM-5.2
    tags: [review]
    auth: { every: 1m }
    warm: { every: 5m, during: \"Mon-Fri 09:00-18:00\", timezone: Europe/Berlin }
    assume: { requests_per_hour: 20, idle_timeout: 15m, cold_start: 30s }
  - { name: gpt, provider: openai, model: gpt-5-mini, auth: { every: 5m } }
";

fn run(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pilotlight"))
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("TZ", "Europe/Berlin")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[track_caller]
fn told(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{args:?}\n{err}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn refused(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn folder(probes: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("probes.yaml"), probes).unwrap();
    folder
}

#[test]
fn a_plan_needs_no_key_and_says_the_same_twice() {
    let folder = folder(PROBES);
    let folder = folder.path();
    let args = ["plan", "--from", "2026-11-23", "--simulate", "7d", "--format", "json"];
    let first = told(folder, &args);
    assert_eq!(first, told(folder, &args));
    let plan: Value = serde_json::from_str(&first).unwrap();
    assert_eq!((&plan["from"], &plan["to"]), (&json!("2026-11-22T23:00:00.000Z"), &json!("2026-11-29T23:00:00.000Z")));
    let synthetic = &plan["providers"][0];
    assert_eq!(synthetic["limits"][0]["limit"], json!("five-hour"));
    assert_eq!(synthetic["limits"][0]["worst"]["percent"], json!(12.0));
    let (with, without) = (&synthetic["simulated"]["with"], &synthetic["simulated"]["without"]);
    assert_eq!((&with["requests"], &without["warm_ups"]), (&without["requests"], &json!(0)));
    assert!(with["cold_hits"].as_u64() < without["cold_hits"].as_u64(), "{first}");
    let other = told(folder, &[&args[..], &["--seed", "2"]].concat());
    assert_ne!(first, other);
}

#[tokio::test(flavor = "current_thread")]
async fn what_was_learned_is_planned_by_and_said() {
    let probes = PROBES.replace("every: 5m, during", "every: auto, during");
    let folder = folder(&probes);
    let state = folder.path().join("state");
    let args = ["plan", "--from", "2026-11-23", "--state-dir", "state", "--format", "json"];
    let warm_ups = |plan: &str| -> (u64, String) {
        let plan: Value = serde_json::from_str(plan).unwrap();
        let targets = plan["providers"][0]["targets"].as_array().unwrap();
        (targets[0]["warm_ups"].as_u64().unwrap(), plan["notes"].to_string())
    };
    let (assumed, notes) = warm_ups(&told(folder.path(), &args));
    assert!(notes.contains("where nothing was learned yet, `every: auto` is planned as every 4m"), "{notes}");

    let store = Store::open(&state, Duration::from_secs(1), SystemClock.wall()).await.unwrap();
    let past = |model: &str| {
        let learned = json!({ "touched": "2026-11-20T12:00:00Z", "gap": { "secs": 720, "nanos": 0 }, "lead": { "secs": 60, "nanos": 0 } });
        json!({ "model": model, "base_url": "https://api.synthetic.new/openai/v1", "learned": learned }).to_string()
    };
    store.put_state(StateKind::Past, "glm", &past("another")).await.unwrap();
    assert_eq!(warm_ups(&told(folder.path(), &args)).0, assumed, "that is of another model");
    store.put_state(StateKind::Past, "glm", &past("hf:zai-org/GLM-5.2")).await.unwrap();
    let (learned, notes) = warm_ups(&told(folder.path(), &args));
    assert!(notes.contains("is planned by the gap that was learned: glm 12m"), "{notes}");
    assert!(learned.abs_diff(assumed / 3) <= 10, "every 12 minutes in place of 4: {learned} of {assumed}");
}

#[test]
fn targets_are_selected_as_for_a_check() {
    let folder = folder(PROBES);
    let folder = folder.path();
    let text = told(folder, &["plan", "--tag", "review", "--days", "1", "--from", "2026-11-23"]);
    assert!(text.contains("glm") && !text.contains("gpt") && !text.contains('\u{1b}'), "{text}");
    assert!(text.starts_with("probes.yaml: Mon 2026-11-23 (Europe/Berlin)\n"), "{text}");
    let coloured = told(folder, &["plan", "glm", "--color", "always"]);
    assert!(coloured.contains('\u{1b}'));
    let err = refused(folder, &["plan", "glmm"]);
    assert!(err.contains("no target `glmm`; did you mean `glm`?"), "{err}");
}

#[test]
fn what_is_stated_by_hand_counts_for_more() {
    let folder = folder(PROBES);
    let folder = folder.path();
    let simulated = |more: &[&str]| -> Value {
        let args =
            [&["plan", "glm", "--from", "2026-11-23", "--simulate", "7d", "--format", "json"][..], more].concat();
        let plan: Value = serde_json::from_str(&told(folder, &args)).unwrap();
        plan["providers"][0]["simulated"].clone()
    };
    let nobody = simulated(&["--users", "0/h"]);
    assert_eq!(nobody["with"]["requests"], json!(0));
    let requests = |played: &Value| played["without"]["requests"].as_u64().unwrap();
    assert!(requests(&simulated(&["--users", "1/h", "--users", "glm=60/h"])) > 2 * requests(&simulated(&[])));
    // A model that unloads before the next warm-up is met cold all the same.
    let hits = |played: &Value| played["with"]["cold_hits"].as_u64().unwrap();
    assert!(hits(&simulated(&["--idle-timeout", "2m"])) > hits(&simulated(&["--idle-timeout", "glm=30m"])));
    for (args, told) in [
        (&["plan", "--users", "20/h"][..], "--simulate"),
        (&["plan", "--simulate", "7"], "is not a number of days from 1d to 92d"),
        (&["plan", "--simulate", "7d", "--users", "many"], "write 20/h"),
        (&["plan", "--simulate", "7d", "--users", "glmm=20/h"], "did you mean `glm`?"),
        (&["plan", "--days", "0"], "1..=92"),
        (&["plan", "--from", "yesterday"], "--from"),
    ] {
        let err = refused(folder, args);
        assert!(err.contains(told), "{args:?}: {err}");
    }
}

/// The commands of docs/plan.md are run with the first file in it, and print what stands there.
#[test]
fn the_documentation_shows_what_is_shown() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plan.md");
    let document = fs::read_to_string(&path).unwrap();
    let probes = document.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = folder(probes);
    let mut made = String::new();
    let mut commands = 0;
    for (place, part) in document.split("```text\n").enumerate() {
        if place == 0 {
            made.push_str(part);
            continue;
        }
        let (shown, rest) = part.split_once("```").unwrap();
        let Some(command) = shown.strip_prefix("$ pilotlight ") else {
            made.push_str(&format!("```text\n{part}"));
            continue;
        };
        let command = command.lines().next().unwrap();
        let words: Vec<&str> = command.split(' ').collect();
        let output = told(folder.path(), &words);
        made.push_str(&format!("```text\n$ pilotlight {command}\n{}\n```{rest}", output.trim_end()));
        commands += 1;
    }
    assert!(commands >= 2);
    #[expect(clippy::disallowed_methods, reason = "the switch of a test is no setting of the program")]
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    if update {
        fs::write(&path, made).unwrap();
        return;
    }
    assert_eq!(document, made, "run `UPDATE_DOCS=1 cargo test --release` and commit the result");
}
