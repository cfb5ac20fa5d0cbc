//! `pilotlight diagnose` against the simulated provider: what it finds on each rung, also above a broken one, and what it
//! never shows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::scenarios::Sim;

const KEY: &str = "syn_0123456789abcdef0123456789abcdef";

/// A folder with a probes.yaml of one target at a Synthetic.
struct Place(tempfile::TempDir);

impl Place {
    fn new(url: &str, provider: &Value, target: &Value) -> Self {
        let mut synthetic =
            json!({ "preset": "synthetic", "base_url": format!("{url}/openai/v1"), "api_key": { "env": "THE_KEY" } });
        synthetic.as_object_mut().unwrap().extend(provider.as_object().unwrap().clone());
        let mut it = json!({ "name": "it", "provider": "p", "model": "hf:zai-org/GLM-4.6" });
        it.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
        let probes = json!({ "version": 1, "providers": { "p": synthetic }, "targets": [it] });
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.path("probes.yaml"), probes.to_string()).unwrap();
        place
    }

    fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn diagnose(&self, args: &[&str], key: &str) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_pilotlight"))
            .arg("diagnose")
            .args(args)
            .current_dir(&self.0)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("STATE_DIRECTORY", self.path("state"))
            .env("XDG_CONFIG_HOME", self.path("xdg"))
            .env("THE_KEY", key)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Ran::of(&output, key)
    }

    /// The target in JSON.
    fn json(&self, key: &str) -> (i32, Value) {
        self.diagnose(&["it", "--format", "json"], key).json()
    }
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    /// What must hold whatever happens: no key, no character that acts on a terminal.
    fn of(output: &Output, key: &str) -> Self {
        let (out, err) = (String::from_utf8(output.stdout.clone()), String::from_utf8(output.stderr.clone()));
        let (out, err) = (out.unwrap(), err.unwrap());
        let core = key.trim().trim_matches('"').trim_start_matches("syn_");
        assert!(core.len() < 8 || (!out.contains(core) && !err.contains(core)), "the key was shown: {out}{err}");
        let acts = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}');
        assert!(!out.contains(acts) && !err.contains(acts), "{out:?}{err:?}");
        Self { code: output.status.code().unwrap(), out, err }
    }

    fn json(self) -> (i32, Value) {
        let report =
            serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err));
        (self.code, report)
    }
}

fn synthetic(rest: &Value) -> Sim {
    let mut scenario = json!({
        "flavour": "synthetic",
        "quota": { "packs": 1, "used": { "five_hour": 0.25 } },
        "accounts": [{ "key": KEY }],
        "models": [
            { "id": "hf:zai-org/GLM-4.6", "first_token": "5ms", "tokens": 3 },
            { "id": "hf:zai-org/GLM-4.7", "first_token": "5ms" },
        ],
    });
    scenario.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    Sim::start(&scenario, 1.0)
}

fn doors() -> Value {
    json!({ "listeners": [{ "name": "plain" }, { "name": "good", "tls": "good" }, { "name": "untrusted", "tls": "untrusted" },
        { "name": "expired", "tls": "expired" }, { "name": "expiring", "tls": { "expiring": { "days": 5 } } }] })
}

