//! Small readers of the forms of a report, each by the grammar of its form, for the tests: what does a report say?

use std::collections::BTreeMap;

use serde_json::Value;

use super::forms::Form;
use crate::outcome::Verdict;

/// The documented syntax of workflow commands: `::name key=value,key=value::message`, as actions/runner reads it.
pub(super) fn commands(text: &str) -> Vec<(String, BTreeMap<String, String>, String)> {
    let unescaped = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
    let value = |text: &str| unescaped(&text.replace("%3A", ":").replace("%2C", ","));
    let command = |line: &str| {
        let (info, message) = line.trim_start().strip_prefix("::")?.split_once("::")?;
        let (name, properties) = info.split_once(' ').unwrap_or((info, ""));
        let properties = properties.split(',').filter_map(|pair| pair.split_once('='));
        Some((
            name.to_owned(),
            properties.map(|(name, text)| (name.to_owned(), value(text))).collect(),
            unescaped(message),
        ))
    };
    text.split(['\n', '\r']).filter_map(command).collect()
}

/// What a form says of each name. Forms that only know passed and failed are read by where they put the word.
pub(super) fn read_back(form: Form, text: &str, names: &BTreeMap<String, Verdict>) -> BTreeMap<String, Verdict> {
    let verdict = |word: &str| Verdict::ALL.into_iter().find(|verdict| verdict.name() == word);
    let all = names.keys();
    let found: BTreeMap<String, Verdict> = match form {
        Form::Human | Form::Markdown => all
            .filter_map(|name| {
                let is_of = |line: &&str| line.split([' ', '|', '`']).any(|word| word == name);
                let word = text.lines().find(is_of)?.split([' ', '|', '`']).find_map(verdict)?;
                Some((name.clone(), word))
            })
            .collect(),
        Form::Json => {
            let document: Value = serde_json::from_str(text).unwrap();
            let results = document["results"].as_array().unwrap().iter();
            results
                .map(|one| {
                    (one["target"].as_str().unwrap().to_owned(), verdict(one["verdict"].as_str().unwrap()).unwrap())
                })
                .collect()
        }
        Form::Jsonl => text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|one| (one["target"].as_str().unwrap().to_owned(), verdict(one["verdict"].as_str().unwrap()).unwrap()))
            .collect(),
        Form::Junit => all
            .filter_map(|name| {
                let case = text.split("<testcase ").skip(1).find(|case| case.contains(&format!("name=\"{name}\"")))?;
                let case = case.split("</testcase>").next().unwrap().split("<testcase").next().unwrap();
                let fact = [format!("\"{name}.verdict\" value=\""), format!("\"gate.{name}.verdict\" value=\"")];
                let said = fact.iter().find_map(|fact| text.split(fact.as_str()).nth(1)?.split('"').next());
                let said = verdict(said?)?;
                let read = match (case.contains("<failure "), case.contains("<error ")) {
                    (true, false) => Verdict::Failed,
                    (false, true) => Verdict::Unknown,
                    (false, false) if said == Verdict::Degraded => Verdict::Degraded,
                    (false, false) => Verdict::Ready,
                    (true, true) => panic!("{case}"),
                };
                assert_eq!(read, said, "{case}");
                Some((name.clone(), read))
            })
            .collect(),
        Form::Github => {
            let said = commands(text).into_iter().map(|(level, properties, _)| {
                let title = properties["title"].clone();
                let words: Vec<&str> = title.trim_start_matches("gate ").split([' ', ':']).collect();
                let verdict = verdict(words[1]).unwrap();
                let levels: &[&str] = if verdict == Verdict::Degraded { &["warning", "notice"] } else { &["error"] };
                assert!(levels.contains(&level.as_str()), "{level} {title}");
                (words[0].to_owned(), verdict)
            });
            let mut said: BTreeMap<_, _> = said.collect();
            // What is ready is not annotated.
            all.for_each(|name| _ = said.entry(name.clone()).or_insert(Verdict::Ready));
            said
        }
        Form::Tap => text
            .split("\nok ")
            .flat_map(|part| part.split("\nnot ok "))
            .skip(1)
            .map(|point| {
                let (_, name) = point.lines().next().unwrap().split_once(" - ").unwrap();
                let said = point.split("  verdict: \"").nth(1).unwrap().split('"').next().unwrap();
                let verdict = verdict(said).unwrap();
                let is_ok = text.contains(&format!("\nok {}", point.lines().next().unwrap()));
                assert_eq!(is_ok, verdict <= Verdict::Degraded, "{point}");
                (name.trim_start_matches("gate ").to_owned(), verdict)
            })
            .collect(),
        Form::Nagios => {
            let (status, long) = text.split_once('\n').unwrap();
            let mut said = BTreeMap::new();
            for name in names.keys().filter(|name| name.starts_with("gate-")) {
                let word = status.split(&format!("gate {name} ")).nth(1).unwrap().split(':').next().unwrap();
                said.insert(name.clone(), verdict(word).unwrap());
            }
            for line in long.lines().filter_map(|line| line.strip_prefix('[')) {
                let (word, rest) = line.split_once("] ").unwrap();
                said.insert(rest.split(':').next().unwrap().to_owned(), verdict(word).unwrap());
            }
            all.for_each(|name| _ = said.entry(name.clone()).or_insert(Verdict::Ready));
            said
        }
        Form::Prometheus => text
            .lines()
            .filter_map(|line| {
                let label = |name: &str| line.split(&format!("{name}=\"")).nth(1)?.split('"').next();
                let sample = line.strip_suffix(" 1")?;
                match sample.split('{').next()? {
                    "pilotlight_probes_total" => Some((label("target")?.to_owned(), verdict(label("verdict")?)?)),
                    "pilotlight_gate" => Some((label("gate")?.to_owned(), verdict(label("verdict")?)?)),
                    _ => None,
                }
            })
            .collect(),
    };
    found
}

