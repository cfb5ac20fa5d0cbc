//! What the process ends with: the code of an exit, or one that is part of the form of a report (`nagios`).

use std::ffi::OsStr;

use super::terminal;
use crate::exit::Exit;
use crate::report::{NagiosState, nagios_unknown};

/// How a command ends: with an exit, or with a code that is part of the form of its report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Exit(Exit),
    Nagios(NagiosState),
}

impl Ended {
    /// The code of the process.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Exit(exit) => exit.code(),
            Self::Nagios(state) => state.code(),
        }
    }
}

impl From<Exit> for Ended {
    fn from(exit: Exit) -> Self {
        Self::Exit(exit)
    }
}

/// The code of a command that could not do its work. Where a Nagios plugin was asked for, that is 3, with its one line on
/// standard output: whoever runs plugins reads nothing else.
pub(super) fn code_of_failure(exit: Exit, why: &str) -> u8 {
    let words: Vec<_> = std::env::args_os().collect();
    if !asks_for_nagios(words.iter().filter_map(|word| OsStr::to_str(word))) {
        return exit.code();
    }
    let mut lines = why.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let rest = if lines.next().is_some() { " (standard error has more)" } else { "" };
    let line = nagios_unknown(&format!("{first}{rest}"));
    // Nobody can be told when that fails.
    terminal::output(|out| writeln!(out, "{line}")).ok();
    NagiosState::Unknown.code()
}

/// Whether the words of a command line ask for Nagios' form on standard output. They may be wrong in any other way.
fn asks_for_nagios<'a>(words: impl Iterator<Item = &'a str>) -> bool {
    let mut before = "";
    for word in words {
        let is_value = matches!((before, word), ("--format" | "-f" | "--report", "nagios") | ("--report", "nagios=-"));
        let is_whole =
            matches!(word, "--format=nagios" | "-fnagios" | "-f=nagios" | "--report=nagios" | "--report=nagios=-");
        if is_value || is_whole {
            return true;
        }
        before = word;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_nagios_is_answered_as_a_plugin_answers() {
        let asks = |line: &str| asks_for_nagios(line.split(' '));
        for line in [
            "check --format nagios",
            "check -f nagios",
            "check -fnagios",
            "check --format=nagios --bad",
            "wait --report nagios",
        ] {
            assert!(asks(line), "{line}");
        }
        for line in ["check nagios", "check --report nagios=file", "check --format json", "explain nagios"] {
            assert!(!asks(line), "{line}");
        }
    }
}
