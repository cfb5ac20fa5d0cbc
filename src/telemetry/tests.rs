//! What the log writes, and what it survives.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::line::Pairs;
use super::log::{LogFilter, LogFormat, LogSettings, Priority, emit, install, with};
use crate::outcome::{Code, Event, GateNews, GateState, Outcome, Record, Stage};
use crate::report::sample::{pass, ready};
use crate::target::{Depth, TargetId};

fn noon() -> Timestamp {
    "2026-11-20T12:00:00.5Z".parse().unwrap()
}

/// What is written while `work` runs.
fn logged(format: LogFormat, filter: &str, work: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);
    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let buffer = Buffer::default();
    let writer = buffer.clone();
    let settings = LogSettings {
        priority: Priority::Unmarked,
        format,
        filter: LogFilter::parse(filter).unwrap(),
        writer: BoxMakeWriter::new(move || writer.clone()),
        now: noon,
        zone: Some(TimeZone::UTC),
    };
    with(settings, work);
    String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap()
}

fn all_events() {
    let target = TargetId::new("glm").unwrap();
    emit(&Event::Started { target: target.clone(), depth: Depth::Warm });
    emit(&Event::Entered { target: target.clone(), stage: Stage::Connect });
    emit(&Event::Retrying { target, attempt: 2, code: Code::Overloaded });
    for outcome in pass() {
        emit(&Event::Finished(outcome));
    }
}

fn all_of_a_wait() {
    let target = TargetId::new("glm").unwrap();
    emit(&Event::Pausing { target, code: Code::Overloaded, after: std::time::Duration::from_millis(1_500) });
    for state in [GateState::Waiting, GateState::Open, GateState::Degraded, GateState::Shut, GateState::Late] {
        emit(&Event::Gate(GateNews { gate: "review".to_owned(), state, says: format!("it is {state:?}") }));
    }
}

#[test]
fn a_wait_has_a_line_for_each_change_of_a_gate() {
    let lines = [LogFormat::Json, LogFormat::Text].map(|format| logged(format, "debug", all_of_a_wait));
    insta::assert_snapshot!(lines.concat());
}

#[test]
fn a_probe_that_came_to_the_same_again_is_no_news() {
    let again = || emit(&Event::FinishedAlike(pass().remove(0)));
    assert_eq!(logged(LogFormat::Json, "info", again), "");
    assert_eq!(logged(LogFormat::Json, "debug", again).lines().count(), 1);
}

#[test]
fn json_lines() {
    insta::assert_snapshot!(logged(LogFormat::Json, "trace", all_events));
}

#[test]
fn text_lines() {
    insta::assert_snapshot!(logged(LogFormat::Text, "trace", all_events));
}

#[test]
fn a_finished_probe_is_its_record_and_no_field_comes_twice() {
    let text = logged(LogFormat::Json, "info", all_events);
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("probe.finished")).collect();
    assert_eq!(lines.len(), pass().len());
    for (line, outcome) in lines.iter().zip(pass()) {
        let Pairs(pairs) = serde_json::from_str(line).unwrap();
        let Pairs(record) = serde_json::from_str(&serde_json::to_string(&Record::of(&outcome)).unwrap()).unwrap();
        assert_eq!(pairs[3..], record, "the record's fields, in its order");
        let mut names: Vec<_> = pairs.iter().map(|(name, _)| name).collect();
        names.sort();
        let number = names.len();
        names.dedup();
        assert_eq!(names.len(), number, "{line}");
    }
}

#[test]
fn wire_text_cannot_leave_its_line() {
    let mut outcome = Outcome::clone(&pass()[3]);
    let nasty = "x\r\n\u{1b}[2J\u{9b}31m\u{202e}\u{2066}\u{7f}";
    outcome.diagnosis.as_mut().unwrap().evidence = nasty.to_owned();
    for format in LogFormat::ALL {
        let text = logged(format, "info", || {
            emit(&Event::Finished(Arc::new(outcome.clone())));
            tracing::warn!(target: "hyper", "x\r\n\u{1b}[2J\u{9b}31m\u{202e}\u{2066}\u{7f}");
        });
        assert_eq!(text.lines().count(), 2, "{format:?}: {text:?}");
        for character in text.chars().filter(|character| *character != '\n') {
            assert!(!character.is_control(), "{format:?}: {character:?}");
            assert!(
                !matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'),
                "{format:?}: {character:?}"
            );
        }
    }
    let text = logged(LogFormat::Json, "info", || emit(&Event::Finished(Arc::new(outcome.clone()))));
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["evidence"], nasty);
}

