//! `pilotlight wait`, with the real binary: what opens a gate, what ends it at once, what it costs, and what is seen of it
//! on a terminal and in a pipe.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::scenarios::Sim;

mod keys;
mod terminal;
use terminal::Tmux;

/// A simulated provider with these models; the rest of its scenario is added.
fn sim(models: &Value, rest: &Value) -> Sim {
    let mut scenario = json!({ "flavour": "openai", "models": models });
    scenario.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    Sim::start(&scenario, 1.0)
}

fn quick(id: &str) -> Value {
    json!({ "id": id, "first_token": "1ms", "between_tokens": "1ms", "tokens": 2 })
}

/// A probes.yaml with a target of the same name for each model, and gates.
fn probes(url: &str, models: &[&str], gates: &Value) -> Value {
    let targets: Vec<Value> = models
        .iter()
        .map(|name| json!({ "name": name, "provider": "p", "model": name, "expect": { "first_token": "1s" } }))
        .collect();
    let mut probes = json!({
        "version": 1,
        "providers": { "p": { "dialect": "openai", "base_url": format!("{url}/v1"), "api_key": "none", "concurrency": 50 } },
        "targets": targets,
    });
    if !gates.is_null() {
        probes["gates"] = gates.clone();
    }
    probes
}

struct Place(tempfile::TempDir);

impl Place {
    fn new(probes: &Value) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.path("probes.yaml"), probes.to_string()).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, subcommand: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pilotlight"));
        command
            .args([subcommand, "--config"])
            .arg(self.path("probes.yaml"))
            .args(args)
            .env_clear()
            .env("STATE_DIRECTORY", self.path("state"))
            .env("PATH", "/usr/bin:/bin");
        command
    }

    fn wait(&self, args: &[&str]) -> Ran {
        Ran::of(self.command("wait", args).arg("--format").arg("json").output().unwrap())
    }
}

struct Ran {
    code: i32,
    report: Value,
    log: Vec<Value>,
    err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let err = String::from_utf8(output.stderr).unwrap();
        Self {
            code: output.status.code().unwrap(),
            report: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
            log: err.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
            err,
        }
    }

    #[track_caller]
    fn gate(&self) -> (&str, &str) {
        let gate = &self.report["gates"][0];
        let text = |key: &str| gate[key].as_str().unwrap_or_else(|| panic!("{}\n{}", self.report, self.err));
        (text("verdict"), text("says"))
    }

    /// The names of the log's events.
    fn events(&self) -> Vec<&str> {
        self.log.iter().filter_map(|line| line["event"].as_str()).collect()
    }

    fn targets(&self) -> Vec<&str> {
        let results = self.report["results"].as_array().unwrap();
        results.iter().filter_map(|result| result["target"].as_str()).collect()
    }
}

