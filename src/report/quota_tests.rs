//! What the reports say of quotas: withheld warm-ups, what is left, and what it cost.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::layout::columns;
use super::sample::{look, ms, past, ready, refused, run_id, started, text_of, withheld};
use super::status_tests::{rows, shown_with};
use super::{
    Format, History, LimitLeft, Look, Marks, Paused, ProviderQuota, Report, StatusRow, Style, render, render_history,
};
use crate::exit::{Exit, Strictness};
use crate::outcome::{Cost, Outcome, Unit, Warmth};
use crate::store::Spent;

const GLM: &str = "hf:zai-org/GLM-4.6";

fn after(seconds: i64) -> Timestamp {
    started() + SignedDuration::from_secs(seconds)
}

fn spent(warm_ups: u64, requests: f64, usd: Option<f64>) -> Spent {
    Spent {
        warm_ups,
        cold_starts: warm_ups / 8,
        withheld: 2,
        input_tokens: Some(warm_ups * 9),
        output_tokens: Some(warm_ups * 16),
        price_requests: Some(requests),
        price_usd: usd,
    }
}

fn paused_rows() -> Vec<StatusRow> {
    let mut rows = rows();
    let floor = |seconds| Paused { why: "quota below 15 %".to_owned(), until: Some(after(seconds)) };
    (rows[0].paused, rows[1].paused) = (Some(floor(240)), Some(floor(242)));
    rows[2].paused = Some(Paused { why: "daily cap, and no known price".to_owned(), until: None });
    for (row, usd) in rows.iter_mut().zip([Some(0.012), None, Some(1.5)]) {
        let summary = row.summary.as_mut().unwrap();
        (summary.spent.day, summary.spent.week) = (spent(24, 24.0, usd), spent(168, 168.0, usd));
    }
    rows
}

fn limit(window: &str, unit: Unit, remaining: f64, max: Option<f64>) -> LimitLeft {
    LimitLeft {
        window: window.to_owned(),
        unit,
        remaining,
        max,
        share_left: Some(remaining / 10.0),
        floor: 0.15,
        next: Some(after(480)),
    }
}

fn quotas() -> Vec<ProviderQuota> {
    let quota = |provider: &str, limits| ProviderQuota {
        provider: provider.to_owned(),
        limits,
        refused_until: None,
        daily_cap_usd: None,
        today_usd: 0.0,
        day: spent(48, 48.0, None),
        part_of_regained: Some(0.03),
    };
    let two = vec![
        limit("five-hour", Unit::Requests, 61.2, Some(500.0)),
        LimitLeft { floor: 0.1, next: Some(after(7_300)), ..limit("week", Unit::Usd, 11.2, Some(24.0)) },
    ];
    let mut moonshot = quota("moonshot", vec![limit("balance", Unit::OtherMoney, 49.5, None)]);
    (moonshot.daily_cap_usd, moonshot.today_usd, moonshot.part_of_regained) = (Some(1.0), 0.25, None);
    let mut groq = quota("groq", vec![limit("requests-day", Unit::Requests, 0.0, Some(1000.0))]);
    (groq.refused_until, groq.part_of_regained) = (Some(after(3_600)), Some(0.001));
    vec![quota("synthetic", two), moonshot, groq]
}

fn status(format: Format, look: &Look) -> String {
    shown_with(&paused_rows(), &quotas(), format, look)
}

#[test]
fn status_wide() {
    insta::assert_snapshot!(status(Format::Human, &look(180)));
}

#[test]
fn status_piped() {
    insta::assert_snapshot!(status(Format::Human, &look(100)));
}

#[test]
fn status_narrow_in_ascii() {
    let text = status(Format::Human, &Look { marks: Marks::Ascii, ..look(60) });
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!(text);
    let text = status(Format::Human, &Look { marks: Marks::Ascii, ..look(120) });
    assert!(text.is_ascii() && text.contains("\nquota    #.|....... synthetic: 61.2 of 500"), "{text}");
}

#[test]
fn status_coloured() {
    let text = status(Format::Human, &Look { style: Style::Coloured, ..look(100) });
    insta::assert_snapshot!(text.replace('\u{1b}', "␛"));
    let stripped = anstream::adapter::strip_str(&text).to_string();
    assert_eq!(stripped, status(Format::Human, &look(100)), "colour must not change the layout");
}

#[test]
fn status_json() {
    let text = shown_with(&paused_rows()[..1], &quotas()[..1], Format::Json, &look(100));
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let glm = &mut document["targets"][0];
    (glm["first_tokens"], glm["last"]) = ("left out here".into(), "left out here".into());
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
}

