//! What every format makes of the same pass, as snapshots, and what none may choke on.

use std::sync::Arc;

use proptest::prelude::*;

use super::layout::columns;
use super::sample::{diagnosis, failed, look, ms, pass, ready, refused, run_id, started, text_of};
use super::{Format, GateReport, Look, Marks, Report, Style, render, summary};
use crate::exit::{Exit, Strictness};
use crate::outcome::{Code, Outcome, Proof, Record, RunId, Stage, Verdict};

fn report<'a>(run_id: &'a RunId, outcomes: &'a [Arc<Outcome>], notes: &'a [String]) -> Report<'a> {
    let exit = Exit::worst(outcomes.iter().map(|outcome| Exit::of(outcome, Strictness::Lenient)));
    Report {
        run_id,
        started: started(),
        total: ms(4_200),
        outcomes,
        exit,
        notes,
        source: None,
        gates: &[],
        strictness: Strictness::Lenient,
        host: None,
    }
}

fn shown(outcomes: &[Arc<Outcome>], format: Format, look: &Look) -> String {
    let notes = ["`gpt` warms nothing: openai never unloads".to_owned()];
    let notes = if outcomes.len() > 4 { &notes[..] } else { &[] };
    text_of(|out| render(&report(&run_id(), outcomes, notes), format, look, out))
}

#[test]
fn human_wide() {
    insta::assert_snapshot!(shown(&pass(), Format::Human, &look(120)));
}

#[test]
fn human_narrow() {
    insta::assert_snapshot!(shown(&pass(), Format::Human, &look(72)));
}

#[test]
fn human_very_narrow_in_ascii() {
    let look = Look { marks: Marks::Ascii, ..look(48) };
    insta::assert_snapshot!(shown(&pass(), Format::Human, &look));
}

#[test]
fn human_coloured() {
    let text = shown(&pass(), Format::Human, &Look { style: Style::Coloured, ..look(100) });
    // Escape characters are shown, so that the snapshot can be read and compared.
    insta::assert_snapshot!(text.replace('\u{1b}', "␛"));
    let stripped = anstream::adapter::strip_str(&text).to_string();
    assert_eq!(stripped, shown(&pass(), Format::Human, &look(100)), "colour must not change the layout");
}

#[test]
fn human_all_ready() {
    let outcomes = [Arc::new(ready("synthetic", "glm", "hf:zai-org/GLM-4.6"))];
    insta::assert_snapshot!(shown(&outcomes, Format::Human, &look(100)));
}

#[test]
fn forty_targets_with_one_refused_key_are_one_block() {
    let mut outcomes: Vec<_> = (1..=40).map(|n| Arc::new(refused("synthetic", &format!("llm-{n}"), "m"))).collect();
    outcomes.push(Arc::new(refused("other", "alone", "m")));
    let text = shown(&outcomes, Format::Human, &look(100));
    assert_eq!(text.matches("invalid key").count(), 2, "{text}");
    assert!(
        text.contains("✗ 40 targets of synthetic: key-refused at authenticate\n  who      llm-1, llm-2,"),
        "{text}"
    );
    assert!(text.contains("✗ alone: key-refused at authenticate\n  seen     HTTP 401"), "{text}");
}

#[test]
fn many_wrong_ids_are_one_block_with_their_nearest_names() {
    let wrong = |n: u32| {
        let (id, llm, near) = (format!("llm-{n}"), format!("zai-org/glm-{n}"), format!("hf:zai-org/GLM-{n}"));
        let mut missing = diagnosis(
            Code::ModelNotFound,
            Stage::Locate,
            &format!("{llm} is not among the 7 models of the catalogue"),
            &format!(
                "Nearest in the catalogue: {near}. Model ids are case-sensitive and are retired often: compare {llm} with \
                 the provider's list."
            ),
        );
        missing.nearest = vec![near];
        Arc::new(failed(ready("synthetic", &id, &llm), missing, Proof::KeyAccepted, Some(200)))
    };
    let outcomes: Vec<_> = (1..=38).map(wrong).collect();
    let text = shown(&outcomes, Format::Human, &look(100));
    let block: Vec<&str> = text.lines().skip_while(|line| !line.is_empty()).skip(1).collect();
    assert!(block.len() < 38 + 12, "{text}");
    assert_eq!(block[0], "✗ 38 targets of synthetic: model-not-found at locate");
    assert_eq!(block[1], "  who      llm-1: `hf:zai-org/GLM-1` is near `zai-org/glm-1`");
    assert_eq!(block[38], "           llm-38: `hf:zai-org/GLM-38` is near `zai-org/glm-38`");
    assert_eq!(block[39], "  seen     zai-org/glm-1 is not among the 7 models of the catalogue (the others alike)");
    assert_eq!(
        block[41],
        "  do       Model ids are case-sensitive and are retired often: compare each of these models with the"
    );
    // A few have a block each: there the whole remedy is easier to read.
    let text = shown(&outcomes[..3], Format::Human, &look(100));
    assert_eq!(text.matches("Nearest in the catalogue").count(), 3, "{text}");
}

