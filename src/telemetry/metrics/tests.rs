//! What is counted, how it is written, and what a thousand targets cost.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::families::{ALL, Kind};
use super::*;
use crate::outcome::sample::{diagnosis, failed, left_of_five_hours, ms, ready, started, target};
use crate::outcome::{Code, Cost, Limited, Proof, Reading, Stage, Unit, Warmth, WindowName, Withholding};
use crate::target::Depth;

fn metrics() -> Metrics {
    Metrics::new("1.2.3", [&target("synthetic", "glm", "hf:zai-org/GLM-4.6")])
}

fn refused() -> Outcome {
    let diagnosis = diagnosis(Code::KeyRefused, Stage::Authenticate, "HTTP 401", "make a new key");
    failed(ready("synthetic", "glm", "hf:zai-org/GLM-4.6"), diagnosis, Proof::Answered, Some(401))
}

/// A warm-up that was not made.
fn withheld() -> Outcome {
    let diagnosis = diagnosis(Code::QuotaWithheld, Stage::Warm, "quota below 15 %", "wait");
    let outcome = failed(ready("synthetic", "glm", "hf:zai-org/GLM-4.6"), diagnosis, Proof::KeyAccepted, None);
    Outcome { withheld: Some(Withholding::Floor), ..outcome }
}

/// What is left of five hours.
fn reading(remaining: f64, limited: Limited) -> Reading {
    Reading { limited, ..left_of_five_hours(remaining) }
}

/// Metrics in which every family has a sample.
fn full() -> Metrics {
    let metrics = metrics();
    let mut outcome = ready("synthetic", "glm", "hf:zai-org/GLM-4.6");
    outcome.certificate_ends = Some(started());
    outcome.cost = Cost { requests: Some(0.1), usd: Some(0.25) };
    outcome.quota.read_before(vec![reading(364.0, Limited::No)]);
    metrics.observe(&outcome, Some(ms(2)));
    outcome.warmth = Warmth::Cold;
    metrics.observe(&outcome, None);
    metrics.observe(&refused(), None);
    metrics.observe(&withheld(), None);
    metrics.paused(&outcome.target.id, Some("quota below 15 %"));
    metrics.standing(&outcome.target, Status::Down, started());
    metrics.next_due(&outcome.target.id, Some(started()));
    metrics.trigger(7, 1, 2);
    metrics.config_loaded(started(), true);
    metrics.store(3, 4, 5, Some(4096));
    metrics.queue(6, 2);
    metrics.tasks(9);
    // A warm-up last, so that the state of the LLM is known.
    metrics.observe(&outcome, None);
    metrics.gate("review", Verdict::Ready);
    metrics
}

/// The samples of a text without the process' own, which differ each time.
fn ours(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("pilotlight_")).collect()
}

#[track_caller]
fn assert_has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|found| found == *line), "no `{line}` in:\n{text}");
    }
}

#[test]
fn a_finished_probe_is_counted() {
    let text = full().encode();
    assert_has(
        &text,
        &[
            "# TYPE pilotlight_probes_total counter",
            "# HELP pilotlight_probes_total Finished probes",
            "pilotlight_probes_total{target=\"glm\",depth=\"warm\",verdict=\"ready\"} 3",
            "pilotlight_probes_total{target=\"glm\",depth=\"warm\",verdict=\"failed\"} 1",
            "pilotlight_probe_failures_total{target=\"glm\",code=\"key-refused\"} 1",
            "pilotlight_target_up{target=\"glm\",provider=\"synthetic\",model=\"hf:zai-org/GLM-4.6\"} 0",
            "pilotlight_target_status{target=\"glm\",status=\"down\"} 1",
            "pilotlight_target_status{target=\"glm\",status=\"up\"} 0",
            "pilotlight_target_warm{target=\"glm\"} 0",
            "pilotlight_cold_starts_total{target=\"glm\"} 2",
            "pilotlight_first_token_seconds_bucket{le=\"0.25\",target=\"glm\",warmth=\"warm\"} 0",
            "pilotlight_first_token_seconds_bucket{le=\"0.5\",target=\"glm\",warmth=\"warm\"} 1",
            "pilotlight_first_token_seconds_bucket{le=\"+Inf\",target=\"glm\",warmth=\"cold\"} 2",
            "pilotlight_first_token_seconds_count{target=\"glm\",warmth=\"cold\"} 2",
            "pilotlight_phase_seconds_count{provider=\"synthetic\",phase=\"tls\"} 5",
            "pilotlight_tokens_total{target=\"glm\",direction=\"output\"} 48",
            "pilotlight_probe_price_usd_total{target=\"glm\"} 0.75",
            "pilotlight_withheld_total{target=\"glm\",reason=\"floor\"} 1",
            "pilotlight_paused{target=\"glm\"} 1",
            "pilotlight_quota_remaining{provider=\"synthetic\",window=\"five-hour\",unit=\"requests\"} 364.0",
            "pilotlight_quota_max{provider=\"synthetic\",window=\"five-hour\",unit=\"requests\"} 500.0",
            "pilotlight_quota_limited{provider=\"synthetic\",window=\"five-hour\"} 0",
            "pilotlight_start_lateness_seconds_bucket{le=\"0.0025\"} 1",
            "pilotlight_last_probe_timestamp_seconds{target=\"glm\",depth=\"warm\"} 1795201331.735",
            "# TYPE pilotlight_build_info gauge",
            "pilotlight_build_info{version=\"1.2.3\"} 1",
            "pilotlight_trigger_lost_total 1",
            "pilotlight_store_size_bytes 4096",
        ],
    );
    assert!(!text.contains("EOF") && !text.contains("# UNIT"));
}

