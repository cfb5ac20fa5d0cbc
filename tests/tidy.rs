//! The shape of the source, enforced: which room may use which (ARCHITECTURE.md), and the house style that a lint
//! cannot see.
//!
//! The scanner is in `tidy/source.rs`. The checks work on strings, so that they are tested on small sources that must
//! be caught.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

mod checks;
mod source;

use source::{paths, test_modules, tokens, without_tests};

/// The rooms in their order, and what each may use: the words of the table in ARCHITECTURE.md, which is compared.
const ROOMS: [(&str, &str); 16] = [
    ("target", "–"),
    ("outcome", "target"),
    ("quota", "target, outcome"),
    ("warmth", "target, outcome"),
    ("plan", "target, outcome, quota, warmth"),
    ("probe", "target, outcome, plan"),
    ("run", "target, outcome, quota, plan, probe"),
    ("store", "target, outcome, quota, warmth"),
    ("exit", "outcome"),
    ("report", "target, outcome, quota, warmth, plan, store, exit"),
    ("telemetry", "target, outcome"),
    ("serve", "target, outcome, telemetry"),
    ("config", "target, outcome, quota, warmth, plan, store"),
    ("daemon", "target, outcome, quota, warmth, plan, probe, run, store, telemetry, serve, config"),
    ("sim", "–"),
    ("cli", "all"),
];

/// Files that may be longer than [`LONGEST`], and why.
const LONG: [(&str, &str); 1] = [("src/outcome/code_table.rs", "a table: one row per code")];
const LONGEST: usize = 400;

/// Files that may put a thread to sleep in real time, and why.
const SLEEPERS: [(&str, &str); 2] = [
    ("src/config/credential.rs", "it waits for the program that prints a key, and a child has no wait with a deadline"),
    ("src/store/ledgers.rs", "it waits for another process's lock, and a lock has no wait with a deadline"),
];

/// Names that say nothing of what is inside. (`model` would be read as the LLM.)
const HOMELESS: [&str; 7] = ["utils", "util", "common", "helpers", "types", "errors", "model"];

/// What a room may use, from the words of its row and the rooms above it.
fn allowed(words: &str, above: &[String]) -> BTreeSet<String> {
    let words = words.replace('`', "");
    match words.trim() {
        "–" | "-" | "" => BTreeSet::new(),
        "all" => ROOMS.iter().map(|(room, _)| (*room).to_owned()).collect(),
        text if text.ends_with("above") => above.iter().cloned().collect(),
        text => {
            // `plan (retry, deadlines)`: what stands in parentheses narrows the room and is left to reviewers.
            let mut plain = String::new();
            let mut depth = 0;
            for character in text.chars() {
                match character {
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    other if depth == 0 => plain.push(other),
                    _ => {}
                }
            }
            plain.split(',').map(|room| room_of_cell(room).to_owned()).filter(|room| !room.is_empty()).collect()
        }
    }
}

/// `probe/`, `exit.rs` or `target` as the room's name.
fn room_of_cell(cell: &str) -> &str {
    cell.trim().trim_matches('`').trim_end_matches('/').trim_end_matches(".rs")
}

/// What every room may use, itself not counted.
fn table<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, BTreeSet<String>> {
    let mut above = Vec::new();
    let mut table = BTreeMap::new();
    for (room, words) in rows {
        table.insert(room.to_owned(), allowed(words, &above));
        above.push(room.to_owned());
    }
    table
}

/// The modules from the crate's root to the file at `path` (`src/a/b.rs` is `a::b`).
fn modules(path: &str) -> Vec<String> {
    let stem = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut modules: Vec<String> = stem.split('/').map(str::to_owned).collect();
    if modules.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        modules.pop();
    }
    modules
}

/// Every import of a file that the table does not allow, as sentences.
fn forbidden_imports(path: &str, text: &str) -> Vec<String> {
    let table = table(ROOMS.into_iter());
    let own = modules(path);
    let room = match path {
        "src/main.rs" => "main",
        _ => own.first().map_or("lib", String::as_str),
    };
    let mut wrong = Vec::new();
    if !matches!(room, "lib" | "main") && !table.contains_key(room) {
        wrong.push(format!("{path}: `{room}` is no room of the table in tests/tidy.rs"));
        return wrong;
    }
    for found in paths(&without_tests(&tokens(text))) {
        let (first, rest) = match found.segments.split_first() {
            Some((first, rest)) if !rest.is_empty() => (first.as_str(), rest),
            _ => continue,
        };
        // From the root: `crate::a`, `pilotlight::a`, or `super`s enough to reach it.
        let mut from_root: Vec<&str> = match first {
            "crate" | "pilotlight" => Vec::new(),
            "super" | "self" => own.iter().chain(&found.within).map(String::as_str).collect(),
            _ => continue,
        };
        if first == "super" {
            from_root.pop();
        }
        for segment in rest {
            if segment == "super" {
                from_root.pop();
            } else if segment != "self" || from_root.is_empty() {
                from_root.push(segment);
            }
        }
        let line = found.line;
        match from_root.first().copied() {
            Some(other) if other == room => {}
            Some("as" | "*" | "$" | "self") => {
                wrong.push(format!("{path}:{line}: `{}` hides which room is meant", found.segments.join("::")));
            }
            Some(other) if table.contains_key(other) => {
                let may = match room {
                    "lib" => true,
                    "main" => other == "cli",
                    room => table.get(room).is_some_and(|allowed| allowed.contains(other)),
                };
                if !may {
                    wrong.push(format!("{path}:{line}: {room}/ may not use {other}/ ({})", found.segments.join("::")));
                }
            }
            // A macro or an item of the crate's root.
            _ => {}
        }
    }
    wrong
}