/// A line of Nagios' output by its grammar: the text, and label, value, unit and four limits of each figure.
pub(super) fn figures(line: &str) -> Vec<(String, String, Vec<String>)> {
    let (text, data) = line.split_once(" | ").unwrap();
    assert!(!text.contains('|') && !data.contains('|'), "{line}");
    let mut rest = data;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let mut label = String::new();
        let mut characters = rest.strip_prefix('\'').unwrap_or_else(|| panic!("no label: {rest}")).char_indices();
        let end = loop {
            match characters.next().unwrap() {
                (at, '\'') if characters.as_str().starts_with('\'') => {
                    _ = (at, characters.next());
                    label.push('\'');
                }
                (at, '\'') => break at + 2,
                (_, '=') => panic!("a label with `=`: {rest}"),
                (_, other) => label.push(other),
            }
        };
        let after = rest[end..].strip_prefix('=').unwrap_or_else(|| panic!("no value: {rest}"));
        let (figure, others) = after.split_once(' ').unwrap_or((after, ""));
        let mut fields = figure.split(';');
        let value = fields.next().unwrap();
        let number = value.trim_end_matches('s');
        let limits: Vec<String> = fields.map(str::to_owned).collect();
        assert!(
            number.parse::<f64>().is_ok() && number.chars().all(|c| c.is_ascii_digit() || "-.".contains(c)),
            "{value}"
        );
        assert!(
            limits.len() <= 4 && limits.iter().all(|limit| limit.chars().all(|c| c.is_ascii_digit() || c == '.')),
            "{figure}"
        );
        found.push((label, value.to_owned(), limits));
        rest = others;
    }
    found
}

/// How many cells a row of a Markdown table has. A backslash escapes what stands behind it.
pub(super) fn cells(row: &str) -> usize {
    let mut bars = 0;
    let mut characters = row.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => _ = characters.next(),
            '|' => bars += 1,
            _ => {}
        }
    }
    bars - 1
}
