//! `.env` files: `KEY=VALUE` lines to pairs, and what is odd about them.
//!
//! Every tool reads these files a little differently, and the difference is what breaks keys: Docker's `--env-file`
//! keeps quotes, shells do not; some trim spaces, some do not. So whatever two tools would read differently is noted,
//! by line and name, never by value.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::env_value::{Notes, hidden, is_unclosed, over_lines, value};
use super::environment::{EnvFileError, Environment};
use super::values::is_variable_name;
use super::{Note, parse, read_at_most};

/// Longest name of a variable that is read, in characters. What is longer is a piece of something else.
const LONGEST_NAME: usize = 64;

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

    /// The same with nothing said of it, where that was told already.
    #[must_use]
    pub fn without_notes(self) -> Self {
        Self { notes: Vec::new(), ..self }
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
    let mut notes = Notes { list: Vec::new(), names: true };
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
    let lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
    let mut at = 0;
    // Where a value begins that has no end: what follows may be pieces of it.
    let mut open = Open::No;
    while let Some(line) = lines.get(at).copied() {
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        at += 1;
        let statement = line.trim_start();
        if open == Open::Armour {
            open = if line.contains("-----END") { Open::No } else { Open::Armour };
            continue;
        }
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
        if !is_variable_name(bare) || bare.len() > LONGEST_NAME {
            // What stands before the `=` may be a piece of a key, so it is not repeated.
            notes.file(number, "what stands before `=` is not a variable's name, so the line is left out");
            continue;
        }
        if open == Open::Quote && matches!(raw.trim(), "" | "=") {
            // So ends a line of base64.
            notes.file(number, "this line may be a part of the quote that is not closed above it, so it is left out");
            continue;
        }
        notes.names = open == Open::No;
        if bare != name {
            notes.add(number, bare, "has a space before `=`: shells and Docker refuse this line");
        }
        if exported.is_some() {
            notes.add(number, bare, "stands after `export`, which Docker's --env-file refuses");
        }
        // Once a quote has no end, nobody knows which of the following ones opens and which closes.
        let following = if open == Open::No { lines.get(at..).unwrap_or_default() } else { &[] };
        let value = match over_lines(raw, following) {
            Some((value, further)) => {
                at += further;
                let text =
                    format!("goes over {} lines in its quotes, which Docker's --env-file cannot read", further + 1);
                notes.add(number, bare, &text);
                value
            }
            None => {
                if is_unclosed(raw) {
                    open = Open::Quote;
                } else if raw.contains("-----BEGIN") && !raw.contains("-----END") {
                    notes.add(number, bare, "begins a key or certificate without quotes: only its first line is read");
                    open = Open::Armour;
                }
                let value = value(bare, raw, number, &mut notes);
                hidden(bare, &value, number, &mut notes);
                value
            }
        };
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
    (pairs, notes.list)
}

/// Whether a line stands after the beginning of a value that has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    No,
    /// A quote was opened and is never closed.
    Quote,
    /// A PEM block without quotes was begun.
    Armour,
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
    fn a_key_over_several_lines_is_one_value_and_no_names() {
        let base64 = "unter2".repeat(9);
        let key = format!("-----BEGIN PRIVATE KEY-----\n{base64}\nHunter2Q0E=\nHunter2Q==\n-----END PRIVATE KEY-----");
        for quote in ['"', '\''] {
            let (pairs, notes) = parse(&format!("A=1\nK={quote}{key}{quote} # c\r\nB=2\n"));
            let pairs: Vec<(&str, &str, u32)> =
                pairs.iter().map(|pair| (pair.name.as_str(), pair.value.as_str(), pair.line)).collect();
            assert_eq!(pairs, [("A", "1", 1), ("K", key.as_str(), 2), ("B", "2", 7)]);
            assert!(notes.iter().any(|note| note.text.contains("goes over 5 lines")), "{notes:?}");
        }
        // Without an end, or without quotes, what follows is named nowhere.
        for text in [
            format!("K=\"{key}\nB=2\nC='3'\n"),
            format!("K={key}\nB=2\nC='3'\n"),
            format!("K=\"{key}\nB=2\nC='3'\nD=\"4\"\n"),
        ] {
            let (pairs, notes) = parse(&text);
            let names: Vec<&str> = pairs.iter().map(|pair| pair.name.as_str()).take(3).collect();
            assert_eq!(names, ["K", "B", "C"], "{text}");
            assert!(notes.iter().all(|note| !note.text.contains("unter2")), "{notes:?}");
        }
        let (pairs, notes) = parse(&format!("{}=1\n", "N".repeat(65)));
        assert!(pairs.is_empty() && !notes[0].text.contains("NNN"), "{notes:?}");
    }

    #[test]
    fn notes_about_others_are_counted_alone() {
        let file = EnvFile::from_text(Path::new(".env"), "A='1'\nB='2'\nnothing\n");
        let (ours, others) = file.notes_about(&["A"]);
        assert_eq!((ours.iter().map(|note| note.line).collect::<Vec<_>>(), others), (vec![1, 3], 1));
    }
}
