//! The checks themselves, on sources that they must catch and on sources that they must not.

use super::*;

fn part(path: &str) -> Part {
    if path.starts_with("tests/") { Part::Tests } else { Part::Program }
}

#[track_caller]
fn caught(path: &str, text: &str, room: &str) {
    let wrong = forbidden_imports(path, text);
    assert!(wrong.iter().any(|line| line.contains(room)), "not caught: {text}\n{wrong:?}");
}

#[test]
fn forbidden_imports_are_caught() {
    for text in [
        "use crate::probe::Ladder;",
        "use crate::{target, probe};",
        "use crate::{\n    target::{Target, TargetId},\n    outcome::Outcome, probe::{self, x::Y as Z},\n};",
        "pub(crate) use crate::probe::Ladder;",
        "pub use crate::probe as ladder;",
        "fn f() { let x = crate::probe::climb(1); }",
        "fn f(x: &crate::probe::Ladder<'_>) -> crate::target::Target {}",
        "macro_rules! m { () => { $crate::probe::climb() } }",
        "m!(crate::probe::climb);",
        "use pilotlight::probe::Ladder;",
        "use ::pilotlight::probe::Ladder;",
        "use super::super::probe::Ladder;",
        "mod inner { use super::super::super::probe; }",
        "use self::super::super::probe;",
        "use super::{super::{probe::Ladder}};",
        "impl Into<crate::probe::X> for Y {}",
        "use r#crate::probe;",
        "#[cfg(not(test))] use crate::probe::X;",
        "#[cfg(test)] mod tests { use crate::run; } use crate::probe::X;",
        "#[cfg(test)] use crate::run::{A, B}; use crate::probe::X;",
        "/* a comment /* nested */ */ use crate /* here */ :: probe :: X;",
        "const A: char = '\"'; use crate::probe::X; const B: char = '\"';",
        "const A: &str = r#\"\"\"#; use crate::probe::X;",
        "fn f<'a>(x: &'a str) { crate::probe::x() }",
    ] {
        caught("src/quota/window.rs", text, "may not use probe/");
    }
    caught("src/quota/mod.rs", "use super::probe::X;", "may not use probe/");
    caught("src/exit.rs", "use super::probe::X;", "may not use probe/");
    caught("src/main.rs", "fn main() { pilotlight::probe::run() }", "may not use probe/");
    caught("src/telemetry/log.rs", "use crate::report::words;", "may not use report/");
    caught("src/sim/mod.rs", "use crate::target::Target;", "may not use target/");
    caught("src/config/raw.rs", "use crate::exit::Exit;", "may not use exit/");
    caught("src/attic/mod.rs", "", "no room");
}

#[test]
fn ways_around_are_caught() {
    for text in [
        "use crate as here;",
        "use crate::{self as here};",
        "use crate::*;",
        "use super::super::*;",
        "macro_rules! m { ($room:ident) => { crate::$room::X } }",
    ] {
        caught("src/quota/window.rs", text, "hides which room");
    }
}

#[test]
fn what_is_allowed_passes() {
    for (path, text) in [
        ("src/quota/window.rs", "use crate::target::Target; use crate::outcome::{Code, Outcome};"),
        ("src/quota/window.rs", "use super::Window; use super::super::quota::Price; use crate::quota::X;"),
        ("src/quota/window.rs", "// use crate::probe::X;\n/* crate::probe */ const A: &str = \"crate::probe::X\";"),
        (
            "src/quota/window.rs",
            "const A: &str = r#\"crate::probe::X \"quoted\" \"#; const B: &[u8] = b\"crate::run\";",
        ),
        ("src/quota/window.rs", "#[cfg(test)]\nmod tests { use crate::probe::X; fn f() { {} } }"),
        ("src/quota/window.rs", "#[cfg(test)] #[expect(dead_code, reason = \"x\")] fn f() { crate::probe::x() }"),
        (
            "src/quota/window.rs",
            "pub(crate) struct A; pub(in crate::quota) struct B; use std::probe::X; a.probe::<B>();",
        ),
        ("src/run/pool.rs", "use crate::{plan, probe, target};"),
        ("src/config/mod.rs", "use crate::plan::Retry;"),
        ("src/cli/check.rs", "use crate::{sim, exit::Exit, config};"),
        ("src/main.rs", "fn main() -> std::process::ExitCode { pilotlight::cli::main() }"),
        ("src/lib.rs", "pub mod target; pub use crate::target::Target;"),
    ] {
        assert_none(&forbidden_imports(path, text));
    }
}

