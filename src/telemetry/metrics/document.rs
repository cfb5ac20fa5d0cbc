//! `docs/metrics.md`: the table of the metrics, and alerts to begin with.
//!
//! `tests/documents.rs` compares the file with what is made here, and `tests/metrics.rs` has promtool read the alerts.

use std::fmt::Write as _;

use super::families::{ALL, Family};
use super::state::{DURATION, FIRST_TOKEN, LATENESS, PHASE};

const BEFORE: &str = "# Metrics\n\n\
    <!-- Made from the code by `UPDATE_DOCS=1 cargo test --release`. Do not edit. -->\n\n\
    `pilotlight run` shows them at `/metrics`, and can write them to a `.prom` file for node_exporter's textfile collector. \
    Asked for `application/openmetrics-text` it answers with OpenMetrics 1.0, otherwise with the text format 0.0.4; names \
    and values are the same. Units are seconds and bytes; times are seconds since 1970.\n\n\
    What was not measured is absent, never zero: a target that was never warmed has no `pilotlight_target_warm`. The \
    series of a target go when it is removed from probes.yaml. Labels are names of probes.yaml and words of ours, so their \
    number is bounded; evidence, request ids and passes are in [the log](log.md).\n\n\
    | metric | type | labels | meaning |\n|---|---|---|---|\n";

const AFTER: &str = "\n## Alerts\n\n\
    A target that is down is never warm, and a provider that is down takes all its targets with it: begin with the first \
    three, and add the others where you need them. `pilotlight_target_up` is already damped (`fail_after`, \
    `recover_after`), so a `for:` of minutes would only delay it. Metrics of a target join its provider and model by \
    `* on (target) group_left (provider, model) pilotlight_target_info`.\n\n\
    ```yaml\n\
    groups:\n\
    \x20 - name: pilotlight\n\
    \x20   rules:\n\
    \x20     - alert: PilotlightAbsent\n\
    \x20       expr: absent(pilotlight_build_info)\n\
    \x20       for: 5m\n\
    \x20       annotations:\n\
    \x20         summary: nobody watches the LLMs, pilotlight is not scraped\n\
    \x20     - alert: LlmDown\n\
    \x20       expr: pilotlight_target_up == 0\n\
    \x20       annotations:\n\
    \x20         summary: '{{ $labels.target }} ({{ $labels.model }} at {{ $labels.provider }}) is down'\n\
    \x20     - alert: LlmNotProbed\n\
    \x20       expr: time() - pilotlight_next_probe_timestamp_seconds > 120\n\
    \x20       annotations:\n\
    \x20         summary: '{{ $labels.target }} was due two minutes ago and was not probed'\n\
    \x20     - alert: LlmColdStarts\n\
    \x20       expr: increase(pilotlight_cold_starts_total[1h]) > 2\n\
    \x20       annotations:\n\
    \x20         summary: '{{ $labels.target }} unloads between warm-ups, so warm it more often'\n\
    \x20     - alert: LlmSlow\n\
    \x20       expr: >-\n\
    \x20         histogram_quantile(0.9, sum by (target, le) (rate(pilotlight_first_token_seconds_bucket{warmth=\"warm\"}[1h]))) > 5\n\
    \x20       for: 15m\n\
    \x20       annotations:\n\
    \x20         summary: 'the first token of {{ $labels.target }} takes {{ $value | humanizeDuration }} although it is loaded'\n\
    \x20     - alert: LlmCertificateEnds\n\
    \x20       expr: pilotlight_certificate_not_after_timestamp_seconds - time() < 7 * 86400\n\
    \x20       annotations:\n\
    \x20         summary: 'the certificate of {{ $labels.provider }} ends in {{ $value | humanizeDuration }}'\n\
    \x20     - alert: LlmNotWarmed\n\
    \x20       expr: pilotlight_paused == 1\n\
    \x20       for: 2h\n\
    \x20       annotations:\n\
    \x20         summary: '{{ $labels.target }} has not been warmed for two hours, to spare the quota'\n\
    \x20     - alert: PilotlightConfigRefused\n\
    \x20       expr: pilotlight_config_last_reload_successful == 0\n\
    \x20       for: 5m\n\
    \x20       annotations:\n\
    \x20         summary: probes.yaml was refused, the one before it is still in force\n\
    ```\n";

/// `docs/metrics.md`.
#[must_use]
pub fn metrics_markdown() -> String {
    let mut text = BEFORE.to_owned();
    for Family { name, kind, labels, help } in ALL {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(", ") };
        let _ = writeln!(text, "| `{name}` | {} | {labels} | {help} |", kind.name());
    }
    text.push_str("\n## Buckets\n\n| histogram | upper bounds in seconds |\n|---|---|\n");
    let histograms = [
        ("pilotlight_first_token_seconds", FIRST_TOKEN),
        ("pilotlight_phase_seconds", PHASE),
        ("pilotlight_probe_duration_seconds", DURATION),
        ("pilotlight_start_lateness_seconds", LATENESS),
    ];
    for (name, bounds) in histograms {
        let bounds: Vec<String> = bounds.iter().map(f64::to_string).collect();
        let _ = writeln!(text, "| `{name}` | {} |", bounds.join(", "));
    }
    text.push_str(AFTER);
    text
}
