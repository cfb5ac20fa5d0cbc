//! Metrics as others read them: `promtool` finds nothing to complain about, neither in an exposition nor in the alerts of
//! `docs/metrics.md`.
//!
//! What is counted is tested beside the code (`src/telemetry/metrics/tests.rs`).

use std::collections::HashSet;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pilotlight::outcome::{
    Code, Connection, Cost, Diagnosis, Limited, Outcome, Proof, QuotaSeen, Reading, RunId, Stage, Status, Timings,
    Unit, Usage, Uses, Warmth, WindowName,
};
use pilotlight::target::{
    BaseUrl, CapField, CredentialSource, Depth, Dialect, Expectation, Family, KeyHeader, Kind, ModelId,
    NetworkSettings, Provider, ProviderId, ReasoningOff, Target, TargetId,
};
use pilotlight::telemetry::{Metrics, metrics_markdown, write_textfile};

/// Runs promtool with a text on its standard input. `None` where there is no promtool, unless this is CI, where it must be.
fn promtool(arguments: &[&str], input: &str) -> Option<String> {
    let child = Command::new("promtool")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            #[expect(clippy::disallowed_methods, reason = "the switch of a test is no setting of the program")]
            let ci = std::env::var_os("CI").is_some_and(|value| value == "true");
            assert!(!ci, "CI needs promtool (Debian: the package `prometheus`)");
            #[expect(clippy::print_stderr, reason = "a test that did nothing must say so")]
            {
                eprintln!("skipped: there is no promtool here (Debian: the package `prometheus`)");
            }
            return None;
        }
        child => child.unwrap(),
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "promtool {arguments:?}: {}\n{text}", output.status);
    Some(text)
}

fn target(name: &str, llm: &str) -> Target {
    let provider = Provider {
        id: ProviderId::new("synthetic").unwrap(),
        preset: "openai".to_owned(),
        family: Family::Generic,
        title: "Synthetic".to_owned(),
        dialect: Dialect::OpenAi,
        base_url: BaseUrl::parse("https://api.example.com/v1").unwrap(),
        key: CredentialSource::NotNeeded,
        key_header: KeyHeader::Bearer,
        key_prefix: None,
        key_page: None,
        billing_page: None,
        status_page: None,
        headers: Vec::new(),
        free_check: None,
        catalogue: None,
        state: None,
        cap_field: CapField::MaxTokens,
        reasoning_off: ReasoningOff::NotSent,
        unloads: true,
        concurrency: 4,
        network: NetworkSettings::default(),
        keep_alive: None,
    };
    Target {
        id: TargetId::new(name).unwrap(),
        provider: Arc::new(provider),
        model: ModelId::new(llm),
        kind: Kind::Chat,
        depth: Depth::Warm,
        tags: Vec::new(),
        expect: Expectation::default(),
        max_output_tokens: 16,
        line: 1,
    }
}

fn outcome(target: &Arc<Target>) -> Outcome {
    let ms = |milliseconds| Some(Duration::from_millis(milliseconds));
    Outcome {
        run_id: RunId::new("20261120T190211Z-3f9a2c"),
        target: Arc::clone(target),
        depth: Depth::Warm,
        started: Timestamp::from_second(1_795_000_000).unwrap(),
        stage: Stage::Warm,
        proof: Proof::TokenGenerated,
        attempts: 1,
        connection: Some(Connection::Fresh),
        timings: Timings {
            queued: ms(1),
            dns: ms(2),
            tcp: ms(11),
            tls: ms(23),
            headers: ms(210),
            first_token: ms(350),
            last_token: ms(420),
            total: Duration::from_millis(612),
        },
        stages: Vec::new(),
        usage: Usage { input_tokens: Some(9), output_tokens: Some(16) },
        cost: Cost::default(),
        quota: QuotaSeen::default(),
        withheld: None,
        withheld_says: None,
        list_price: None,
        http_status: Some(200),
        request_id: None,
        warmth: Warmth::Warm,
        residence: None,
        used: Uses::default(),
        certificate_ends: Some(Timestamp::from_second(1_800_000_000).unwrap()),
        diagnosis: None,
        warnings: Vec::new(),
        notes: Vec::new(),
    }
}

