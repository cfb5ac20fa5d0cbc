//! What was learned as snapshots, at several stages.

use super::sample::{look, started, text_of};
use super::{Format, Learned, Look, Marks, Style, Warmed, render_learned};
use crate::warmth::{Hours, Judged, Keeper, Moment, Observation, Reply, Settings, Sight, Span};

/// Probes of a model with an idle timeout, at the gaps that are asked for; the last one 100 seconds ago.
fn history(timeout: f64, probes: u32) -> Vec<Observation> {
    history_of(timeout, probes, Sight::CounterMoved)
}

/// The same, where now and then that was seen.
fn history_of(timeout: f64, probes: u32, now_and_then: Sight) -> Vec<Observation> {
    let mut keeper = Keeper::new(Settings::default());
    let (mut at, mut gap) = (0.0, None);
    let mut history = Vec::new();
    for number in 0..probes {
        let cold = gap.is_none_or(|gap: f64| gap > timeout);
        let jitter = 1.0 + f64::from(number * 7 % 11) / 20.0;
        let took = if cold { 24.0 * jitter } else { 0.35 * jitter };
        at += gap.unwrap_or(0.0) + took;
        history.push(Observation {
            at: Moment::from_seconds(at),
            gap: gap.map(Span::from_seconds),
            slack: Span::from_seconds(if number % 5 == 4 { 45.0 } else { 0.0 }),
            reply: Reply::FirstToken(Span::from_seconds(took)),
            sight: if number % 6 == 5 { now_and_then } else { Sight::CounterStill },
            hours: if number % 9 == 8 { Hours::Outside } else { Hours::Inside },
        });
        keeper.observe(history.last().unwrap());
        gap = Some(keeper.answer(Moment::from_seconds(at)).next_gap.map_or(120.0, Span::seconds));
    }
    let shift = f64::from(i32::try_from(started().as_second()).unwrap()) - 100.0 - at;
    for observation in &mut history {
        observation.at = Moment::from_seconds(observation.at.seconds() + shift);
    }
    history
}

fn shown(history: &[Observation], format: Format, look: &Look, listed: usize) -> String {
    let keeper = Keeper::rebuild(Settings::default(), history);
    let judged = Judged::all(Settings::default(), history);
    let view = Learned {
        target: "glm",
        llm: Some("hf:zai-org/GLM-4.6"),
        now: started(),
        keeper: (!history.is_empty()).then_some(&keeper),
        judged: &judged,
        listed,
        warmed: Warmed::Auto,
        notes: &[],
    };
    text_of(|out| render_learned(&view, format, look, out))
}

#[track_caller]
fn assert_fits(text: &str, width: usize) {
    for line in text.lines() {
        assert!(line.chars().count() <= width, "{}: {line}", line.chars().count());
    }
}

#[test]
fn nothing_known() {
    let mut told = String::new();
    for warmed in [Warmed::Auto, Warmed::Otherwise, Warmed::Untold] {
        let notes = ["there is no probes.yaml".to_owned()];
        let view = Learned {
            target: "glm",
            llm: None,
            now: started(),
            keeper: None,
            judged: &[],
            listed: 12,
            warmed,
            notes: &notes,
        };
        told.push_str(&text_of(|out| render_learned(&view, Format::Human, &look(80), out)));
    }
    assert_fits(&told, 80);
    insta::assert_snapshot!(told);
    insta::assert_snapshot!("nothing_known_json", shown(&[], Format::Json, &look(80), 12));
}

#[test]
fn learning() {
    let text = shown(&history(900.0, 5), Format::Human, &look(100), 12);
    assert_fits(&text, 100);
    insta::assert_snapshot!(text);
}

#[test]
fn known_wide() {
    let text = shown(&history(900.0, 60), Format::Human, &look(140), 12);
    assert_fits(&text, 140);
    insta::assert_snapshot!(text);
}

#[test]
fn known_narrow_in_ascii() {
    let text = shown(&history(900.0, 60), Format::Human, &Look { marks: Marks::Ascii, ..look(50) }, 6);
    assert!(text.is_ascii(), "{text}");
    assert_fits(&text, 50);
    insta::assert_snapshot!(text);
}

#[test]
fn known_coloured() {
    let history = history(900.0, 60);
    let text = shown(&history, Format::Human, &Look { style: Style::Coloured, ..look(80) }, 4);
    insta::assert_snapshot!(text.replace('\u{1b}', "␛"));
    let stripped = anstream::adapter::strip_str(&text).to_string();
    assert_eq!(stripped, shown(&history, Format::Human, &look(80), 4), "colour must not change the layout");
}

#[test]
fn never() {
    insta::assert_snapshot!(shown(&history(1e9, 40), Format::Human, &look(80), 3));
}

#[test]
fn unkeepable() {
    insta::assert_snapshot!(shown(&history_of(30.0, 8, Sight::CounterStill), Format::Human, &look(80), 3));
}

#[test]
fn json() {
    let text = shown(&history(900.0, 20), Format::Json, &look(80), 2);
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cells = document["distribution"].as_array().unwrap().clone();
    assert_eq!(cells.len(), 102);
    let sum: f64 = cells.iter().map(|cell| cell["probability"].as_f64().unwrap()).sum();
    assert!((sum + document["never"].as_f64().unwrap() - 1.0).abs() < 1e-3, "{sum}");
    document["distribution"] = serde_json::Value::Array(cells[30..33].to_vec());
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
}

#[test]
fn json_at_other_stages() {
    let stages = [
        ("learning", history(900.0, 5)),
        ("never-unloads", history(1e9, 40)),
        ("unkeepable", history_of(30.0, 8, Sight::CounterStill)),
    ];
    for (state, history) in stages {
        let mut document: serde_json::Value =
            serde_json::from_str(&shown(&history, Format::Json, &look(80), 1)).unwrap();
        assert_eq!(document["state"], state);
        document.as_object_mut().unwrap().remove("distribution");
        insta::assert_snapshot!(format!("json_{state}"), serde_json::to_string_pretty(&document).unwrap());
    }
}

#[test]
fn the_narrowest_at_other_stages() {
    let stages = [
        ("learning", history(900.0, 5)),
        ("never_unloads", history(1e9, 40)),
        ("unkeepable", history_of(30.0, 8, Sight::CounterStill)),
    ];
    for (state, history) in stages {
        insta::assert_snapshot!(format!("narrow_{state}"), shown(&history, Format::Human, &look(40), 3));
    }
}

#[test]
fn every_width_is_obeyed_at_every_stage() {
    for (timeout, probes) in [(900.0, 1), (900.0, 30), (1e9, 30), (30.0, 9)] {
        let history = history(timeout, probes);
        for width in 40..=120 {
            assert_fits(&shown(&history, Format::Human, &look(width), 5), width);
        }
    }
}

#[test]
fn what_an_edited_store_holds_cannot_act_on_a_terminal() {
    let bad = "\u{1b}[2J\u{202e}x";
    let mut history = history(900.0, 3);
    history[1].at = Moment::from_seconds(f64::MAX);
    history[2].reply = Reply::TimedOut(Span::from_seconds(f64::MAX));
    let keeper = Keeper::rebuild(Settings::default(), &history);
    let judged = Judged::all(Settings::default(), &history);
    let notes = [bad.to_owned()];
    let (keeper, warmed) = (Some(&keeper), Warmed::Untold);
    let judged = judged.as_slice();
    let view =
        Learned { target: bad, llm: Some(bad), now: started(), keeper, judged, listed: 9, warmed, notes: &notes };
    for format in Format::ALL {
        let text = text_of(|out| render_learned(&view, format, &look(80), out));
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
}