/// How a rung stands, and all that it says.
fn rung<'r>(report: &'r Value, name: &str) -> (&'r str, String) {
    let rungs = report["rungs"].as_array().unwrap();
    let rung = rungs.iter().find(|rung| rung["rung"] == name).unwrap_or_else(|| panic!("no rung {name}: {report:#}"));
    let says: Vec<&str> = rung["says"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    (rung["state"].as_str().unwrap(), says.join("\n"))
}

fn states(report: &Value) -> Vec<&str> {
    report["rungs"].as_array().unwrap().iter().filter_map(|rung| rung["state"].as_str()).collect()
}

#[test]
fn a_healthy_target_holds_on_every_rung() {
    let sim = synthetic(&doors());
    let place = Place::new(&sim.doors["good"], &json!({ "ca_file": sim.ca }), &json!({}));
    let (code, report) = place.json(KEY);
    assert_eq!((code, states(&report)), (0, vec!["good"; 9]), "{report:#}");
    let tls = &report["tls"][0];
    assert_eq!((&tls["version"], &tls["alpn"], &tls["trusted"]), (&json!("TLS 1.3"), &json!("http/1.1"), &json!(true)));
    assert_eq!(tls["chain"][0]["covers_host"], json!(true), "{tls}");
    assert!(rung(&report, "tls").1.contains("(89 days left); ECDSA P-256"), "{report:#}");
    let key = &report["key"];
    assert_eq!((&key["source"], &key["prefix"]), (&json!("the variable THE_KEY"), &json!("documented")), "{key}");
    assert_eq!(report["clock"]["matters"], json!(false));
    assert!(rung(&report, "authenticate").1.ends_with("the key is accepted"), "{report:#}");
    assert!(rung(&report, "locate").1.contains("hf:zai-org/GLM-4.6 is one of 2 models"), "{report:#}");
    assert!(rung(&report, "quota").1.contains("five-hour: 374 of 500 requests"), "{report:#}");
    assert!(rung(&report, "warm").1.starts_with("generated a token; first token after"), "{report:#}");
    let phases: Vec<&str> =
        report["phases"].as_array().unwrap().iter().filter_map(|phase| phase["phase"].as_str()).collect();
    assert_eq!(phases, ["tcp", "tls", "key check", "catalogue", "headers", "first token", "last token"]);
    assert_eq!(sim.admin("GET", "/_sim/counts")["generations"], json!(1), "one warm-up, as `check` makes one");
}

#[test]
fn the_curl_line_sends_what_was_sent() {
    let sim = synthetic(&doors());
    let place = Place::new(&sim.doors["plain"], &json!({ "headers": { "x-team": "it's us" } }), &json!({}));
    let (_, report) = place.json(KEY);
    let line = report["request"]["curl"].as_str().unwrap();
    assert!(line.contains("-H 'authorization: Bearer '\"$THE_KEY\"") && line.contains("\"$X_TEAM\""), "{line}");
    if Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_err() {
        return;
    }
    let output = Command::new("sh")
        .args(["-c", line])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("THE_KEY", KEY)
        .env("X_TEAM", "us")
        .output()
        .unwrap();
    let answer = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && answer.starts_with("HTTP/1.1 200") && answer.contains("[DONE]"), "{output:?}");
    let requests = sim.admin("GET", "/_sim/requests");
    let posts: Vec<&Value> =
        requests.as_array().unwrap().iter().filter(|request| request["method"] == "POST").collect();
    let [ours, theirs] = posts[..] else { panic!("{requests:#}") };
    for field in ["path", "body", "credential", "account", "user_agent"] {
        assert_eq!(ours[field], theirs[field], "{field}");
    }
}

#[test]
fn above_a_refused_key_the_rest_is_still_looked_at() {
    let sim = synthetic(&doors());
    let place = Place::new(&sim.doors["good"], &json!({ "ca_file": sim.ca }), &json!({}));
    let (code, report) = place.json("syn_ffffffffffffffffffffffffffffffff");
    assert_eq!((code, &report["result"]["code"]), (11, &json!("key-refused")), "{report:#}");
    let stands = |name| rung(&report, name).0;
    assert_eq!((stands("tls"), stands("clock"), stands("authenticate")), ("good", "good", "broken"));
    // The list is public, so it is asked without the key.
    let (state, says) = rung(&report, "locate");
    assert!(state == "good" && says.starts_with("GET models without a key: HTTP 200"), "{says}");
    assert_eq!(rung(&report, "warm"), ("not-reached", "not sent: key-refused at authenticate".to_owned()));
    assert_eq!(report["request"]["made"], json!("not-sent"));
    assert_eq!(sim.admin("GET", "/_sim/counts")["generations"], json!(0));
    let ticket = report["ticket"].as_str().unwrap();
    for part in ["key-refused", "exit 11", "HTTP 401", "GET /v2/quotas with the key", "no warm-up was sent", "UTC"] {
        assert!(ticket.contains(part), "{part}: {ticket}");
    }
}