#[test]
fn lines_of_others_keep_to_our_layout() {
    let text = logged(LogFormat::Json, "info", || {
        tracing::warn!(target: "hyper::client", level = 3, ts = "t", origin = "o", record = "{\"a\":1}", x = f64::NAN, "hello");
        tracing::info!(target: "hyper::client", "libraries log from warn");
        tracing::info!(name: "config.reloaded", targets = 7, ok = true);
    });
    let expected = [
        r#"{"ts":"2026-11-20T12:00:00.500Z","level":"warn","event":"log","schema":1,"origin":"hyper::client","message":"hello","level_":3,"ts_":"t","origin_":"o","record":"{\"a\":1}","x":"NaN"}"#,
        r#"{"ts":"2026-11-20T12:00:00.500Z","level":"info","event":"config.reloaded","schema":1,"targets":7,"ok":true}"#,
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn filters() {
    for (filter, ours, theirs) in [
        ("", "info", "warn"),
        ("debug", "debug", "warn"),
        ("error", "error", "error"),
        ("off", "", ""),
        ("warn,hyper=debug", "warn", "debug"),
        (" info , hyper = off ", "info", ""),
    ] {
        let text = logged(LogFormat::Json, filter, || {
            for target in ["pilotlight::x", "hyper::y"] {
                // The target of a callsite is fixed when it is compiled.
                macro_rules! all_levels {
                    ($target:literal) => {{
                        tracing::error!(target: $target, "m");
                        tracing::warn!(target: $target, "m");
                        tracing::info!(target: $target, "m");
                        tracing::debug!(target: $target, "m");
                    }};
                }
                if target.starts_with('p') { all_levels!("pilotlight::x") } else { all_levels!("hyper::y") }
            }
        });
        let lowest = |origin: &str| {
            text.lines()
                .filter(|line| line.contains(origin))
                .filter_map(|line| {
                    serde_json::from_str::<serde_json::Value>(line).unwrap()["level"].as_str().map(str::to_owned)
                })
                .next_back()
                .unwrap_or_default()
        };
        assert_eq!((lowest("pilotlight::x").as_str(), lowest("hyper::y").as_str()), (ours, theirs), "{filter}");
    }
    for wrong in ["inof", "hyper", "hyper=loud", "=info", "3"] {
        assert!(LogFilter::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_nobody_reads_is_not_rendered() {
    assert_eq!(logged(LogFormat::Json, "error", || emit(&Event::Finished(Arc::new(ready("p", "t", "m"))))), "");
}

#[test]
fn a_broken_pipe_ends_nothing() {
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    let settings = LogSettings {
        priority: Priority::Unmarked,
        format: LogFormat::Json,
        filter: LogFilter::default(),
        writer: BoxMakeWriter::new(|| Broken),
        now: noon,
        zone: None,
    };
    with(settings, all_events);
}

/// A process of its own, because standard error and the global subscriber are the process's.
#[test]
fn a_process_survives_the_end_of_its_standard_error() {
    let child = ["--exact", "telemetry::tests::child_that_logs_to_standard_error", "--ignored"];
    let program = std::env::current_exe().unwrap();
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let status = Command::new(&program).args(child).stdout(Stdio::null()).stderr(writer).status().unwrap();
    assert!(status.success(), "with a broken pipe: {status}");
    let status = Command::new("sh")
        .args(["-c", "exec \"$0\" \"$@\" 2>&-"])
        .arg(&program)
        .args(child)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "with standard error closed: {status}");
}

#[test]
#[ignore = "run by the test above, in a process of its own"]
fn child_that_logs_to_standard_error() {
    let settings = || LogSettings {
        priority: Priority::Unmarked,
        format: LogFormat::Json,
        filter: LogFilter::parse("trace").unwrap(),
        writer: BoxMakeWriter::new(io::stderr),
        now: noon,
        zone: None,
    };
    install(settings()).unwrap();
    assert!(install(settings()).is_err(), "a second install is refused");
    for _ in 0..100 {
        all_events();
    }
}