/// Whether a file is part of the program or compiled for tests only (`#[cfg(test)] mod tests;`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Program,
    Tests,
}

/// What the house style says of a file and a lint cannot.
fn untidy(path: &str, text: &str, part: Part) -> Vec<String> {
    let mut wrong = Vec::new();
    if !text.starts_with("//!") {
        wrong.push(format!("{path}: it does not open with `//!`: say what it is for, and what it does not do"));
    }
    let lines = text.lines().count();
    if lines > LONGEST && !LONG.iter().any(|(long, _)| *long == path) {
        wrong.push(format!("{path}: {lines} lines, more than {LONGEST}: the file is asking to be two"));
    }
    if path == "src/main.rs" && lines > 20 {
        wrong.push(format!("{path}: {lines} lines; it is a door of at most 20"));
    }
    for module in modules(path) {
        if HOMELESS.contains(&module.as_str()) {
            wrong.push(format!("{path}: `{module}` is no home: put each thing beside what needs it"));
        }
    }
    let all = tokens(text);
    for (index, token) in all.iter().enumerate() {
        if token.text == "mod"
            && let Some(name) = all.get(index + 1).filter(|name| HOMELESS.contains(&name.text.as_str()))
        {
            wrong.push(format!("{path}:{}: `mod {}` is no home for anything", token.line, name.text));
        }
    }
    if part == Part::Program && !path.starts_with("src/cli/") {
        let code = without_tests(&all);
        for (index, token) in code.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|index| code.get(index)).map_or("", |token| &token.text);
            let next = code.get(index + 1).map_or("", |token| token.text.as_str());
            let prints = match token.text.as_str() {
                "print" | "println" | "eprint" | "eprintln" | "dbg" => next == "!",
                // A handle, as a call or named; a method or a field of that name is another thing.
                "stdout" | "stderr" => before == "::" || (next == "(" && before != "." && before != "fn"),
                _ => false,
            };
            if prints {
                wrong.push(format!("{path}:{}: only cli/ prints (`{}`)", token.line, token.text));
            }
        }
    }
    if !SLEEPERS.iter().any(|(sleeper, _)| *sleeper == path) {
        for found in paths(&all) {
            if found.segments.windows(2).any(|pair| pair[0] == "thread" && (pair[1] == "sleep" || pair[1] == "*")) {
                wrong.push(format!("{path}:{}: no sleep in real time; take a clock or tokio's paused one", found.line));
            }
        }
    }
    wrong
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder: path from the root with slashes, text, and whether it is for tests only.
fn files(folder: &str) -> Vec<(String, String, Part)> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("read {}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    let for_tests: BTreeSet<Vec<String>> = found
        .iter()
        .flat_map(|(path, text)| {
            let own = modules(path);
            test_modules(&tokens(text)).into_iter().map(move |name| [&own[..], &[name]].concat())
        })
        .collect();
    let part = |path: &str| {
        let own = modules(path);
        let is_for_tests = (1..=own.len()).any(|length| for_tests.contains(&own[..length]));
        if is_for_tests || path.starts_with("tests/") { Part::Tests } else { Part::Program }
    };
    found.into_iter().map(|(path, text)| (path.clone(), text, part(&path))).collect()
}

#[track_caller]
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn rooms_use_only_the_rooms_above() {
    let program = files("src").into_iter().filter(|(_, _, part)| *part == Part::Program);
    let wrong: Vec<String> = program.flat_map(|(path, text, _)| forbidden_imports(&path, &text)).collect();
    assert_none(&wrong);
}

#[test]
fn files_keep_the_house_style() {
    let all = files("src").into_iter().chain(files("tests"));
    let wrong: Vec<String> = all.flat_map(|(path, text, part)| untidy(&path, &text, part)).collect();
    assert_none(&wrong);
    for (path, reason) in LONG.iter().chain(&SLEEPERS) {
        assert!(root().join(path).exists(), "{path} is excepted ({reason}) but does not exist");
    }
}

#[test]
fn the_table_is_that_of_the_architecture() {
    let Ok(text) = fs::read_to_string(root().join("ARCHITECTURE.md")) else { return };
    let rows: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
            match cells[..] {
                [room, _, may] if room.starts_with('`') => Some((room_of_cell(room), may)),
                _ => None,
            }
        })
        .filter(|(room, _)| *room != "main")
        .collect();
    let (documented, enforced) = (table(rows.into_iter()), table(ROOMS.into_iter()));
    for room in documented.keys().chain(enforced.keys()) {
        let (said, held) = (documented.get(room), enforced.get(room));
        assert_eq!(said, held, "ARCHITECTURE.md (left) and tests/tidy.rs (right) disagree on `{room}`");
    }
}
