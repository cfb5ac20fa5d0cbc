//! One pass in every form: each says of each target what all others say, and the examples of docs/reports.md are made here.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::forms::Form;
use super::reports_read_back::{cells, commands, figures, read_back};
use super::workflow::disarmed;
use crate::exit::{Exit, Strictness};
use crate::outcome::{Code, Outcome, Proof, RunId, Stage, Verdict, judge};
use crate::report::sample::{diagnosis, failed, look, ms, pass, ready, run_id, started, withheld};
use crate::report::{GateReport, Look, NagiosState, Report};

/// One of everything, with a gate of each kind.
struct Seen {
    run_id: RunId,
    outcomes: Vec<Arc<Outcome>>,
    gates: Vec<GateReport>,
    strictness: Strictness,
}

impl Seen {
    fn all() -> Self {
        let mut outcomes = pass();
        outcomes.push(Arc::new(withheld("synthetic", "spared", "hf:moonshotai/Kimi-K2.5", 240)));
        let outcomes = (1..).zip(outcomes).map(|(line, outcome)| Arc::new(at_line(&outcome, 10 + line))).collect();
        let gate = |(line, verdict): (u32, Verdict)| GateReport {
            name: format!("gate-{verdict}"),
            line: Some(100 + line),
            verdict,
            says: format!("it is {verdict}, as was to be shown"),
        };
        Self {
            run_id: run_id(),
            outcomes,
            gates: (0..).zip(Verdict::ALL).map(gate).collect(),
            strictness: Strictness::Lenient,
        }
    }

    fn of(outcomes: Vec<Outcome>) -> Self {
        let outcomes = outcomes.into_iter().map(Arc::new).collect();
        Self { run_id: run_id(), outcomes, gates: Vec::new(), strictness: Strictness::Lenient }
    }

    fn report(&self) -> Report<'_> {
        Report {
            run_id: &self.run_id,
            started: started(),
            total: ms(4_200),
            outcomes: &self.outcomes,
            exit: Exit::worst(self.outcomes.iter().map(|outcome| Exit::of(outcome, self.strictness))),
            notes: &[],
            source: Some(Path::new("probes.yaml")),
            gates: &self.gates,
            strictness: self.strictness,
            host: Some("ci-7"),
        }
    }

    fn text(&self, form: Form) -> String {
        String::from_utf8(form.text(&self.report(), &look(100)).unwrap()).unwrap()
    }

    /// What each target and gate came to.
    fn verdicts(&self) -> BTreeMap<String, Verdict> {
        let targets = self.outcomes.iter().map(|outcome| (outcome.target.id.to_string(), judge(outcome)));
        targets.chain(self.gates.iter().map(|gate| (gate.name.clone(), gate.verdict))).collect()
    }
}

fn at_line(outcome: &Outcome, line: u32) -> Outcome {
    let mut target = outcome.target.as_ref().clone();
    target.line = line;
    Outcome { target: Arc::new(target), ..outcome.clone() }
}

#[test]
fn every_form_says_the_same_of_every_target_and_gate() {
    let seen = Seen::all();
    let names = seen.verdicts();
    for verdict in Verdict::ALL {
        assert!(names.values().any(|there| *there == verdict), "the sample lacks {verdict}");
    }
    for form in Form::ALL {
        let mut wanted = names.clone();
        if matches!(form, Form::Human | Form::Json | Form::Jsonl) {
            // Gates in these belong to `wait`.
            wanted.retain(|name, _| !name.starts_with("gate-"));
        }
        let text = seen.text(form);
        assert_eq!(read_back(form, &text, &wanted), wanted, "{}:\n{text}", form.name());
    }
}

