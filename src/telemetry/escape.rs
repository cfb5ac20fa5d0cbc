//! What keeps a log line one line: every control character is escaped, and so is every mark that makes a terminal show
//! text in another order than it was written.
//!
//! JSON itself escapes only what stands below U+0020, which leaves DEL, the C1 controls (U+009B starts an escape
//! sequence) and the bidirectional overrides.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

/// A value as JSON in one line, with everything escaped that could act on a terminal.
#[must_use]
pub(super) fn json(value: &impl Serialize) -> String {
    let mut bytes = Vec::with_capacity(512);
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Careful);
    match value.serialize(&mut serializer) {
        Ok(()) => String::from_utf8(bytes).unwrap_or_default(),
        // Nothing that is logged here can fail to serialize; a log must not be the thing that breaks.
        Err(_) => "null".to_owned(),
    }
}

/// Whether a character may stand in a line as it is.
fn is_harmless(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            // Line and paragraph separator; left-to-right and right-to-left marks; embeddings, overrides, isolates.
            '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// serde_json's compact form, but for the strings.
struct Careful;

impl Formatter for Careful {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(|character| !is_harmless(character)) {
            let (clean, tail) = rest.split_at(at);
            writer.write_all(clean.as_bytes())?;
            let mut characters = tail.chars();
            if let Some(character) = characters.next() {
                // All of them are below U+10000, so one unit of four digits says each.
                write!(writer, "\\u{:04x}", u32::from(character))?;
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

/// A value of the text format: as it is where nothing in it could be misread, else quoted as in JSON.
#[must_use]
pub(super) fn word(text: &str) -> String {
    let bare = |character: char| is_harmless(character) && !matches!(character, ' ' | '"' | '=' | '\\');
    if !text.is_empty() && text.chars().all(bare) { text.to_owned() } else { json(&text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NASTY: &str = "a\u{1b}[31m\r\n\u{7f}\u{9b}2J\u{202e}evil\u{2066}\u{2069}\u{2028}\"\\z";

    #[test]
    fn nothing_acts_on_a_terminal_and_everything_comes_back() {
        let text = json(&NASTY);
        assert!(text.chars().all(is_harmless), "{text:?}");
        assert!(text.contains("\\u202e") && text.contains("\\u009b") && text.contains("\\u001b"));
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), NASTY);
        assert!(word(NASTY).chars().all(is_harmless));
    }

    #[test]
    fn words_are_quoted_only_where_needed() {
        assert_eq!(word("glm"), "glm");
        assert_eq!(word("模型"), "模型");
        assert_eq!(word(""), "\"\"");
        assert_eq!(word("HTTP 401"), "\"HTTP 401\"");
        assert_eq!(word("a=b"), "\"a=b\"");
    }
}