#[test]
fn a_key_with_a_wrong_shape_is_sent_nowhere() {
    let sim = synthetic(&doors());
    let place = Place::new(&sim.doors["plain"], &json!({}), &json!({}));
    let (code, report) = place.json(&format!("\"{KEY}\""));
    assert_eq!((code, &report["result"]["code"]), (11, &json!("credential-malformed")));
    assert_eq!(rung(&report, "credential").0, "broken");
    assert!(rung(&report, "credential").1.contains("has quotes around it"));
    // Asked all the same, without it: the provider is there and wants one.
    assert!(rung(&report, "authenticate").1.contains("it was asked without a key, and wants one"), "{report:#}");
    let counts = sim.admin("GET", "/_sim/counts");
    assert_eq!(counts["by_credential"], json!({ "none": 2 }), "{counts}");
}

#[test]
fn a_model_that_is_not_there_has_its_nearest() {
    let sim = synthetic(&doors());
    let place = Place::new(&sim.doors["plain"], &json!({}), &json!({ "model": "GLM-4.6" }));
    let (code, report) = place.json(KEY);
    assert_eq!((code, rung(&report, "locate").0, rung(&report, "warm").0), (12, "broken", "not-reached"));
    assert_eq!(report["catalogue"]["found"]["nearest"][0], json!("hf:zai-org/GLM-4.6"), "{report:#}");
    assert_eq!(rung(&report, "tls").1, "not used: the URL is plain http");
}

#[test]
fn each_family_of_addresses_is_told_apart() {
    // The simulator listens at 127.0.0.1 alone. Where the name has ::1 too, that is refused.
    let sim = synthetic(&doors());
    let url = sim.doors["plain"].replace("127.0.0.1", "localhost");
    let (code, report) = Place::new(&url, &json!({}), &json!({})).json(KEY);
    assert_eq!(code, 0);
    let addresses = report["addresses"].as_array().unwrap();
    let of = |family: &str| addresses.iter().find(|seen| seen["family"] == family);
    assert!(of("v4").unwrap()["tcp_ms"].is_number(), "{addresses:?}");
    let (state, says) = rung(&report, "connect");
    match of("v6") {
        Some(v6) => assert!(state == "doubtful" && v6["fault"].is_string(), "{says}"),
        None => assert_eq!(state, "good"),
    }
    assert!(rung(&report, "resolve").1.starts_with("localhost has "), "{report:#}");
}

#[test]
fn a_name_that_does_not_exist_leaves_the_rest_unreached() {
    let place = Place::new("http://no-such-host.invalid:1", &json!({}), &json!({}));
    let (code, report) = place.json(KEY);
    assert_eq!((code, rung(&report, "resolve").0), (10, "broken"), "{report:#}");
    for name in ["connect", "clock", "warm"] {
        assert_eq!(rung(&report, name).0, "not-reached", "{name}");
    }
    let place = Place::new("http://127.0.0.1:1", &json!({}), &json!({}));
    let (code, report) = place.json(KEY);
    assert_eq!((code, rung(&report, "connect")), (10, ("broken", "v4 127.0.0.1:1  refused".to_owned())));
}

#[test]
fn an_untrusted_certificate_is_shown_and_nothing_is_sent_to_its_owner() {
    let sim = synthetic(&doors());
    for (door, code, part) in [
        ("untrusted", "tls-untrusted", "CN=pilotlight sim, by CN=pilotlight sim stranger"),
        ("expired", "tls-expired", "ended 7 days ago"),
    ] {
        sim.admin("POST", "/_sim/reset");
        let place = Place::new(&sim.doors[door], &json!({ "ca_file": sim.ca }), &json!({}));
        let (exit, report) = place.json(KEY);
        assert_eq!((exit, &report["result"]["code"]), (10, &json!(code)), "{report:#}");
        let (state, says) = rung(&report, "tls");
        assert!(state == "broken" && says.contains(part) && says.contains("TLS 1.3"), "{says}");
        let why = rung(&report, "authenticate");
        assert!(why.0 == "not-reached" && why.1.contains(code), "{why:?}");
        assert_eq!(sim.admin("GET", "/_sim/counts")["requests"], json!(0), "{door}");
    }
    let place = Place::new(&sim.doors["expiring"], &json!({ "ca_file": sim.ca }), &json!({}));
    let (exit, report) = place.json(KEY);
    assert_eq!((exit, rung(&report, "tls").0), (0, "doubtful"), "{report:#}");
}