/// Metrics with a sample of everything, and a name that has to be escaped.
fn filled() -> Metrics {
    let targets = [Arc::new(target("glm", "hf:zai-org/GLM-4.6")), Arc::new(target("odd", "a \"quoted\" \\ näme"))];
    let metrics = Metrics::new("0.1.0", targets.iter().map(Arc::as_ref));
    let at = Timestamp::from_second(1_795_000_000).unwrap();
    for target in &targets {
        let mut outcome = outcome(target);
        outcome.cost = Cost { requests: Some(0.1), usd: Some(0.000_2) };
        outcome.quota.read_after(vec![Reading {
            window: WindowName::FIVE_HOUR,
            unit: Unit::Requests,
            remaining: Some(364.5),
            max: Some(500.0),
            next: Some(at),
            gives: Some(25.0),
            limited: Limited::No,
        }]);
        metrics.observe(&outcome, Some(Duration::from_micros(700)));
        outcome.warmth = Warmth::Cold;
        metrics.observe(&outcome, None);
        outcome.diagnosis = Some(Diagnosis {
            code: Code::KeyRefused,
            stage: Stage::Authenticate,
            evidence: "HTTP 401".to_owned(),
            remedy: "make a new key".to_owned(),
            reset: None,
            nearest: Vec::new(),
        });
        metrics.observe(&outcome, None);
        metrics.standing(target, Status::Up, at);
        metrics.next_due(&target.id, Some(at));
    }
    metrics.trigger(10, 1, 0);
    metrics.config_loaded(at, true);
    metrics.store(1, 0, 0, Some(8192));
    metrics.queue(0, 2);
    metrics
}

#[test]
fn promtool_has_nothing_to_say_of_an_exposition() {
    let metrics = filled();
    if let Some(said) = promtool(&["check", "metrics"], &metrics.encode()) {
        assert_eq!(said, "");
    }
    metrics.retain(&HashSet::new());
    if let Some(said) = promtool(&["check", "metrics"], &metrics.encode()) {
        assert_eq!(said, "", "without targets");
    }
}

#[test]
fn openmetrics_is_read_by_prometheus_own_parser() {
    let text = filled().encode_openmetrics();
    assert_eq!(text.lines().last(), Some("# EOF"));
    // promtool reads OpenMetrics only to make blocks of it, and those need times.
    let timed = |line: &str| if line.starts_with('#') { format!("{line}\n") } else { format!("{line} 1795000000\n") };
    let timed: String = text.lines().map(timed).collect();
    let samples = text.lines().filter(|line| !line.starts_with('#')).count();
    let folder = tempfile::tempdir().unwrap();
    let (file, blocks) = (folder.path().join("metrics"), folder.path().join("blocks"));
    std::fs::write(&file, timed).unwrap();
    let (file, blocks) = (file.to_str().unwrap(), blocks.to_str().unwrap());
    if promtool(&["tsdb", "create-blocks-from", "openmetrics", file, blocks], "").is_some() {
        let listed = promtool(&["tsdb", "list", blocks], "").unwrap();
        let series = listed.lines().last().unwrap().split_whitespace().nth(5).unwrap();
        assert_eq!(series, samples.to_string(), "{listed}");
    }
}

#[test]
fn a_text_file_is_what_promtool_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pilotlight.prom");
    write_textfile(&path, &filled().encode()).unwrap();
    if let Some(said) = promtool(&["check", "metrics"], &std::fs::read_to_string(&path).unwrap()) {
        assert_eq!(said, "");
    }
}

#[test]
fn the_alerts_of_the_manual_are_rules() {
    let text = metrics_markdown();
    let rules = text.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    // Every metric that an alert names exists.
    for word in rules.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_')) {
        let name = word.trim_end_matches("_bucket");
        assert!(!name.starts_with("pilotlight_") || text.contains(&format!("| `{name}` |")), "{name}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file: &Path = &folder.path().join("alerts.yaml");
    std::fs::write(file, rules).unwrap();
    if let Some(said) = promtool(&["check", "rules", file.to_str().unwrap()], "") {
        assert!(said.contains("SUCCESS: 8 rules found"), "{said}");
    }
}
