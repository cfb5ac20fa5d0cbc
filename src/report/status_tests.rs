//! The overview as snapshots, and what it must never do.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::layout::columns;
use super::sample::{look, ms, pass, past, ready, refused, started, text_of};
use super::status::percent;
use super::{Format, Look, Marks, Overview, Place, ProviderQuota, StatusRow, Style, render_status};
use crate::exit::{Exit, Strictness};
use crate::outcome::{Code, Outcome, Status, Warmth};
use crate::store::{Sample, SpentLately, TargetSummary, Uptime};

fn ago(seconds: i64) -> Timestamp {
    started() - SignedDuration::from_secs(seconds)
}

fn uptime(good: u64, bad: u64) -> Uptime {
    Uptime { good, bad, unknown: 1 }
}

/// A row of an outcome that began two minutes ago.
fn row(outcome: &Outcome, status: Status, times: &[f64]) -> StatusRow {
    let latest = past(outcome, 125);
    let kind = |time: f64| if time > 5_000.0 { Warmth::Cold } else { Warmth::Warm };
    let sample = |(index, time): (i64, &f64)| Sample {
        at: ago(9_000 - index * 240),
        first_token_ms: *time,
        warmth: kind(*time),
    };
    StatusRow {
        target: latest.target.clone(),
        provider: latest.provider.clone(),
        model: latest.model.clone(),
        place: Place::Configured,
        status,
        since: Some(ago(11_579)),
        code: latest.known_code(),
        due: Some(started() + SignedDuration::from_secs(200)),
        paused: None,
        trouble: (status != Status::Up).then(|| latest.clone()),
        summary: Some(TargetSummary {
            target: latest.target.clone(),
            first_token_ms: times.last().copied(),
            samples: (0..).zip(times).map(sample).collect(),
            day: uptime(360, 0),
            week: uptime(2_519, 1),
            days: Vec::new(),
            spent: SpentLately::default(),
            standing: None,
            latest,
        }),
    }
}

pub(super) fn rows() -> Vec<StatusRow> {
    let warm: Vec<f64> = (0..30).map(|n| if n == 11 { 74_300.0 } else { 280.0 + 17.0 * f64::from(n % 7) }).collect();
    let mut glm = row(&ready("synthetic", "glm", "hf:zai-org/GLM-4.6"), Status::Up, &warm);
    glm.since = Some(ago(190_000));
    let mut qwen = row(&pass()[1], Status::Degraded, &[900.0, 12_000.0, 74_300.0]);
    qwen.due = Some(ago(125));
    let mut kimi = row(&pass()[3], Status::Down, &[]);
    let mut llama = row(&pass()[4], Status::Maintenance, &[410.0]);
    llama.due = None;
    for (row, day, week) in [(&mut kimi, (3, 77), (2_000, 77)), (&mut llama, (0, 0), (9_999, 1))] {
        let summary = row.summary.as_mut().unwrap();
        (summary.day, summary.week) = (uptime(day.0, day.1), uptime(week.0, week.1));
    }
    let fresh = StatusRow {
        target: "fresh".to_owned(),
        provider: "synthetic".to_owned(),
        model: "hf:moonshotai/Kimi-K2-Instruct-0905".to_owned(),
        place: Place::Configured,
        status: Status::Unknown,
        since: None,
        code: None,
        summary: None,
        due: None,
        paused: None,
        trouble: None,
    };
    let both = ["deepseek", "minimax"].map(|id| row(&refused("synthetic-2", id, "m"), Status::Down, &[350.0, 360.0]));
    let mut old = row(&ready("groq", "old", "m"), Status::Up, &[200.0]);
    (old.place, old.due) = (Place::Gone, None);
    [glm, qwen, kimi, llama, fresh].into_iter().chain(both).chain([old]).collect()
}

fn shown(rows: &[StatusRow], format: Format, look: &Look) -> String {
    shown_with(rows, &[], format, look)
}

pub(super) fn shown_with(rows: &[StatusRow], quotas: &[ProviderQuota], format: Format, look: &Look) -> String {
    let exit = Exit::worst(rows.iter().map(|row| Exit::of_status(row.status, row.code, Strictness::Lenient)));
    let notes = if rows.len() == 1 { vec!["there is no probes.yaml".to_owned()] } else { Vec::new() };
    let view = Overview {
        now: started(),
        store: Path::new("/var/lib/pilotlight"),
        config: Some(Path::new("/etc/pilotlight/probes.yaml")),
        rows,
        quotas,
        exit,
        notes: &notes,
    };
    text_of(|out| render_status(&view, format, look, out))
}

#[test]
fn wide() {
    insta::assert_snapshot!(shown(&rows(), Format::Human, &look(180)));
}

#[test]
fn piped() {
    insta::assert_snapshot!(shown(&rows(), Format::Human, &look(100)));
}

#[test]
fn narrow() {
    insta::assert_snapshot!(shown(&rows(), Format::Human, &look(60)));
}

