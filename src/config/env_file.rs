//! `.env` files: `KEY=VALUE` lines to pairs, and what is odd about them.
//!
//! Every tool reads these files a little differently, and the difference is what breaks keys: Docker's `--env-file`
//! keeps quotes, shells do not; some trim spaces, some do not. So whatever two tools would read differently is noted,
//! by line and name, never by value.

use std::collections::HashMap;

use super::Note;
use super::values::is_variable_name;

/// The pairs of a file, in order, each name once (the last one counts), and what is odd.
pub(super) fn parse(text: &str) -> (Vec<(String, String)>, Vec<Note>) {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut lines: HashMap<String, (usize, u32)> = HashMap::new();
    let mut notes = Notes(Vec::new());
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains("\r\n") {
        notes.add(1, "lines end in CRLF, as on Windows: some tools take the CR for a part of each value");
    }
    for (line, number) in text.lines().zip(1_u32..) {
        let line = line.trim_end_matches('\r');
        let statement = line.trim_start();
        if statement.is_empty() || statement.starts_with('#') {
            continue;
        }
        let statement = statement.strip_prefix("export ").map_or(statement, str::trim_start);
        let Some((name, raw)) = statement.split_once('=') else {
            notes.add(number, "there is no `=` in this line, so it is left out");
            continue;
        };
        if name.trim_end() != name {
            notes.add(number, "there is a space before `=`: shells and Docker refuse this line");
        }
        let name = name.trim_end();
        if !is_variable_name(name) {
            // What stands before the `=` may be a piece of a key, so it is not repeated.
            notes.add(number, "what stands before `=` is not a variable's name, so the line is left out");
            continue;
        }
        let value = value(name, raw, number, &mut notes);
        match lines.get(name) {
            Some((index, first)) => {
                notes.add(number, &format!("{name} was set in line {first} already; this line counts"));
                if let Some(pair) = pairs.get_mut(*index) {
                    pair.1 = value;
                }
            }
            None => {
                lines.insert(name.to_owned(), (pairs.len(), number));
                pairs.push((name.to_owned(), value));
            }
        }
    }
    (pairs, notes.0)
}

struct Notes(Vec<Note>);

impl Notes {
    fn add(&mut self, line: u32, text: &str) {
        self.0.push(Note { line, text: text.to_owned(), about: Vec::new() });
    }
}

/// The value of one line.
fn value(name: &str, raw: &str, line: u32, notes: &mut Notes) -> String {
    let trimmed = raw.trim();
    if raw.trim_start() != raw {
        notes.add(line, &format!("{name} has a space after `=`: shells refuse this line, Docker keeps the space"));
    }
    let quote = trimmed.chars().next().filter(|c| matches!(c, '"' | '\''));
    let Some(quote) = quote else {
        return plain(name, raw, line, notes);
    };
    let (inner, rest) = quoted(trimmed.get(1..).unwrap_or_default(), quote);
    match rest {
        None => {
            notes.add(line, &format!("{name} begins with a quote that is never closed; the quote is kept"));
            return trimmed.to_owned();
        }
        Some(rest) => {
            let rest = rest.trim_start();
            if !(rest.is_empty() || rest.starts_with('#')) {
                notes.add(line, &format!("{name} has text after its closing quote, which is left out"));
            }
        }
    }
    notes.add(
        line,
        &format!(
            "{name} is in quotes: they are removed here, and Docker's --env-file keeps them as a part of the value"
        ),
    );
    if inner.trim() != inner {
        notes.add(line, &format!("{name} begins or ends with a space inside its quotes"));
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
        notes.add(
            line,
            &format!("{name} is followed by a comment: Docker's --env-file takes it for a part of the value"),
        );
    } else if value.trim_end() != value {
        notes.add(line, &format!("{name} ends with a space, which is removed here; other tools may keep it"));
    }
    let value = value.trim();
    if value.contains(['"', '\'']) {
        notes.add(line, &format!("{name} has a quote inside its value, which is kept"));
    }
    value.to_owned()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_shells_read_them() {
        let text = "# comment\n\nA=1\nexport B=two words\nC='single $x'\nD=\"a\\\"b\\n\" # c\nE=x#y\nF=x #y\nG=\n";
        let (pairs, _) = parse(text);
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(
            pairs,
            [("A", "1"), ("B", "two words"), ("C", "single $x"), ("D", "a\"b\n"), ("E", "x#y"), ("F", "x"), ("G", "")]
        );
    }

    #[test]
    fn what_is_odd_is_noted_without_values() {
        for (text, expected) in [
            ("K=hunter2 \n", "ends with a space"),
            ("K=\"hunter2\"\n", "in quotes"),
            ("K='hunter2 '\n", "inside its quotes"),
            ("K=hun\"ter2\n", "a quote inside"),
            ("K=\"hunter2\n", "never closed"),
            ("K='hunter2'hunter2\n", "after its closing quote"),
            ("K=1\nK=hunter2\n", "set in line 1 already"),
            ("K=hunter2\r\n", "CRLF"),
            ("K = hunter2\n", "space before `=`"),
            ("hunter2\n", "no `=`"),
            ("hunter2-x=1\n", "not a variable's name"),
            ("K=hunter2 # old\n", "followed by a comment"),
        ] {
            let (_, notes) = parse(text);
            let all: Vec<&str> = notes.iter().map(|note| note.text.as_str()).collect();
            assert!(all.iter().any(|note| note.contains(expected)), "{text}: {all:?}");
            assert!(!all.join(" ").contains("unter2"), "{text}: {all:?}");
        }
        let (pairs, notes) = parse("K=1\nL=2\n");
        assert_eq!(pairs.len(), 2);
        assert_eq!(notes, []);
    }

    #[test]
    fn the_last_of_two_lines_counts() {
        let (pairs, _) = parse("K=1\nK=2\r\n");
        assert_eq!(pairs, [("K".to_owned(), "2".to_owned())]);
    }
}
