//! `pilotlight replay` with the release binary: answered at once, and as docs/replay.md has it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pilotlight"));
    command.arg("replay").args(args).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// All answers to all lines, and the exit code.
fn told(args: &[&str], input: &str) -> (i32, Vec<String>) {
    let mut child = command(args).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text.lines().map(str::to_owned).collect())
}

/// Whether a text is the pattern's, in which `…` stands for any text.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let mut rest = text;
    let mut parts = pattern.split('…').peekable();
    let Some(first) = parts.next() else { return false };
    let Some(after) = rest.strip_prefix(first) else { return false };
    rest = after;
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.is_empty()
}

#[test]
fn the_examples_of_the_manual_are_true() {
    let manual = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/replay.md")).unwrap();
    let block = manual.split("```jsonl\n").nth(1).unwrap().split("```").next().unwrap();
    let lines: Vec<&str> = block.lines().collect();
    let input: String = lines.iter().step_by(2).flat_map(|line| [*line, "\n"]).collect();
    let (code, answers) = told(&[], &input);
    assert_eq!((code, answers.len()), (2, lines.len() / 2));
    for (pattern, answer) in lines.iter().skip(1).step_by(2).zip(&answers) {
        assert!(fits(pattern, answer), "\n{pattern}\n{answer}");
    }
    // Every field of an answer is in the manual, and the other way round.
    let answer: Value = serde_json::from_str(&answers[0]).unwrap();
    let section = manual.split("## Answers").nth(1).unwrap().split("\n\nWarming").next().unwrap();
    for field in answer.as_object().unwrap().keys() {
        assert!(section.contains(&format!("| `{field}` |")), "{field}");
    }
    assert_eq!(section.matches("\n| `").count(), answer.as_object().unwrap().len());
}

#[test]
fn each_line_is_answered_before_the_next_is_sent() {
    let mut child = command(&["--always", "--cold-start", "1m", "--visibility", "blind"]).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let (mut at, mut gap) = (0.0, 0.0);
    for number in 0..60 {
        // A model with an idle timeout of 20 minutes.
        let took = if number == 0 || gap > 1200.0 { 60.0 } else { 0.4 };
        let gap_s = (number > 0).then_some(gap);
        writeln!(input, "{}", json!({"event": "probe", "at": at + took, "gap_s": gap_s, "first_token_s": took}))
            .unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        gap = answer["next_gap_s"].as_f64().unwrap();
        assert!((120.0..=14_400.0).contains(&gap), "{line}");
        at += took + gap;
    }
    assert!((1000.0..1300.0).contains(&gap), "{gap}");
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_is_no_event_is_an_error_with_its_line() {
    let wrong = [
        (r"[]", "not a JSON object"),
        (r#"{"at":1}"#, "`event` is missing"),
        (r#"{"event":"ask"}"#, "`at` is missing"),
        (r#"{"event":"ask","at":"now"}"#, "`at` is not a number"),
        (r#"{"event":"ask","at":1e999}"#, "not JSON, at column"),
        (r#"{"event":"probe","at":1}"#, "`first_token_s` is missing"),
        (r#"{"event":"probe","at":1,"first_token_s":1,"loading":1}"#, "`loading` is not true or false"),
        (r#"{"event":"probe","at":1,"first_token_s":1,"visibility":"x"}"#, "`visibility` is not"),
        ("\u{1b}[31m", "not JSON, at column"),
    ];
    let input: String = wrong.iter().flat_map(|(line, _)| [*line, "\n"]).collect();
    let (code, answers) = told(&[], &input);
    assert_eq!((code, answers.len()), (2, wrong.len()));
    for (number, (answer, (line, error))) in (1..).zip(answers.iter().zip(wrong)) {
        let answer: Value = serde_json::from_str(answer).unwrap();
        assert!(answer["error"].as_str().unwrap().starts_with(error), "{line}: {answer}");
        assert_eq!(answer["line"], number);
    }
    let odd = r#"{"event":"probe","at":-5,"gap_s":-1e300,"slack_s":1e300,"first_token_s":0,"unheard":{"of":[1]}}"#;
    assert_eq!(told(&[], odd).0, 0, "a number is a number");
}
