//! A history as snapshots.

use jiff::SignedDuration;

use super::sample::{look, ms, past, ready, refused, started, text_of};
use super::{Format, History, Look, Marks, Style, render_history};
use crate::outcome::{Outcome, Record, Status, Warmth};
use crate::store::{PastFlip, PastOutcome, Spent};

fn flip(seconds_ago: i64, from: Status, to: Status, code: Option<&str>) -> PastFlip {
    let at = started() - SignedDuration::from_secs(seconds_ago);
    PastFlip { at, target: "glm".to_owned(), from, to, code: code.map(str::to_owned), run_id: "run".to_owned() }
}

fn outcomes() -> Vec<(Outcome, i64)> {
    let warm = ready("synthetic", "glm", "hf:zai-org/GLM-4.6");
    let mut cold = warm.clone();
    cold.warmth = Warmth::Cold;
    cold.timings.first_token = Some(ms(74_300));
    cold.timings.total = ms(75_100);
    let down = refused("synthetic", "glm", "hf:zai-org/GLM-4.6");
    vec![(cold, 90_000), (warm.clone(), 89_700), (down.clone(), 1_000), (down, 700), (warm.clone(), 400), (warm, 100)]
}

fn records() -> Vec<PastOutcome> {
    outcomes().iter().map(|(outcome, ago)| past(outcome, *ago)).collect()
}

fn flips() -> Vec<PastFlip> {
    vec![
        flip(89_999, Status::Unknown, Status::Up, None),
        flip(699, Status::Up, Status::Down, Some("key-refused")),
        flip(399, Status::Down, Status::Up, None),
    ]
}

fn shown(records: &[PastOutcome], flips: &[PastFlip], format: Format, look: &Look) -> String {
    let more = records.len() == 5;
    let view = History { target: "glm", now: started(), records, flips, week: Spent::default(), more };
    text_of(|out| render_history(&view, format, look, out))
}

#[test]
fn wide() {
    insta::assert_snapshot!(shown(&records(), &flips(), Format::Human, &look(140)));
}

#[test]
fn piped() {
    insta::assert_snapshot!(shown(&records()[1..], &flips()[1..], Format::Human, &look(100)));
}

#[test]
fn narrow_in_ascii() {
    let text = shown(&records(), &flips(), Format::Human, &Look { marks: Marks::Ascii, ..look(60) });
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn coloured() {
    let text = shown(&records(), &flips(), Format::Human, &Look { style: Style::Coloured, ..look(100) });
    insta::assert_snapshot!(text.replace('\u{1b}', "␛"));
    let stripped = anstream::adapter::strip_str(&text).to_string();
    assert_eq!(stripped, shown(&records(), &flips(), Format::Human, &look(100)), "colour must not change the layout");
}

#[test]
fn changes_alone() {
    insta::assert_snapshot!(shown(&[], &flips(), Format::Human, &look(100)));
    assert_eq!(shown(&[], &[], Format::Human, &look(100)), "glm: nothing like this is on record\n");
    let lines = shown(&[], &flips(), Format::Jsonl, &look(100));
    let second: serde_json::Value = serde_json::from_str(lines.lines().nth(1).unwrap()).unwrap();
    assert_eq!(
        (&second["from"], &second["to"], &second["code"]),
        (&"up".into(), &"down".into(), &"key-refused".into())
    );
}

#[test]
fn lines_are_the_records_as_they_were_stored() {
    let text = shown(&records(), &flips(), Format::Jsonl, &look(100));
    assert_eq!(text.lines().count(), records().len());
    for (line, (outcome, ago)) in text.lines().zip(outcomes()) {
        let mut outcome = outcome;
        outcome.started = started() - SignedDuration::from_secs(ago);
        assert_eq!(line, serde_json::to_string(&Record::of(&outcome)).unwrap());
    }
}

#[test]
fn json() {
    insta::assert_snapshot!(shown(&records()[2..4], &flips()[1..2], Format::Json, &look(100)));
}

#[test]
fn what_an_edited_store_holds_cannot_act_on_a_terminal() {
    let bad = "\u{1b}[2J\u{202e}\u{9b}x";
    let mut records = records();
    for past in &mut records {
        (past.code, past.evidence) = (Some(bad.to_owned()), Some(bad.to_owned()));
        (past.first_token_ms, past.total_ms) = (Some(f64::MAX), f64::NAN);
    }
    let flips = [flip(500, Status::Up, Status::Down, Some(bad))];
    for format in Format::ALL {
        let text = shown(&records, &flips, format, &look(100));
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{text:?}");
    }
}