#[test]
fn openmetrics_has_the_same_samples_under_its_own_heads() {
    let metrics = full();
    let (older, open) = (metrics.encode(), metrics.encode_openmetrics());
    assert_eq!(ours(&older), ours(&open));
    assert_has(&open, &["# TYPE pilotlight_probes counter", "# TYPE pilotlight_build info"]);
    assert!(open.ends_with("# EOF\n"));
}

#[test]
fn nothing_is_told_of_what_is_not_known() {
    let metrics = metrics();
    let text = metrics.encode();
    let names: BTreeSet<_> = ours(&text).into_iter().map(|line| line.split(['{', ' ']).next().unwrap()).collect();
    assert_eq!(
        names.into_iter().collect::<Vec<_>>(),
        ["pilotlight_build_info", "pilotlight_target_info", "pilotlight_target_status"]
    );
    metrics.standing(&target("synthetic", "glm", "hf:zai-org/GLM-4.6"), Status::Maintenance, started());
    assert!(!metrics.encode().contains("pilotlight_target_up"));
}

#[test]
fn a_key_check_says_nothing_of_the_models_state() {
    let metrics = metrics();
    let mut outcome = ready("synthetic", "glm", "hf:zai-org/GLM-4.6");
    metrics.observe(&outcome, None);
    outcome.depth = Depth::Auth;
    outcome.warmth = Warmth::Unknown;
    metrics.observe(&outcome, None);
    assert_has(&metrics.encode(), &["pilotlight_target_warm{target=\"glm\"} 1"]);
    outcome.depth = Depth::Warm;
    metrics.observe(&outcome, None);
    assert!(!metrics.encode().contains("pilotlight_target_warm"), "a warm-up that could not tell");
}

#[test]
fn the_series_of_a_removed_target_go_and_stay_away() {
    let metrics = full();
    let new = target("openai", "gpt", "gpt-5");
    metrics.retain(&HashSet::from([new.id.clone()]));
    metrics.standing(&new, Status::Unknown, started());
    // One that was under way when the configuration changed.
    metrics.observe(&refused(), None);
    metrics.standing(&refused().target, Status::Down, started());
    metrics.next_due(&refused().target.id, Some(started()));
    let text = metrics.encode();
    assert!(!text.contains("\"glm\"") && !text.contains("\"synthetic\""), "{text}");
    assert_has(&text, &["pilotlight_target_status{target=\"gpt\",status=\"unknown\"} 1"]);
    metrics.observe(&ready("openai", "gpt", "gpt-5"), None);
    assert_has(&metrics.encode(), &["pilotlight_probes_total{target=\"gpt\",depth=\"warm\",verdict=\"ready\"} 1"]);
}

#[test]
fn the_newest_word_of_a_limit_is_told() {
    let metrics = metrics();
    let mut outcome = ready("synthetic", "glm", "hf:zai-org/GLM-4.6");
    outcome.quota.read_before(vec![
        Reading { window: WindowName::WEEK, unit: Unit::Usd, max: None, ..reading(11.5, Limited::No) },
        reading(2.0, Limited::No),
    ]);
    outcome.quota.read_after(vec![reading(1.0, Limited::Yes)]);
    metrics.observe(&outcome, None);
    // A probe that was told nothing takes nothing back.
    metrics.observe(&refused(), None);
    let text = metrics.encode();
    let told: Vec<_> = ours(&text).into_iter().filter(|line| line.contains("_quota_")).collect();
    assert_eq!(
        told,
        [
            "pilotlight_quota_remaining{provider=\"synthetic\",window=\"five-hour\",unit=\"requests\"} 1.0",
            "pilotlight_quota_remaining{provider=\"synthetic\",window=\"week\",unit=\"usd\"} 11.5",
            "pilotlight_quota_max{provider=\"synthetic\",window=\"five-hour\",unit=\"requests\"} 500.0",
            "pilotlight_quota_limited{provider=\"synthetic\",window=\"five-hour\"} 1",
            "pilotlight_quota_limited{provider=\"synthetic\",window=\"week\"} 0",
        ]
    );
}