#[test]
fn through_a_proxy_the_chain_is_still_seen_and_the_ticket_does_not_name_it() {
    let sim = synthetic(&json!({ "listeners": [{ "name": "good", "tls": "good" }, { "name": "plain" },
        { "name": "proxy", "proxy": {} }, { "name": "strict", "proxy": { "answer": 403 } }] }));
    let url = sim.doors["good"].replace("127.0.0.1", "localhost");
    let proxy = &sim.doors["proxy"];
    let place = Place::new(&url, &json!({ "ca_file": sim.ca, "proxy": proxy }), &json!({}));
    let (code, report) = place.json(KEY);
    assert_eq!((code, rung(&report, "warm").0), (0, "good"), "{report:#}");
    let says = rung(&report, "resolve").1;
    assert!(says.starts_with(&format!("through the proxy {proxy}, which `proxy` in probes.yaml names")), "{says}");
    let (state, says) = rung(&report, "tls");
    assert!(
        state == "good" && says.starts_with("through the proxy: TLS 1.3") && says.contains("(89 days left)"),
        "{says}"
    );
    let curl = report["request"]["curl"].as_str().unwrap();
    assert!(curl.contains(&format!("--proxy '{proxy}'")), "{curl}");
    let ticket = report["ticket"].as_str().unwrap();
    assert!(ticket.contains("of the proxy") && !ticket.contains(proxy.trim_start_matches("http://")), "{ticket}");

    let place = Place::new(&url, &json!({ "ca_file": sim.ca, "proxy": sim.doors["strict"] }), &json!({}));
    let (code, report) = place.json(KEY);
    assert_eq!((code, &report["result"]["code"]), (10, &json!("proxy-refused")), "{report:#}");
    let (state, says) = rung(&report, "connect");
    assert!(state == "broken" && says.contains("proxy-refused") && says.contains("403"), "{says}");
}

#[test]
fn a_clock_that_is_wrong_is_told() {
    for (ahead_s, part) in [(-192, " ahead of the server's"), (7_200, " behind the server's")] {
        let sim = synthetic(&json!({ "faults": [{ "then": { "date_skew": { "ahead_s": ahead_s } } }] }));
        let place = Place::new(sim.doors.values().next().unwrap(), &json!({}), &json!({}));
        let (code, report) = place.json(KEY);
        let (state, says) = rung(&report, "clock");
        assert!(code == 0 && state == "doubtful" && says.contains(part), "{says}");
        let found = report["clock"]["ahead_s"].as_f64().unwrap();
        assert!((found + f64::from(ahead_s)).abs() < 2.0, "{found}");
        assert!(report["ticket"].as_str().unwrap().contains(part), "{report:#}");
    }
}

#[test]
fn without_a_warm_up_nothing_is_spent() {
    let sim = synthetic(&doors());
    let place = Place::new(&sim.doors["plain"], &json!({}), &json!({}));
    let (code, report) = place.diagnose(&["it", "--no-warm", "--format", "json"], KEY).json();
    assert_eq!((code, rung(&report, "warm")), (0, ("not-reached", "not asked for".to_owned())));
    assert_eq!(sim.admin("GET", "/_sim/counts")["generations"], json!(0));
    assert!(report["request"]["body"].as_str().unwrap().contains("hf:zai-org/GLM-4.6"));
}