#[test]
fn many_waits_are_one_block_with_the_longest() {
    let spent = |n: i32| {
        let remedy = format!("It refills by itself in {n}m. Retrying sooner only spends more of it.");
        let mut spent = diagnosis(Code::WindowSpent, Stage::Warm, "HTTP 429", &remedy);
        spent.reset = Some(super::sample::reset_after(i64::from(n) * 60));
        Arc::new(failed(ready("synthetic", &format!("llm-{n}"), "m"), spent, Proof::KeyAccepted, Some(429)))
    };
    let outcomes: Vec<_> = [3, 9, 4, 5].map(spent).into();
    let text = shown(&outcomes, Format::Human, &look(100));
    assert!(
        text.contains("✗ 4 targets of synthetic: window-spent at warm\n  who      llm-3, llm-9, llm-4, llm-5\n"),
        "{text}"
    );
    assert!(text.contains("by itself in 9m."), "{text}");
}

#[test]
fn gates_stand_before_the_last_line_and_in_the_json() {
    let gate = |name: &str, line, verdict, says: &str| GateReport {
        name: name.to_owned(),
        line,
        verdict,
        says: says.to_owned(),
    };
    let gates = [
        gate("review", Some(31), Verdict::Degraded, "gpt is ready in place of glm (overloaded at warm)"),
        gate("embed", Some(33), Verdict::Failed, "cannot open: bge (key-refused at authenticate)"),
        gate("any of a, b", None, Verdict::Unknown, "not open after 10m: still without a, b (loading at warm)"),
        gate("all", Some(40), Verdict::Ready, "all 3 are ready"),
    ];
    let (run_id, outcomes) = (run_id(), [Arc::new(ready("synthetic", "glm", "hf:zai-org/GLM-4.6"))]);
    let source = std::path::Path::new("probes.yaml");
    let report = Report { gates: &gates, source: Some(source), ..report(&run_id, &outcomes, &[]) };
    let shown = |format, width| text_of(|out| render(&report, format, &look(width), out));
    insta::assert_snapshot!([shown(Format::Human, 100), shown(Format::Human, 60)].join("\n"));
    let document: serde_json::Value = serde_json::from_str(&shown(Format::Json, 100)).unwrap();
    insta::assert_json_snapshot!(document["gates"]);
}

#[test]
fn json() {
    let text = shown(&pass(), Format::Json, &look(100));
    insta::assert_snapshot!(text);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let result = document["results"][3].as_object().unwrap();
    let record = serde_json::to_value(Record::of(&pass()[3])).unwrap();
    for (name, value) in record.as_object().unwrap() {
        assert_eq!(&result[name], value, "{name} is another thing in the report than in the log");
    }
}

#[test]
fn jsonl() {
    let text = shown(&pass(), Format::Jsonl, &look(100));
    assert_eq!(text.lines().count(), pass().len());
    for (line, outcome) in text.lines().zip(pass()) {
        assert_eq!(line, serde_json::to_string(&Record::of(&outcome)).unwrap());
    }
}

#[test]
fn the_summary_names_the_worst() {
    let (id, outcomes) = (run_id(), pass());
    assert_eq!(
        summary(&report(&id, &outcomes, &[])),
        "pilotlight: 2 ready, 1 degraded, 1 unknown, 4 failed of 8 in 4.2s; worst: llama-cpp probe-panicked at \
         resolve; exit 1 internal; run 20261120T190211Z-3f9a2c"
    );
    assert_eq!(
        summary(&report(&id, &outcomes[6..], &[])),
        "pilotlight: 2 failed of 2 in 4.2s; worst: deepseek key-refused at authenticate (HTTP 401); exit 11 \
         unauthorized; run 20261120T190211Z-3f9a2c"
    );
    assert_eq!(
        summary(&report(&id, &outcomes[1..2], &[])),
        "pilotlight: 1 degraded of 1 in 4.2s; worst: qwen cold-start at warm (HTTP 200); exit 0 ready; run \
         20261120T190211Z-3f9a2c"
    );
    assert_eq!(
        summary(&report(&id, &[], &[])),
        "pilotlight: nothing was probed in 4.2s; exit 0 ready; run 20261120T190211Z-3f9a2c"
    );
}

#[test]
fn a_writer_that_breaks_is_an_error_and_no_panic() {
    struct Broken;
    impl std::io::Write for Broken {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (id, outcomes) = (run_id(), pass());
    for format in Format::ALL {
        let error = render(&report(&id, &outcomes, &[]), format, &look(100), &mut Broken).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    }
}

proptest! {
    #[test]
    fn any_text_fits_and_nothing_panics(llm in "\\PC{0,80}|[模型智谱]{1,50}", evidence in "\\PC{0,200}", width in 0_usize..160) {
        let broken = diagnosis(Code::BadRequest, Stage::Warm, &evidence, &evidence);
        let outcomes = [
            Arc::new(ready("p", "short", &llm)),
            Arc::new(failed(ready("p", &"t".repeat(100), "m"), broken, Proof::KeyAccepted, Some(400))),
        ];
        let text = shown(&outcomes, Format::Human, &look(width));
        if width >= 72 {
            let table: Vec<_> = text.lines().take_while(|line| !line.is_empty()).collect();
            for line in table {
                prop_assert!(columns(line) <= width, "{} columns: {line}", columns(line));
            }
        }
    }
}
