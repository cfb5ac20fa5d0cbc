//! `.env` files: `KEY=VALUE` lines to pairs, and what is odd about them.
//!
//! Every tool reads these files a little differently, and the difference is what breaks keys: Docker's `--env-file`
//! keeps quotes, shells do not; some trim spaces, some do not. So whatever two tools would read differently is noted,
//! by line and name, never by value.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::environment::{EnvFileError, Environment};
use super::values::is_variable_name;
use super::{Note, parse, read_at_most};

/// A `.env` file as it was read: its variables, and what is odd about it. Its values may be secrets, so it shows none.
#[derive(Clone, Default)]
pub struct EnvFile {
    path: PathBuf,
    pairs: Vec<Pair>,
    notes: Vec<EnvNote>,
}

/// A variable of a file: the last line that sets it.
#[derive(Clone)]
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) line: u32,
}

/// What is odd about a line. It has no part of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EnvNote {
    pub(super) line: u32,
    /// The variable that it is about. Absent where the line has none, or it is about the file.
    pub(super) name: Option<String>,
    pub(super) text: String,
}

impl EnvFile {
    /// Reads a file of at most 1 MiB.
    pub fn read(path: &Path) -> Result<Self, EnvFileError> {
        let bytes = match read_at_most(path, parse::MAX_BYTES) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(EnvFileError::TooLarge(path.to_owned())),
            Err(source) => return Err(EnvFileError::Unreadable { path: path.to_owned(), source }),
        };
        let text = String::from_utf8(bytes).map_err(|_| EnvFileError::NotText(path.to_owned()))?;
        Ok(Self::from_text(path, &text))
    }

    /// The same of a text that is there already.
    #[must_use]
    pub fn from_text(path: &Path, text: &str) -> Self {
        let (pairs, notes) = parse(text);
        Self { path: path.to_owned(), pairs, notes }
    }

    /// The file, as it was named.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is odd about it.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        self.notes.iter().map(|note| Note { line: note.line, text: note.text.clone(), about: Vec::new() }).collect()
    }

    /// What is odd about these variables and about the file itself; and how much more is odd about others.
    pub(super) fn notes_about(&self, names: &[&str]) -> (Vec<&EnvNote>, usize) {
        let concerns = |note: &&EnvNote| note.name.as_deref().is_none_or(|name| names.contains(&name));
        let (ours, others): (Vec<_>, Vec<_>) = self.notes.iter().partition(concerns);
        (ours, others.len())
    }

    /// Whether it sets a variable that is not set without it.
    #[must_use]
    pub fn adds_to(&self, environment: &Environment) -> bool {
        self.pairs.iter().any(|pair| !pair.value.is_empty() && environment.get(&pair.name).is_none())
    }

    pub(super) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// A variable that is set, and to something.
    pub(super) fn get(&self, name: &str) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.name == name && !pair.value.is_empty())
    }
}

impl fmt::Debug for EnvFile {
    /// Its name and how many variables it has: their values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnvFile({}, {} variables)", self.path.display(), self.pairs.len())
    }
}

/// The pairs of a file, in order, each name once (the last one counts), and what is odd.
pub(super) fn parse(text: &str) -> (Vec<Pair>, Vec<EnvNote>) {
    let mut pairs: Vec<Pair> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut notes = Notes(Vec::new());
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => {
            notes
                .file(1, "the file begins with a byte order mark, which other tools take for a part of its first name");
            rest
        }
        None => text,
    };
    if text.contains("\r\n") {
        notes.file(1, "lines end in CRLF, as on Windows: some tools take the CR for a part of each value");
    }
    for (line, number) in text.lines().zip(1_u32..) {
        let line = line.trim_end_matches('\r');
        let statement = line.trim_start();
        if statement.is_empty() || statement.starts_with('#') {
            continue;
        }
        let exported = statement.strip_prefix("export ");
        let statement = exported.map_or(statement, str::trim_start);
        let Some((name, raw)) = statement.split_once('=') else {
            notes.file(number, "there is no `=` in this line, so it is left out");
            continue;
        };
        let bare = name.trim_end();
        if !is_variable_name(bare) {
            // What stands before the `=` may be a piece of a key, so it is not repeated.
            notes.file(number, "what stands before `=` is not a variable's name, so the line is left out");
            continue;
        }
        if bare != name {
            notes.add(number, bare, "has a space before `=`: shells and Docker refuse this line");
        }
        if exported.is_some() {
            notes.add(number, bare, "stands after `export`, which Docker's --env-file refuses");
        }
        let value = value(bare, raw, number, &mut notes);
        hidden(bare, &value, number, &mut notes);
        match places.get(bare).and_then(|index| pairs.get_mut(*index)) {
            Some(pair) => {
                notes.add(number, bare, &format!("was set in line {} already; this line counts", pair.line));
                pair.value = value;
                pair.line = number;
            }
            None => {
                places.insert(bare.to_owned(), pairs.len());
                pairs.push(Pair { name: bare.to_owned(), value, line: number });
            }
        }
    }
    (pairs, notes.0)
}