#[test]
fn a_bar_says_how_much_is_left() {
    let of = |remaining: f64| {
        let mut quota = quotas().remove(0);
        quota.limits = vec![limit("five-hour", Unit::Requests, remaining, Some(500.0))];
        let text = shown_with(&rows(), &[quota], Format::Human, &look(100));
        text.lines()
            .find_map(|line| line.strip_prefix("quota    ").map(|line| line.chars().take(10).collect()))
            .unwrap()
    };
    let bars: Vec<String> = [0.0, 0.1, 26.0, 250.0, 474.0, 500.0, 9e9].into_iter().map(of).collect();
    assert_eq!(
        bars,
        ["░░┊░░░░░░░", "█░┊░░░░░░░", "█░┊░░░░░░░", "█████░░░░░", "█████████░", "██████████", "██████████"]
    );
    for width in 40..140 {
        let text = status(Format::Human, &look(width));
        for line in text.lines().filter(|line| line.starts_with("quota") || line.starts_with("paused")) {
            assert!(columns(line) <= width, "{line}");
        }
    }
}

#[test]
fn a_ledger_that_was_edited_cannot_act_on_a_terminal() {
    let mut rows = paused_rows();
    let mut quotas = quotas();
    let bad = "\u{1b}[2J\u{202e}";
    rows[0].paused = Some(Paused { why: bad.to_owned(), until: None });
    quotas[0].limits[0].window = bad.to_owned();
    (quotas[0].limits[0].remaining, quotas[0].limits[0].max) = (f64::NAN, Some(f64::INFINITY));
    for format in [Format::Human, Format::Json] {
        let text = shown_with(&rows, &quotas, format, &look(100));
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
}

#[test]
fn history_says_what_it_cost() {
    let warm = ready("synthetic", "glm", GLM);
    let cost = |requests, usd| Cost { requests: Some(requests), usd };
    let cold = Outcome { warmth: Warmth::Cold, cost: cost(1.0, Some(0.000_04)), ..warm.clone() };
    let held = withheld("synthetic", "glm", GLM, 240);
    let refused = refused("synthetic", "glm", GLM);
    let outcomes = [cold, Outcome { cost: cost(0.1, None), ..warm }, held, refused];
    let records: Vec<_> = (1..).zip(&outcomes).map(|(number, outcome)| past(outcome, 1_000 - number * 100)).collect();
    let (now, week) = (started(), spent(168, 168.0, Some(0.012)));
    let view = History { target: "glm", now, records: &records, flips: &[], week, more: false };
    let shown = |format, width| text_of(|out| render_history(&view, format, &look(width), out));
    insta::assert_snapshot!(shown(Format::Human, 140));
    let narrower = |width: usize| shown(Format::Human, width).lines().next().unwrap().to_owned();
    assert!(narrower(100).contains("  cost  because") && !narrower(100).contains("total"), "{}", narrower(100));
    assert!(!narrower(70).contains("cost"), "{}", narrower(70));
    let document: serde_json::Value = serde_json::from_str(&shown(Format::Json, 100)).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&document["spent_7d"]).unwrap());
    assert_eq!(document["records"][2]["withheld"], "floor");
}

fn report(outcomes: &[Outcome], look: &Look) -> String {
    let outcomes: Vec<_> = outcomes.iter().cloned().map(Arc::new).collect();
    let exit = Exit::worst(outcomes.iter().map(|outcome| Exit::of(outcome, Strictness::Lenient)));
    let run_id = run_id();
    let report = Report {
        run_id: &run_id,
        started: started(),
        total: ms(4_200),
        outcomes: &outcomes,
        exit,
        notes: &[],
        source: None,
        gates: &[],
        strictness: Strictness::Lenient,
        host: None,
    };
    text_of(|out| render(&report, Format::Human, look, out))
}

#[test]
fn a_check_that_was_withheld_and_what_the_others_cost() {
    let cost = Cost { requests: Some(1.5), usd: Some(0.000_02) };
    let warm = Outcome { cost, ..ready("synthetic", "glm", GLM) };
    let outcomes = [
        warm.clone(),
        warm,
        withheld("synthetic", "qwen", "hf:Qwen/Qwen3-Coder-480B-A35B-Instruct", 240),
        withheld("synthetic", "kimi", "hf:moonshotai/Kimi-K2.5", 240),
    ];
    let text = report(&outcomes, &look(100));
    assert!(text.contains("; spent 3 requests, $0.00004; worst: qwen quota-withheld"), "{text}");
    insta::assert_snapshot!(text);
}
