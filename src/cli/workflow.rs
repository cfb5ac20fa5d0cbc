//! What keeps text of others from giving orders to a GitHub runner, which reads every line that a step writes, on both
//! streams, and does what some of them say.
//!
//! A command is a line that begins with `::`, after any space, or the older `##[` anywhere in one (`ActionCommand.cs` of
//! actions/runner). Both are spelled out so that they are none, in a way that leaves JSON what it was: `::` begins no line
//! of it. What means to give commands (`report/github.rs`) does not come here.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::config::Environment;

/// Whether this process is a step of a workflow.
pub(super) fn is_one() -> bool {
    static ONE: OnceLock<bool> = OnceLock::new();
    *ONE.get_or_init(|| Environment::from_process().get("GITHUB_ACTIONS") == Some("true"))
}

/// The same text with no command in it. What it begins with is taken for the beginning of a line.
pub(super) fn disarmed(bytes: &[u8]) -> Cow<'_, [u8]> {
    let text = String::from_utf8_lossy(bytes);
    if !text.contains("::") && !text.contains("##[") {
        return Cow::Borrowed(bytes);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive(['\n', '\r']) {
        let words = line.trim_start();
        let (space, rest) = line.split_at(line.len() - words.len());
        safe.push_str(space);
        match rest.strip_prefix("::") {
            Some(rest) => {
                safe.push_str("\\u003a:");
                safe.push_str(&rest.replace("##[", "##\\u005b"));
            }
            None => safe.push_str(&rest.replace("##[", "##\\u005b")),
        }
    }
    Cow::Owned(safe.into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_are_spelled_out_and_nothing_else_changes() {
        let of = |text: &str| String::from_utf8(disarmed(text.as_bytes()).into_owned()).unwrap();
        assert_eq!(of("a\n  ::error::b\n::warning::c"), "a\n  \\u003a:error::b\n\\u003a:warning::c");
        assert_eq!(of("x ##[add-mask]y"), "x ##\\u005badd-mask]y");
        assert_eq!(of("hf::a stays"), "hf::a stays");
        let json = r###"{"evidence":"##[error]x ::notice::y"}"###;
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&of(json)), read(json));
    }

    proptest! {
        #[test]
        fn no_text_makes_a_command(text in "([ \t\r\n\u{a0}:#\\[a-z]|::|##\\[|\\PC){0,60}") {
            let safe = String::from_utf8(disarmed(text.as_bytes()).into_owned()).unwrap();
            prop_assert!(!safe.contains("##["), "{safe:?}");
            for line in safe.split(['\n', '\r']) {
                prop_assert!(!line.trim_start().starts_with("::"), "{safe:?}");
            }
        }
    }
}