#[test]
fn strict_makes_a_failure_of_what_is_degraded_where_there_are_only_two_words() {
    let all = Seen::all();
    let lenient = Seen { outcomes: all.outcomes[1..2].to_vec(), gates: Vec::new(), ..Seen::all() };
    let strict =
        Seen { outcomes: lenient.outcomes.clone(), gates: Vec::new(), strictness: Strictness::Strict, ..Seen::all() };
    assert_eq!((lenient.report().exit, strict.report().exit), (Exit::Ready, Exit::Degraded));
    assert!(lenient.text(Form::Junit).contains("tests=\"1\" failures=\"0\" errors=\"0\""));
    assert!(strict.text(Form::Junit).contains("<failure type=\"cold-start\""));
    assert!(lenient.text(Form::Tap).contains("\nok 1 - qwen") && strict.text(Form::Tap).contains("\nnot ok 1 - qwen"));
    let level = |seen: &Seen| commands(&seen.text(Form::Github))[0].0.clone();
    assert_eq!((level(&lenient).as_str(), level(&strict).as_str()), ("notice", "error"));
    assert_eq!(NagiosState::of(&lenient.report()), NagiosState::of(&strict.report()), "its four states are its own");
}

#[test]
fn annotations_are_at_the_lines_of_the_targets() {
    let seen = Seen { gates: Vec::new(), ..Seen::all() };
    let text = seen.text(Form::Github);
    let found = commands(&text);
    assert_eq!(found.len(), 7, "two of nine are ready");
    let refused = found.iter().find(|(_, properties, _)| properties["title"].starts_with("deepseek ")).unwrap();
    assert_eq!(
        (refused.0.as_str(), refused.1["file"].as_str(), refused.1["line"].as_str()),
        ("error", "probes.yaml", "17")
    );
    assert!(
        refused
            .2
            .starts_with("seen: HTTP 401 from the quota endpoint, type authentication_error: \"invalid key\"\ndo: "),
        "{refused:?}"
    );
    let levels: Vec<&str> = found.iter().map(|(level, ..)| level.as_str()).collect();
    assert_eq!(levels, ["error", "error", "error", "error", "error", "error", "notice"], "the worst first");
    assert!(text.ends_with("; run 20261120T190211Z-3f9a2c\n"), "the summary comes last");
}

#[test]
fn performance_data_are_by_their_grammar() {
    let seen = Seen { gates: Vec::new(), ..Seen::all() };
    let text = seen.text(Form::Nagios);
    let line = text.lines().next().unwrap();
    assert!(line.starts_with("PILOTLIGHT CRITICAL - 2 ready, 1 degraded, 2 unknown, 4 failed of 9; worst: "), "{line}");
    let figures = figures(line);
    let of = |name: &str| {
        figures.iter().find(|(label, ..)| label == name).map(|(_, value, limits)| (value.as_str(), limits.join(";")))
    };
    assert_eq!(of("glm first token"), Some(("0.35s", "10;180;0".to_owned())));
    assert_eq!(of("failed"), Some(("4", ";;0;9".to_owned())));
    assert_eq!(of("kimi first token"), None, "what was not measured is absent");
    assert_eq!(of("kimi total"), Some(("0.612s", ";;0".to_owned())));
}

#[test]
fn nothing_probed_is_nobodys_success() {
    let seen = Seen::of(Vec::new());
    assert_eq!(NagiosState::of(&seen.report()), NagiosState::Unknown);
    assert!(seen.text(Form::Tap).contains("1..0 # SKIP"));
    for form in Form::ALL {
        seen.text(form);
    }
}