#[test]
fn what_the_service_has_kept_is_told() {
    let sim = synthetic(&doors());
    let place = Place::new(&sim.doors["plain"], &json!({}), &json!({ "warm": { "every": "1h" } }));
    let once = Command::new(env!("CARGO_BIN_EXE_pilotlight"))
        .args(["run", "--once", "--now", "--log-level", "off"])
        .current_dir(&place.0)
        .env_clear()
        .env("STATE_DIRECTORY", place.path("state"))
        .env("THE_KEY", KEY)
        .output()
        .unwrap();
    assert!(once.status.success(), "{once:?}");
    let (_, report) = place.json(KEY);
    let history = &report["history"];
    assert_eq!((&history["last_verdict"], &history["good_24h"]), (&json!("ready"), &json!(1)), "{report:#}");
    assert!(report["quota"]["limits"].as_array().is_some_and(|limits| !limits.is_empty()), "{report:#}");
    let human = place.diagnose(&["it", "--no-warm"], KEY).out;
    assert!(human.contains("ready; 0 failed of 1 probe in 24h"), "{human}");
}

#[test]
fn a_url_is_enough() {
    let sim = synthetic(&doors());
    let place = Place::empty();
    let url = format!("{}/openai/v1", sim.doors["plain"]);
    let args = [&*url, "--key-env", "THE_KEY", "--format", "json"];
    let (code, report) = place.diagnose(&args, KEY).json();
    assert_eq!((code, rung(&report, "warm").0), (0, "not-reached"), "{report:#}");
    let says = rung(&report, "locate").1;
    assert!(says.contains("the list begins with hf:zai-org/GLM-4.6, hf:zai-org/GLM-4.7"), "{says}");
    assert!(!report["result"]["notes"].to_string().contains("none named"), "{report:#}");
    let (code, report) = place.diagnose(&[&args[..], &["--model", "hf:zai-org/GLM-4.6"]].concat(), KEY).json();
    assert_eq!((code, rung(&report, "warm").0), (0, "good"), "{report:#}");
    let wrong = place.diagnose(&["https://api.example.com/v1/chat/completions"], KEY);
    assert!(wrong.code == 2 && wrong.err.contains("write https://api.example.com/v1"), "{}", wrong.err);
}

#[test]
fn options_of_a_url_are_refused_beside_a_name() {
    let place = Place::new("http://127.0.0.1:1", &json!({}), &json!({}));
    let wrong = place.diagnose(&["it", "--model", "x"], KEY);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("--model is for a URL, and `it` is the name of a target"), "{}", wrong.err);
    let wrong = place.diagnose(&["ti"], KEY);
    assert!(wrong.code == 2 && wrong.err.contains("there is no target `ti`"), "{}", wrong.err);
}

#[test]
fn hostile_answers_are_bounded_and_cannot_act() {
    for fault in ["control_characters", "endless_body", "garbage", "half_json", "html", "close"] {
        let sim = synthetic(&json!({ "faults": [{ "on": { "method": "GET" }, "then": fault }] }));
        let place =
            Place::new(sim.doors.values().next().unwrap(), &json!({}), &json!({ "expect": { "answer": "2s" } }));
        let ran = place.diagnose(&["it", "--timeout", "10s"], KEY);
        assert_ne!(ran.code, 1, "{fault}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains("for a ticket"), "{fault}: {}{}", ran.out, ran.err);
        let says = rung(&place.json(KEY).1, "locate").1;
        assert!(fault != "endless_body" || says.contains("too large"), "{says}");
    }
}

#[test]
fn the_report_for_people_ends_with_a_paragraph_and_a_shell_reads_its_command() {
    let sim = synthetic(&doors());
    let place = Place::new(&sim.doors["good"], &json!({ "ca_file": sim.ca }), &json!({}));
    let ran = place.diagnose(&["it"], KEY);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("✓ it: ready: generated a token (exit 0 ready)\n"), "{}", ran.out);
    let (_, rest) = ran.out.split_once("to repeat by hand\n\n").unwrap();
    let (command, rest) = rest.split_once("\n\n").unwrap();
    assert!(Command::new("sh").args(["-n", "-c", command]).status().unwrap().success(), "{command}");
    let (_, ticket) = rest.split_once("for a ticket\n\n").unwrap();
    let ticket = ticket.strip_suffix("\n\n").unwrap();
    assert!(ticket.starts_with("pilotlight ") && !ticket.contains('\n'), "{ticket}");
    let ca = sim.ca.parent().and_then(Path::to_str).unwrap();
    assert!(command.contains(ca) && !ticket.contains(ca), "{ticket}");
}
