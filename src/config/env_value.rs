//! The values of a `.env` file: quotes, comments, and what is odd about them. Which lines are there is for `env_file.rs`.

use super::env_file::EnvNote;

/// Longest value over several lines, in bytes.
const LONGEST_VALUE: usize = 64 * 1024;

/// What is odd, as it is found.
pub(super) struct Notes {
    pub(super) list: Vec<EnvNote>,
    /// Whether what stands before an `=` is surely a name. A piece of a key is not repeated.
    pub(super) names: bool,
}

impl Notes {
    /// About the file, or a line without a name.
    pub(super) fn file(&mut self, line: u32, text: &str) {
        self.list.push(EnvNote { line, name: None, text: text.to_owned() });
    }

    /// About a variable, whose name begins the sentence.
    pub(super) fn add(&mut self, line: u32, name: &str, text: &str) {
        let shown = if self.names { name } else { "this variable" };
        self.list.push(EnvNote { line, name: Some(name.to_owned()), text: format!("{shown} {text}") });
    }
}

/// The opening quote of a value, and what stands after it.
fn opening(raw: &str) -> Option<(char, &str)> {
    let raw = raw.trim_start();
    let quote = raw.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some((quote, raw.get(1..)?))
}

/// Whether a line opens a quote and does not close it.
pub(super) fn is_unclosed(raw: &str) -> bool {
    opening(raw).is_some_and(|(quote, text)| quoted(text, quote).1.is_none())
}

/// The value of a quote that is closed in a further line, and how many further lines it takes. Behind the closing quote
/// there is nothing, or a comment; else it was another value's opening quote. No value has more than 64 KiB.
pub(super) fn over_lines(raw: &str, following: &[&str]) -> Option<(String, usize)> {
    let (quote, first) = opening(raw).filter(|_| is_unclosed(raw))?;
    let mut size = first.len();
    let mut further = 0;
    // The first line with a quote that closes this one, as dotenv finds it.
    for line in following {
        size += line.len() + 1;
        further += 1;
        if size > LONGEST_VALUE {
            return None;
        }
        if quoted(line, quote).1.is_some() {
            break;
        }
    }
    let mut text = first.to_owned();
    for line in following.get(..further)? {
        text.push('\n');
        text.push_str(line);
    }
    let (value, rest) = quoted(&text, quote);
    let rest = rest?.trim_start();
    (rest.is_empty() || rest.starts_with('#')).then_some((value, further))
}

/// The value of one line.
pub(super) fn value(name: &str, raw: &str, line: u32, notes: &mut Notes) -> String {
    let trimmed = raw.trim();
    if raw.trim_start() != raw {
        notes.add(line, name, "has a space after `=`: shells refuse this line, Docker keeps the space");
    }
    let quote = trimmed.chars().next().filter(|c| matches!(c, '"' | '\''));
    let Some(quote) = quote else {
        return plain(name, raw, line, notes);
    };
    let (inner, rest) = quoted(trimmed.get(1..).unwrap_or_default(), quote);
    match rest {
        None => {
            notes.add(line, name, "begins with a quote that is never closed; the quote is kept");
            return trimmed.to_owned();
        }
        Some(rest) => {
            let rest = rest.trim_start();
            if !(rest.is_empty() || rest.starts_with('#')) {
                notes.add(line, name, "has text after its closing quote, which is left out");
            }
        }
    }
    notes.add(
        line,
        name,
        "is in quotes: they are removed here, and Docker's --env-file keeps them as a part of the value",
    );
    if rest == Some("") && raw.trim_end() != raw {
        notes.add(line, name, "ends with a space after its closing quote, which other tools may keep");
    }
    if inner.trim() != inner {
        notes.add(line, name, "begins or ends with a space inside its quotes");
    }
    if inner.trim().starts_with(['"', '\'']) {
        notes.add(line, name, "has quotes inside its quotes, which are kept");
    }
    if quote == '"' && expands(&inner) {
        notes.add(line, name, "has a `$` in it: shells and Docker Compose put a variable there, and here it is kept");
    }
    inner
}

/// A value without quotes around it. A `#` after a space begins a comment.
fn plain(name: &str, raw: &str, line: u32, notes: &mut Notes) -> String {
    let comment = raw
        .match_indices('#')
        .find(|(at, _)| raw.get(..*at).is_some_and(|before| before.ends_with([' ', '\t']) || before.is_empty()))
        .map(|(at, _)| at);
    let value = comment.and_then(|at| raw.get(..at)).unwrap_or(raw);
    if comment.is_some() {
        notes.add(line, name, "is followed by a comment: Docker's --env-file takes it for a part of the value");
    } else if value.trim_end() != value {
        notes.add(line, name, "ends with a space, which is removed here; other tools may keep it");
    }
    let value = value.trim();
    if value.contains(['"', '\'']) {
        notes.add(line, name, "has a quote inside its value, which is kept");
    }
    if expands(value) {
        notes.add(line, name, "has a `$` in it: shells and Docker Compose put a variable there, and here it is kept");
    }
    value.to_owned()
}

/// Whether another tool would put a variable's value somewhere into this one.
fn expands(value: &str) -> bool {
    value
        .match_indices('$')
        .filter_map(|(at, _)| value.get(at + 1..)?.chars().next())
        .any(|next| next == '{' || next == '_' || next.is_ascii_alphabetic())
}

/// Notes what an eye does not see: typographic quotes and invisible characters, which come with copying from a page.
pub(super) fn hidden(name: &str, value: &str, line: u32, notes: &mut Notes) {
    if value.contains(['“', '”', '‘', '’']) {
        notes.add(line, name, "has typographic quotes in it, which are no quotes to any tool; type it again");
    }
    let unseen = |c: char| c.is_control() || matches!(c, '\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{feff}');
    if value.chars().any(unseen) {
        notes.add(line, name, "has a character in it that cannot be seen; copy it again, or type it");
    }
}

/// The text up to the closing quote, escapes resolved within double quotes, and what follows. No rest where the quote
/// is never closed.
fn quoted(text: &str, quote: char) -> (String, Option<&str>) {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return (out, text.get(at + 1..));
        }
        if c == '\\' && quote == '"' {
            match chars.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 'r')) => out.push('\r'),
                Some((_, 't')) => out.push('\t'),
                Some((_, c @ ('"' | '\\' | '$' | '`'))) => out.push(c),
                Some((_, c)) => {
                    out.push('\\');
                    out.push(c);
                }
                None => out.push('\\'),
            }
        } else {
            out.push(c);
        }
    }
    (out, None)
}