#[test]
fn untidy_files_are_caught() {
    let long = format!("//! x\n{}", "\n".repeat(LONGEST));
    for (path, text, complaint) in [
        ("src/a/b.rs", "use std::fmt;", "does not open"),
        ("src/a/b.rs", long.as_str(), "asking to be two"),
        ("src/main.rs", long.as_str(), "at most 20"),
        ("src/a/utils.rs", "//! x", "no home"),
        ("src/a/mod.rs", "//! x\nmod helpers;", "no home"),
        ("src/a/mod.rs", "//! x\nmod errors { }", "no home"),
        ("src/a/b.rs", "//! x\nfn f() { println!(\"x\"); }", "only cli/ prints"),
        ("src/a/b.rs", "//! x\nfn f() { std::io::stderr().lock(); }", "only cli/ prints"),
        ("src/a/b.rs", "//! x\nuse std::io::stdout; fn f() { stdout(); }", "only cli/ prints"),
        ("src/a/b.rs", "//! x\nfn f() { g(std::io::stderr) }", "only cli/ prints"),
        ("src/cli/b.rs", "//! x\nfn f() { std::thread::sleep(d) }", "no sleep"),
        ("tests/b.rs", "//! x\nuse std::thread; fn f() { thread::sleep(d) }", "no sleep"),
        ("tests/b.rs", "//! x\nuse std::{thread::{self, sleep}};", "no sleep"),
        ("src/a/b.rs", "//! x\n#[cfg(test)] mod tests { fn f() { std::thread::sleep(d) } }", "no sleep"),
    ] {
        let wrong = untidy(path, text, part(path));
        assert!(wrong.iter().any(|line| line.contains(complaint)), "not caught: {path} {text}\n{wrong:?}");
    }
}

#[test]
fn modules_for_tests_are_known() {
    let text = "#[cfg(test)]\nmod tests; #[cfg(test)] pub(crate) mod sample; mod real; #[cfg(test)] mod inline {}";
    assert_eq!(test_modules(&tokens(text)), ["tests", "sample"]);
}

#[test]
fn tidy_files_pass() {
    for (path, text) in [
        ("src/cli/b.rs", "//! x\nfn f() { println!(\"x\"); std::io::stderr(); }"),
        ("src/a/b.rs", "//! x\nstruct A { stdout: Vec<u8> } fn f(c: C) { c.stdout(pipe).stderr(pipe); c.stderr; }"),
        ("src/a/b.rs", "//! x\n// println!\nconst A: &str = \"eprintln!\"; fn f() { write!(out, \"\") }"),
        ("src/a/b.rs", "//! x\n#[cfg(test)] mod tests { fn f() { std::io::stderr(); } }"),
        ("src/a/b.rs", "//! x\nasync fn f() { tokio::time::sleep(d).await; std::thread::spawn(g); }"),
    ] {
        assert_none(&untidy(path, text, part(path)));
    }
}

#[test]
fn the_words_of_the_table_are_understood() {
    let above = ["target", "outcome", "quota"].map(str::to_owned);
    let may = |words: &str| allowed(words, &above).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(may("–"), "");
    assert_eq!(may("`target/`, `exit.rs`"), "exit target");
    assert_eq!(may("target, outcome, plan (retry, deadlines)"), "outcome plan target");
    assert_eq!(may("the above"), "outcome quota target");
    assert_eq!(may("the settings types of every room above"), "outcome quota target");
    assert_eq!(may("all").split(' ').count(), ROOMS.len());
}
