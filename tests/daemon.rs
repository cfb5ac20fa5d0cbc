//! `pilotlight run` with the release binary: its whole life, what it remembers, what it tells once.
//!
//! Nothing here waits for a time: a test waits for a line of the log or an answer, and fails when neither comes.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::json;

pub(crate) mod service;

use service::{Place, answer_everything, count, flips, get, history, probes, sim};

#[test]
fn the_whole_life() {
    let sim = sim(&["a", "b", "c"], &json!({}));
    let url = &sim.doors["plain"];
    let place = Place::new(&probes(url, &["a", "b"], &json!({})));
    let mut service = place.start();
    assert_eq!(service.get("/readyz").0, 200);
    assert_eq!(service.get("/healthz").0, 200);
    assert_eq!(service.finished("a")["verdict"], "ready");
    service.finished("b");
    let since = service.status_of("a")["since"].clone();
    assert_eq!(service.status_of("a")["status"], "up");
    assert!(service.get("/metrics").1.contains("pilotlight_target_up{"));

    // A good configuration: b goes, c comes, a goes on as it was.
    place.write(&probes(url, &["a", "c"], &json!({})).to_string());
    service.signal("-HUP");
    let reloaded = service.until("config.reloaded", |_| true);
    assert_eq!(
        (&reloaded["added"], &reloaded["removed"], &reloaded["changed"], &reloaded["unchanged"]),
        (&json!(1), &json!(1), &json!(0), &json!(1))
    );
    service.finished("c");
    assert_eq!(service.status_of("a")["since"], since, "a target that did not change keeps its state");

    // A bad one, found by itself: the old one stays in force, and every mistake is told with its place.
    let mut wrong = probes(url, &["a", "d"], &json!({}));
    wrong["targets"][0]["provider"] = json!("nowhere");
    wrong["targets"][1]["warm"] = json!({ "every": "often" });
    place.write(&wrong.to_string());
    let refused = service.until("config.refused", |_| true);
    let mistakes = refused["mistakes"].as_str().unwrap();
    assert!(mistakes.contains("nowhere") && mistakes.contains("often") && mistakes.contains("probes.yaml:1:"));
    service.finished("c");
    service.finished("a");

    // A good one heals it.
    place.write(&probes(url, &["a"], &json!({})).to_string());
    service.until("config.reloaded", |_| true);
    service.finished("a");
    let seen = service.end();
    assert_eq!(flips(&seen, "a"), ["up"]);
    let finished = seen.iter().filter(|line| line["event"] == "probe.finished" && line["target"] == "a").count();
    assert_eq!(history(place.folder.path(), "a"), finished, "no outcome is lost at the end");

    // It remembers: a is up already, so nothing changes when it answers again.
    let mut service = place.start();
    assert_eq!(service.status_of("a")["since"], since);
    service.finished("a");
    let seen = service.end();
    assert_eq!(flips(&seen, "a"), Vec::<String>::new());
}

#[test]
fn a_term_waits_for_what_is_under_way() {
    let slow = json!({ "models": [{ "id": "slow", "first_token": "3s", "tokens": 2 }] });
    let sim = sim(&[], &slow);
    let place = Place::new(&probes(&sim.doors["plain"], &["slow"], &json!({})));
    let mut service = place.start();
    while sim.admin("GET", "/_sim/counts")["generations"] == 0 {}
    service.signal("-TERM");
    assert_eq!(service.until("daemon.draining", |_| true)["running"], 1);
    assert_eq!(service.get("/readyz").0, 503);
    assert_eq!(service.get("/healthz").0, 200);
    let seen = service.ended();
    let last = seen.iter().find(|line| line["event"] == "probe.finished").unwrap();
    assert_eq!(last["verdict"], "ready", "it was let finish: {last}");
    assert_eq!(seen.last().unwrap()["interrupted"], 0);
    assert_eq!(history(place.folder.path(), "slow"), 1);
}

#[test]
fn a_second_term_ends_at_once_and_still_loses_nothing() {
    let sim = sim(&[], &json!({ "models": [{ "id": "slow", "first_token": "600s", "tokens": 2 }] }));
    let expect = json!({ "defaults": { "warm": { "every": "1s" }, "expect": { "cold_start": "20m" } } });
    let place = Place::new(&probes(&sim.doors["plain"], &["slow"], &expect));
    let mut service = place.start();
    while sim.admin("GET", "/_sim/counts")["generations"] == 0 {}
    service.signal("-TERM");
    service.until("daemon.draining", |_| true);
    let seen = service.end();
    let last = seen.iter().find(|line| line["event"] == "probe.finished").unwrap();
    assert_eq!((&last["code"], &last["verdict"]), (&json!("interrupted"), &json!("unknown")));
    assert_eq!(seen.last().unwrap()["interrupted"], 1);
    assert_eq!(history(place.folder.path(), "slow"), 1);
}

#[test]
fn forty_targets_of_a_provider_that_is_gone_are_one_line() {
    // Nobody listens there: the port was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let names: Vec<String> = (0..40).map(|n| format!("t{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let place = Place::new(&probes(&format!("http://127.0.0.1:{port}"), &names, &json!({})));
    let mut service = place.start();
    let down = service.until("provider.status", |_| true);
    assert_eq!((&down["to"], &down["code"]), (&json!("down"), &json!("connect-refused")));
    for name in &names {
        while service.status_of(name)["status"] != "down" {
            service.until("probe.finished", |_| true);
        }
    }
    let seen = service.end();
    assert_eq!(count(&seen, "provider.status"), 1);
    assert_eq!(count(&seen, "target.status"), 0);

    // Nor is it news after a restart; and its end is one line, too.
    let mut service = place.start();
    service.finished("t0");
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let provider = answer_everything(listener);
    let up = service.until("provider.status", |_| true);
    assert_eq!((&up["to"], &up["code"]), (&json!("up"), &json!("connect-refused")));
    for name in &names {
        while service.status_of(name)["status"] != "up" {
            service.until("probe.finished", |_| true);
        }
    }
    let seen = service.end();
    assert_eq!(count(&seen, "provider.status"), 1);
    assert_eq!(count(&seen, "target.status"), 0);
    drop(provider);
}

