//! Markdown, as GitHub and GitLab show it: a table, what to do about everything that is not ready, and the summary line.
//!
//! What comes from the wire or names an LLM stands in code spans, where nothing is markup, a link or a mention.

use std::io::{self, Write};

use super::issues::{Issue, gather};
use super::told::{gist, titled};
use super::{Look, Marks, Report, summary};
use crate::outcome::words::{again, count, duration, plain};
use crate::outcome::{Outcome, Verdict, Warmth, judge};

/// Writes the report. `look` gives the zone of clock times; the marks are those of UTF-8.
///
/// # Errors
/// Whatever the writer says; nothing else can fail.
pub fn render_markdown(report: &Report<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let verdict = report.verdict();
    writeln!(out, "### {} pilotlight: {verdict}\n", Marks::Unicode.of(verdict))?;
    if !report.gates.is_empty() {
        writeln!(out, "| gate | verdict | because |\n|---|---|---|")?;
        for gate in report.gates {
            let mark = Marks::Unicode.of(gate.verdict);
            writeln!(out, "| {} | {mark} {} | {} |", cell_code(&gate.name), gate.verdict, cell(&gate.says))?;
        }
        writeln!(out)?;
    }
    if !report.outcomes.is_empty() {
        writeln!(out, "| target | verdict | model | first token | warmth | total | because |")?;
        writeln!(out, "|---|---|---|--:|---|--:|---|")?;
        report.outcomes.iter().try_for_each(|outcome| row(outcome, out))?;
        writeln!(out)?;
    }
    for issue in gather(report.outcomes) {
        block(&issue, report, look, out)?;
    }
    let noted = report.outcomes.iter().flat_map(|outcome| {
        outcome.notes.iter().map(move |note| format!("{}: {}", prose(outcome.target.id.as_str()), prose(note)))
    });
    let notes: Vec<String> = noted.chain(report.notes.iter().map(|note| prose(note))).collect();
    for note in &notes {
        writeln!(out, "- Note: {note}")?;
    }
    if !notes.is_empty() {
        writeln!(out)?;
    }
    writeln!(out, "{}", code(&summary(report)))?;
    out.flush()
}

fn row(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let verdict = judge(outcome);
    let measured = |time: Option<_>| time.map_or_else(|| "–".to_owned(), duration);
    writeln!(
        out,
        "| {} | {} {verdict} | {} | {} | {} | {} | {} |",
        cell_code(outcome.target.id.as_str()),
        Marks::Unicode.of(verdict),
        cell_code(outcome.target.model.as_str()),
        measured(outcome.timings.first_token),
        if outcome.warmth == Warmth::Unknown { "–" } else { outcome.warmth.name() },
        duration(outcome.timings.total),
        match outcome.foremost() {
            Some(_) => cell_code(&gist(outcome)),
            None => cell(outcome.proof.says()),
        },
    )
}

/// One trouble: what it is, what was seen, what to do.
fn block(issue: &Issue<'_>, report: &Report<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let Some(first) = issue.outcomes.first() else { return Ok(()) };
    let alone = issue.outcomes.len() == 1;
    let who = match alone {
        true => code(first.target.id.as_str()),
        false => format!("{} of {}", count(issue.outcomes.len(), "target"), code(first.target.provider.id.as_str())),
    };
    writeln!(out, "**{} {who}: {}**\n", Marks::Unicode.of(issue.verdict), titled(issue.diagnosis))?;
    if !alone {
        let ids: Vec<String> = issue.outcomes.iter().map(|outcome| code(outcome.target.id.as_str())).collect();
        writeln!(out, "- Who: {}", ids.join(", "))?;
    }
    if !issue.diagnosis.evidence.is_empty() {
        let others = if issue.evidence_is_shared { "" } else { " (the others alike)" };
        writeln!(out, "- Seen: {}{others}", code(&issue.diagnosis.evidence))?;
    }
    let remedy = issue.remedy();
    if !remedy.is_empty() {
        writeln!(out, "- Do: {}", prose(&remedy))?;
    }
    if let Some(reset) = issue.diagnosis.reset {
        writeln!(out, "- Again: {}", again(reset.at, report.ended(), &look.zone))?;
    }
    if let (true, Verdict::Failed, Some(id)) = (alone, issue.verdict, &first.request_id) {
        writeln!(out, "- Request: {}", code(id))?;
    }
    writeln!(out)
}

/// A code span. Its fence is longer than any run of backticks in it.
fn code(text: &str) -> String {
    let text = plain(text);
    if text.trim().is_empty() {
        return "–".to_owned();
    }
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A space on both sides is taken off again when it is shown.
    let space = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// A code span in a table, where a bar ends the cell even inside of one, and behind a backslash of the text's own.
fn cell_code(text: &str) -> String {
    code(text).replace("\\|", "/").replace('|', "\\|")
}

/// Text of our own that may have a name of somebody else's in it: what stands between backticks is code, and nothing else
/// is markup. Addresses stay links.
fn prose(text: &str) -> String {
    spans(text, code)
}

/// The same, in a table.
fn cell(text: &str) -> String {
    spans(text, cell_code)
}

fn spans(text: &str, code: fn(&str) -> String) -> String {
    let text = plain(text);
    let parts: Vec<&str> = text.trim().split('`').collect();
    // A backtick without its other one is a backtick.
    if parts.len().is_multiple_of(2) {
        return words(text.trim());
    }
    let shown = parts.iter().enumerate().map(|(number, part)| match number % 2 {
        0 => words(part),
        _ => code(part),
    });
    shown.collect()
}

/// Words in which nothing is markup.
fn words(text: &str) -> String {
    let mut safe = String::new();
    for word in text.split_inclusive(' ') {
        let address = word.starts_with("https://") && word.chars().all(|character| !"<>|`*[]()\\@".contains(character));
        let mut before = ' ';
        let mut characters = word.chars().peekable();
        while let Some(character) = characters.next() {
            // Within a word it is no emphasis: the names of variables stay readable.
            let is_within = before.is_alphanumeric() && characters.peek().is_some_and(|next| next.is_alphanumeric());
            match character {
                '<' => safe.push_str("&lt;"),
                '>' => safe.push_str("&gt;"),
                '&' if !address => safe.push_str("&amp;"),
                // What stands behind a comment is no mention.
                '@' => safe.push_str("@<!-- -->"),
                '_' if address || is_within => safe.push('_'),
                '|' | '\\' | '`' | '*' | '[' | ']' | '~' | '#' | '!' | '_' => safe.extend(['\\', character]),
                other => safe.push(other),
            }
            before = character;
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_hold_anything() {
        assert_eq!(code("glm"), "`glm`");
        assert_eq!(code("a `b` ``c``"), "``` a `b` ``c`` ```");
        assert_eq!(code("<b> @all \u{1b}"), "`<b> @all \\u{1b}`");
        assert_eq!(cell_code("a|b"), "`a\\|b`");
        assert_eq!(code(" "), "–");
    }

    #[test]
    fn prose_is_no_markup_but_for_addresses() {
        assert_eq!(
            prose("*a* <b> [c](d) `e*` f|g @cf/x #1"),
            "\\*a\\* &lt;b&gt; \\[c\\](d) `e*` f\\|g @<!-- -->cf/x \\#1"
        );
        assert_eq!(prose("a ` b *"), "a \\` b \\*");
        assert_eq!(prose("A_KEY is _not_ set"), "A_KEY is \\_not\\_ set");
        assert_eq!(prose("See https://a.example/b_c?d=e&f=g."), "See https://a.example/b_c?d=e&f=g.");
    }
}
