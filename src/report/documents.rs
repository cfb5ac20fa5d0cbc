//! The documents that are made from tables in the code: `docs/diagnoses.md` and `docs/exit-codes.md`.
//!
//! `tests/documents.rs` compares the files with what is made here; `UPDATE_DOCS=1 cargo test --release` writes them anew.

use std::fmt::Write as _;

use super::explain::{class_name, cure_word, cure_words, exit_code, exit_words, filled, stage_words};
use crate::exit::Exit;
use crate::outcome::{Class, Code};

const MADE: &str = "<!-- Made from the code by `UPDATE_DOCS=1 cargo test --release`. Do not edit. -->";

/// The classes, in the order of their exits.
const CLASSES: [Class; 11] = [
    Class::Internal,
    Class::Unknown,
    Class::Notice,
    Class::Unreachable,
    Class::Unauthorized,
    Class::NotFound,
    Class::RateLimited,
    Class::Payment,
    Class::ProviderError,
    Class::TooSlow,
    Class::Unusable,
];

/// `docs/diagnoses.md`: every code with its meaning, exit, cure, stages and remedy.
#[must_use]
pub fn diagnoses_markdown() -> String {
    let mut text = format!(
        "# Diagnoses\n\n{MADE}\n\n\
         When a target is not ready, pilotlight names a code, the stage that broke, what was seen, and what to do. The \
         codes are stable: scripts and alerts may rely on them. `pilotlight explain CODE` prints one of the sections \
         below.\n\n\
         *cure*: **wait** means that it can pass by itself, so `pilotlight wait` goes on waiting; **act** means that \
         somebody has to do something, so it gives up at once. *exit* `0/4`: it counts as ready, unless \
         `--strict`. Words in *italics* stand for the target's own values.\n\n\
         | code | exit | cure | means |\n|---|---|---|---|\n"
    );
    for code in Code::ALL {
        let row = code.explain();
        let (exit, cure) = (exit_code(row.class), cure_word(row.cure));
        let _ =
            writeln!(text, "| [{name}](#{name}) | {exit} | {cure} | {means} |", name = row.name, means = row.meaning);
    }
    for code in Code::ALL {
        let row = code.explain();
        let _ = write!(
            text,
            "\n## {}\n\n{}\n\n- class: {}\n- exit code: {}\n- cure: {}\n- stages: {}\n\n",
            row.name,
            row.meaning,
            class_name(row.class),
            exit_words(row.class),
            cure_words(row.cure),
            stage_words(row.stages)
        );
        let remedy: Vec<String> = row.remedy.iter().map(|sentence| markdown(sentence)).collect();
        let _ = writeln!(text, "{}", remedy.join(" "));
    }
    text
}

/// `docs/exit-codes.md`: every exit code, when it comes, and the diagnoses that lead to it.
#[must_use]
pub fn exit_codes_markdown() -> String {
    let mut text = format!(
        "# Exit codes\n\n{MADE}\n\n\
         The exit code is the same in every output format but `nagios`, whose 0/1/2/3 is part of that format.\n\n\
         | code | name | when |\n|---|---|---|\n{}\n\n\
         ## Several failures\n\n\
         When targets fail in several ways, the code that most needs a person wins. From the first to the last:\n\n",
        exit_table_rows().join("\n")
    );
    let mut left = Exit::ALL.to_vec();
    while !left.is_empty() {
        let worst = Exit::worst(left.iter().copied());
        left.retain(|exit| *exit != worst);
        let _ = writeln!(text, "1. {} {}", worst.code(), worst.name());
    }
    text.push_str("\n## Which diagnosis leads where\n\n| code | name | diagnoses |\n|---|---|---|\n");
    for class in CLASSES {
        let exit = Exit::of_class(class);
        let codes: Vec<String> = Code::ALL
            .into_iter()
            .filter(|code| code.class() == class)
            .map(|code| format!("[{code}](diagnoses.md#{code})"))
            .collect();
        let _ = writeln!(text, "| {} | {} | {} |", exit.code(), exit.name(), codes.join(", "));
    }
    text
}

/// The rows of the table of exit codes as Markdown lines (`| 0 | ready | … |`), without the header. The README carries
/// them too.
#[must_use]
pub fn exit_table_rows() -> Vec<String> {
    Exit::ALL.into_iter().map(|exit| format!("| {} | {} | {} |", exit.code(), exit.name(), when(exit))).collect()
}

/// When the process ends so.
fn when(exit: Exit) -> &'static str {
    match exit {
        Exit::Ready => "all that was asked for is ready (`degraded` counts as ready unless `--strict`)",
        Exit::Internal => "pilotlight itself failed",
        Exit::Usage => "bad arguments, or an invalid probes.yaml",
        Exit::Unknown => {
            "could not tell: nothing was learned about the target (the quota withheld the probe; our own network is down)"
        }
        Exit::Degraded => "with `--strict`: ready, but slow, on its fallback, or with a warning",
        Exit::Unreachable => "name, connection or TLS failed",
        Exit::Unauthorized => "key missing, malformed, refused, or without permission; region or edge block",
        Exit::NotFound => "no such model, or the base URL is wrong",
        Exit::RateLimited => "a window's quota is spent; waiting cures it",
        Exit::Payment => "credit is used up, or the plan has ended; waiting does not cure it",
        Exit::ProviderError => "overloaded or failing on the provider's side",
        Exit::TooSlow => "no first token before the deadline: still cold, or hanging",
        Exit::Unusable => "an answer that is not this API: HTML, broken JSON, a cut or empty stream",
        Exit::Interrupted => "stopped by SIGINT",
        Exit::Terminated => "stopped by SIGTERM",
    }
}

/// A remedy's sentence as Markdown: a place is in italics, but within code it is bracketed, because code has none.
fn markdown(sentence: &str) -> String {
    let parts = sentence.split('`').enumerate().map(|(number, part)| {
        if number % 2 == 1 {
            filled(part, |words| format!("<{words}>"))
        } else {
            filled(part, |words| format!("*{words}*"))
        }
    });
    parts.collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_leads_to_its_codes() {
        for code in Code::ALL {
            assert!(CLASSES.contains(&code.class()), "{code}: its class is not in CLASSES");
        }
        assert_eq!(markdown("Ask `getent hosts {host}` of {host}."), "Ask `getent hosts <host>` of *host*.");
    }
}