#[test]
fn a_pause_that_is_over_is_told() {
    let metrics = metrics();
    let id = withheld().target.id.clone();
    assert!(!metrics.encode().contains("pilotlight_paused"), "nothing was asked yet");
    metrics.paused(&id, Some("quota below 15 %"));
    metrics.paused(&id, None);
    assert_has(&metrics.encode(), &["pilotlight_paused{target=\"glm\"} 0"]);
}

#[test]
fn a_name_that_means_another_llm_begins_anew() {
    let metrics = full();
    metrics.standing(&target("synthetic", "glm", "hf:zai-org/GLM-5"), Status::Unknown, started());
    let text = metrics.encode();
    assert!(!text.contains("GLM-4.6") && !text.contains("pilotlight_probes_total"), "{text}");
}

#[test]
fn label_values_are_escaped() {
    let metrics = Metrics::new("1", [&target("p", "t", "a\"b\\c\nd é")]);
    let expected = "pilotlight_target_info{target=\"t\",provider=\"p\",model=\"a\\\"b\\\\c\\nd é\"} 1";
    assert_has(&metrics.encode(), &[expected]);
    assert_has(&metrics.encode_openmetrics(), &[expected]);
}

#[test]
fn a_refused_configuration_keeps_the_time_of_the_last_good_one() {
    let metrics = metrics();
    metrics.config_loaded(started(), true);
    metrics.config_loaded(started() + jiff::SignedDuration::from_secs(60), false);
    assert_has(
        &metrics.encode(),
        &[
            "pilotlight_config_last_reload_successful 0",
            "pilotlight_config_last_reload_success_timestamp_seconds 1795201331.123",
        ],
    );
}

/// Metric to the label names of its samples, but for `le`.
fn shapes(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut shapes = BTreeMap::<String, BTreeSet<String>>::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (head, _) = line.rsplit_once(' ').unwrap();
        let (name, labels) = head.split_once('{').unwrap_or((head, ""));
        let name = ["_bucket", "_sum", "_count"].iter().fold(name, |name, end| name.trim_end_matches(end));
        let names = labels.split("\",").filter_map(|label| label.split_once('=')).map(|(name, _)| name.to_owned());
        shapes.entry(name.to_owned()).or_default().extend(names.filter(|name| name != "le"));
    }
    shapes
}

#[test]
#[cfg(target_os = "linux")]
fn the_table_is_what_is_written() {
    let written = shapes(&full().encode());
    let listed: BTreeMap<String, BTreeSet<String>> = ALL
        .iter()
        .map(|family| (family.name.to_owned(), family.labels.iter().map(|label| (*label).to_owned()).collect()))
        // There may be no limit of files.
        .filter(|(name, _)| name != "process_max_fds" || written.contains_key(name))
        .collect();
    assert_eq!(written, listed);
}

#[test]
fn names_say_what_they_are() {
    for family in ALL {
        assert_eq!(family.name.ends_with("_total"), family.kind == Kind::Counter, "{}", family.name);
        assert_eq!(family.name.ends_with("_info"), family.kind == Kind::Info, "{}", family.name);
        assert!(family.kind != Kind::Histogram || family.name.ends_with("_seconds"), "{}", family.name);
        assert!(family.name.starts_with("pilotlight_") || family.name.starts_with("process_"), "{}", family.name);
        for unbounded in ["run_id", "evidence", "url", "request_id", "remedy"] {
            assert!(!family.labels.contains(&unbounded), "{}", family.name);
        }
    }
}

/// The most that an ordinary target has: three depths, a failure of each of a few kinds, warm and cold starts.
fn thousand() -> Metrics {
    let names: Vec<String> = (0..1000).map(|number| format!("review-target-{number:04}")).collect();
    let targets: Vec<_> = names.iter().map(|name| target("synthetic", name, "hf:zai-org/GLM-4.6")).collect();
    let metrics = Metrics::new("1", &targets);
    for (name, target) in names.iter().zip(&targets) {
        let mut outcome = ready("synthetic", name, "hf:zai-org/GLM-4.6");
        for warmth in [Warmth::Cold, Warmth::Warm] {
            outcome.warmth = warmth;
            metrics.observe(&outcome, Some(ms(1)));
        }
        outcome.depth = Depth::Auth;
        metrics.observe(&outcome, None);
        for code in [Code::KeyRefused, Code::RateLimited, Code::FirstTokenTimeout] {
            let trouble = diagnosis(code, Stage::Warm, "", "");
            metrics.observe(&failed(outcome.clone(), trouble, Proof::Nothing, None), None);
        }
        metrics.standing(target, Status::Up, started());
        metrics.next_due(&target.id, Some(started()));
    }
    metrics
}

#[test]
fn a_thousand_targets_are_a_few_mebibytes() {
    let text = thousand().encode();
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    assert!(series < 60_000, "{series}");
    assert!(text.len() < 6 * 1024 * 1024, "{}", text.len());
}
