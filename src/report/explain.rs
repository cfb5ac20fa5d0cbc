//! `explain CODE` for people, and the list of all codes.
//!
//! The texts stand in `outcome/code_table.rs`; `documents.rs` makes the same into Markdown.

use std::io::{self, Write};

use super::layout::{LongWord, grid, wrap};
use super::look::{Look, Role};
use crate::exit::Exit;
use crate::outcome::{Class, Code, Cure, Stage, Verdict};

/// The places in remedies, and what stands for them where no target is at hand.
const PLACES: [(&str, &str); 20] = [
    ("base_url", "base URL"),
    ("billing_page", "billing page of the provider"),
    ("ca_file", "path"),
    ("client_certificate", "files of the certificate"),
    ("cold_start", "cold-start deadline"),
    ("host", "host"),
    ("https_url", "base URL"),
    ("key_page", "key page of the provider"),
    ("key_source", "place of the key"),
    ("timeout", "--timeout"),
    ("location", "address of the redirect"),
    ("model", "model"),
    ("nearest", "nearest ids"),
    ("provider", "provider"),
    ("proxy", "proxy"),
    ("proxy_source", "whoever names the proxy"),
    ("status_page", "status page of the provider"),
    ("title", "provider"),
    ("variable", "variable"),
    ("wait", "when the provider says"),
];

/// Writes what there is to know of a code.
///
/// # Errors
/// Whatever the writer says.
pub fn explain(code: Code, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    const LABEL: usize = 9;
    let row = code.explain();
    let width = look.width.saturating_sub(LABEL + 2).max(20);
    writeln!(out, "{}", look.paint(Role::Verdict(severity(row.class)), row.name))?;
    let remedy: Vec<String> = row.remedy.iter().map(|sentence| filled(sentence, bracketed)).collect();
    let facts = [
        ("means", vec![row.meaning.to_owned()]),
        ("class", vec![class_name(row.class).to_owned()]),
        ("exit", vec![exit_words(row.class)]),
        ("cure", vec![cure_words(row.cure).to_owned()]),
        ("stages", vec![stage_words(row.stages)]),
        ("do", remedy),
    ];
    for (label, texts) in facts {
        let lines = texts.iter().flat_map(|text| wrap(text, width, LongWord::KeepAddress));
        for (number, line) in lines.enumerate() {
            let label = if number == 0 { label } else { "" };
            writeln!(out, "  {}{line}", look.paint(Role::Label, &format!("{label:<LABEL$}")))?;
        }
    }
    out.flush()
}

/// Writes all codes as a table, in the order of the ladder.
///
/// # Errors
/// Whatever the writer says.
pub fn list(look: &Look, out: &mut dyn Write) -> io::Result<()> {
    const BEFORE_MEANING: usize = 33;
    let width = look.width.saturating_sub(BEFORE_MEANING).max(20);
    let mut rows = vec![["code", "exit", "cure", "means"].map(str::to_owned).to_vec()];
    for code in Code::ALL {
        let row = code.explain();
        rows.push(vec![
            row.name.to_owned(),
            exit_code(row.class),
            cure_word(row.cure).to_owned(),
            wrap(row.meaning, width, LongWord::Break).join("\n"),
        ]);
    }
    let classes = std::iter::once(None).chain(Code::ALL.iter().map(|code| Some(code.class())));
    for ((lines, row), class) in grid(&rows, &[1]).iter().zip(&rows).zip(classes) {
        for (number, line) in lines.iter().enumerate() {
            let name = row.first().map_or("", String::as_str);
            let painted = match (class, line.strip_prefix(name)) {
                (None, _) => look.paint(Role::Label, line),
                (Some(class), Some(rest)) if number == 0 => {
                    format!("{}{rest}", look.paint(Role::Verdict(severity(class)), name))
                }
                _ => line.clone(),
            };
            writeln!(out, "{painted}")?;
        }
    }
    out.flush()
}

/// The verdict that a class gives, for its colour.
fn severity(class: Class) -> Verdict {
    match class {
        Class::Notice => Verdict::Degraded,
        Class::Unknown | Class::Internal => Verdict::Unknown,
        _ => Verdict::Failed,
    }
}

/// The word for a class: its exit's name, but for a notice, which has none of its own.
pub(super) fn class_name(class: Class) -> &'static str {
    match class {
        Class::Notice => "notice",
        other => Exit::of_class(other).name(),
    }
}

/// The exit code of a class in a table: `0/4` where `--strict` decides.
pub(super) fn exit_code(class: Class) -> String {
    let code = Exit::of_class(class).code();
    match class {
        Class::Notice => format!("0/{code}"),
        _ => code.to_string(),
    }
}

/// What cures it, in a table.
pub(super) fn cure_word(cure: Cure) -> &'static str {
    match cure {
        Cure::Waiting => "wait",
        Cure::Person => "act",
    }
}

/// The exit that a class leads to.
pub(super) fn exit_words(class: Class) -> String {
    let exit = Exit::of_class(class);
    match class {
        Class::Notice => format!("0 ready; with `--strict` {} {}", exit.code(), exit.name()),
        _ => format!("{} {}", exit.code(), exit.name()),
    }
}

/// What cures it, and what `wait` makes of that.
pub(super) fn cure_words(cure: Cure) -> &'static str {
    match cure {
        Cure::Waiting => "it can pass by itself, so `wait` goes on waiting",
        Cure::Person => "somebody has to act, so `wait` gives up at once",
    }
}

/// The stages it can come from.
pub(super) fn stage_words(stages: &[Stage]) -> String {
    if stages == Stage::ALL {
        return "any".to_owned();
    }
    stages.iter().map(|stage| stage.name()).collect::<Vec<_>>().join(", ")
}

/// A sentence with its places filled by `fill`. Braces that are no place of ours (`{ file: … }`) stay as they are.
pub(super) fn filled(sentence: &str, fill: impl Fn(&str) -> String) -> String {
    PLACES.into_iter().fold(sentence.to_owned(), |text, (place, words)| {
        let place = format!("{{{place}}}");
        if text.contains(&place) { text.replace(&place, &fill(words)) } else { text }
    })
}

/// As manuals write a value that the reader has to put in.
pub(super) fn bracketed(words: &str) -> String {
    format!("<{words}>")
}

#[cfg(test)]
mod tests {
    use super::super::sample::{look, text_of};
    use super::*;

    #[test]
    fn every_place_of_every_remedy_has_words() {
        for code in Code::ALL {
            for sentence in code.explain().remedy {
                let text = filled(sentence, bracketed);
                let left = text.split('{').skip(1).filter(|rest| !rest.starts_with(' ')).count();
                assert_eq!(left, 0, "a place of {code} has no words in PLACES: {text}");
            }
        }
    }

    #[test]
    fn a_code_is_explained() {
        insta::assert_snapshot!(text_of(|out| explain(Code::KeyRefused, &look(100), out)));
        insta::assert_snapshot!(text_of(|out| explain(Code::ColdStart, &look(60), out)));
    }

    #[test]
    fn codes_are_listed() {
        insta::assert_snapshot!(text_of(|out| list(&look(100), out)));
    }
}
