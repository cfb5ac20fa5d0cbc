//! JUnit's XML, as CI servers read it: a test case for each target and each gate.
//!
//! What was wrong is a `failure`, what could not be told is an `error`; nothing is `skipped`, because the exit does not skip
//! it either. The schema knows no properties of a test case, so the facts of all targets are properties of the suite.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use serde_json::Value;

use super::told::{details, gist, headline};
use super::{GateReport, Look, Report};
use crate::outcome::words::plain;
use crate::outcome::{Outcome, Record, Verdict, judge};

/// The class of the test cases that are gates.
const GATE: &str = "gate";
/// Fields of a record that the suite has once, that say nothing there, or that a failure tells.
const NOT_FACTS: [&str; 5] = ["schema", "run_id", "target", "evidence", "remedy"];
/// Those of them that nothing else tells where a test has passed with a warning.
const TOLD_BY_FAILURES: [&str; 2] = ["evidence", "remedy"];

/// Writes the report as JUnit XML that the schema of Jenkins' xUnit plugin accepts. `look` gives the zone of clock times.
///
/// # Errors
/// Whatever the writer says; nothing else can fail.
pub fn render_junit(report: &Report<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::new();
    let mut xml = Writer::new_with_indent(&mut text, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let verdicts: Vec<Verdict> = report
        .outcomes
        .iter()
        .map(|outcome| judge(outcome))
        .chain(report.gates.iter().map(|gate| gate.verdict))
        .collect();
    let errors = verdicts.iter().filter(|verdict| **verdict == Verdict::Unknown).count();
    let failures = verdicts.iter().filter(|verdict| report.refuses(**verdict)).count().saturating_sub(errors);
    let (tests, failures, errors) = (verdicts.len().to_string(), failures.to_string(), errors.to_string());
    let (time, started) = (seconds(report.total), format!("{:.0}", report.started));
    let suites = xml.create_element("testsuites").with_attributes([
        ("name", "pilotlight"),
        ("tests", tests.as_str()),
        ("failures", &failures),
        ("errors", &errors),
        ("time", &time),
    ]);
    suites.write_inner_content(|xml| {
        let mut suite = xml.create_element("testsuite").with_attributes([
            ("name", "pilotlight"),
            ("tests", tests.as_str()),
            ("failures", &failures),
            ("errors", &errors),
            ("skipped", "0"),
            ("time", &time),
            ("timestamp", &started),
        ]);
        if let Some(host) = report.host {
            suite = suite.with_attribute(("hostname", clean(host).as_ref()));
        }
        if let Some(source) = report.source {
            suite = suite.with_attribute(("file", clean(&source.to_string_lossy()).as_ref()));
        }
        suite.write_inner_content(|xml| {
            properties(report, xml)?;
            report.outcomes.iter().try_for_each(|outcome| target(report, outcome, look, xml))?;
            report.gates.iter().try_for_each(|gate| case_of_gate(report, gate, xml))
        })?;
        Ok(())
    })?;
    text.push(b'\n');
    out.write_all(&text)?;
    out.flush()
}

/// What is known of the pass, and of each target under its name: `glm.first_token_ms`.
fn properties(report: &Report<'_>, xml: &mut Writer<&mut Vec<u8>>) -> io::Result<()> {
    let mut facts = vec![
        ("run_id".to_owned(), report.run_id.to_string()),
        ("exit_code".to_owned(), report.exit.code().to_string()),
        ("exit".to_owned(), report.exit.name().to_owned()),
        ("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ];
    facts.extend(report.notes.iter().map(|note| ("note".to_owned(), note.clone())));
    for outcome in report.outcomes {
        let Ok(Value::Object(fields)) = serde_json::to_value(Record::of(outcome)) else { continue };
        let passed = !report.refuses(judge(outcome));
        let is_fact = |name: &str| !NOT_FACTS.contains(&name) || (passed && TOLD_BY_FAILURES.contains(&name));
        for (name, value) in fields.iter().filter(|(name, _)| is_fact(name)) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            facts.push((format!("{}.{name}", outcome.target.id), value));
        }
    }
    facts.extend(report.gates.iter().map(|gate| (format!("{GATE}.{}.verdict", gate.name), gate.verdict.to_string())));
    xml.create_element("properties").write_inner_content(|xml| {
        for (name, value) in &facts {
            xml.create_element("property")
                .with_attributes([("name", clean(name).as_ref()), ("value", clean(value).as_ref())])
                .write_empty()?;
        }
        Ok(())
    })?;
    Ok(())
}

fn target(report: &Report<'_>, outcome: &Outcome, look: &Look, xml: &mut Writer<&mut Vec<u8>>) -> io::Result<()> {
    let time = seconds(outcome.timings.total);
    let case = xml.create_element("testcase").with_attributes([
        ("classname", outcome.target.provider.id.as_str()),
        ("name", outcome.target.id.as_str()),
        ("time", &time),
    ]);
    let verdict = judge(outcome);
    if !report.refuses(verdict) {
        case.write_empty()?;
        return Ok(());
    }
    let code = outcome.foremost().map_or(verdict.name(), |diagnosis| diagnosis.code.name());
    let told = details(outcome, report.ended(), &look.zone);
    let body: Vec<String> = told.iter().map(|(label, text)| format!("{label}: {text}")).collect();
    let body = if body.is_empty() { gist(outcome) } else { body.join("\n") };
    case.write_inner_content(|xml| trouble(verdict, code, &headline(outcome), &body, xml))?;
    Ok(())
}

fn case_of_gate(report: &Report<'_>, gate: &GateReport, xml: &mut Writer<&mut Vec<u8>>) -> io::Result<()> {
    let case = xml.create_element("testcase").with_attributes([
        ("classname", GATE),
        ("name", clean(&gate.name).as_ref()),
        ("time", "0.000"),
    ]);
    if report.refuses(gate.verdict) {
        case.write_inner_content(|xml| trouble(gate.verdict, gate.verdict.name(), &gate.says, &gate.says, xml))?;
    } else {
        case.write_empty()?;
    }
    Ok(())
}

/// The element inside a test case that has not passed.
fn trouble(verdict: Verdict, code: &str, message: &str, body: &str, xml: &mut Writer<&mut Vec<u8>>) -> io::Result<()> {
    xml.create_element(if verdict == Verdict::Unknown { "error" } else { "failure" })
        .with_attributes([("type", code), ("message", clean(message).as_ref())])
        .write_text_content(BytesText::new(&lines(body)))?;
    Ok(())
}

/// Seconds to the millisecond: the schema takes three digits.
fn seconds(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64())
}

/// A text of one line without what XML 1.0 forbids. Control characters are spelled out; what is no character at all is
/// left out.
fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().any(|character| character.is_control() || !is_allowed(character)) {
        plain(text).chars().filter(|character| is_allowed(*character)).collect::<String>().into()
    } else {
        Cow::Borrowed(text)
    }
}

/// The same, with its line breaks kept.
fn lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

/// XML 1.0, production 2. Surrogates are no `char`.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_forbids_is_spelled_out_or_left_out() {
        assert_eq!(clean("a\u{1b}[2Jb\u{fffe}c\u{ffff}d\u{85}"), "a\\u{1b}[2Jbcd\\u{85}");
        assert_eq!(clean("模型 <&\"' \u{1f525}"), "模型 <&\"' \u{1f525}");
        assert_eq!(lines("a\nb\u{0}"), "a\nb\\u{0}");
    }
}