fn generations(sim: &Sim) -> Value {
    sim.admin("GET", "/_sim/counts")["generations"].clone()
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

const REVIEW: &str = "review";

fn review() -> Value {
    json!({ REVIEW: { "main": "a", "fallback": ["b"] } })
}

#[test]
fn a_cold_model_is_waited_for_and_its_cold_start_reported() {
    // It loads for so long; each refusal says so.
    let cold = json!({ "id": "a", "load": "3s", "cold_signal": "503-loading", "first_token": "1ms", "tokens": 2 });
    let sim = sim(&json!([cold, quick("b")]), &json!({}));
    let place = Place::new(&probes(&sim.doors["plain"], &["a", "b"], &Value::Null));
    let ran = place.wait(&["a", "--deadline", "1m"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let (verdict, says) = ran.gate();
    assert_eq!(verdict, "ready");
    assert!(says.starts_with("a is ready after a cold start of "), "{says}");
    let result = &ran.report["results"][0];
    assert_eq!((&result["warmth"], &result["code"]), (&json!("cold"), &json!("cold-start")));
    assert!(result["attempts"].as_u64().unwrap() > 1 && result["total_ms"].as_f64().unwrap() >= 2_000.0, "{result}");
    assert_eq!(generations(&sim), json!(1), "what loads is not charged for");
}

#[test]
fn a_model_that_answers_late_is_noticed_at_once() {
    // It is silent while it loads, and answers then. From the end of its answer to the end of the process.
    let cold = json!({ "id": "a", "load": "2s", "first_token": "1ms", "between_tokens": "1ms", "tokens": 2 });
    let sim = sim(&json!([cold]), &json!({}));
    let place = Place::new(&probes(&sim.doors["plain"], &["a"], &Value::Null));
    let ran = place.wait(&["--log-level", "debug"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let at = |event: &str| -> jiff::Timestamp {
        let line = ran.log.iter().find(|line| line["event"] == event).unwrap_or_else(|| panic!("{event}: {}", ran.err));
        line["ts"].as_str().unwrap().parse().unwrap()
    };
    // The probe's own measure of its answer, and the moment at which the gate was told to be open.
    let result = &ran.report["results"][0];
    let answered = at("probe.started") + Duration::from_secs_f64(result["total_ms"].as_f64().unwrap() / 1000.0);
    let late = at("gate.opened").duration_since(answered).as_secs_f64();
    assert!(late < 0.25, "{late} s");
    assert_eq!(generations(&sim), json!(1));
}

#[test]
fn a_server_that_is_not_there_yet_is_waited_for() {
    // A port that nobody listens at now; the provider comes up there later.
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port();
    drop(held);
    let place = Place::new(&probes(&format!("http://127.0.0.1:{port}"), &["a"], &Value::Null));
    let mut child = place
        .command("wait", &["--deadline", "1m", "--format", "json", "--log-level", "debug"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
    let refused = lines.by_ref().map(Result::unwrap).find(|line| line.contains("target.paused")).unwrap();
    assert!(refused.contains("connect-refused"), "{refused}");
    let scenario =
        json!({ "listeners": [{ "name": "plain", "port": port }], "models": [quick("a")], "flavour": "openai" });
    let _sim = Sim::start(&scenario, 1.0);
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{rest:?}");
    let news = |event: &str| rest.iter().filter(|line| line.contains(event) && line.contains("info")).count();
    assert_eq!((news("\"gate.opened\""), news("\"probe.finished\"")), (1, 1), "{rest:?}");
}

#[test]
fn a_refused_key_ends_it_within_one_probe() {
    let accounts = json!({ "accounts": [{ "key": "sk-good" }] });
    let sim = sim(&json!([quick("a"), quick("b")]), &accounts);
    let place = Place::new(&probes(&sim.doors["plain"], &["a", "b"], &review()));
    let ran = place.wait(&[]);
    assert_eq!(ran.code, 11, "{}", ran.err);
    let (verdict, says) = ran.gate();
    assert_eq!(verdict, "failed");
    assert!(says.starts_with("cannot open: a (key-refused at "), "{says}");
    assert!(says.contains(", b (like a: key-refused at "), "{says}");
    assert_eq!(sim.admin("GET", "/_sim/counts")["connections"], json!(1), "the key is the provider's");
    assert_eq!(ran.report["gates"][0]["line"], json!(1), "JSON is one line");
    assert_eq!(ran.events().last(), Some(&"gate.shut"));
}

#[test]
fn what_is_missing_or_unpaid_is_given_up_and_the_worst_decides() {
    let faults = json!({ "faults": [{ "on": { "model": "a" }, "then": { "error": "unpaid" } }] });
    let sim = sim(&json!([quick("a"), quick("b")]), &faults);
    let place = Place::new(&probes(&sim.doors["plain"], &["a", "b", "gone"], &Value::Null));
    let ran = place.wait(&["--any", "a,gone"]);
    assert_eq!((ran.code, ran.gate().0), (14, "failed"), "{}", ran.err);
    assert_eq!(ran.report["gates"][0]["gate"], json!("any of a, gone"));
    // Where another way is left, that one is taken.
    let ran = place.wait(&["--any", "a", "gone", "b"]);
    assert_eq!((ran.code, ran.gate()), (0, ("ready", "b is ready")), "{}", ran.err);
    assert_eq!(ran.targets(), ["a", "b", "gone"], "in the order of probes.yaml");
    // All of them are needed unless something else is said.
    let ran = place.wait(&["b", "gone"]);
    assert_eq!(ran.code, 12, "{}", ran.err);
    let ran = place.wait(&["--at-least", "2", "a,b,gone"]);
    assert_eq!(ran.code, 14, "{}", ran.err);
    assert!(
        ran.gate().1.starts_with("cannot open: it needs 2 of 3, and only 1 can still come: a ("),
        "{}",
        ran.gate().1
    );
}

#[test]
fn a_fallback_stands_in_for_a_main_target_that_fails() {
    let faults = json!({ "faults": [{ "on": { "model": "a" }, "then": "overloaded" }] });
    let sim = sim(&json!([quick("a"), quick("b")]), &faults);
    let place = Place::new(&probes(&sim.doors["plain"], &["a", "b"], &review()));
    let ran = place.wait(&[]);
    assert_eq!(
        (ran.code, ran.gate()),
        (0, ("degraded", "b is ready in place of a (overloaded at warm)")),
        "{}",
        ran.err
    );
    assert_eq!(ran.report["gates"][0]["gate"], json!(REVIEW));
    // Strictly the main target is waited for, until the deadline.
    let ran = place.wait(&[REVIEW, "--strict", "--deadline", "3s"]);
    assert_eq!((ran.code, ran.gate().0), (4, "degraded"), "{}", ran.err);
}

#[test]
fn a_main_target_that_is_ready_leaves_its_fallback_alone() {
    let sim = sim(&json!([quick("a"), quick("b")]), &json!({}));
    let place = Place::new(&probes(&sim.doors["plain"], &["a", "b"], &review()));
    let ran = place.wait(&[]);
    assert_eq!((ran.code, ran.gate()), (0, ("ready", "a is ready")), "{}", ran.err);
    assert_eq!((ran.targets(), generations(&sim)), (vec!["a"], json!(1)));
    // One that is silent for two seconds lets the next begin, and is stopped when that one is ready.
    let hangs = json!({ "faults": [{ "on": { "model": "a" }, "then": "hang" }] });
    let slow = self::sim(&json!([quick("a"), quick("b")]), &hangs);
    let other = Place::new(&probes(&slow.doors["plain"], &["a", "b"], &Value::Null));
    let ran = other.wait(&["--any"]);
    assert_eq!((ran.code, ran.gate(), ran.targets()), (0, ("ready", "b is ready"), vec!["b"]), "{}", ran.err);
    assert_eq!(ran.report["notes"], json!(["stopped, for all was settled without them, after 1 request: a"]));
    // As many as are needed, and no more.
    let ran = place.wait(&["--any", "a", "b"]);
    assert_eq!((ran.code, generations(&sim)), (0, json!(2)));
}

#[test]
fn retry_after_is_obeyed_and_one_beyond_the_deadline_ends_it() {
    let refusal = |seconds: u32| json!({ "respond": { "status": 429, "headers": { "retry-after": seconds.to_string() }, "json": { "error": {} } } });
    let on = json!({ "path": "/v1/chat/completions" });
    let soon = json!({ "faults": [{ "on": on, "times": 1, "then": refusal(2) }] });
    let sim_soon = sim(&json!([quick("a")]), &soon);
    let place = Place::new(&probes(&sim_soon.doors["plain"], &["a"], &Value::Null));
    let ran = place.wait(&["--deadline", "1m"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let result = &ran.report["results"][0];
    assert!(result["total_ms"].as_f64().unwrap() >= 2_000.0, "{result}");
    assert_eq!(result["attempts"], json!(2));

    let late = sim(&json!([quick("a")]), &json!({ "faults": [{ "on": on, "then": refusal(7_200) }] }));
    let place = Place::new(&probes(&late.doors["plain"], &["a"], &Value::Null));
    let ran = place.wait(&[]);
    assert_eq!((ran.code, ran.gate().0), (13, "failed"), "{}", ran.err);
    assert!(ran.gate().1.contains("it comes back in 2h, and the deadline is in 10m"), "{}", ran.gate().1);
    assert_eq!(late.admin("GET", "/_sim/counts")["connections"], json!(1));
}

#[test]
fn the_deadline_ends_it_with_what_was_lacking() {
    let hangs = json!({ "faults": [{ "on": { "model": "a" }, "then": "hang" }, { "on": { "model": "b" }, "then": "overloaded" }] });
    let sim = sim(&json!([quick("a"), quick("b")]), &hangs);
    let place = Place::new(&probes(&sim.doors["plain"], &["a", "b"], &Value::Null));
    let ran = place.wait(&["a", "--deadline", "2500ms"]);
    assert_eq!((ran.code, ran.gate().0), (16, "unknown"), "{}", ran.err);
    assert_eq!(ran.report["results"][0]["code"], json!("first-token-timeout"));
    assert!(ran.gate().1.ends_with("still without a (first-token-timeout at warm)"), "{}", ran.gate().1);
    let ran = place.wait(&["--deadline", "3s"]);
    assert_eq!(ran.code, 15, "overloaded needs a person more than slow does: {}", ran.err);
    // The first of each is told; that it came to the same again is not.
    let told = ran.log.iter().filter(|line| line["event"] == "probe.finished" && line["target"] == "b").count();
    assert_eq!(told, 1, "{}", ran.err);
    assert_eq!(ran.events().last(), Some(&"gate.late"));
}

#[test]
fn a_signal_ends_it_with_what_is_known() {
    let hangs = json!({ "faults": [{ "on": { "model": "b" }, "then": "hang" }] });
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let sim = sim(&json!([quick("a"), quick("b")]), &hangs);
        let place = Place::new(&probes(&sim.doors["plain"], &["a", "b"], &Value::Null));
        let child: Child =
            place.command("wait", &["--format", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        until(&sim, |counts| {
            counts["completed"] == json!(1) && counts["by_path"]["POST /v1/chat/completions"] == json!(2)
        });
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.code, code, "{}", ran.err);
        assert_eq!((ran.gate().0, ran.targets()), ("unknown", vec!["a", "b"]));
        assert!(ran.gate().1.starts_with("1 ready, waits for b"), "{}", ran.gate().1);
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let gates = json!({ REVIEW: { "main": "a" }, "both": { "all": ["a", "b"] } });
    let place = Place::new(&probes("http://127.0.0.1:1", &["a", "b"], &gates));
    for (args, says) in [
        (&[][..], "there are several gates: name those to wait for (both, review)"),
        (&["reviw"], "there is no gate and no target `reviw`; did you mean `review`? Gates: both, review"),
        (&["--any", "both"], "`both` is a gate and has a rule of its own: leave out --any"),
        (&["both", "--tag", "x"], "a gate names its own targets: leave out --tag and --provider"),
        (&["--at-least", "3", "a", "b"], "--at-least 3 of 2 targets makes no sense: say a number from 1 to 2"),
        (&["--any", "--all"], "cannot be used with"),
        (&["--deadline", "10"], "`10` is not a duration"),
    ] {
        let output = place.command("wait", args).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {err}");
        assert!(err.contains(says), "{args:?}: {err}");
    }
}

#[test]
fn several_gates_are_all_waited_for_and_the_report_shows_them() {
    let sim = sim(&json!([quick("a"), quick("b")]), &json!({}));
    let gates = json!({ REVIEW: { "main": "a", "fallback": ["b"] }, "both": { "all": ["a", "b"] } });
    let place = Place::new(&probes(&sim.doors["plain"], &["a", "b"], &gates));
    let output = place.command("wait", &[REVIEW, "both"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("\n✓ review: a is ready\n✓ both: all 2 are ready\n\npilotlight: 2 ready of 2 in "), "{text}");
    assert_eq!(generations(&sim), json!(2), "one probe tells both gates");
}

#[test]
fn a_terminal_shows_what_it_waits_for_and_then_the_report_alone() {
    if !Tmux::is_there() {
        let why = "skipped: there is no tmux on this machine, so no terminal to look at (apt-get install tmux)";
        writeln!(std::io::stderr(), "{why}").unwrap();
        return;
    }
    // The first is overloaded and says when to come back; the other is silent until it is asked to end.
    let error = json!({ "type": "server_error", "code": "server_is_overloaded", "message": "busy" });
    let busy = json!({ "status": 503, "headers": { "retry-after": "90" }, "json": { "error": error } });
    let faults = json!({ "faults": [
        { "on": { "model": "a", "path": "/v1/chat/completions" }, "then": { "respond": busy } },
        { "on": { "model": "b", "path": "/v1/chat/completions" }, "then": "hang" },
    ] });
    let sim = sim(&json!([quick("a"), quick("b")]), &faults);
    let gates = json!({ "both": { "all": ["a", "b"] } });
    let place = Place::new(&probes(&sim.doors["plain"], &["a", "b"], &gates));
    let line = format!(
        "env -u PILOTLIGHT_LOG STATE_DIRECTORY={} {} wait --config {}; echo \"exit=$?\"; exec cat",
        place.path("state").display(),
        env!("CARGO_BIN_EXE_pilotlight"),
        place.path("probes.yaml").display()
    );
    let tmux = Tmux::start(place.0.path(), &line);
    let screen = tmux.shows("overloaded, next try in");
    assert!(screen.contains("  b                 warm "), "{screen}");
    assert!(screen.contains("both: waits for a, b"), "{screen}");
    assert!(screen.contains("0 of 2 ready, ") && screen.contains(" left"), "{screen}");
    // Ctrl-C, as a person presses it.
    assert!(tmux.command().args(["send-keys", "C-c"]).status().unwrap().success());
    let screen = tmux.shows("exit=");
    assert!(screen.contains("exit=130"), "{screen}");
    assert!(!screen.contains("next try in") && !screen.contains(" left"), "the display is gone:\n{screen}");
    assert!(screen.contains("? both: waits for a (overloaded at warm), b (interrupted at warm)"), "{screen}");
    insta::with_settings!({ filters => vec![
        (r"in \d+m, at .*", "[later]"), (r"\d[\d.]*m?s\b", "[time]"), (r"run \S+", "run [id]"), (r" +(\[time\])", " $1"), (r" {2,}", "  "),
    ] }, {
        insta::assert_snapshot!(screen);
    });
}
