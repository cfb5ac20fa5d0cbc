//! The reference of keys in `docs/configuration.md`, made from the table of keys.

use std::fmt::Write as _;

use super::keys::{Key, Kind, Need, Section};
use super::table::ROOT;

/// One table for each mapping of probes.yaml, in Markdown.
#[must_use]
pub fn reference_markdown() -> String {
    let mut out = String::new();
    let mut done: Vec<&'static str> = Vec::new();
    // Sections are written in the order in which they are first met, level by level.
    let mut waiting: Vec<&'static Section> = vec![&ROOT];
    while !waiting.is_empty() {
        for section in std::mem::take(&mut waiting) {
            if done.contains(&section.name) {
                continue;
            }
            done.push(section.name);
            write_section(&mut out, section);
            for key in section.keys {
                waiting.extend(inner(&key.kind));
            }
        }
    }
    out
}

/// The section that a kind leads to.
fn inner(kind: &Kind) -> Option<&'static Section> {
    match kind {
        Kind::Section(section) | Kind::SectionOrScalar(section, _) => Some(section),
        Kind::List(item) | Kind::OrWord(_, item) => inner(item),
        Kind::Map { value, .. } => inner(value),
        Kind::Scalar(_) | Kind::Number { .. } | Kind::Boolean | Kind::Word(_) | Kind::OneOrMore(_) => None,
    }
}

fn write_section(out: &mut String, section: &Section) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "### {}\n", title(section));
    let _ = writeln!(out, "{}\n", section.doc);
    let _ = writeln!(out, "| key | value | default | |\n|---|---|---|---|");
    for key in section.keys {
        let _ = writeln!(out, "{}", row(key));
    }
    out.push('\n');
}

fn title(section: &Section) -> String {
    match section.name {
        name if name == ROOT.name => "The file".to_owned(),
        name => format!("`{name}`"),
    }
}

fn row(key: &Key) -> String {
    let default = match (key.need, key.default) {
        (Need::Required, _) => "required",
        (Need::Optional, "") => "–",
        (Need::Optional, default) => default,
    };
    let mut doc = key.doc.to_owned();
    if let Kind::Word(words) = &key.kind {
        let words: Vec<String> = words.all().map(|(word, meaning)| format!("`{word}`: {meaning}")).collect();
        doc = format!("{doc} {}.", words.join("; "));
    }
    format!("| `{}` | {} | {default} | {doc} |", key.name, value(&key.kind, key.example))
}

/// What a key takes: an example, or the name of the section.
fn value(kind: &Kind, example: &str) -> String {
    let linked = |section: &Section| format!("[`{0}`](#{0})", section.name);
    match kind {
        Kind::Section(section) => linked(section),
        Kind::SectionOrScalar(section, _) => linked(section),
        Kind::List(item) => match item {
            Kind::Section(section) => format!("list of {}", linked(section)),
            _ => format!("`{example}`"),
        },
        Kind::Map { value, .. } => match value {
            Kind::Section(section) => format!("names, each with {}", linked(section)),
            _ => format!("`{example}`"),
        },
        Kind::OrWord(word, other) => match other {
            Kind::Section(section) | Kind::SectionOrScalar(section, _) => {
                format!("`{word}` or {}", linked(section))
            }
            _ if *word == example => format!("`{word}` or {}", other.noun()),
            _ => format!("`{word}` or `{example}`"),
        },
        Kind::Number { min, max } => format!("{min} to {max}"),
        Kind::Boolean => "`true` or `false`".to_owned(),
        Kind::Word(words) => words.all().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Kind::Scalar(_) | Kind::OneOrMore(_) => format!("`{example}`"),
    }
}
