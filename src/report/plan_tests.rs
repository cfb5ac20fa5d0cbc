//! Plans as people and machines see them: of the shipped probes.yaml, and of a schedule that asks for too much.

use std::path::Path;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::config::{self, Config, Environment};
use crate::plan::{self, Forecast, Planned, Probing, Question, Simulation};

/// Two models at one pack that unload after a quarter of an hour, warmed far more often than the share allows; and one of
/// a provider that never unloads any.
const GREEDY: &str = "\
version: 1
defaults:
  assume: { requests_per_hour: 40, idle_timeout: 15m, cold_start: 30s }
providers:
  synthetic: { preset: synthetic, packs: 1 }
  openai: { preset: openai, prices: { gpt-5-mini: { input: $0.25, output: $2 } }, daily_cap: $0.0005 }
targets:
  - name: glm
    provider: synthetic
    model: hf:zai-org/GLM-5.2
    warm: { every: 90s, during: \"Mon-Fri 09:00-18:00\", timezone: Europe/Berlin }
  - name: flash
    provider: synthetic
    model: hf:zai-org/GLM-4.7-Flash
    warm: { every: 90s, during: \"Mon-Fri 09:00-18:00\", timezone: Europe/Berlin }
  - { name: gpt, provider: openai, model: gpt-5-mini, warm: { cron: \"*/30 9-17 * * Mon-Fri\", timezone: Europe/Berlin } }
";

fn look(width: usize, marks: Marks) -> Look {
    Look { width, style: Style::Plain, marks, zone: TimeZone::get("Europe/Berlin").unwrap() }
}

fn shipped() -> Config {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("probes.yaml");
    let mut config = config::load(&path, &Environment::default()).unwrap();
    config.path = "probes.yaml".into();
    config
}

fn greedy() -> Config {
    config::load_bytes(Path::new("greedy.yaml"), GREEDY.as_bytes(), &Environment::default())
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The plan of a week from the 23rd of November 2026 on.
fn rendered(config: &Config, format: Format, look: &Look, seed: Option<u64>) -> String {
    let from: Timestamp = "2026-11-22T23:00:00Z".parse().unwrap();
    let planned: Vec<Planned<'_>> = config
        .targets
        .iter()
        .map(|target| Planned {
            target,
            schedule: config.schedules.get(&target.id),
            assumed: config.assumptions.get(&target.id),
            learned: None,
        })
        .collect();
    let question = Question {
        from,
        to: from + SignedDuration::from_hours(7 * 24),
        zone: &look.zone,
        targets: &planned,
        quotas: &config.quotas,
    };
    let forecast = Forecast::of(&question).unwrap();
    let simulation = seed.map(|seed| Simulation::of(&forecast, Probing::Governed, seed));
    let advice = plan::advice(&forecast);
    let notes = ["a note".to_owned()];
    let view = PlanView {
        config: &config.path,
        forecast: &forecast,
        simulation: simulation.as_ref(),
        advice: &advice,
        notes: &notes,
    };
    let mut out = Vec::new();
    render_plan(&view, format, look, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_shipped_file() {
    let config = shipped();
    insta::assert_snapshot!("shipped", rendered(&config, Format::Human, &look(100, Marks::Unicode), None));
    insta::assert_snapshot!("shipped_json", rendered(&config, Format::Json, &look(100, Marks::Unicode), None));
}

#[test]
fn a_schedule_that_asks_for_too_much() {
    let config = greedy();
    insta::assert_snapshot!("greedy", rendered(&config, Format::Human, &look(100, Marks::Unicode), Some(1)));
    insta::assert_snapshot!("greedy_json", rendered(&config, Format::Json, &look(100, Marks::Unicode), Some(1)));
}

#[test]
fn a_narrow_terminal_breaks_no_line() {
    for config in [shipped(), greedy()] {
        for width in [40, 50, 60, 80] {
            let text = rendered(&config, Format::Human, &look(width, Marks::Ascii), Some(1));
            let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > width).collect();
            assert!(wide.is_empty(), "{width}: {wide:#?}");
            assert!(text.is_ascii(), "{text}");
        }
    }
    insta::assert_snapshot!("narrow", rendered(&greedy(), Format::Human, &look(50, Marks::Ascii), Some(1)));
}

#[test]
fn colour_marks_what_is_too_much_and_nothing_else() {
    let coloured = Look { style: Style::Coloured, ..look(100, Marks::Unicode) };
    let greedy = rendered(&greedy(), Format::Human, &coloured, None);
    assert!(greedy.contains("\u{1b}[33mfive-hour"), "{greedy}");
    assert!(!rendered(&shipped(), Format::Human, &coloured, None).contains("\u{1b}[33m"));
}