#[test]
fn a_key_that_was_replaced_on_disk_is_used_after_a_reload() {
    let sim = sim(&["a"], &json!({ "accounts": [{ "name": "mine", "key": "good-key-0123456789" }] }));
    let mut probes = probes(&sim.doors["plain"], &["a"], &json!({}));
    probes["providers"]["p"]["api_key"] = json!({ "file": "key" });
    let place = Place::new(&probes);
    fs::write(place.path("key"), "old-key-0123456789").unwrap();
    let mut service = place.start();
    assert_eq!(service.finished("a")["code"], "key-refused");
    fs::write(place.path("key"), "good-key-0123456789").unwrap();
    service.signal("-HUP");
    service.until("config.reloaded", |_| true);
    service.until("probe.finished", |line| line["verdict"] == "ready");
    let seen = service.end();
    let text = format!("{seen:?}");
    assert!(!text.contains("old-key-0123456789") && !text.contains("good-key-0123456789"));
}

#[test]
fn two_daemons_do_not_share_a_store() {
    let sim = sim(&["a"], &json!({}));
    let place = Place::new(&probes(&sim.doors["plain"], &["a"], &json!({})));
    let service = place.start();
    let pid = service.child.id().to_string();
    let second = place.command(&["--listen", "none"]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let text = String::from_utf8_lossy(&second.stderr);
    assert!(text.contains(&pid) && text.contains("state"), "{text}");

    // One that is asked to end while it waits for the store does so, in good order, and says that it is not ready.
    let socket = place.path("other");
    let listen = format!("unix:{}", socket.display());
    let mut third = place.command(&["--listen", &listen]).stderr(Stdio::null()).spawn().unwrap();
    while !socket.exists() {
        std::thread::yield_now();
    }
    assert_eq!(get(&socket, "/readyz").0, 503);
    assert!(Command::new("kill").arg(third.id().to_string()).status().unwrap().success());
    assert_eq!(third.wait().unwrap().code(), Some(0));
    service.end();
}

#[test]
fn mistakes_end_it_before_it_begins() {
    let place = Place::new(&json!({ "version": 1, "providers": {}, "targets": [] }));
    let output = place.command(&["--listen", "none"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("probes.yaml:1:") && text.contains("help"), "{text}");
    assert!(!place.path("state").exists(), "nothing was written");
}

#[test]
fn a_timer_probes_what_is_due_and_remembers() {
    let sim = sim(&["a"], &json!({}));
    let hourly = json!({ "defaults": { "auth": { "every": "1h" } } });
    let place = Place::new(&probes(&sim.doors["plain"], &["a"], &hourly));
    let first = place.once(&["--textfile", place.path("p.prom").to_str().unwrap()]);
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    let requests = sim.admin("GET", "/_sim/counts")["requests"].clone();
    let metrics = fs::read_to_string(place.path("p.prom")).unwrap();
    assert!(metrics.contains("pilotlight_target_up{") && !metrics.contains("# EOF"));

    // Within the hour nothing is due, unless the hour turns between the two: then one more is right.
    let second = place.once(&[]);
    assert_eq!(second.status.code(), Some(0));
    let text = String::from_utf8_lossy(&second.stdout).into_owned();
    let again = sim.admin("GET", "/_sim/counts")["requests"].clone();
    assert!(text.starts_with("Nothing is due; the next probe is at ") == (again == requests), "{text}");

    let forced = place.once(&["--now"]);
    assert_eq!(forced.status.code(), Some(0));
    assert!(history(place.folder.path(), "a") >= 2);
}

#[test]
fn a_timer_alerts_when_a_target_is_down_not_at_its_first_failure() {
    let sim = sim(&["a"], &json!({ "faults": [{ "on": { "model": "a" }, "then": { "error": "unpaid" } }] }));
    // Without a schedule of its own: the timer is the schedule.
    let place = Place::new(&probes(&sim.doors["plain"], &["a"], &json!({ "defaults": {} })));
    assert_eq!(place.once(&["--now", "--damped"]).status.code(), Some(0), "one failure is no outage");
    assert_eq!(place.once(&["--now", "--damped"]).status.code(), Some(14));
    assert_eq!(place.once(&["--now"]).status.code(), Some(14));
}

#[test]
fn a_killed_daemon_finds_its_history_again() {
    let sim = sim(&["a"], &json!({}));
    let place = Place::new(&probes(&sim.doors["plain"], &["a"], &json!({})));
    let mut kept = 0;
    for round in 0..5_u64 {
        let mut service = place.start();
        service.finished("a");
        // An outcome is durable within moments after it was logged. The kill comes before that, or after.
        if round % 2 == 0 {
            while history(place.folder.path(), "a") <= kept {
                service.finished("a");
            }
            kept = history(place.folder.path(), "a");
        }
        service.signal("-KILL");
        service.child.wait().unwrap();
        drop(service);
        let now = history(place.folder.path(), "a");
        assert!(now >= kept, "{now} < {kept}");
        kept = now;
    }
    assert!(kept >= 3);
}
