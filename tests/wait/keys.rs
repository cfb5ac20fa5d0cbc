//! Keys that take their time, and reports that nobody reads: the deadline holds, and a signal ends it.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{Place, Ran};

/// A target of which the key's command hangs after it has made a file.
fn slow_key() -> Value {
    json!({
        "version": 1,
        "providers": { "p": { "dialect": "openai", "base_url": "http://127.0.0.1:9/v1",
            "api_key": { "command": ["sh", "-c", "touch begun; exec sleep 20"] } } },
        "targets": [{ "name": "a", "provider": "p", "model": "m" }],
    })
}

#[test]
fn the_deadline_holds_while_a_key_is_read() {
    let ran = Place::new(&slow_key()).wait(&["a", "--deadline", "300ms"]);
    assert_eq!(ran.code, 11, "{}", ran.err);
    let (verdict, says) = ran.gate();
    assert!(verdict == "unknown" && says.contains("still without a (credential-missing at credential)"), "{says}");
    assert!(says.starts_with("not open after ") && !says.contains("<1ms"), "{says}");
}

#[test]
fn a_signal_while_a_key_is_read_is_told_and_leaves_no_temporary_file() {
    for subcommand in ["wait", "check"] {
        let place = Place::new(&slow_key());
        let report = format!("junit={}", place.path("report.xml").display());
        let mut command = place.command(subcommand, &["a", "--report", &report]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while !place.path("begun").exists() {
            std::thread::yield_now();
        }
        assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.code, 143, "{}", ran.err);
        let left: Vec<String> = fs::read_dir(place.path("."))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with('.'))
            .collect();
        assert!(left.is_empty(), "{left:?}");
        assert!(place.path("report.xml").exists());
    }
}

#[test]
fn a_signal_ends_it_while_nobody_reads_its_report() {
    // More targets than a pipe holds in a report.
    let targets: Vec<Value> =
        (0..600).map(|n| json!({ "name": format!("t{n}"), "provider": "p", "model": "m" })).collect();
    let place = Place::new(&json!({
        "version": 1,
        "providers": { "p": { "dialect": "openai", "base_url": "http://127.0.0.1:9/v1", "api_key": "none" } },
        "targets": targets,
    }));
    let mut command =
        place.command("wait", &["--all", "--depth", "connect", "--deadline", "100ms", "--format", "json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // When the first byte is there, the rest is being written.
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(143));
}
