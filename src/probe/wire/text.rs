//! Making text from the wire fit to be shown: one line, no control characters, no key.
//!
//! Cleaning and scrubbing are separate, because only some texts can hold a key. Where both are needed, clean first: an
//! invisible character in the middle of an echoed key would otherwise hide it from the scrubber and then vanish.

use std::collections::HashSet;

use crate::target::Secret;

/// Shown in place of a control character.
const REPLACEMENT: char = '\u{fffd}';
/// Shown where a text was cut.
const ELLIPSIS: char = '…';
/// The shortest part of a key that is taken for the key. Shorter runs occur by chance, and give little away.
const RUN: usize = 8;
/// Keys shorter than this are placeholders for local servers ("x", "1"); masking them would eat every text.
const SHORTEST_KEY: usize = 4;

/// A text on one line, at most `limit` characters, with an ellipsis where it was cut.
///
/// Line breaks and other white space become single spaces; terminal escape sequences and invisible format characters
/// (bidirectional overrides, zero-width, default-ignorable) are left out; other control characters become `�`.
#[must_use]
pub fn clean(text: &str, limit: usize) -> String {
    let mut line = Line { text: String::new(), length: 0, limit, space: false, cut: false };
    let mut escapes = Escapes { unterminated: false };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if line.cut {
            break;
        }
        let length = escapes.length(rest).unwrap_or(c.len_utf8());
        if length > c.len_utf8() || is_escape(c) {
            // An escape sequence, or what is left of one: it leaves nothing behind.
        } else if c.is_whitespace() {
            line.space = true;
        } else if c.is_control() {
            line.push(REPLACEMENT);
        } else if !is_invisible(c) {
            line.push(c);
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    line.finish()
}

/// The line that [`clean`] makes.
struct Line {
    text: String,
    length: usize,
    limit: usize,
    space: bool,
    cut: bool,
}

impl Line {
    fn push(&mut self, c: char) {
        if std::mem::take(&mut self.space) && self.length > 0 {
            self.place(' ');
        }
        self.place(c);
    }

    fn place(&mut self, c: char) {
        if self.length < self.limit {
            self.text.push(c);
            self.length += 1;
        } else {
            self.cut = true;
        }
    }

    fn finish(mut self) -> String {
        if self.cut && self.text.pop().is_some() {
            self.text.truncate(self.text.trim_end().len());
            self.text.push(ELLIPSIS);
        }
        self.text
    }
}

/// ESC and the C1 characters that begin a terminal's escape sequence.
fn is_escape(c: char) -> bool {
    matches!(c, '\u{1b}' | '\u{90}' | '\u{98}' | '\u{9b}' | '\u{9d}' | '\u{9e}' | '\u{9f}')
}

/// Measures terminal escape sequences.
struct Escapes {
    /// A search for the end of a control string came to the end of the text. No later one can succeed, and repeating
    /// it would be quadratic.
    unterminated: bool,
}

impl Escapes {
    /// The length in bytes of the escape sequence that `text` begins with.
    fn length(&mut self, text: &str) -> Option<usize> {
        let mut chars = text.chars();
        let (introducer, body) = match chars.next()? {
            '\u{1b}' => match chars.next() {
                Some(c @ ('[' | ']' | 'P' | 'X' | '^' | '_')) => (c, 2),
                Some(' '..='/') => {
                    let body = text.get(1..).unwrap_or_default();
                    let between = body.len() - body.trim_start_matches(|c| matches!(c, ' '..='/')).len();
                    let last = body.get(between..).and_then(|rest| rest.chars().next());
                    return Some(1 + between + usize::from(last.is_some_and(|c| matches!(c, '0'..='~'))));
                }
                Some('0'..='~') => return Some(2),
                _ => return Some(1),
            },
            '\u{9b}' => ('[', 2),
            c if is_escape(c) => (']', 2),
            _ => return None,
        };
        let rest = text.get(body..).unwrap_or_default();
        Some(body + if introducer == '[' { control_length(rest) } else { self.string_length(rest) })
    }

    /// The length of a control string's rest: up to BEL, ST or `ESC \`.
    fn string_length(&mut self, rest: &str) -> usize {
        if self.unterminated {
            return 0;
        }
        let end = rest.char_indices().find_map(|(at, c)| match c {
            '\u{7}' | '\u{9c}' => Some(at + c.len_utf8()),
            '\u{1b}' if rest.get(at + 1..).is_some_and(|next| next.starts_with('\\')) => Some(at + 2),
            _ => None,
        });
        self.unterminated = end.is_none();
        end.unwrap_or(0)
    }
}

/// The length of a control sequence's rest: parameters, intermediates and one final character.
fn control_length(rest: &str) -> usize {
    let middle = rest.len() - rest.trim_start_matches(|c| matches!(c, ' '..='?')).len();
    let last = rest.get(middle..).and_then(|rest| rest.chars().next());
    middle + usize::from(last.is_some_and(|c| matches!(c, '@'..='~')))
}

/// Characters that take no place and can change how others look: Unicode's default-ignorable code points and the
/// bidirectional and annotation controls.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text without the key: the whole key, and every run of it of 8 or more characters, becomes `***`.
///
/// Providers echo keys in error messages, sometimes cut. Time is linear in the text and in the key.
#[must_use]
pub fn scrub(text: &str, secret: Option<&Secret>) -> String {
    // Space and quotes around a key, as it was found, never come back from a provider.
    let Some(key) = secret.map(|secret| secret.expose().trim().trim_matches(['"', '\''])) else {
        return text.to_owned();
    };
    let key: Vec<char> = key.chars().collect();
    if key.len() < SHORTEST_KEY {
        return text.to_owned();
    }
    let mask = if key.contains(&'*') { "�" } else { "***" };
    let run = key.len().min(RUN);
    let runs: HashSet<&[char]> = key.windows(run).collect();
    let text: Vec<char> = text.chars().collect();
    let mut scrubbed = String::with_capacity(text.len());
    // How many characters from here on belong to a run of the key, and whether the one before did.
    let (mut covered, mut inside) = (0_usize, false);
    for (at, &c) in text.iter().enumerate() {
        if text.get(at..at + run).is_some_and(|window| runs.contains(window)) {
            covered = run;
        }
        if covered == 0 {
            scrubbed.push(c);
        } else if !inside {
            scrubbed.push_str(mask);
        }
        inside = covered > 0;
        covered = covered.saturating_sub(1);
    }
    scrubbed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_becomes_one_clean_line() {
        for (text, expected) in [
            ("  plain  text ", "plain text"),
            ("two\r\nlines\tand\u{85}more\u{2028}x\u{a0}y", "two lines and more x y"),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{9b}31mred", "red"),
            ("\u{1b}]0;title\u{7}after \u{1b}]8;;http://x\u{1b}\\link", "after link"),
            ("\u{1b}]0;never ended", "0;never ended"),
            ("\u{1b}(Bascii \u{1b}c \u{1b}", "ascii"),
            ("a\u{0}b\u{7f}c\u{81}d", "a�b�c�d"),
            ("abc\u{202e}cba\u{2066}x\u{2069}", "abccbax"),
            ("z\u{200b}e\u{200d}r\u{feff}o\u{e0041}", "zero"),
            ("", ""),
            ("日本語 ok", "日本語 ok"),
        ] {
            assert_eq!(clean(text, 100), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_with_an_ellipsis_within_the_limit() {
        assert_eq!(clean("abcdef", 6), "abcdef");
        assert_eq!(clean("abcdefg", 6), "abcde…");
        assert_eq!(clean("abcd efg", 6), "abcd…");
        assert_eq!(clean("äöüß", 3), "äö…");
        assert_eq!(clean("x", 0), "");
    }

    #[test]
    fn many_unterminated_strings_take_linear_time() {
        assert!(clean(&"\u{1b}]x".repeat(1 << 20), usize::MAX).starts_with("xxx"));
    }

    #[test]
    fn the_key_and_its_parts_are_masked() {
        let secret = Secret::new(" syn_0123456789abcdef\n".to_owned());
        for (text, expected) in [
            ("wrong key: syn_0123456789abcdef.", "wrong key: ***."),
            ("wrong key: syn_01234567…", "wrong key: ***…"),
            ("…89abcdef", "…***"),
            ("short 789abcd stays", "short 789abcd stays"),
            ("syn_0123456789abcdefsyn_0123", "***"),
        ] {
            assert_eq!(scrub(text, Some(&secret)), expected, "{text:?}");
        }
        assert_eq!(scrub("any", None), "any");
        assert_eq!(scrub("key hunt2 no", Some(&Secret::new("hunt2".to_owned()))), "key *** no");
        assert_eq!(scrub("x y", Some(&Secret::new("x".to_owned()))), "x y");
    }

    proptest! {
        #[test]
        fn cleaning_is_bounded_visible_and_stable(text in "(?s).{0,80}", limit in 0_usize..60) {
            let cleaned = clean(&text, limit);
            prop_assert!(cleaned.chars().count() <= limit);
            prop_assert!(!cleaned.chars().any(|c| c.is_control() || is_invisible(c)));
            prop_assert!(!cleaned.contains("  "));
            prop_assert_eq!(clean(&cleaned, limit), cleaned);
        }

        #[test]
        fn scrubbing_leaves_no_run_of_the_key(
            key in "[a-c*_-]{8,24}",
            pieces in prop::collection::vec("[a-c*_ -]{0,12}", 0..6),
            from in 0_usize..12,
        ) {
            let text = pieces.join(key.get(from.min(key.len() - 1)..).unwrap_or_default());
            let scrubbed: Vec<char> = scrub(&text, Some(&Secret::new(key.clone()))).chars().collect();
            let key: Vec<char> = key.trim().chars().collect();
            for run in key.windows(RUN) {
                prop_assert!(!scrubbed.windows(RUN).any(|window| window == run));
            }
        }
    }
}