#[test]
fn ascii() {
    let text = shown(&rows(), Format::Human, &Look { marks: Marks::Ascii, ..look(140) });
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn coloured() {
    let text = shown(&rows(), Format::Human, &Look { style: Style::Coloured, ..look(100) });
    insta::assert_snapshot!(text.replace('\u{1b}', "␛"));
    let stripped = anstream::adapter::strip_str(&text).to_string();
    assert_eq!(stripped, shown(&rows(), Format::Human, &look(100)), "colour must not change the layout");
}

#[test]
fn one_that_is_up() {
    insta::assert_snapshot!(shown(&rows()[..1], Format::Human, &look(100)));
}

#[test]
fn json() {
    let few: Vec<StatusRow> = rows().into_iter().skip(1).take(4).collect();
    insta::assert_snapshot!(shown(&few, Format::Json, &look(100)));
}

#[test]
fn many_wrong_ids_are_one_block() {
    let wrong = |n: u32| {
        let mut row = row(&pass()[3], Status::Down, &[]);
        row.target = format!("llm-{n}");
        let trouble = row.trouble.as_mut().unwrap();
        trouble.evidence = Some(format!("HTTP 404: no m-{n}"));
        trouble.remedy = Some(format!("Compare m-{n} with the provider's list."));
        row
    };
    let rows: Vec<StatusRow> = (1..=38).map(wrong).collect();
    let text = shown(&rows, Format::Human, &look(100));
    let block: Vec<&str> = text.lines().skip_while(|line| !line.is_empty()).skip(1).collect();
    assert_eq!(block[0], "✗ 38 targets of moonshot: model-not-found at locate, down for 3h 12m");
    assert!(
        text.contains("\n  seen     HTTP 404: no m-1 (the others alike)\n  do       llm-1: Compare m-1 with"),
        "{text}"
    );
    assert!(block.len() < 15, "{text}");
    // A few have a block each.
    let text = shown(&rows[..3], Format::Human, &look(100));
    assert_eq!(text.matches("Compare m-").count(), 3, "{text}");
}

#[test]
fn uptime_is_rounded_down() {
    for (good, bad, said) in [
        (0, 0, None),
        (7, 0, Some("100 %")),
        (9_999, 1, Some("99.9 %")),
        (u64::MAX, 1, Some("99.9 %")),
        (1, 2, Some("33.3 %")),
        (0, 3, Some("0.0 %")),
    ] {
        assert_eq!(percent(uptime(good, bad)).as_deref(), said, "{good} {bad}");
    }
}

#[test]
fn what_an_edited_store_holds_cannot_act_on_a_terminal() {
    let bad = "\u{1b}[2J\u{202e}\u{9b}x";
    let mut broken = row(&refused("synthetic", "glm", "m"), Status::Down, &[f64::NAN, -1.0, 1e300]);
    (broken.target, broken.provider, broken.model) = (bad.to_owned(), bad.to_owned(), bad.to_owned());
    let trouble = broken.trouble.as_mut().unwrap();
    (trouble.evidence, trouble.remedy) = (Some(bad.to_owned()), Some(bad.to_owned()));
    broken.summary.as_mut().unwrap().latest.code = Some(bad.to_owned());
    for format in [Format::Human, Format::Json] {
        let text = shown(&[broken.clone(), rows().remove(0)], format, &look(100));
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{text:?}");
    }
    let text = shown(&[broken], Format::Json, &look(100));
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["targets"][0]["evidence"], bad, "escaped, not changed");
}

#[test]
fn the_line_to_paste() {
    let last = |rows: &[StatusRow], marks| {
        let text = shown(rows, Format::Human, &Look { marks, ..look(100) });
        text.lines().last().unwrap().to_owned()
    };
    assert_eq!(
        last(&rows(), Marks::Unicode),
        "7 targets: 1 up, 1 degraded (cold-start), 3 down (key-refused, model-not-found), 1 unknown, 1 maintenance · \
         24h 94.9 %"
    );
    assert_eq!(last(&rows()[..1], Marks::Ascii), "1 target: 1 up | 24h 100 %");
    assert_eq!(last(&[], Marks::Unicode), "0 targets: nothing to tell");
}

#[test]
fn an_outcome_of_ms_is_said_as_everywhere() {
    assert_eq!(super::status_table::milliseconds(350.0), crate::outcome::words::duration(ms(350)));
    assert!(rows()[5].code == Some(Code::KeyRefused));
}

proptest! {
    #[test]
    fn every_row_is_one_line_and_fits(name in "\\PC{1,60}|[模型智谱]{1,30}", width in 60_usize..200) {
        let mut rows = rows();
        rows[0].target = name.clone();
        rows[1].model = name;
        let text = shown(&rows, Format::Human, &look(width));
        let table: Vec<_> = text.lines().take_while(|line| !line.is_empty()).collect();
        prop_assert_eq!(table.len(), rows.len() + 1);
        for line in table {
            prop_assert!(columns(line) <= width, "{} columns: {line}", columns(line));
        }
    }
}