proptest! {
    #[test]
    fn no_evidence_makes_a_second_command_or_breaks_a_form(
        evidence in "(::|##\\[|\\PC|[\r\n\t%:,|'\"<>&`=#-]|::error ::|\\]\\]>|%0A){0,40}",
        llm in "([a-z]|::|\\||\\\\|`|<|&|\n|@){1,20}",
    ) {
        let refused = diagnosis(Code::KeyRefused, Stage::Authenticate, &evidence, &evidence);
        let mut outcome = failed(ready("p", "t", &llm), refused, Proof::Connected, Some(401));
        outcome.request_id = Some(evidence.clone());
        outcome.notes = vec![evidence.clone()];
        let mut seen = Seen::of(vec![outcome]);
        seen.gates = vec![GateReport { name: llm, line: Some(1), verdict: Verdict::Failed, says: evidence }];
        let annotations = seen.text(Form::Github);
        prop_assert_eq!(commands(&annotations).len(), 2, "{}", annotations);
        prop_assert_eq!(annotations.lines().count(), 3);
        for form in Form::ALL.into_iter().filter(|form| *form != Form::Github) {
            let text = seen.text(form);
            let shown = String::from_utf8(disarmed(text.as_bytes()).into_owned()).unwrap();
            prop_assert!(commands(&shown).is_empty() && !shown.contains("##["), "{}", shown);
        }
        figures(seen.text(Form::Nagios).lines().next().unwrap());
        let tap = seen.text(Form::Tap);
        let points = tap.lines().filter(|line| line.starts_with("ok") || line.starts_with("not ok")).count();
        prop_assert_eq!(points, 2, "{}", tap);
        let markdown = seen.text(Form::Markdown);
        let widths: Vec<usize> = markdown.lines().filter(|line| line.starts_with('|')).map(cells).collect();
        prop_assert_eq!(widths, [3, 3, 3, 7, 7, 7], "{}", markdown);
        let xml = seen.text(Form::Junit);
        let mut reader = quick_xml::Reader::from_str(&xml);
        reader.config_mut().check_end_names = true;
        loop {
            match reader.read_event() {
                Ok(quick_xml::events::Event::Eof) => break,
                Ok(_) => {}
                Err(error) => prop_assert!(false, "{}: {}", error, xml),
            }
        }
        let allowed = |c: char| matches!(c, '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        prop_assert!(xml.chars().all(allowed));
    }
}

/// What the examples of the document show: one target that is ready, one that was cold, one that is refused.
fn example() -> Seen {
    let all = pass();
    let outcomes = [(12, &all[0]), (13, &all[1]), (14, &all[6])];
    let mut seen = Seen::of(outcomes.into_iter().map(|(line, outcome)| at_line(outcome, line)).collect());
    // Short enough to be read at a glance.
    for outcome in &mut seen.outcomes {
        let mut short = outcome.as_ref().clone();
        short.notes.clear();
        for diagnosis in short.diagnosis.iter_mut().chain(&mut short.warnings) {
            diagnosis.remedy = diagnosis.remedy.split(". ").next().unwrap().trim_end_matches('.').to_owned() + ".";
        }
        *outcome = Arc::new(short);
    }
    seen
}

#[test]
fn the_examples_of_the_document_are_what_is_written() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reports.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let seen = example();
    let mut made = String::new();
    let mut examples = 0;
    let mut rest = document.as_str();
    while let Some((before, after)) = rest.split_once("<!-- example: ") {
        let (name, after) = after.split_once(" -->\n").unwrap();
        let form = Form::from_name(name).unwrap();
        let look = Look { zone: TimeZone::UTC, ..look(100) };
        let text = String::from_utf8(form.text(&seen.report(), &look).unwrap()).unwrap();
        // Of records and metrics the first lines show what they are like.
        let text: String = match form {
            Form::Jsonl => text.lines().take(1).map(|line| format!("{line}\n")).collect(),
            Form::Json | Form::Prometheus => {
                text.lines().take(30).map(|line| format!("{line}\n")).chain(["…\n".to_owned()]).collect()
            }
            _ => text,
        };
        let (fence, language) =
            after.split_once('\n').map(|(first, _)| (first.trim_end_matches(char::is_alphabetic), first)).unwrap();
        let (_, after) = after[language.len() + 1..].split_once(&format!("{fence}\n")).unwrap();
        made += &format!("{before}<!-- example: {name} -->\n{language}\n{text}{fence}\n");
        rest = after;
        examples += 1;
    }
    made += rest;
    assert_eq!(examples, Form::ALL.len(), "every form has its example");
    #[expect(clippy::disallowed_methods, reason = "the switch of a test is no setting of the program")]
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, made).unwrap();
        return;
    }
    assert!(made == document, "docs/reports.md is not what the code writes: run this test with UPDATE_DOCS=1");
}