struct Notes(Vec<EnvNote>);

impl Notes {
    /// About the file, or a line without a name.
    fn file(&mut self, line: u32, text: &str) {
        self.0.push(EnvNote { line, name: None, text: text.to_owned() });
    }

    /// About a variable, whose name begins the sentence.
    fn add(&mut self, line: u32, name: &str, text: &str) {
        self.0.push(EnvNote { line, name: Some(name.to_owned()), text: format!("{name} {text}") });
    }
}

/// The value of one line.
fn value(name: &str, raw: &str, line: u32, notes: &mut Notes) -> String {
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
fn hidden(name: &str, value: &str, line: u32, notes: &mut Notes) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_shells_read_them() {
        let text = "# comment\n\nA=1\nexport B=two words\nC='single $x'\nD=\"a\\\"b\\n\" # c\nE=x#y\nF=x #y\nG=\n";
        let (pairs, _) = parse(text);
        let pairs: Vec<(&str, &str, u32)> =
            pairs.iter().map(|pair| (pair.name.as_str(), pair.value.as_str(), pair.line)).collect();
        assert_eq!(
            pairs,
            [
                ("A", "1", 3),
                ("B", "two words", 4),
                ("C", "single $x", 5),
                ("D", "a\"b\n", 6),
                ("E", "x#y", 7),
                ("F", "x", 8),
                ("G", "", 9)
            ]
        );
    }

    #[test]
    fn what_is_odd_is_noted_without_values() {
        for (text, expected) in [
            ("K=hunter2 \n", "ends with a space"),
            ("K=\"hunter2\"\n", "in quotes"),
            ("K='hunter2 '\n", "inside its quotes"),
            ("K='hunter2' \n", "after its closing quote, which other tools may keep"),
            ("K=hun\"ter2\n", "a quote inside"),
            ("K=\"hunter2\n", "never closed"),
            ("K='hunter2'hunter2\n", "after its closing quote"),
            ("K=1\nK=hunter2\n", "set in line 1 already"),
            ("K=hunter2\r\n", "CRLF"),
            ("K = hunter2\n", "space before `=`"),
            ("K= hunter2\n", "space after `=`"),
            ("hunter2\n", "no `=`"),
            ("hunter2-x=1\n", "not a variable's name"),
            ("K=hunter2 # old\n", "followed by a comment"),
            ("export K=hunter2\n", "after `export`"),
            ("\u{feff}K=hunter2\n", "byte order mark"),
            ("K=\"'hunter2'\"\n", "quotes inside its quotes"),
            ("K=“hunter2”\n", "typographic quotes"),
            ("K=hunter2\u{200b}\n", "cannot be seen"),
            ("K=hun$ter2\n", "has a `$`"),
        ] {
            let (_, notes) = parse(text);
            let all: Vec<&str> = notes.iter().map(|note| note.text.as_str()).collect();
            assert!(all.iter().any(|note| note.contains(expected)), "{text}: {all:?}");
            assert!(!all.join(" ").contains("unter2"), "{text}: {all:?}");
        }
        let (pairs, notes) = parse("K=1\nL=2\nM='$x'\n");
        assert_eq!(pairs.len(), 3);
        assert_eq!(notes.iter().filter(|note| note.line < 3).count(), 0, "{notes:?}");
        assert!(!notes.iter().any(|note| note.text.contains("`$`")), "single quotes keep it: {notes:?}");
    }

    #[test]
    fn the_last_of_two_lines_counts() {
        let file = EnvFile::from_text(Path::new(".env"), "K=1\nK=2\r\n");
        assert_eq!(file.get("K").map(|pair| (pair.value.as_str(), pair.line)), Some(("2", 2)));
        assert_eq!(format!("{file:?}"), "EnvFile(.env, 1 variables)");
    }

    #[test]
    fn notes_about_others_are_counted_alone() {
        let file = EnvFile::from_text(Path::new(".env"), "A='1'\nB='2'\nnothing\n");
        let (ours, others) = file.notes_about(&["A"]);
        assert_eq!((ours.iter().map(|note| note.line).collect::<Vec<_>>(), others), (vec![1, 3], 1));
    }
}
